"""Transfers, from the wire and to it; requests are checked like everything in `_requests`."""

from collections.abc import Iterator, Mapping

from holdfast.client._checks import STOCK_MAX, Checks
from holdfast.client._enums import by_number
from holdfast.client._times import time_from_wire, time_to_wire
from holdfast.client._transfer_types import Transfer, TransferLine, TransferState
from holdfast.contracts.inventory.v1 import inventory_pb2


def create_transfer(
    units: object,
    *,
    origin: object,
    target: object,
    reference: object,
    expected_time: object,
    request_id: object,
) -> inventory_pb2.CreateTransferRequest:
    checks = Checks()
    request = inventory_pb2.CreateTransferRequest(
        origin=checks.text("origin", origin),
        target=checks.text("target", target),
        lines=_lines(checks, units),
        reference=checks.text("reference", reference),
        expected_time=time_to_wire(checks.instant("expected_time", expected_time)),
        request_id=checks.request_id(request_id),
    )
    checks.raise_any()
    return request


def receive_transfer(
    transfer_id: object, units: object, request_id: object
) -> inventory_pb2.ReceiveTransferRequest:
    """Without units all that is still to come."""
    checks = Checks()
    request = inventory_pb2.ReceiveTransferRequest(
        transfer_id=checks.text("transfer_id", transfer_id),
        lines=() if units is None else _lines(checks, units),
        request_id=checks.request_id(request_id),
    )
    checks.raise_any()
    return request


def close_transfer(transfer_id: object) -> inventory_pb2.CloseTransferRequest:
    checks = Checks()
    request = inventory_pb2.CloseTransferRequest(
        transfer_id=checks.text("transfer_id", transfer_id)
    )
    checks.raise_any()
    return request


def get_transfer(transfer_id: object) -> inventory_pb2.GetTransferRequest:
    checks = Checks()
    request = inventory_pb2.GetTransferRequest(transfer_id=checks.text("transfer_id", transfer_id))
    checks.raise_any()
    return request


def list_transfers(state: object) -> inventory_pb2.ListTransfersRequest:
    """None: whatever the state."""
    checks = Checks()
    request = inventory_pb2.ListTransfersRequest()
    known = None if state is None else checks.known("state", state, TransferState)
    checks.raise_any()
    if known is not None:
        request.state = inventory_pb2.TransferState.Value(f"TRANSFER_STATE_{known}")
    return request


def _lines(checks: Checks, units: object) -> Iterator[inventory_pb2.TransferUnits]:
    """Units by product, of at least one."""
    if not isinstance(units, Mapping):
        checks.is_a("units", units, Mapping)
        return
    if not units:
        checks.add("units", "is empty; it must have at least 1 product")
    for product_id, quantity in units.items():
        name = checks.text("units", product_id)
        number = checks.number(f"units[{name}]", quantity, lowest=1, highest=STOCK_MAX)
        yield inventory_pb2.TransferUnits(product_id=name, quantity=number)


def transfer_from_wire(message: inventory_pb2.Transfer) -> Transfer:
    return Transfer(
        transfer_id=message.transfer_id,
        origin=message.origin,
        target=message.target,
        state=_STATES.get(message.state, TransferState.UNKNOWN),
        lines=tuple(
            TransferLine(line.product_id, line.sent, line.received, line.missing)
            for line in message.lines
        ),
        reference=message.reference,
        create_time=time_from_wire(message.create_time),
        close_time=time_from_wire(message.close_time) if message.HasField("close_time") else None,
        expected_time=(
            time_from_wire(message.expected_time) if message.HasField("expected_time") else None
        ),
    )


_STATES = by_number(inventory_pb2.TransferState.Value, "TRANSFER_STATE", TransferState)
