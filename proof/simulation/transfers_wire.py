"""How calls about transfers look on the wire, and what of the answers is written down."""

from typing import Any

from holdfast.contracts.inventory.v1 import inventory_pb2
from proof.history import Facts


def sending(facts: Facts) -> inventory_pb2.CreateTransferRequest:
    return inventory_pb2.CreateTransferRequest(
        origin=facts["origin"],
        target=facts["target"],
        lines=_lines(facts),
        request_id=facts["request_id"],
    )


def receipt(facts: Facts) -> inventory_pb2.ReceiveTransferRequest:
    return inventory_pb2.ReceiveTransferRequest(
        transfer_id=facts["transfer_id"], lines=_lines(facts), request_id=facts["request_id"]
    )


def _lines(facts: Facts) -> list[inventory_pb2.TransferUnits]:
    return [
        inventory_pb2.TransferUnits(product_id=product_id, quantity=quantity)
        for product_id, quantity in facts["units"]
    ]


def transfer(body: bytes) -> dict[str, Any]:
    one = inventory_pb2.Transfer.FromString(body)
    return {
        "transfer_id": one.transfer_id,
        "closed": one.state == inventory_pb2.TRANSFER_STATE_CLOSED,
        "units": [[line.product_id, line.sent, line.received, line.missing] for line in one.lines],
    }


def coming(info: inventory_pb2.StockInfo) -> list[list[Any]]:
    """What is in transit, by location; where there is none is not named."""
    return [[level.location_id, level.in_transit] for level in info.levels if level.in_transit]
