"""The ledger as it is asked about the past; fills `LedgerReader`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from holdfast.chassis.database.seam import Database, Row, instant, instant_or_none
from holdfast.chassis.times import LATEST
from holdfast.inventory.application.ports import LevelAt, RecordedMovement
from holdfast.inventory.domain.stock.explaining import Coming, Incoming, Step
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import MovementKind
from holdfast.inventory.infrastructure.rows import movement_of
from holdfast.inventory.infrastructure.sql import SQL


class Ledger:
    """Answers questions about levels' pasts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = SQL[database.engine]

    async def levels_at(
        self, product_id: str, location_id: str, at: datetime | None, *, after: str, limit: int
    ) -> list[LevelAt]:
        asked = product_id, location_id, at or LATEST, after, limit
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.LEVELS_AT, *asked)
        return [
            LevelAt(
                StockLevel(
                    product_id,
                    row["location_id"],
                    row["on_hand"],
                    row["reserved"],
                    row["version"],
                    active=bool(row["active"]),
                    quarantined=row["quarantined"],
                    safety_stock=row["safety_stock"],
                ),
                row["newest"],
                bool(row["changed_since"]),
            )
            for row in rows
        ]

    async def newest_steps(self, level: StockLevel, newest: int, *, limit: int) -> list[Step]:
        asked = level.product_id, level.location_id, newest, limit
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.NEWEST_STEPS, *asked)
        return [
            Step(
                row["movement_id"],
                MovementKind(row["kind"]),
                row["on_hand_delta"],
                row["reserved_delta"],
                row["quarantined_delta"] or 0,
                row["order_id"],
                instant(row["moved_at"]),
            )
            for row in rows
        ]

    async def movements(self, movement_ids: Collection[int]) -> list[RecordedMovement]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.FIND_MOVEMENTS, list(movement_ids))
        return [RecordedMovement(row["movement_id"], movement_of(row)) for row in rows]

    async def reserved_before(
        self, level: StockLevel, order_ids: Collection[str], movement_id: int
    ) -> dict[str, int]:
        asked = list(order_ids), level.product_id, level.location_id, movement_id
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.RESERVED_BEFORE, *asked)
        return {row["order_id"]: row["units"] for row in rows}

    async def coming(
        self, product_id: str, location_id: str, *, after: str, transfers_max: int
    ) -> dict[str, Coming]:
        asked = product_id, location_id, after, transfers_max
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.COMING, *asked)
        return {
            target: _coming(list(its))
            for target, its in groupby(rows, key=lambda row: str(row["target"]))
        }


def _coming(rows: Sequence[Row]) -> Coming:
    first = rows[0]
    incoming = [
        Incoming(
            row["transfer_id"],
            row["origin"],
            row["units"],
            instant(row["created_at"]),
            instant_or_none(row["expected_at"]),
        )
        for row in rows
    ]
    return Coming(bool(first["active"]), first["in_transit"], first["transfers"], incoming)
