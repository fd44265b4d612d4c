"""All that can happen to a few orders, explored whole over the real rules of both services.

Orders tells Inventory, under a rising revision, all that an order wants of stock, and Inventory
answers with all that it holds. The network here is a *set* of every message ever sent: each may be
delivered at any moment, in any order and any number of times. From every state two ends are tried
as well: all messages are delivered until nothing changes any more; and all messages are lost, and
Orders asks again what it has no answer to, the newest question of an order only. Levels must hold
in every state; in every end both services must agree and no order may be stuck.

Only the transactions are played here; what they decide is decided by `holdfast.inventory.domain`
and `holdfast.orders.domain`. `python -m proof.scope` explores every scope and says how many states
each has.
"""

import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from holdfast.inventory.domain.caller import Caller as StockCaller
from holdfast.inventory.domain.events import answer
from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState, Wanted
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrdersError, Shortage
from holdfast.orders.domain.events import question_in
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.edits import Contents
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, StockAnswer, StockWanted

AT = datetime(2026, 1, 1, tzinfo=UTC)
CALLER, CAUSE = Caller("scope"), Cause(StockCaller("scope"))
PRODUCT = "LAMP"
ROUNDS_MAX = 60  # of delivering everything, until nothing changes

Item = TypeVar("Item")
Levels = tuple[tuple[str, int, int], ...]  # location, on hand, reserved


class Violated(AssertionError):
    """A promise is broken; what it was and the state in which it shows."""


class Question(NamedTuple):
    """A question of Orders on its way."""

    order: int
    revision: int
    units: int  # none: the order is over


class Answer(NamedTuple):
    """An answer of Inventory on its way."""

    order: int
    answer: StockAnswer


Message = Question | Answer


class Placed(NamedTuple):
    """An order as Orders knows it: where it stands, how many units, and the copy of its stock."""

    state: OrderState
    units: int
    edited: int = 0  # as the newest edit wants it
    stock: tuple[HeldStock, ...] = ()
    revision: int = 0


class World(NamedTuple):
    """Everything that matters: equal worlds have the same future."""

    orders: tuple[Placed | None, ...]
    reservations: tuple[Reservation | None, ...]
    levels: Levels
    network: frozenset[Message]
    cancelled: frozenset[int] = frozenset()


class Scope(NamedTuple):
    """What there is to explore.

    :param units: wanted by each order.
    :param levels: units on hand by location at first.
    :param expires: whether orders that are PENDING may expire.
    :param edits: units that an edit may want, once an order is CONFIRMED.
    :param edits_max: of each order.
    """

    units: Sequence[int]
    levels: Mapping[str, int]
    expires: bool = True
    edits: Sequence[int] = ()
    edits_max: int = 1


SCOPES = {
    "two orders for the last unit": Scope((1, 1), {"main": 1}),
    "three orders for two units": Scope((1, 2, 1), {"main": 2}, expires=False),
    "two orders over two locations": Scope((2, 2), {"main": 1, "annex": 2}),
    "an order that can't be filled": Scope((3,), {"main": 1, "annex": 1}),
    "an order that is edited and edited again": Scope(
        (1,), {"main": 1, "annex": 1}, edits=(1, 2, 3), edits_max=3
    ),
    "two orders, edited, for two units": Scope((1, 1), {"main": 2}, expires=False, edits=(2,)),
}


def explore(scope: Scope) -> int:
    """Visit every state; how many there are.

    :raises Violated: a promise is broken.
    """
    start = World(
        (None,) * len(scope.units),
        (None,) * len(scope.units),
        tuple((at, units, 0) for at, units in sorted(scope.levels.items())),
        frozenset(),
    )
    seen, waiting = {start}, deque([start])
    while waiting:
        world = waiting.popleft()
        _judge_levels(world, scope)
        for begun in (world, _without_answers(world)):
            _judge_end(_delivered(begun), scope)
        steps = [_deliver(world, message) for message in world.network]
        for after in (*steps, *_acts(world, scope)):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return len(seen)


def _acts(world: World, scope: Scope) -> Iterator[World]:
    """What people and the clock can do."""
    for number, placed in enumerate(world.orders):
        if placed is None:
            units = scope.units[number]
            state = OrderState(str(number), OrderStatus.PENDING, 1)
            asked = Question(number, 1, units)
            yield _with_order(world, number, Placed(state, units))._replace(
                network=world.network | {asked}
            )
            continue
        if number not in world.cancelled:
            after = _ended(world, number, placed, "cancel")
            if after is not None:
                yield after._replace(cancelled=world.cancelled | {number})
        yield from _edits(world, number, placed, scope)
        if scope.expires and placed.state.status is OrderStatus.PENDING:
            after = _ended(world, number, placed, "expire")
            assert after is not None
            yield after


def _edits(world: World, number: int, placed: Placed, scope: Scope) -> Iterator[World]:
    """The edits that are not refused at once."""
    state = placed.state
    if state.editions.newest > scope.edits_max:
        return
    before = _contents(placed.units)
    for units in scope.edits:
        try:
            change = state.edit(before, _contents(units), state.version, "", AT, CALLER)
        except OrdersError:
            continue
        if question := question_in(change.event) if change.event else None:
            asked = Question(number, question.revision, _units(question))
            edited = placed._replace(state=state.after(change), edited=units)
            yield _with_order(world, number, edited)._replace(network=world.network | {asked})


def _contents(units: int) -> Contents:
    price = Money("GBP", 1)
    return Contents((OrderLine(PRODUCT, units, price, 1),), (), Money("GBP", units))


def _ended(world: World, number: int, placed: Placed, verb: str) -> World | None:
    state = placed.state
    try:
        change = state.cancel("", AT, CALLER) if verb == "cancel" else state.expire(AT, CALLER)
    except OrdersError:
        return None
    question = question_in(change.event) if change.event is not None else None
    network = world.network
    if question:
        network |= {Question(number, question.revision, _units(question))}
    after = placed._replace(state=state.after(change))
    return _with_order(world, number, after)._replace(network=network)


def _deliver(world: World, message: Message) -> World:
    if isinstance(message, Question):
        return _hear_question(world, message)
    return _hear_answer(world, message)


def _hear_question(world: World, asked: Question) -> World:
    """As HearOrders does it, in one transaction."""
    levels = [StockLevel(PRODUCT, at, units, held, 1) for at, units, held in world.levels]
    book = StockBook(levels, AT)
    before = world.reservations[asked.order]
    products = {PRODUCT: asked.units} if asked.units else {}
    wanted = Wanted(str(asked.order), asked.revision, products, over=not products)
    after = inventory.hear(before, wanted, book, CAUSE)
    network = world.network
    if wanted.revision == after.revision:
        network |= {Answer(asked.order, _told(after))}
    return world._replace(
        reservations=_put(world.reservations, asked.order, after),
        levels=tuple((level.location_id, level.on_hand, level.reserved) for level in levels),
        network=network,
    )


def _told(reservation: Reservation) -> StockAnswer:
    """The answer as the wire carries it."""
    told = answer(reservation).reservation
    return StockAnswer(
        told.order_id,
        told.version,
        told.revision,
        tuple(HeldStock(held.product_id, held.location_id, held.quantity) for held in told.stock),
        tuple(Shortage(short.product_id, short.wanted, short.available) for short in told.missing),
    )


def _hear_answer(world: World, heard: Answer) -> World:
    """As HearInventory does it, in one transaction."""
    placed = world.orders[heard.order]
    assert placed is not None, "only what was placed is answered"
    state, told = placed.state, heard.answer
    if told.revision == state.editions.revision:
        change: OrderChange | None = state.settle_edit(told, Money("GBP", 1), AT, CALLER)
    else:
        change = state.settle(told, AT, CALLER)
    if change:
        state = state.after(change)
        if change.action is Action.EDITED:
            placed = placed._replace(units=placed.edited)
    if told.sequence > state.stock_sequence:
        placed = placed._replace(stock=told.stock, revision=told.revision)
        state = state.hear(told)
    return _with_order(world, heard.order, placed._replace(state=state))


def _delivered(world: World) -> World:
    """Everything is delivered, also what is sent meanwhile, until nothing changes any more."""
    for _ in range(ROUNDS_MAX):
        before = world
        for message in sorted(world.network, key=repr):
            world = _deliver(world, message)
        if world == before:
            return world
    raise Violated("repeats go on having effects", world)


def _without_answers(world: World) -> World:
    """All messages are lost; who waits for the answer to its newest question asks it again."""
    chased = set()
    for number, placed in enumerate(world.orders):
        if placed and placed.state.waits:
            is_edited = placed.state.editions.revision is not None
            units = placed.edited if is_edited else placed.units
            again = placed.state.ask_again({PRODUCT: units})
            chased.add(Question(number, again.wanted.revision, _units(again.wanted)))
    return world._replace(network=frozenset(chased))


def _units(wanted: StockWanted) -> int:
    return sum(wanted.products.values())


def _judge_levels(world: World, scope: Scope) -> None:
    """What must hold at every moment."""
    for at, on_hand, reserved in world.levels:
        _require(
            0 <= reserved <= on_hand == scope.levels[at], "more is promised than there is", world
        )
        held = sum(
            part.quantity
            for reservation in world.reservations
            if reservation
            for part in reservation.stock
            if part.location_id == at
        )
        _require(held == reserved, "reserved is not what is held", world)


def _judge_end(world: World, scope: Scope) -> None:
    """What must hold when no message is under way."""
    _judge_levels(world, scope)
    for placed, reservation in zip(world.orders, world.reservations, strict=True):
        if placed is None:
            continue
        state = placed.state
        _require(state.status is not OrderStatus.PENDING, "an order is stuck", world)
        _require(state.editions.revision is None, "an edit is stuck", world)
        if reservation is None:
            raise Violated("an order was never decided", world)
        same = reservation.revision == state.asked == state.answered
        _require(same, "a question is unheard or unanswered", world)
        told = _told(reservation)
        copy = state.stock_sequence, placed.revision, placed.stock
        _require(copy == (told.sequence, told.revision, told.stock), "the copy is stale", world)
        held = sum(part.quantity for part in reservation.stock)
        if state.status is OrderStatus.CONFIRMED:
            _require(held == placed.units, "a promise is not the demand", world)
        else:
            over = reservation.state is not ReservationState.HELD
            _require(not held and over, "units are held for an order that is over", world)


def _require(holds: bool, promise: str, world: World) -> None:
    if not holds:
        raise Violated(promise, world)


def _with_order(world: World, number: int, placed: Placed) -> World:
    return world._replace(orders=_put(world.orders, number, placed))


def _put(items: tuple[Item, ...], place: int, item: Item) -> tuple[Item, ...]:
    return (*items[:place], item, *items[place + 1 :])


def main() -> int:
    """Explore every scope; 0 if no promise is broken."""
    total = 0
    for name, scope in SCOPES.items():
        states = explore(scope)
        total += states
        print(f"{name}: {states:,} states, every promise kept, with and without lost answers")
    print(f"{total:,} states in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
