"""Inventory's rows: what is read from and written to its database, the same way on both engines."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from holdfast.chassis.database.seam import Conflict, Database, Reading, Row, Transaction, instant
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
from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock.stock import (
    MAIN_LOCATION,
    NO_LOT,
    HeldStock,
    Movement,
    MovementKind,
    Shortage,
    StockBook,
    StockLevel,
    folded,
)
from holdfast.inventory.infrastructure.events_to_proto import EventCodec
from holdfast.inventory.infrastructure.sql import SQL, Statements


class Store:
    """Opens transactions and answers questions."""

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
        levels: dict[str, list[StockLevel]] = {}
        products: dict[str, Product] = {}
        for row in rows:
            product_id = row["product_id"]
            if product_id not in products:
                products[product_id] = _product(row, version=row["product_version"])
                levels[product_id] = []
            if row["level_version"]:  # a gate alone is no stock: nothing was ever there
                levels[product_id].append(_level(row, version=row["level_version"]))
        return {key: StockInfo(product, tuple(levels[key])) for key, product in products.items()}

    async def stock_infos(self, product_ids: Sequence[str]) -> Sequence[StockInfo | None]:
        found = await self.stock_info(set(product_ids))
        return [found.get(product_id) for product_id in product_ids]

    async def spelling_of(self, location_id: str) -> str | None:
        async with self._database.read() as reading:
            found = await _spellings(reading, self._sql, [location_id])
        return found.get(folded(location_id))

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
            )
            for row in rows
        }

    async def products(self, *, after: str, limit: int) -> list[Product]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.LIST_PRODUCTS, after, limit)
        return [_product(row, version=row["version"]) for row in rows]

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
        return [RecordedMovement(row["movement_id"], _movement(row)) for row in rows]


class StoreWork:
    """One open transaction on Inventory's rows."""

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
        return {row["order_id"]: _reservation(row) for row in rows}

    async def lock_levels(self, product_ids: Collection[str]) -> list[StockLevel]:
        if not product_ids:
            return []
        rows = await self._transaction.fetch(self._sql.LOCK_LEVELS, sorted(product_ids))
        return [_level(row, version=row["version"]) for row in rows]

    async def existing_products(self, product_ids: Collection[str]) -> set[str]:
        rows = await self._transaction.fetch(self._sql.EXISTING_PRODUCTS, list(product_ids))
        return {row["product_id"] for row in rows}

    async def locations(self, location_ids: Collection[str]) -> dict[str, str]:
        if set(location_ids) <= {MAIN_LOCATION}:  # nearly always, and always there
            return {folded(MAIN_LOCATION): MAIN_LOCATION}
        return await _spellings(self._transaction, self._sql, location_ids)

    async def add_locations(self, location_ids: Sequence[str]) -> None:
        self._transaction.defer(
            self._sql.INSERT_LOCATIONS, [(one, folded(one)) for one in sorted(location_ids)]
        )

    async def save_book(self, book: StockBook) -> None:
        new: list[tuple[object, ...]] = []
        old: list[tuple[object, ...]] = []
        for level in book.changed:
            row = *level.key, level.on_hand, level.reserved, level.version
            before = book.version_before(level)
            if before is None:
                new.append(row)
            else:
                old.append((*row, before))
        self._transaction.defer(self._sql.INSERT_LEVELS, new)
        if await self._transaction.write(self._sql.UPDATE_LEVELS, old) < len(old):
            raise Conflict("a stock level changed although it was locked")
        await failpoint("levels changed")
        self._transaction.defer(
            self._sql.INSERT_MOVEMENTS,
            [
                (m.product_id, m.location_id, m.lot_id or None, m.kind)
                + (m.on_hand_delta, m.reserved_delta, m.on_hand_after, m.reserved_after)
                + (m.order_id, m.reason, m.reference, m.actor, m.at)
                for m in book.movements
            ],
        )

    async def save_reservations(
        self, changed: Sequence[Reservation], known: Mapping[str, Reservation], at: datetime
    ) -> None:
        new: list[tuple[object, ...]] = []
        old: list[tuple[object, ...]] = []
        for one in changed:
            row = one.order_id, one.version, one.revision, one.state, *_texts(one), at
            before = known.get(one.order_id)
            if before is None:
                new.append(row)
            else:
                old.append((*row, before.version))
        self._transaction.defer(self._sql.INSERT_RESERVATIONS, new)
        if await self._transaction.write(self._sql.UPDATE_RESERVATIONS, old) < len(old):
            raise Conflict("a reservation changed although it was locked")

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
            rows.append((change.request_id, change.request_hash, *place, *state, at))
        self._transaction.defer(self._sql.INSERT_CHANGES, rows)

    async def lock_product(self, product_id: str) -> Product | None:
        rows = await self._transaction.fetch(self._sql.LOCK_PRODUCT, product_id)
        return _product(rows[0], version=rows[0]["version"]) if rows else None

    async def add_product(self, product: Product, at: datetime) -> bool:
        columns = _product_columns(product)
        if await self._transaction.execute(self._sql.INSERT_PRODUCT, *columns, at) == 0:
            return False
        gate = StockLevel(product.product_id, MAIN_LOCATION)
        self._transaction.defer(self._sql.INSERT_LEVELS, [(*gate.key, 0, 0, 0)])
        return True

    async def save_product(self, product: Product, at: datetime) -> None:
        await self._transaction.execute(self._sql.UPDATE_PRODUCT, *_product_columns(product), at)

    async def announce(self, told: Sequence[tuple[InventoryEvent, Caller]], at: datetime) -> None:
        events = [self._codec.encode(event, at, caller) for event, caller in told]
        self._outbox.append(self._transaction, events)


async def _spellings(
    reading: Reading, sql: Statements, location_ids: Collection[str]
) -> dict[str, str]:
    rows = await reading.fetch(sql.FIND_LOCATIONS, sorted(set(map(folded, location_ids))))
    return {row["folded"]: row["location_id"] for row in rows}


def _product(row: Row, *, version: int) -> Product:
    return Product(
        product_id=row["product_id"],
        name=row["name"],
        description=row["description"],
        currency=row["currency"],
        price_minor=row["price_minor"],
        active=bool(row["active"]),
        version=version,
    )


def _product_columns(product: Product) -> tuple[object, ...]:
    details = product.product_id, product.name, product.description
    price = product.currency, product.price_minor
    return (*details, *price, product.active, product.version)


def _level(row: Row, *, version: int) -> StockLevel:
    return StockLevel(
        row["product_id"],
        row["location_id"],
        row["on_hand"],
        row["reserved"],
        version,
        row["lot_id"],
    )


def _reservation(row: Row) -> Reservation:
    return Reservation(
        row["order_id"],
        row["version"],
        row["revision"],
        ReservationState(row["state"]),
        tuple(HeldStock(*held) for held in json.loads(row["stock"])),
        tuple(Shortage(*short) for short in json.loads(row["missing"])),
    )


def _texts(reservation: Reservation) -> tuple[str, str]:
    """What is held and what was missing, as JSON."""
    stock = json.dumps(reservation.stock)
    if not reservation.missing:  # nearly always
        return stock, "[]"
    missing = [(short.product_id, short.wanted, short.available) for short in reservation.missing]
    return stock, json.dumps(missing)


def _movement(row: Row) -> Movement:
    return Movement(
        product_id=row["product_id"],
        location_id=row["location_id"],
        lot_id=row["lot_id"] or NO_LOT,
        kind=MovementKind(row["kind"]),
        on_hand_delta=row["on_hand_delta"],
        reserved_delta=row["reserved_delta"],
        on_hand_after=row["on_hand_after"],
        reserved_after=row["reserved_after"],
        order_id=row["order_id"],
        reason=row["reason"],
        reference=row["reference"],
        actor=row["actor"],
        at=instant(row["moved_at"]),
    )
