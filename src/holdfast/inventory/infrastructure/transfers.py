"""The rows of transfers: parts of `Store` and `StoreWork`."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from holdfast.chassis.database.seam import Database, Row, Transaction, instant, instant_or_none
from holdfast.inventory.domain.transfers.transfer import (
    Receipt,
    Transfer,
    TransferLine,
    TransferState,
)
from holdfast.inventory.infrastructure.sql import Statements


class TransferReading:
    """What is asked about transfers."""

    _database: Database
    _sql: Statements

    async def transfer(self, transfer_id: str) -> Transfer | None:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.FIND_TRANSFER, transfer_id)
        return next(_transfers(rows), None)

    async def transfers(
        self, state: TransferState | None, *, before: str, limit: int
    ) -> list[Transfer]:
        async with self._database.read() as reading:
            if state is TransferState.IN_TRANSIT:  # few among many
                sql = self._sql.LIST_TRANSFERS_IN_TRANSIT
                rows = await reading.fetch(sql, before, limit)
            else:
                rows = await reading.fetch(self._sql.LIST_TRANSFERS, before, limit, state or "")
        return list(_transfers(rows))


class TransferWork:
    """What a transaction does with transfers."""

    _transaction: Transaction
    _sql: Statements

    async def requested_transfer(self, request_id: str) -> Transfer | None:
        rows = await self._transaction.fetch(self._sql.FIND_REQUESTED_TRANSFER, request_id)
        return next(_transfers(rows), None)

    async def lock_transfer(self, transfer_id: str) -> Transfer | None:
        await self._transaction.fetch(self._sql.LOCK_TRANSFER, transfer_id)
        rows = await self._transaction.fetch(self._sql.FIND_TRANSFER, transfer_id)
        return next(_transfers(rows), None)

    async def add_transfer(self, transfer: Transfer) -> None:
        named = transfer.transfer_id, transfer.request_id, transfer.origin, transfer.target
        facts = transfer.state, transfer.reference, transfer.expected_at, transfer.created_at
        await self._transaction.execute(self._sql.INSERT_TRANSFER, *named, *facts)
        lines = [(transfer.transfer_id, *line) for line in transfer.lines]
        self._transaction.defer(self._sql.INSERT_TRANSFER_LINES, lines)

    async def save_transfer(self, transfer: Transfer) -> None:
        state = transfer.transfer_id, transfer.state, transfer.closed_at
        await self._transaction.execute(self._sql.UPDATE_TRANSFER, *state)
        lines = [
            (transfer.transfer_id, line.product_id, line.received, line.missing)
            for line in transfer.lines
        ]
        self._transaction.defer(self._sql.UPDATE_TRANSFER_LINES, lines)

    async def receipt(self, transfer_id: str, request_id: str) -> Receipt | None:
        rows = await self._transaction.fetch(self._sql.FIND_RECEIPT, transfer_id, request_id)
        if not rows:
            return None
        units = {row["product_id"]: row["quantity"] for row in rows}
        return Receipt(request_id, units, bool(rows[0]["is_rest"]))

    async def add_receipt(self, transfer_id: str, receipt: Receipt, at: datetime) -> None:
        named = transfer_id, receipt.request_id
        await self._transaction.execute(self._sql.INSERT_RECEIPT, *named, receipt.is_rest, at)
        lines = [(*named, *units) for units in receipt.units.items()]
        self._transaction.defer(self._sql.INSERT_RECEIPT_LINES, lines)


def _transfers(rows: Iterable[Row]) -> Iterator[Transfer]:
    """Put rows of transfers and lines together: each transfer's stand in a row, by product."""
    for _, lines in groupby(rows, key=lambda row: row["transfer_id"]):
        first, *others = lines
        yield Transfer(
            transfer_id=first["transfer_id"],
            request_id=first["request_id"],
            origin=first["origin"],
            target=first["target"],
            lines=tuple(
                TransferLine(row["product_id"], row["sent"], row["received"], row["missing"])
                for row in (first, *others)
            ),
            reference=first["reference"],
            expected_at=instant_or_none(first["expected_at"]),
            created_at=instant(first["created_at"]),
            closed_at=instant_or_none(first["closed_at"]),
        )
