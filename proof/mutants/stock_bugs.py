"""Bugs in Inventory: how units are promised twice, lost, or made of nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from holdfast.chassis import tables
from holdfast.inventory.application import change_stock, decide_reservations
from holdfast.inventory.application.change_stock import ChangeStock, StockChange
from holdfast.inventory.application.decide_reservations import (
    DecideReservations,
    ReleaseStock,
    ReserveStock,
)
from holdfast.inventory.domain.events import answer
from holdfast.inventory.domain.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock import (
    Cause,
    Movement,
    MovementKind,
    Reserved,
    ReservedStock,
    StockBook,
    StockLevel,
)
from holdfast.inventory.infrastructure.sql import SQL
from holdfast.inventory.infrastructure.store import StoreWork
from proof.mutants.planting import bug, original

STORE = "tests/contract/test_inventory_store.py"

_POSTGRES = SQL["postgresql"]
_statements = original(tables, "statements")
_apply = original(decide_reservations, "_apply")
_change = original(change_stock._Batch, "apply")
_save_book = original(StoreWork, "save_book")

CHECKS = (
    "on_hand >= 0",
    "reserved >= 0",
    "reserved <= on_hand",
    "on_hand_after >= 0",
    "reserved_after BETWEEN 0 AND on_hand_after",
)


def without_checks(texts: str, engine: str) -> list[str]:
    found: list[str] = _statements(texts, engine)
    for check in CHECKS:
        found = [text.replace(f"CHECK ({check})", "CHECK (1 = 1)") for text in found]
    return found


def without_unique_movements(texts: str, engine: str) -> list[str]:
    return [
        text.replace("CREATE UNIQUE INDEX stock_movement", "CREATE INDEX stock_movement")
        for text in _statements(texts, engine)
    ]


def without_either(texts: str, engine: str) -> list[str]:
    unique = "CREATE UNIQUE INDEX stock_movement"
    found = without_checks(texts, engine)
    return [text.replace(unique, "CREATE INDEX stock_movement") for text in found]


def promise_anything(self: StockBook, demand: Mapping[str, int], cause: Cause) -> Reserved:
    promised = []
    for product_id, quantity in sorted(demand.items()):
        level = next(iter(self._by_product[product_id].values()), None)
        location_id = level.location_id if level else "main"
        self.level(product_id, location_id)
        promised.append(ReservedStock(product_id, location_id, quantity))
    for stock in promised:
        self._move(stock, MovementKind.RESERVATION, cause, reserved_delta=stock.quantity)
    return Reserved(tuple(promised))


def promise_what_there_is(self: StockBook, demand: Mapping[str, int], cause: Cause) -> Reserved:
    promised = [
        part
        for product_id, quantity in sorted(demand.items())
        for part in self._allocate(product_id, min(quantity, self.available(product_id)))
    ]
    for stock in promised:
        self._move(stock, MovementKind.RESERVATION, cause, reserved_delta=stock.quantity)
    return Reserved(tuple(promised))


def move_unchecked(
    self: StockBook,
    stock: ReservedStock,
    kind: MovementKind,
    cause: Cause,
    *,
    on_hand_delta: int = 0,
    reserved_delta: int = 0,
) -> None:
    level = self._by_product[stock.product_id][stock.location_id]
    level.on_hand += on_hand_delta
    level.reserved += reserved_delta
    level.version += 1
    self._changed[level.product_id, level.location_id] = level
    self.movements.append(
        Movement(
            product_id=level.product_id,
            location_id=level.location_id,
            kind=kind,
            on_hand_delta=on_hand_delta,
            reserved_delta=reserved_delta,
            on_hand_after=level.on_hand,
            reserved_after=level.reserved,
            order_id=cause.order_id,
            reason=cause.reason,
            reference=cause.reference,
            actor=cause.caller.name,
            at=self.at,
        )
    )


async def decide_on_what_was_read_before(self: Any, commands: Sequence[Any]) -> None:
    """Read in one transaction, decide and write in the next."""
    at: datetime = self._clock.now()
    async with self._begin() as work:
        known = await work.reservations({command.order_id for command in commands})
        products = decide_reservations._products_touched(commands, known)
        book = await work.stock_book(products, at)
    async with self._begin() as work:
        new_ids = await work.first_seen([command.event_id for command in commands])
        fresh = {c.event_id: c for c in reversed(commands) if c.event_id in new_ids}
        await _decided(work, list(reversed(fresh.values())), known, book, at)


async def _decided(
    work: Any,
    commands: Sequence[Any],
    known: Mapping[str, Reservation],
    book: StockBook,
    at: datetime,
) -> None:
    now, told = dict(known), []
    for command in commands:
        before = now.get(command.order_id)
        after = now[command.order_id] = _apply(command, before, book)
        event = answer(after)
        is_release = after.state is ReservationState.RELEASED
        is_asked = isinstance(command, ReserveStock) and not is_release
        if event and (after is not before or is_asked):
            told.append((event, command.caller))
    await work.announce(told, at)
    await work.save_book(book)
    await work.save_reservations(
        [now[order_id] for order_id in sorted(now.keys() - known.keys())],
        [now[order_id] for order_id in sorted(known) if now[order_id] is not known[order_id]],
        at,
    )


async def change_what_was_read_before(self: Any, changes: Sequence[StockChange]) -> Any:
    at = self._clock.now()
    async with self._begin() as work:
        known = await work.recorded_changes({c.request_id for c in changes if c.request_id})
        existing = await work.existing_products({change.product_id for change in changes})
        locations = await work.locations({change.location_id for change in changes})
        book = await work.stock_book(existing, at)
    async with self._begin() as work:
        batch = change_stock._Batch(known, existing, locations, book)
        outcomes = [batch.apply(change) for change in changes]
        await work.add_locations(batch.new_locations)
        await work.save_book(batch.book)
        await work.record_changes(batch.recorded, at)
        await work.announce(batch.told, at)
    return outcomes


def keep_what_expired(command: Any, before: Reservation | None, book: StockBook) -> Reservation:
    if isinstance(command, ReleaseStock) and command.reason == "order expired" and before:
        return before
    return _apply(command, before, book)  # type: ignore[no-any-return]


def release_twice(self: Reservation, book: StockBook, cause: Cause) -> Reservation:
    if self.state is not ReservationState.RESERVED:
        return self
    book.release(self.stock, cause)
    book.release(self.stock, cause)
    return replace(self, state=ReservationState.RELEASED, version=self.version + 1)


def release_nothing(self: Reservation, book: StockBook, cause: Cause) -> Reservation:
    if self.state is not ReservationState.RESERVED:
        return self
    return replace(self, state=ReservationState.RELEASED, version=self.version + 1)


async def decide_without_tombstones(self: Any, work: Any, commands: Sequence[Any]) -> None:
    known = await work.reservations({command.order_id for command in commands})
    heard_of, kept = set(known), []
    for command in commands:
        if isinstance(command, ReserveStock):
            heard_of.add(command.order_id)
        if command.order_id in heard_of:
            kept.append(command)
    at = self._clock.now()
    book = await work.stock_book(decide_reservations._products_touched(kept, known), at)
    await _decided(work, kept, known, book, at)


async def answer_only_once(self: Any, work: Any, commands: Sequence[Any]) -> None:
    known = await work.reservations({command.order_id for command in commands})
    asked_again = [c for c in commands if isinstance(c, ReserveStock) and c.order_id in known]
    await _decide(self, work, [c for c in commands if c not in asked_again])


_decide = original(DecideReservations, "_decide")


def change_again(self: Any, change: StockChange) -> StockLevel | Any:
    before = self.known.pop(change.request_id, None)
    outcome = _change(self, change)
    if before is not None:
        self.recorded = [done for done in self.recorded if done.request_id != change.request_id]
        self.known[change.request_id] = before
    return outcome


async def save_without_movements_of_releases(self: Any, book: StockBook) -> None:
    book.movements = [one for one in book.movements if one.kind is not MovementKind.RELEASE]
    await _save_book(self, book)


async def forget_to_announce(self: Any, told: Sequence[Any], at: datetime) -> None:
    await _announce(self, told[:-1] if len(told) > 1 else told, at)


_announce = original(StoreWork, "announce")


BUGS = (
    bug(
        "no CHECK",
        "The tables let a level go below zero and promise more than there is.",
        (tables, "statements", without_checks),
        tests=(f"{STORE}::test_the_tables_refuse_to_oversell_whatever_the_program_does",),
        why_tests="the domain's own rule keeps the levels right; see the next two",
    ),
    bug(
        "no rule",
        "The domain promises whatever it is asked for; only the tables refuse.",
        (StockBook, "reserve", promise_anything),
        (StockBook, "_move", move_unchecked),
    ),
    bug(
        "no rule and no CHECK",
        "Neither the domain nor the tables keep from promising more than there is.",
        (StockBook, "reserve", promise_anything),
        (StockBook, "_move", move_unchecked),
        (tables, "statements", without_checks),
    ),
    bug(
        "read-modify-write of stock",
        "Levels are read in one transaction and written in the next.",
        (DecideReservations, "__call__", decide_on_what_was_read_before),
    ),
    bug(
        "read-modify-write of a stock change",
        "A change of stock reads the level in one transaction and writes it in the next.",
        (ChangeStock, "__call__", change_what_was_read_before),
    ),
    bug(
        "expiry without release",
        "What an order held stays reserved when it expires.",
        (decide_reservations, "_apply", keep_what_expired),
    ),
    bug(
        "release twice",
        "A release gives the stock back twice; the ledger's unique key and the domain refuse.",
        (Reservation, "release", release_twice),
    ),
    bug(
        "release twice, undefended",
        "A release gives the stock back twice, and nothing refuses.",
        (Reservation, "release", release_twice),
        (StockBook, "_move", move_unchecked),
        (tables, "statements", without_either),
    ),
    bug(
        "release in words only",
        "A reservation becomes RELEASED, and its units stay reserved.",
        (Reservation, "release", release_nothing),
    ),
    bug(
        "no tombstone",
        "A cancellation that overtakes its order is forgotten, and the order reserved later.",
        (DecideReservations, "_decide", decide_without_tombstones),
    ),
    bug(
        "part of an order",
        "What there is of an order is reserved, and the order confirmed.",
        (StockBook, "reserve", promise_what_there_is),
    ),
    bug(
        "answer only once",
        "Asked again about an order, Inventory is silent: it has answered.",
        (DecideReservations, "_decide", answer_only_once),
        tests=(
            "tests/integration/test_use_cases.py"
            "::test_asking_again_gets_the_same_answer_and_no_second_reservation",
        ),
        why_tests="questions and answers are lost so seldom that many seeds show nothing",
    ),
    bug(
        "a stock change twice",
        "A repeated change of stock is done again.",
        (change_stock._Batch, "apply", change_again),
    ),
    bug(
        "a release without a movement",
        "The ledger has no line for what is given back.",
        (StoreWork, "save_book", save_without_movements_of_releases),
    ),
    bug(
        "the last answer of a batch is forgotten",
        "Of several answers in a transaction the last is not told.",
        (StoreWork, "announce", forget_to_announce),
    ),
    bug(
        "levels are not locked",
        "On PostgreSQL two who reserve at once read the same levels.",
        (_POSTGRES, "LOCK_LEVELS", _POSTGRES.LOCK_LEVELS.replace("FOR UPDATE", "")),
        tests=(STORE, "tests/integration/test_use_cases.py"),
        why_tests="the simulated database has one writer and no row locks",
    ),
)
