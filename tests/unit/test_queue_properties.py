"""Whatever is asked, received, lost and served: what is wanted is held or waits, in its order."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.reservations.reservation import (
    Reservation,
    ReservationState,
    Wanted,
    displace,
    hear,
    serve,
)
from holdfast.inventory.domain.stock.levels import QueuedUnits, StockLevel
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY, Sourcing, Strategy
from holdfast.inventory.domain.stock.stock import StockBook

START = datetime(2026, 3, 1, tzinfo=UTC)
CAUSE = Cause(Caller("orders"), order_id="o")
PRODUCTS, PLACES, ORDERS = ("DESK", "LAMP"), ("main", "shop"), ("o-1", "o-2", "o-3", "o-4")
SOURCINGS = (
    BY_PRIORITY,
    BY_PRIORITY,
    Sourcing(Strategy.PINNED, ("shop",)),
    Sourcing(Strategy.NEAREST, ("shop",)),
    Sourcing(Strategy.FEWEST_SHIPMENTS),
    Sourcing(may_split=False),
    Sourcing(in_stock_only=True),
)
units = st.integers(1, 4)


class Warehouse:
    """Levels and reservations, as transactions leave them behind."""

    def __init__(self, on_hand: int, waits_max: int) -> None:
        self.levels = [
            StockLevel(name, at, on_hand, priority=rank, queued_max=0 if rank else waits_max)
            for name in PRODUCTS
            for rank, at in enumerate(PLACES)
        ]
        self.reservations: dict[str, Reservation] = {}
        self.now = START

    def book(self) -> StockBook:
        self.now += timedelta(seconds=1)
        return StockBook(self.levels, self.now)

    def save(self, book: StockBook, *changed: Reservation) -> None:
        for one in changed:
            self.reservations[one.order_id] = one
        for level in self.levels:
            if level.location_id == "main":
                level.queued = book.queued.get(level.product_id, level.queued)

    def free(self, name: str) -> int:
        return sum(level.available for level in self.levels if level.product_id == name)

    def queue(self, name: str) -> list[tuple[QueuedUnits, str]]:
        """Who waits for a product, in order."""
        rows = (
            (one, order_id)
            for order_id, reservation in self.reservations.items()
            for one in reservation.queued
            if one.product_id == name
        )
        return sorted(rows, key=lambda row: (row[0].since, row[1]))

    def owed(self, name: str) -> int:
        return sum(one.quantity for one, _ in self.queue(name))

    def serve(self, name: str) -> None:
        """The whole queue of a product is served."""
        book = self.book()
        for one, order_id in self.queue(name):
            self.save(book, serve(self.reservations[order_id], one, book, CAUSE))


def held(reservation: Reservation | None) -> Counter[str]:
    found = Counter[str]()
    for part in reservation.stock if reservation else ():
        found[part.product_id] += part.quantity
    return found


def waiting(reservation: Reservation | None) -> Counter[str]:
    found = Counter[str]()
    for one in reservation.queued if reservation else ():
        found[one.product_id] += one.quantity
    return found


def explain_each_other(shop: Warehouse) -> None:
    for level in shop.levels:
        mine = (part for one in shop.reservations.values() for part in one.stock)
        reserved = sum(part.quantity for part in mine if part.key == level.key)
        assert level.reserved == reserved <= level.on_hand
    for name in PRODUCTS:
        (gate,) = (one for one in shop.levels if one.key == (name, "main", ""))
        assert gate.queued == shop.owed(name) >= 0


def ask(shop: Warehouse, data: st.DataObject) -> None:
    """An order asks for something, once more, or is over."""
    order_id = data.draw(st.sampled_from(ORDERS))
    before = shop.reservations.get(order_id)
    over = before is not None and data.draw(st.integers(0, 3)) == 0
    wishes = st.dictionaries(st.sampled_from(PRODUCTS), units, min_size=1)
    wanted = {} if over else data.draw(wishes)
    sourcing = data.draw(st.sampled_from(SOURCINGS))
    free = {name: shop.free(name) for name in PRODUCTS}
    owed = {name: shop.owed(name) for name in PRODUCTS}
    asked_at = shop.now - timedelta(seconds=data.draw(st.integers(0, 3)))
    revision = before.revision + 1 if before else 1

    book = shop.book()
    question = Wanted(order_id, revision, wanted, over, sourcing, asked_at=asked_at)
    after = hear(before, question, book, CAUSE)
    moved = Counter[str]()
    for one in book.movements:
        moved[one.product_id] += one.reserved_delta
    shop.save(book, after)

    if after.state is ReservationState.OVER:
        assert not after.stock + after.queued
        return
    if after.missing:
        had = (before.stock, before.queued) if before else ((), ())
        assert ((after.stock, after.queued), book.movements, book.queued) == (had, [], {})
        return
    assert held(after) + waiting(after) == Counter(wanted)
    for name in PRODUCTS:
        assert moved[name] <= max(0, free[name] - owed[name])
        more = shop.owed(name) - owed[name]
        assert more <= 0 or shop.owed(name) <= limit(shop, name)
        assert more <= 0 or sourcing.may_wait


def limit(shop: Warehouse, name: str) -> int:
    return max(one.queued_max for one in shop.levels if one.product_id == name)


def receive(shop: Warehouse, data: st.DataObject) -> None:
    book = shop.book()
    level = data.draw(st.sampled_from(shop.levels))
    book.set_on_hand(level, level.on_hand + data.draw(units), CAUSE)
    shop.save(book)


def lose(shop: Warehouse, data: st.DataObject) -> None:
    """An order gives way at one level."""
    if not shop.reservations:
        return
    before = shop.reservations[data.draw(st.sampled_from(sorted(shop.reservations)))]
    level, wanted = data.draw(st.sampled_from(shop.levels)), data.draw(units)
    there = sum(part.quantity for part in before.stock if part.key == level.key)
    others = [one for one in shop.queue(level.product_id) if one[1] != before.order_id]

    book = shop.book()
    after, taken = displace(before, level.key, wanted, book, CAUSE)
    shop.save(book, after)

    assert taken == min(there, wanted)
    assert held(after) + waiting(after) == held(before) + waiting(before)
    assert (after is before) == (not taken)
    assert all(one.since == before.placed_at for one in set(after.queued) - set(before.queued))
    assert others == [one for one in shop.queue(level.product_id) if one[1] != before.order_id]


def serve_queue(shop: Warehouse, data: st.DataObject) -> None:
    """The first have a right to all that is free, wherever they may take it from."""
    name = data.draw(st.sampled_from(PRODUCTS))
    before, free = shop.queue(name), shop.free(name)
    wanted = {key: held(one) + waiting(one) for key, one in shop.reservations.items()}

    shop.serve(name)

    after = {(one.since, order_id): one.quantity for one, order_id in shop.queue(name)}
    got = {
        (one.since, order_id): one.quantity - after.get((one.since, order_id), 0)
        for one, order_id in before
    }
    assert sum(got.values()) == free - shop.free(name)
    assert wanted == {key: held(one) + waiting(one) for key, one in shop.reservations.items()}
    for (one, order_id), later in zip(before, range(1, len(before) + 1), strict=True):
        if after.get((one.since, order_id)) and takes_any(shop.reservations[order_id]):
            assert shop.free(name) == 0
            assert not any(got[row.since, key] for row, key in before[later:])


def takes_any(reservation: Reservation) -> bool:
    by = reservation.sourcing
    return by.may_split and by.strategy is not Strategy.PINNED


STEPS: tuple[Callable[[Warehouse, st.DataObject], None], ...] = (
    ask,
    ask,
    receive,
    lose,
    serve_queue,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3), st.sampled_from((0, 3, UNLIMITED)), st.integers(1, 14), st.data())
def test_what_is_wanted_is_held_or_waits_and_nobody_jumps(
    on_hand: int, waits_max: int, steps: int, data: st.DataObject
) -> None:
    shop = Warehouse(on_hand, waits_max)

    for step in chosen(steps, data):
        step(shop, data)
        explain_each_other(shop)


def chosen(steps: int, data: st.DataObject) -> Iterator[Callable[[Warehouse, st.DataObject], None]]:
    for _ in range(steps):
        yield data.draw(st.sampled_from(STEPS))


@settings(max_examples=100, deadline=None)
@given(st.lists(units, min_size=1, max_size=4), st.permutations(range(4)), st.integers(0, 16))
def test_units_go_to_who_asked_first_whoever_is_heard_first(
    wishes: list[int], arrival: list[int], come: int
) -> None:
    shop = Warehouse(0, UNLIMITED)
    for number in arrival:
        if number < len(wishes):
            asked_at = START + timedelta(seconds=number)
            wanted = {"LAMP": wishes[number]}
            book = shop.book()
            # By id the orders stand the other way round.
            question = Wanted(f"o-{9 - number}", 1, wanted, over=False, asked_at=asked_at)
            shop.save(book, hear(None, question, book, CAUSE))
    book = shop.book()
    book.set_on_hand(shop.levels[2], come, CAUSE)
    shop.save(book)

    shop.serve("LAMP")

    left = come
    for number, wish in enumerate(wishes):
        assert held(shop.reservations[f"o-{9 - number}"])["LAMP"] == min(wish, left)
        left -= min(wish, left)
