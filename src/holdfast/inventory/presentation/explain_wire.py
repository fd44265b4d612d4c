"""ExplainStock on the wire: the question read with all its violations, the answer written."""

from dataclasses import dataclass
from datetime import datetime

from holdfast.chassis import times
from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.sourcing import LOCATION_CHARACTERS_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.stock.explain_stock import ExplainedLevel, Promises, Question
from holdfast.inventory.domain.stock.explaining import Incoming
from holdfast.inventory.presentation.backorders_wire import QueueMessages
from holdfast.inventory.presentation.wire import level_message as plain_level
from holdfast.inventory.presentation.wire import movement_message

LEVELS_MAX = 20
HOLDS_MAX = 100


@dataclass(frozen=True, slots=True)
class ExplainPage:
    """Which page of the answer is asked for."""

    question: Question
    filter_text: str
    after: str
    size: int


def read_question(
    request: pb.ExplainStockRequest, violations: Violations, now: datetime
) -> ExplainPage:
    question = Question(
        violations.id("product_id", request.product_id),
        violations.optional_id(
            "location_id", request.location_id, characters_max=LOCATION_CHARACTERS_MAX
        ),
        _moment(request, violations, now),
    )
    filter_text = f"explain {tuple(question)!r}"
    after = pages.read_token(violations, request.page_token, filter_text)
    size = pages.page_size(violations, request.page_size or LEVELS_MAX)
    return ExplainPage(question, filter_text, after, min(size, LEVELS_MAX))


def _moment(
    request: pb.ExplainStockRequest, violations: Violations, now: datetime
) -> datetime | None:
    if not request.HasField("as_of"):
        return None
    at = violations.instant("as_of", request.as_of)
    if at is not None and at > now:
        violations.add("as_of", f"is in the future, after {now.isoformat()}: leave it out for now")
    return at


def cursor_of(explained: ExplainedLevel) -> str:
    return explained.level.location_id


def level_message(explained: ExplainedLevel) -> pb.ExplainedLevel:
    earlier = explained.earlier
    message = pb.ExplainedLevel(
        level=plain_level(explained.level, explained.coming.units),
        sums=[
            pb.MovementSum(
                kind=pb.MovementKind.Value(f"MOVEMENT_KIND_{one.kind}"),
                movements=one.movements,
                on_hand=one.on_hand,
                reserved=one.reserved,
                quarantined=one.quarantined,
            )
            for one in explained.sums
        ],
        earlier=pb.StockLevel(
            on_hand=earlier.on_hand, reserved=earlier.reserved, quarantined=earlier.quarantined
        ),
        hold_orders=len(explained.holds),
        hold_units=sum(hold.quantity for hold in explained.holds),
        movements=map(movement_message, explained.movements),
        incoming=map(_incoming_message, explained.coming.first),
        incoming_transfers=explained.coming.transfers,
    )
    if explained.summed_from is not None:
        times.write(message.summed_from, explained.summed_from)
    for hold in explained.holds[:HOLDS_MAX]:
        told = message.holds.add(order_id=hold.order_id, quantity=hold.quantity)
        times.write(told.change_time, hold.at)
    return message


def _incoming_message(incoming: Incoming) -> pb.IncomingStock:
    message = pb.IncomingStock(
        transfer_id=incoming.transfer_id, origin=incoming.origin, quantity=incoming.quantity
    )
    times.write(message.create_time, incoming.created_at)
    if incoming.expected_at:
        times.write(message.expected_time, incoming.expected_at)
    return message


def write_promises(message: pb.ExplainStockResponse, promises: Promises) -> None:
    """Write what is free, and who waits, in place."""
    message.available, message.queued = promises.available, promises.queued
    message.backorders.extend(map(QueueMessages(0, 0), promises.head))
    message.backorder_rows = promises.rows
