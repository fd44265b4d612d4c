"""Orders as they are read: whole orders, pages of them, and notifications that wait to be sent."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdfast.chassis.clock import first_uuid7
from holdfast.chassis.database import Database, Reading, Row, instant
from holdfast.orders.application.ports import (
    Notification,
    OrderFilter,
    RecordedRequest,
    RequestKey,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.order import Order, OrderChange, OrderLine, OrderState, OrderStatus
from holdfast.orders.infrastructure.store import SQL, customer_of, find_requests

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
_ID_TIME_TOLERANCE = timedelta(seconds=10)
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Reader:
    """Answers questions about committed orders."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = SQL[database.engine]

    async def details(self, order_ids: Sequence[str]) -> Sequence[Order | None]:
        async with self._database.read() as reading:
            # The history first: whatever is read after it is at least as new.
            histories = await self._histories(reading, order_ids)
            rows = await reading.fetch(self._sql.FIND_ORDERS, list(histories)) if histories else []
            orders = {order.order_id: order for order in await self._with_lines(reading, rows)}
        changed = [key for key, one in orders.items() if one.state.version > len(histories[key])]
        whole: dict[str, Order | None] = {
            key: replace(order, history=tuple(histories[key])) for key, order in orders.items()
        }
        if changed:  # between the two statements
            whole |= dict(zip(changed, await self.details(changed), strict=True))
        return [whole.get(order_id) for order_id in order_ids]

    async def _histories(
        self, reading: Reading, order_ids: Sequence[str]
    ) -> dict[str, list[OrderChange]]:
        histories: dict[str, list[OrderChange]] = {}
        for row in await reading.fetch(self._sql.FIND_HISTORY, list(set(order_ids))):
            change = OrderChange(
                order_id=row["order_id"],
                version=row["version"],
                status=OrderStatus(row["status"]),
                at=instant(row["changed_at"]),
                caller=Caller(row["actor"]),
                reason=row["reason"],
            )
            histories.setdefault(change.order_id, []).append(change)
        return histories

    async def _with_lines(self, reading: Reading, rows: Sequence[Row]) -> list[Order]:
        currencies = {row["order_id"]: row["currency"] for row in rows}
        lines: dict[str, list[OrderLine]] = {}
        if not rows:
            return []
        for line in await reading.fetch(self._sql.FIND_LINES, list(currencies)):
            price = Money(currencies[line["order_id"]], line["unit_price_minor"])
            lines.setdefault(line["order_id"], []).append(
                OrderLine(line["product_id"], line["quantity"], price)
            )
        return [_order(row, lines[row["order_id"]]) for row in rows]

    async def find_requests(
        self, keys: Collection[RequestKey]
    ) -> dict[RequestKey, RecordedRequest]:
        async with self._database.read() as reading:
            return await find_requests(reading, self._sql, keys)

    async def orders(self, wanted: OrderFilter, *, before: str, limit: int) -> list[Order]:
        if wanted.product_id:
            sql = self._sql.LIST_ORDERS_WITH_PRODUCT
        elif wanted.customer_id:
            sql = self._sql.LIST_ORDERS_OF_CUSTOMER
        elif wanted.status and wanted.status is not OrderStatus.CONFIRMED:
            sql = self._sql.LIST_UNUSUAL_ORDERS
        else:
            sql = self._sql.LIST_ORDERS
        # Ids hold about the time of placing: the bounds of time become bounds of the index, with
        # room for an id made a moment before or after the time was read.
        start = max(wanted.created_from or _BEGINNING, _BEGINNING)
        end = min(wanted.created_before or _END, _END)
        newest = min(before or _LAST_ID, first_uuid7(max(end, _BEGINNING) + _ID_TIME_TOLERANCE))
        async with self._database.read() as reading:
            rows = await reading.fetch(
                sql,
                newest,
                limit,
                first_uuid7(max(start - _ID_TIME_TOLERANCE, _BEGINNING)),
                start,
                end,
                wanted.customer_id,
                wanted.status or "",
                wanted.product_id,
            )
            return await self._with_lines(reading, rows)

    async def unsent(self, limit: int) -> list[Notification]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.UNSENT_NOTIFICATIONS, limit)
        return [
            Notification(
                order_id=row["order_id"],
                version=row["version"],
                status=OrderStatus(row["status"]),
                customer_id=row["customer_id"],
                customer=customer_of(row),
            )
            for row in rows
        ]

    async def mark_sent(self, notifications: Sequence[Notification], at: datetime) -> None:
        async with self._database.begin() as work:
            await work.write(
                self._sql.MARK_SENT, [(news.order_id, news.version, at) for news in notifications]
            )


def _order(row: Row, lines: Sequence[OrderLine]) -> Order:
    return Order(
        order_id=row["order_id"],
        customer_id=row["customer_id"],
        request_id=row["request_id"],
        lines=tuple(lines),
        total=Money(row["currency"], row["total_minor"]),
        customer=customer_of(row),
        state=OrderState(row["order_id"], OrderStatus(row["status"]), row["version"]),
        shortages=tuple(Shortage(*facts) for facts in json.loads(row["shortages"])),
        placed_at=instant(row["placed_at"]),
        updated_at=instant(row["updated_at"]),
    )
