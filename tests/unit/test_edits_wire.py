"""An order is told with its edit in one message, however large both are."""

from dataclasses import replace
from datetime import UTC, datetime

from holdfast.chassis.grpc.sizes import ANSWER_BYTES_MAX
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Contents, Edit, EditState
from holdfast.orders.domain.ordering.lines import LINES_MAX, OrderLine
from holdfast.orders.domain.ordering.order import UPDATES_MAX, OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock
from holdfast.orders.domain.shipping.shipment import Shipment, ShipmentItem
from holdfast.orders.presentation.ordering.wire import order_message

AT = datetime(2026, 11, 5, tzinfo=UTC)
WIDE = "🛒" * 124  # of four bytes each
CONFIRMED = OrderStatus.CONFIRMED


def order(lines: int, changes: int) -> Order:
    """An order with a refused edit of all its lines."""
    of = [OrderLine(f"{WIDE}{n:04d}", 1, Money("GBP", 1), n) for n in range(1, lines + 1)]
    total = Money("GBP", lines)
    missing = tuple(Shortage(line.product_id, 2, 1) for line in of)
    edit = Edit(2, 2, EditState.REFUSED, Contents(tuple(of), (), total), missing, 3, 4)
    history = [
        OrderChange("o-1", n, CONFIRMED, AT, Caller("anonymous"), "x" * 100)
        for n in range(1, changes + 1)
    ]
    state = OrderState("o-1", CONFIRMED, changes)
    known = (tuple(of), total, Customer(), state, (), AT, AT, tuple(history))
    return Order("o-1", "c-1", "r-1", *known, edit=edit)


def test_a_refused_edit_is_told_with_its_lines() -> None:
    told = order_message(order(3, 4)).edit

    assert (len(told.lines), len(told.missing)) == (3, 3)


def test_a_refused_edit_makes_no_order_too_large_to_be_told() -> None:
    message = order_message(order(LINES_MAX, UPDATES_MAX))

    assert message.ByteSize() <= ANSWER_BYTES_MAX
    assert message.edit.state == pb.EDIT_STATE_REFUSED
    assert not message.edit.lines


def with_goods(one: Order) -> Order:
    """The order, as much as may be held for it, and as much of that as may have left."""
    held = [HeldStock(line.product_id, at, 2) for at in ("main", "b") for line in one.lines]
    left = [ShipmentItem(line.line_no, line.product_id, "main", 1) for line in one.lines[:1_880]]
    shipment = Shipment("s-1", 1, tuple(left), "", "", "", "", AT)
    return replace(one, stock=tuple(held[:3_900]), stock_revision=1, shipments=(shipment,))


def test_an_order_of_which_much_is_held_and_has_left_is_told_without_what_it_holds() -> None:
    message = order_message(with_goods(order(LINES_MAX, 2_000)))

    assert message.ByteSize() <= ANSWER_BYTES_MAX
    assert not message.edit.lines
    assert not message.stock
    assert (len(message.shipments), len(message.history)) == (1, 2_000)


def test_a_history_of_long_names_makes_no_order_too_large_to_be_told() -> None:
    long = order(LINES_MAX, UPDATES_MAX)
    by = tuple(change._replace(caller=Caller(WIDE)) for change in long.history)

    message = order_message(replace(long, history=by))

    assert message.ByteSize() <= ANSWER_BYTES_MAX
    assert len(message.lines) == LINES_MAX
