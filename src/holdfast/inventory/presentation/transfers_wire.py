"""Transfers on the wire: read with all their violations, written as they are."""

from collections.abc import Callable, Sequence

from holdfast.chassis import times
from holdfast.chassis.grpc.sourcing import LOCATION_CHARACTERS_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.stock.refusals import ON_HAND_MAX
from holdfast.inventory.domain.transfers.transfer import LINES_MAX, Transfer, TransferState
from holdfast.inventory.presentation.wire import REFERENCE_CHARACTERS_MAX

BEHIND_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_NUMBERS = {state: pb.TransferState.Value(f"TRANSFER_STATE_{state}") for state in TransferState}
_STATES: dict[int, TransferState] = {number: state for state, number in _NUMBERS.items()}


def read_transfer(
    request: pb.CreateTransferRequest,
    caller: Caller,
    violations: Violations,
    new_id: Callable[[], str],
) -> AskedTransfer:
    origin, target = (
        violations.id(field, getattr(request, field), characters_max=LOCATION_CHARACTERS_MAX)
        for field in ("origin", "target")
    )
    if origin and origin == target:
        violations.add("target", "is the origin; name another location")
    expected_at = None
    if request.HasField("expected_time"):
        expected_at = violations.instant("expected_time", request.expected_time)
    return AskedTransfer(
        new_id(),
        origin,
        target,
        read_units(request.lines, violations),
        violations.text("reference", request.reference, characters_max=REFERENCE_CHARACTERS_MAX),
        expected_at,
        violations.optional_id("request_id", request.request_id),
        caller,
    )


def read_units(lines: Sequence[pb.TransferUnits], violations: Violations) -> dict[str, int]:
    """Read units by product, at least one, each product once."""
    violations.size("lines", len(lines), highest=LINES_MAX)
    units: dict[str, int] = {}
    for index, line in enumerate(lines[:LINES_MAX]):
        product_id = violations.id(f"lines[{index}].product_id", line.product_id)
        if product_id in units:
            violations.add(f"lines[{index}].product_id", f"{product_id} is there twice")
        units[product_id] = violations.within(
            f"lines[{index}].quantity", line.quantity, lowest=1, highest=ON_HAND_MAX
        )
    return units


def read_state(number: int, violations: Violations) -> TransferState | None:
    """Read which state is asked for; None: whatever it is."""
    if number and number not in _STATES:
        known = ", ".join(TransferState)
        violations.add("state", f"{number} is no state of a transfer; there are {known}")
    return _STATES.get(number)


def transfer_message(transfer: Transfer) -> pb.Transfer:
    message = pb.Transfer(
        transfer_id=transfer.transfer_id,
        origin=transfer.origin,
        target=transfer.target,
        state=_NUMBERS[transfer.state],
        reference=transfer.reference,
    )
    for line in transfer.lines:
        message.lines.add(**line._asdict())
    times.write(message.create_time, transfer.created_at)
    if transfer.closed_at:
        times.write(message.close_time, transfer.closed_at)
    if transfer.expected_at:
        times.write(message.expected_time, transfer.expected_at)
    return message
