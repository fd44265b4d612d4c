"""All that can happen next in a small scope: what people and the clock do, and what is delivered.

Only the transactions are played here; what they decide is decided by `holdfast.inventory.domain`
and `holdfast.orders.domain`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from holdfast.inventory.domain.caller import Caller as StockCaller
from holdfast.inventory.domain.events import answer
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import Reservation, Wanted
from holdfast.inventory.domain.stock import facts as booking
from holdfast.inventory.domain.stock import sourcing as finding
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Cause, MovementKind, ReasonCode
from holdfast.inventory.domain.stock.queues import units_of
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import NOBODY
from holdfast.orders.domain.errors import OrdersError, Shortage
from holdfast.orders.domain.events import question_in
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.cut_down import cut_down
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Contents, EditState
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, QueuedUnits, StockAnswer
from holdfast.orders.domain.returns import returned
from holdfast.orders.domain.returns import transitions as returning
from holdfast.orders.domain.returns.returned import (
    AskedReceiptLine,
    AskedReturnLine,
    Disposition,
    Receipt,
    Return,
)
from holdfast.orders.domain.shipping import shipment as shipments
from holdfast.orders.domain.shipping import transitions as shipping
from holdfast.orders.domain.shipping.shipment import AskedItem, Shipment, shipped_by_line
from proof.scope_decisions import judge_decision
from proof.scope_world import (
    AT,
    PRODUCT,
    Answer,
    Booked,
    Message,
    Question,
    Scope,
    World,
    put,
    require,
)

CALLER, CAUSE = Caller("scope"), Cause(StockCaller("scope"))


def acts(world: World, scope: Scope) -> Iterator[World]:
    """What people and the clock can do."""
    for number, order in enumerate(world.orders):
        if order is None:
            yield _placed(world, number, scope.units[number])
            continue
        may_cancel = scope.cancels is None or number in scope.cancels
        if may_cancel and number not in world.cancelled:
            for after in _changed(world, number, _cancelled(order)):
                yield after._replace(cancelled=world.cancelled | {number})
        changes = [*_edits(order, scope), *_shipments(order, scope), *_receipts(order, scope)]
        if scope.expires and order.state.status is OrderStatus.PENDING:
            changes.append(order.state.expire(AT, CALLER))
        for change in changes:
            yield from _changed(world, number, change)


def _placed(world: World, number: int, units: int) -> World:
    name, contents = str(number), _contents(units)
    order = Order(
        order_id=name,
        customer_id="",
        request_id=name,
        lines=contents.lines,
        total=contents.total,
        customer=NOBODY,
        state=OrderState(name, OrderStatus.PENDING, 1),
        shortages=(),
        placed_at=AT,
        updated_at=AT,
    )
    return world.with_order(number, order).saying(Question(number, 1, units))


def _contents(units: int, sourcing: Sourcing = BY_PRIORITY) -> Contents:
    line = OrderLine(PRODUCT, units, Money("GBP", 1), 1)
    return Contents((line,), (), Money("GBP", units), sourcing)


def _changed(world: World, number: int, change: OrderChange | None) -> Iterator[World]:
    """The change is recorded, and what it asks is on its way; nothing, if it was refused."""
    order = world.orders[number]
    if change and order:
        after = world.with_order(number, recorded(order, change))
        question = question_in(change.event) if change.event else None
        yield after.saying(Question.of(number, question)) if question else after


def recorded(order: Order, change: OrderChange) -> Order:
    """The order as it is kept with a change."""
    returns = {one.return_id: one for one in order.returns}
    if change.goods_return:
        returns[change.goods_return.return_id] = change.goods_return
    edit, end = change.edit or order.edit, change.edit_end
    after = replace(
        order,
        state=order.state.after(change),
        edit=edit,
        shipments=(*order.shipments, change.shipment) if change.shipment else order.shipments,
        returns=tuple(returns.values()),
    )
    at_once = change.edit is not None and change.edit.state is EditState.APPLIED
    if edit and (at_once or (end and end.state is EditState.APPLIED)):
        after = after.with_contents(edit.contents)
    return after


def _cancelled(order: Order) -> OrderChange | None:
    """All of it is cancelled, or what has not left."""
    try:
        if order.state.status is OrderStatus.PARTIALLY_SHIPPED:
            rest = cut_down(order.contents, shipped_by_line(order.shipments))
            return order.state.end_with(rest, order.goods, "", AT, CALLER)
        return order.state.cancel("", AT, CALLER)
    except OrdersError:
        return None


def _edits(order: Order, scope: Scope) -> Iterator[OrderChange]:
    """The edits that are not refused at once and that ask Inventory."""
    state = order.state
    if state.editions.newest > scope.edits_max:
        return
    for units, sourcing in product(scope.edits, scope.sourcings):
        after = _contents(units, sourcing)
        try:
            shipments.refuse_below(after.lines, shipped_by_line(order.shipments))
            change = state.edit(order.contents, after, state.version, "", AT, CALLER, order.goods)
        except OrdersError:
            continue
        if change.event and question_in(change.event):
            yield change


def _shipments(order: Order, scope: Scope) -> Iterator[OrderChange]:
    """One unit leaves from a place, or all that is held there, or all that is held."""
    number = len(order.shipments) + 1
    if number > scope.shipments_max:
        return
    wishes = {
        (AskedItem(1, units, part.location_id),)
        for part in order.to_ship
        for units in (1, part.quantity)
    }
    shipped, seen = shipped_by_line(order.shipments), set()
    for asked in [(), *sorted(wishes)]:
        try:
            shipping.refuse_shipment(order.state)
            items = shipments.pick(order.order_id, order.lines, shipped, order.to_ship, asked, "")
        except OrdersError:
            continue
        if items not in seen:
            seen.add(items)
            shipment = Shipment(str(number), order.state.asked + 1, items, "", "", "", "", AT)
            yield shipping.ship(order.state, order, shipment, AT, CALLER)


def _receipts(order: Order, scope: Scope) -> Iterator[OrderChange]:
    """A unit comes back by a return of its own, which is opened just before.

    A receipt has the name of a shipment: they are told apart all the same.
    """
    number = len(order.returns) + 1
    if number > scope.receipts_max:
        return
    shipped, name = shipped_by_line(order.shipments), str(number)
    try:
        asked = [AskedReturnLine(1, 1, "")]
        may_come = returned.may_come(order.order_id, order.lines, shipped, order.returns, asked)
        opened = Return(name, order.order_id, name, "", may_come, AT)
        line = AskedReceiptLine(1, 1, Disposition.RESTOCK, scope.returned_to)
        receipt = Receipt(name, order.state.asked + 1, returned.came(opened, [line]), "", AT)
        received = opened._replace(receipts=(receipt,))
        yield returning.receive_return(order.state, order, received, AT, CALLER)
    except OrdersError:
        return


def deliver(world: World, message: Message) -> World:
    """The same world if nothing changes."""
    if isinstance(message, Question):
        return _hear_question(world, message)
    return _hear_answer(world, message)


def _hear_question(world: World, asked: Question) -> World:
    """As HearOrders does it, in one transaction."""
    number = asked.order
    book = book_of(world)
    before, done = world.reservations[number], world.facts[number]
    wanted = _wanted(asked)
    after = inventory.hear(before, wanted, book, CAUSE, done)
    heard = world
    if after is not before or book.movements:
        judge_decision(world, before, after, book, wanted)
        heard = saved(world, book, number, after)._replace(
            facts=put(world.facts, number, done | wanted.facts),
            ledger=_booked(world, number, book),
        )
    if wanted.revision == after.revision:
        heard = heard.saying(Answer(number, told(after)))
    return heard


def book_of(world: World) -> StockBook:
    """The stock as a transaction locks it: the queue's units are at the gate, which is `main`."""
    levels = [StockLevel(PRODUCT, at, units, held, 1) for at, units, held in world.levels]
    for level in levels:
        if level.location_id == MAIN_LOCATION:
            level.queued, level.queued_max = world.queue.units, world.queue.units_max
    return StockBook(levels, AT)


def saved(world: World, book: StockBook, number: int, after: Reservation | None) -> World:
    """What a transaction leaves behind that decided anew about one order."""
    queue = world.queue._replace(
        units=book.queued.get(PRODUCT, world.queue.units),
        is_due=world.queue.is_due or PRODUCT in book.to_serve,
    )
    corrections = (m for m in book.movements if m.reason_code is ReasonCode.CORRECTION)
    found = world.queue.found + sum(one.on_hand_delta for one in corrections)
    return world._replace(
        reservations=put(world.reservations, number, after),
        levels=tuple((level.location_id, level.on_hand, level.reserved) for level in book.levels),
        queue=queue._replace(found=found),
    )


def _wanted(asked: Question) -> Wanted:
    """The question as Inventory reads it."""
    products = {PRODUCT: asked.units} if asked.units else {}
    shipped = tuple(booking.ShippedUnits(*one) for one in asked.shipped)
    received = tuple(
        booking.ReceivedUnits(*one[:4], booking.Disposition(one.disposition))
        for one in asked.received
    )
    strategy = finding.Strategy(asked.sourcing.strategy)
    sourcing = finding.Sourcing(strategy, *asked.sourcing[1:])
    named = str(asked.order), asked.revision, products
    return Wanted(*named, not products, sourcing, shipped, received, asked.asked_at)


def _booked(world: World, number: int, book: StockBook) -> tuple[Booked, ...]:
    """The ledger with what left or came back now.

    :raises Violated: units left that the order did not hold where they left from.
    """
    more = Counter[tuple[str, MovementKind, str]]()
    for one in book.movements:
        was_right = one.kind is not MovementKind.ADJUSTMENT or world.queue.lost
        require(bool(was_right), "the book was corrected", world)
        if one.kind in (MovementKind.SHIPMENT, MovementKind.RETURN):
            was_held = one.kind is MovementKind.RETURN or one.reserved_delta == one.on_hand_delta
            require(
                was_held or bool(world.queue.lost),
                "units left from where they were not held",
                world,
            )
            more[one.location_id, one.kind, one.reference] += one.on_hand_delta
    if not more:
        return world.ledger
    booked = [Booked(number, kind, fact, at, units) for (at, kind, fact), units in more.items()]
    return tuple(sorted((*world.ledger, *booked)))


def told(reservation: Reservation) -> StockAnswer:
    """The answer as the wire carries it."""
    held = answer(reservation).reservation
    return StockAnswer(
        held.order_id,
        held.version,
        held.revision,
        tuple(
            HeldStock(part.product_id, part.location_id, part.quantity, part.reason.value)
            for part in held.stock
        ),
        tuple(Shortage(short.product_id, short.wanted, short.available) for short in held.missing),
        tuple(QueuedUnits(*one) for one in units_of(held.queued).items()),
    )


def _hear_answer(world: World, heard: Answer) -> World:
    """As HearInventory does it, in one transaction."""
    order = world.orders[heard.order]
    assert order is not None, "only what was placed is answered"
    state, news = order.state, heard.answer
    if news.revision == state.editions.revision:
        assert order.edit is not None, "an edit is under way"
        total = order.edit.contents.total
        change: OrderChange | None = state.settle_edit(news, total, AT, CALLER)
    else:
        change = state.settle(news, AT, CALLER)
    after = recorded(order, change) if change else order
    if news.sequence > state.stock_sequence:
        known = after.state.hear(news)
        after = replace(after, state=known, stock=news.stock, queued=news.queued)
        after = replace(after, stock_revision=news.revision)
    return world if after is order else world.with_order(heard.order, after)


def without_answers(world: World) -> World:
    """All questions and answers are lost; who waits for the answer to its newest question asks it
    again. What Inventory changes by itself nobody asks for: that is never lost.
    """
    told_anyway = [one for one in world.network if isinstance(one, Answer) and not one.is_asked]
    questions = set[Question]()
    for number, order in enumerate(world.orders):
        if order and order.state.waits:
            contents = order.contents
            if order.state.editions.revision is not None:
                assert order.edit is not None, "an edit is under way"
                contents = order.edit.contents
            again = order.state.ask_again(contents.demand, contents.sourcing, order.goods)
            questions.add(Question.of(number, again.wanted))
    return world._replace(network=frozenset([*told_anyway, *questions]))
