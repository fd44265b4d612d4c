"""Inventory's rows: what is read from and written to its database, the same way on both engines."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import groupby

from holdfast.chassis.database.seam import Conflict, Database, Reading, Row, Transaction
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.inventory.application.ports import (
    MOVEMENT_ID_MAX,
    MovementFilter,
    RecordedChange,
    RecordedMovement,
    StockInfo,
    StockSummary,
    Work,
)
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.events import InventoryEvent
from holdfast.inventory.domain.locations.location import (
    Address,
    Location,
    LocationKind,
    folded,
)
from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Movement
from holdfast.inventory.domain.stock.queues import ProductQueue
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.infrastructure.backorders import BackorderReading, BackorderWork
from holdfast.inventory.infrastructure.events_to_proto import EventCodec
from holdfast.inventory.infrastructure.metrics import count_movements
from holdfast.inventory.infrastructure.products import (
    ProductReading,
    product_columns,
    product_of,
)
from holdfast.inventory.infrastructure.reservation_rows import (
    queue_text,
    reservation_of,
    texts_of,
)
from holdfast.inventory.infrastructure.rows import movement_of
from holdfast.inventory.infrastructure.sql import SQL, Statements
from holdfast.inventory.infrastructure.transfers import TransferReading, TransferWork


class Store(BackorderReading, ProductReading, TransferReading):
    """Opens transactions and answers questions."""

    _sql: Statements

    def __init__(self, database: Database, outbox: Outbox, inbox: Inbox, codec: EventCodec) -> None:
        self._database = database
        self._sql = SQL[database.engine]
        self._outbox = outbox
        self._inbox = inbox
        self._codec = codec

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        async with self._database.begin() as transaction:
            yield StoreWork(transaction, self._sql, self._outbox, self._inbox, self._codec)

    async def stock_info(self, product_ids: Collection[str]) -> dict[str, StockInfo]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.STOCK_INFO, list(product_ids))
        return {
            product_id: _stock_info(list(its))
            for product_id, its in groupby(rows, key=lambda row: str(row["product_id"]))
        }

    async def stock_infos(self, product_ids: Sequence[str]) -> Sequence[StockInfo | None]:
        found = await self.stock_info(set(product_ids))
        return [found.get(product_id) for product_id in product_ids]

    async def locations(self, *, after: tuple[int, str], limit: int) -> list[Location]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.LIST_LOCATIONS, *after, limit)
        return list(map(_location, rows))

    async def locations_named(self, location_ids: Collection[str]) -> dict[str, Location]:
        async with self._database.read() as reading:
            return await _locations(reading, self._sql.FIND_LOCATIONS, location_ids)

    async def stock_summaries(self, product_ids: Collection[str]) -> dict[str, StockSummary]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.STOCK_SUMMARIES, list(product_ids))
        return {
            row["product_id"]: StockSummary(
                product_id=row["product_id"],
                currency=row["currency"],
                price_minor=row["price_minor"],
                active=bool(row["active"]),
                version=row["version"],
                on_hand=row["on_hand"],
                reserved=row["reserved"],
                available=max(0, row["available"] - row["queued"]),
                quarantined=row["quarantined"],
                queue=ProductQueue(row["queued"], row["queued_max"]),
            )
            for row in rows
        }

    async def movements(
        self, wanted: MovementFilter, *, before: int = MOVEMENT_ID_MAX, limit: int
    ) -> list[RecordedMovement]:
        arguments: list[object] = [before, limit, wanted.location_id]
        arguments += [wanted.created_from, wanted.created_before]
        if wanted.order_id:
            sql = self._sql.LIST_MOVEMENTS_OF_ORDER
            arguments += [wanted.product_id, wanted.order_id]
        elif wanted.product_id:
            sql = self._sql.LIST_MOVEMENTS_OF_PRODUCT
            arguments += [wanted.product_id]
        else:
            sql = self._sql.LIST_MOVEMENTS
        async with self._database.read() as reading:
            rows = await reading.fetch(sql, *arguments)
        return [RecordedMovement(row["movement_id"], movement_of(row)) for row in rows]


class StoreWork(BackorderWork, TransferWork):
    """One open transaction on Inventory's rows."""

    _sql: Statements

    def __init__(
        self,
        transaction: Transaction,
        sql: Statements,
        outbox: Outbox,
        inbox: Inbox,
        codec: EventCodec,
    ) -> None:
        self._transaction = transaction
        self._sql = sql
        self._outbox = outbox
        self._inbox = inbox
        self._codec = codec

    async def first_seen(self, event_ids: Sequence[str]) -> set[str]:
        return await self._inbox.first_seen(self._transaction, event_ids)

    async def reservations(self, order_ids: Collection[str]) -> dict[str, Reservation]:
        rows = await self._transaction.fetch(self._sql.FIND_RESERVATIONS, sorted(order_ids))
        return {row["order_id"]: reservation_of(row) for row in rows}

    async def booked_facts(self, order_ids: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {order_id: set() for order_id in order_ids}
        for row in await self._transaction.fetch(self._sql.FIND_FACTS, sorted(order_ids)):
            found[row["order_id"]].add(row["fact"])
        return found

    async def book_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        self._transaction.defer(self._sql.INSERT_FACTS, list(facts))

    async def lock_levels(self, product_ids: Collection[str]) -> list[StockLevel]:
        if not product_ids:
            return []
        named = sorted(product_ids)
        rows = await self._transaction.fetch(self._sql.LOCK_LEVELS, named)
        # To who waited for a gate PostgreSQL doesn't show levels that came meanwhile; but the gate,
        # as it is now, tells how many there are. Who adds one holds it: the next look finds all.
        gates = len({row["product_id"] for row in rows})
        if gates + sum(row["others"] for row in rows) > len(rows):
            rows = await self._transaction.fetch(self._sql.LOCK_LEVELS, named)
        return [_level(row, row["version"], row["active"]) for row in rows]

    async def existing_products(self, product_ids: Collection[str]) -> set[str]:
        rows = await self._transaction.fetch(self._sql.EXISTING_PRODUCTS, list(product_ids))
        return {row["product_id"] for row in rows}

    async def locations(self, location_ids: Collection[str]) -> dict[str, Location]:
        return await _locations(self._transaction, self._sql.SHARE_LOCATIONS, location_ids)

    async def lock_location(self, location_id: str) -> Location | None:
        rows = await self._transaction.fetch(self._sql.LOCK_LOCATION, location_id)
        return _location(rows[0]) if rows else None

    async def count_locations(self) -> int:
        (row,) = await self._transaction.fetch(self._sql.COUNT_LOCATIONS)
        return int(row["locations"])

    async def add_location(self, location: Location) -> None:
        named = location.location_id, folded(location.location_id)
        await self._transaction.execute(
            self._sql.INSERT_LOCATION, *named, *_location_columns(location)
        )

    async def save_location(self, location: Location) -> None:
        if location.active:
            await self._transaction.execute(self._sql.WAKE_QUEUES_BY_LOCATION, location.location_id)
        await self._transaction.execute(
            self._sql.UPDATE_LOCATION, location.location_id, *_location_columns(location)
        )

    async def save_book(self, book: StockBook) -> None:
        new: list[tuple[object, ...]] = []
        old: list[tuple[object, ...]] = []
        for level in book.changed:
            row = *level.key, level.on_hand, level.reserved, level.version, level.quarantined
            before = book.version_before(level)
            if before is None:
                new.append(row)
            else:
                old.append((*row, before))
        self._transaction.defer(self._sql.INSERT_LEVELS, new)
        if await self._transaction.write(self._sql.UPDATE_LEVELS, old) < len(old):
            raise Conflict("a stock level changed although it was locked")
        await failpoint("levels changed")
        # Not deferred: what is deferred may change the same gates.
        come = list(book.come_elsewhere.items())
        await self._transaction.write(self._sql.TELL_GATES_OF_OTHERS, come)
        self._transaction.defer(self._sql.SET_QUEUED_AT_GATES, list(book.queued.items()))
        self._transaction.defer(self._sql.WAKE_QUEUES, [(name,) for name in book.to_serve])
        self._write_movements(book.movements)
        self._transaction.after_commit(lambda: count_movements(book.movements))

    def _write_movements(self, movements: Sequence[Movement]) -> None:
        """All by one statement, so that they are numbered in their order."""
        if all(map(_is_promise, movements)):
            promises = [
                (m.product_id, m.location_id, m.kind, m.reserved_delta, m.on_hand_after)
                + (m.reserved_after, m.order_id, m.reason, m.actor, m.at)
                for m in movements
            ]
            self._transaction.defer(self._sql.INSERT_PROMISES, promises)
            return
        rows: list[tuple[object, ...]] = [
            (m.product_id, m.location_id, m.lot_id or None, m.kind)
            + (m.on_hand_delta, m.reserved_delta, m.on_hand_after, m.reserved_after)
            + (m.order_id, m.reason, m.reference, m.actor, m.at)
            + (m.reason_code or None, m.quarantined_delta, m.quarantined_after)
            + (m.credential_id or None,)
            for m in movements
        ]
        self._transaction.defer(self._sql.INSERT_MOVEMENTS, rows)

    async def save_reservations(
        self, changed: Sequence[Reservation], known: Mapping[str, Reservation], at: datetime
    ) -> None:
        new: list[tuple[object, ...]] = []
        new_waiting: list[tuple[object, ...]] = []
        old: list[tuple[object, ...]] = []
        for one in changed:
            row = one.order_id, one.version, one.revision, one.state, *texts_of(one), at
            before = known.get(one.order_id)
            if before is not None:
                old.append((*row, before.version))
            elif one.queued:
                new_waiting.append((*row, one.placed_at or at, queue_text(one.queued)))
            else:
                new.append((*row, one.placed_at or at))
        self._transaction.defer(self._sql.INSERT_RESERVATIONS, new)
        self._transaction.defer(self._sql.INSERT_WAITING_RESERVATIONS, new_waiting)
        if await self._transaction.write(self._sql.UPDATE_RESERVATIONS, old) < len(old):
            raise Conflict("a reservation changed although it was locked")
        self.save_queues([(one, known.get(one.order_id)) for one in changed])

    async def recorded_changes(self, request_ids: Collection[str]) -> dict[str, RecordedChange]:
        if not request_ids:
            return {}
        rows = await self._transaction.fetch(self._sql.FIND_CHANGES, list(request_ids))
        return {
            row["request_id"]: RecordedChange(
                row["request_id"],
                row["request_hash"],
                StockLevel(
                    row["product_id"],
                    row["location_id"],
                    row["on_hand"],
                    row["reserved"],
                    row["version"],
                    quarantined=row["quarantined"],
                    safety_stock=row["safety_stock"],
                    active=row["active"],
                ),
            )
            for row in rows
        }

    async def record_changes(self, changes: Sequence[RecordedChange], at: datetime) -> None:
        rows: list[tuple[object, ...]] = []
        for change in changes:
            level = change.level
            place = level.product_id, level.location_id
            state = level.on_hand, level.reserved, level.version
            named = change.request_id, change.request_hash
            free = level.quarantined, level.safety_stock, level.active
            rows.append((*named, *place, *state, at, *free))
        self._transaction.defer(self._sql.INSERT_CHANGES, rows)

    async def lock_product(self, product_id: str) -> Product | None:
        rows = await self._transaction.fetch(self._sql.LOCK_PRODUCT, product_id)
        return product_of(rows[0], version=rows[0]["version"]) if rows else None

    async def add_product(self, product: Product, at: datetime) -> bool:
        columns = product_columns(product)
        if await self._transaction.execute(self._sql.INSERT_PRODUCT, *columns, at) == 0:
            return False
        gate = product.product_id, product.backorder_max, product.safety_stock
        self._transaction.defer(self._sql.INSERT_GATES, [gate])
        return True

    async def save_product(self, product: Product, at: datetime) -> None:
        await self._transaction.execute(self._sql.UPDATE_PRODUCT, *product_columns(product), at)
        gate = product.product_id, product.backorder_max, product.safety_stock
        if await self._transaction.execute(self._sql.SET_DETAILS_AT_GATE, *gate):
            await self._transaction.execute(self._sql.WAKE_QUEUE_OF, product.product_id)

    async def announce(self, told: Sequence[tuple[InventoryEvent, Caller]], at: datetime) -> None:
        events = [self._codec.encode(event, at, caller) for event, caller in told]
        self._outbox.append(self._transaction, events)


def _is_promise(m: Movement) -> bool:
    """Whether it has nothing beside units that are promised, or no more, by the service."""
    beside = m.on_hand_delta or m.quarantined_delta or m.quarantined_after or m.reason_code
    return not (beside or m.reference or m.lot_id or m.credential_id)


async def _locations(
    reading: Reading, sql: str, location_ids: Collection[str]
) -> dict[str, Location]:
    rows = await reading.fetch(sql, sorted(set(map(folded, location_ids))))
    return {folded(row["location_id"]): _location(row) for row in rows}


def _location(row: Row) -> Location:
    return Location(
        location_id=row["location_id"],
        name=row["name"],
        kind=LocationKind(row["kind"]),
        priority=row["priority"],
        active=bool(row["active"]),
        address=Address(*json.loads(row["address"])),
        version=row["version"],
    )


def _location_columns(location: Location) -> tuple[object, ...]:
    """What can change of a location."""
    facts = location.name, location.kind, location.priority, location.active
    return (*facts, json.dumps(location.address), location.version)


def _stock_info(rows: Sequence[Row]) -> StockInfo:
    """Put a product's rows together, which are sorted by location: a level, units that come to it,
    or, of a product that has neither, only its details.
    """
    levels: dict[tuple[str, str], StockLevel] = {}
    coming: dict[str, int] = {}
    queue = ProductQueue()
    for row in rows:
        place = row["location_id"], row["lot_id"]
        if row["queued"] or row["queued_max"]:
            queue = ProductQueue(row["queued"], row["queued_max"])
        if row["level_version"]:  # a gate alone is no stock: nothing was ever there
            levels[place] = _level(row, row["level_version"], row["location_active"])
        elif row["coming"]:
            coming[row["location_id"]] = row["coming"]
            levels.setdefault(place, _level(row, 0, row["location_active"]))
    product = product_of(rows[0], version=rows[0]["product_version"])
    return StockInfo(product, tuple(levels.values()), queue, coming)


def _level(row: Row, version: int, active: object) -> StockLevel:
    return StockLevel(
        row["product_id"],
        row["location_id"],
        row["on_hand"],
        row["reserved"],
        version,
        row["lot_id"],
        row["priority"],
        bool(active),
        row["quarantined"],
        row["queued"],
        row["queued_max"],
        row["safety_stock"],
    )
