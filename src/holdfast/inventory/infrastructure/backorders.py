"""Rows of the queues: who waits for what, and which queues are to be served."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from holdfast.chassis.database.seam import Conflict, Database, Reading, Transaction, instant
from holdfast.chassis.failpoints import failpoint
from holdfast.inventory.application.ports import Going, QueuePlace, QueueRow, ToServe
from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.inventory.infrastructure.backorders_sql import BackorderStatements
from holdfast.inventory.infrastructure.reservation_rows import queue_text

ALL_GOES = Going(down_to=0)
BEFORE_ALL: QueuePlace = (datetime(1, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-000000000000")


class BackorderReading:
    """Questions about queues."""

    _database: Database
    _sql: BackorderStatements

    async def to_serve(self) -> ToServe | None:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.TO_SERVE)
        return ToServe(rows[0]["product_id"], rows[0]["ticket"], rows[0]["free"]) if rows else None

    async def backorders(
        self, product_id: str, *, after: QueuePlace | None, limit: int
    ) -> list[QueueRow]:
        async with self._database.read() as reading:
            return await _queue(reading, self._sql.QUEUE, product_id, after, limit)

    async def queue_until(self, product_id: str, place: QueuePlace) -> tuple[int, int]:
        async with self._database.read() as reading:
            (row,) = await reading.fetch(self._sql.QUEUE_UNTIL, product_id, *place)
        return row["places"], row["units"]


class BackorderWork:
    """What a transaction does with queues."""

    _transaction: Transaction
    _sql: BackorderStatements

    async def youngest_promises(
        self, product_id: str, location_id: str, going: Going | None
    ) -> list[str]:
        units, down_to = going or ALL_GOES
        rows = await self._transaction.fetch(
            self._sql.YOUNGEST_PROMISES, product_id, location_id, units, down_to
        )
        return [row["order_id"] for row in rows]

    async def refuse_new_promises(
        self, product_id: str, location_id: str, going: Going | None, known: Collection[str]
    ) -> None:
        now = await self.youngest_promises(product_id, location_id, going)
        if not set(now) <= set(known):
            raise Conflict("somebody was promised units meanwhile")
        if now:
            await failpoint("promises give way")

    async def queue(
        self, product_id: str, *, after: QueuePlace | None, limit: int
    ) -> list[QueueRow]:
        return await _queue(self._transaction, self._sql.QUEUE, product_id, after, limit)

    async def ticket(self, product_id: str) -> int:
        rows = await self._transaction.fetch(self._sql.NEWEST_TICKET, product_id)
        return rows[0]["ticket"] if rows else 0

    async def served(self, product_id: str, ticket: int) -> None:
        self._transaction.defer(self._sql.QUEUE_SERVED, [(product_id, ticket)])

    def save_queues(self, changed: Sequence[tuple[Reservation, Reservation | None]]) -> None:
        """Write what orders wait for, which few do: (now, before)."""
        texts: list[tuple[object, ...]] = []
        gone: list[tuple[object, ...]] = []
        there: list[tuple[object, ...]] = []
        for now, before in changed:
            queued_before = before.queued if before else ()
            if now.queued == queued_before:
                continue
            order_id = now.order_id
            if before:
                texts.append((order_id, queue_text(now.queued)))
            places = {(name, since) for name, _, since in now.queued}
            gone += [
                (name, since, order_id)
                for name, _, since in queued_before
                if (name, since) not in places
            ]
            there += [(name, since, order_id, units) for name, units, since in now.queued]
        self._transaction.defer(self._sql.SET_QUEUED, texts)
        self._transaction.defer(self._sql.DELETE_BACKORDERS, gone)
        self._transaction.defer(self._sql.PUT_BACKORDERS, there)


async def _queue(
    reading: Reading, sql: str, product_id: str, after: QueuePlace | None, limit: int
) -> list[QueueRow]:
    rows = await reading.fetch(sql, product_id, *(after or BEFORE_ALL), limit)
    return [QueueRow(row["order_id"], row["quantity"], instant(row["since"])) for row in rows]
