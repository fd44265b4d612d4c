"""What Orders makes of units that wait for stock: promised, not held, and never shipped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo

from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.inbox import Unreadable
from holdfast.contracts.inventory.v1 import events_pb2 as told
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.orders.application.ordering.stock_advice import refuse_short
from holdfast.orders.application.ports import ProductStock
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import Shortage, ShortOfStock
from holdfast.orders.domain.events import OrderEditRequested
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Contents, Editions
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, QueuedUnits, StockAnswer
from holdfast.orders.domain.shipping.errors import NotHeldThere, OverShipment, StillQueued
from holdfast.orders.domain.shipping.shipment import AskedItem, Shipment, ShipmentItem, pick
from holdfast.orders.domain.shipping.transitions import ship
from holdfast.orders.infrastructure.events_to_proto import EventCodec
from holdfast.orders.presentation.ordering.wire import order_message
from holdfast.orders.presentation.statuses import translate
from holdfast.orders.presentation.subscriptions import INVENTORY_TO_ORDERS, read

AT = datetime(2026, 11, 28, tzinfo=UTC)
ANNA = Caller("anna")
ORDER_ID = "0199d3a4-7bff-7000-8000-000000000002"
LAMPS = OrderLine("LAMP", 5, Money("GBP", 100), 1)
TWO_HELD = (HeldStock("LAMP", "main", 2),)
THREE_WAIT = (QueuedUnits("LAMP", 3),)
IN_STOCK_ONLY = Sourcing(in_stock_only=True)


def order(status: OrderStatus = OrderStatus.CONFIRMED) -> Order:
    """Five lamps, of which two are held and three wait."""
    state = OrderState(ORDER_ID, status, 2, asked=1, answered=1)
    known = ((LAMPS,), Money("GBP", 500), Customer(), state, (), AT, AT)
    whole = Order(ORDER_ID, "c-1", "r-1", *known)
    return replace(whole, stock=TWO_HELD, queued=THREE_WAIT, stock_revision=1)


def shipment(*items: ShipmentItem) -> Shipment:
    return Shipment("s-1", 2, items, "", "", "", "", AT)


def answer(*missing: Shortage, revision: int = 1, sequence: int = 1) -> StockAnswer:
    return StockAnswer(ORDER_ID, sequence, revision, TWO_HELD, missing, THREE_WAIT)


def edit() -> OrderChange:
    """The order is to have six lamps; that is its question 2."""
    more = Contents((LAMPS._replace(quantity=6),), (), Money("GBP", 600))
    return order().state.edit(order().contents, more, 2, "more", AT, ANNA)


def under_edit() -> OrderState:
    return order().state.after(edit())


@pytest.mark.parametrize(
    ("expires_at", "status"),
    [(None, OrderStatus.CONFIRMED), (AT + timedelta(hours=1), OrderStatus.RESERVED)],
)
def test_an_order_that_waits_for_a_part_is_promised_all_of_it(
    expires_at: datetime | None, status: OrderStatus
) -> None:
    pending = OrderState(ORDER_ID, OrderStatus.PENDING, 1, expires_at=expires_at)

    change = pending.settle(answer(), AT, ANNA)

    assert change is not None
    assert change.status is status


def test_what_changed_by_itself_settles_the_question_whose_answer_was_lost() -> None:
    edited, short = under_edit(), Shortage("LAMP", 9, 5)

    applied = edited.settle_edit(answer(revision=2, sequence=7), Money("GBP", 1), AT, ANNA)
    refused = edited.settle_edit(answer(short, revision=2, sequence=7), Money("GBP", 1), AT, ANNA)

    assert (applied.action, refused.action) == (Action.EDITED, Action.EDIT_REFUSED)
    assert not edited.hear(answer(revision=2, sequence=7)).waits


def test_an_answer_that_comes_after_what_changed_by_itself_settles_nothing_any_more() -> None:
    edited = under_edit()
    changed = edited.settle_edit(answer(revision=2, sequence=7), Money("GBP", 1), AT, ANNA)
    settled = edited.after(changed).hear(answer(revision=2, sequence=7))

    assert settled.editions == Editions(2, 2)
    assert settled.settle(answer(revision=2, sequence=6), AT, ANNA) is None


@pytest.mark.parametrize(
    ("sourcing", "may_wait"),
    [
        (BY_PRIORITY, True),
        (IN_STOCK_ONLY, False),
        (Sourcing(may_split=False), False),
        (Sourcing(may_split=False, in_stock_only=True), False),
    ],
)
def test_an_order_may_wait_unless_it_must_not_be_split_or_wants_what_is_there(
    sourcing: Sourcing, may_wait: bool
) -> None:
    assert sourcing.may_wait is may_wait


@pytest.mark.parametrize(
    ("wanted", "held", "may_wait", "short"),
    [
        (5, 0, True, None),
        (6, 0, True, 5),
        (6, 1, True, None),
        (2, 0, False, None),
        (3, 0, False, 2),
        (3, 1, False, None),
    ],
)
def test_what_may_be_waited_for_counts_for_orders_that_may_wait(
    wanted: int, held: int, may_wait: bool, short: int | None
) -> None:
    stock = {"LAMP": ProductStock(Money("GBP", 100), 2, True, available=2, backorder_room=3)}

    if short is None:
        refuse_short({"LAMP": wanted}, stock, {"LAMP": held}, may_wait=may_wait)
        return
    with pytest.raises(ShortOfStock) as refusal:
        refuse_short({"LAMP": wanted}, stock, {"LAMP": held}, may_wait=may_wait)
    assert refusal.value.shortages == [Shortage("LAMP", wanted, short)]


@pytest.mark.parametrize(
    ("units", "at", "queued", "refusal"),
    [
        (2, "", 3, None),
        (3, "", 3, StillQueued),
        (5, "", 3, StillQueued),
        (6, "", 3, OverShipment),
        (1, "shop", 3, StillQueued),
        (1, "shop", 0, NotHeldThere),
        (3, "", 0, NotHeldThere),
    ],
)
def test_what_waits_for_stock_can_not_leave(
    units: int, at: str, queued: int, refusal: type[Exception] | None
) -> None:
    asked, waits = [AskedItem(1, units, at)], {"LAMP": queued} if queued else {}

    if refusal is None:
        assert pick(ORDER_ID, [LAMPS], {}, TWO_HELD, asked, "", waits) == (
            ShipmentItem(1, "LAMP", "main", 2),
        )
        return
    with pytest.raises(refusal):
        pick(ORDER_ID, [LAMPS], {}, TWO_HELD, asked, "", waits)


def test_all_that_is_held_leaves_and_the_rest_waits_on() -> None:
    items = pick(ORDER_ID, [LAMPS], {}, TWO_HELD, [], "", {"LAMP": 3})
    whole = order()

    change = ship(whole.state, whole, shipment(*items), AT, ANNA)

    assert items == (ShipmentItem(1, "LAMP", "main", 2),)
    assert change.status is OrderStatus.PARTIALLY_SHIPPED


def test_who_wants_to_ship_what_waits_is_told_how_much_that_is() -> None:
    refusal = StillQueued("LAMP", "", wanted=3, held={"main": 2}, queued=3)

    status = translate(refusal)

    info = ErrorInfo()
    assert status is not None
    assert status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert any(detail.Unpack(info) for detail in status.details)
    assert info.reason == "STILL_QUEUED"
    assert dict(info.metadata) == {
        "product_id": "LAMP",
        "wanted": "3",
        "queued": "3",
        "held:main": "2",
    }
    assert "3 units of LAMP can't leave: 3 wait for stock" in status.message


def test_an_order_tells_what_waits_until_it_is_over() -> None:
    waiting, over = map(order_message, (order(), order(OrderStatus.CANCELLED)))

    assert [(one.product_id, one.quantity) for one in waiting.queued] == [("LAMP", 3)]
    assert [(one.product_id, one.quantity) for one in waiting.stock] == [("LAMP", 2)]
    assert not over.queued


def test_a_question_that_is_asked_again_tells_when_it_was_asked_first() -> None:
    state = OrderState(ORDER_ID, OrderStatus.PENDING, 1)
    asked_at = AT - timedelta(seconds=1)
    later = state.ask_again({"LAMP": 5}, IN_STOCK_ONLY, asked_at=asked_at)

    encoded = EventCodec(lambda: "e-1").encode(later, ORDER_ID, 1, AT, ANNA)
    wanted = events_pb2.StockAskedAgain.FromString(encoded.data).wanted

    assert wanted.asked_time.ToDatetime(tzinfo=UTC) == asked_at
    assert wanted.sourcing.in_stock_only


def test_a_question_that_is_asked_first_is_as_old_as_its_event() -> None:
    event = edit().event

    assert isinstance(event, OrderEditRequested)
    assert event.wanted.asked_at is None


STATE = told.ReservationState(
    revision=2,
    stock=[told.ReservedStock(product_id="LAMP", location_id="main", quantity=2)],
    queued=[told.QueuedStock(product_id="LAMP", quantity=3)],
)
SHORT = told.ReservationState(
    revision=2, missing=[told.MissingStock(product_id="LAMP", wanted=9, available=5)]
)
SHORT.MergeFrom(told.ReservationState(stock=STATE.stock, queued=STATE.queued))


def heard(message: Message, sequence: int = 4) -> StockAnswer:
    kind, data = message.DESCRIPTOR.full_name, message.SerializeToString()
    return read(Event("e-1", kind, ORDER_ID, sequence, AT, data)).answer


@pytest.mark.parametrize("kind", [told.StockReserved, told.ReservationChanged])
def test_what_waits_is_heard_with_what_is_held(
    kind: type[told.StockReserved] | type[told.ReservationChanged],
) -> None:
    expected = StockAnswer(ORDER_ID, 4, 2, TWO_HELD, (), THREE_WAIT)

    assert heard(kind(order_id=ORDER_ID, state=STATE)) == expected
    assert kind.DESCRIPTOR.full_name in INVENTORY_TO_ORDERS.types


@pytest.mark.parametrize("kind", [told.StockRejected, told.ReservationChanged])
def test_what_stays_held_and_waits_is_heard_with_why_a_question_was_refused(
    kind: type[told.StockRejected] | type[told.ReservationChanged],
) -> None:
    missing = (Shortage("LAMP", 9, 5),)

    assert heard(kind(order_id=ORDER_ID, state=SHORT)) == StockAnswer(
        ORDER_ID, 4, 2, TWO_HELD, missing, THREE_WAIT
    )


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (told.StockReserved(order_id=ORDER_ID, state=SHORT), "missing: must be there"),
        (told.StockRejected(order_id=ORDER_ID, state=STATE), "missing: must be there"),
        (
            told.ReservationReleased(
                order_id=ORDER_ID, state=told.ReservationState(revision=2, queued=STATE.queued)
            ),
            "stock: must be empty",
        ),
        (
            told.ReservationChanged(
                order_id=ORDER_ID,
                state=told.ReservationState(revision=2, queued=[told.QueuedStock(quantity=1)]),
            ),
            "product_id",
        ),
    ],
)
def test_what_no_answer_can_say_is_not_read(message: Message, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        heard(message)
