"""Orders as they are read: whole orders, pages of them, and notifications that wait to be sent."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from holdfast.chassis.clock import first_uuid7
from holdfast.chassis.database.seam import Database, Row, instant
from holdfast.orders.application.ports import (
    Notification,
    OrderFilter,
    RecordedRequest,
    RequestKey,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import (
    Action,
    Order,
    OrderChange,
    OrderState,
    OrderStatus,
)
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, RecordedPayment
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.infrastructure.ordering.store import customer_of, find_requests

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
            rows = await reading.fetch(self._sql.FIND_DETAILS, list(set(order_ids)))
        found = {row["order_id"]: _order(row, _history(row)) for row in rows}
        return [found.get(order_id) for order_id in order_ids]

    async def find_requests(
        self, keys: Collection[RequestKey]
    ) -> dict[RequestKey, RecordedRequest]:
        async with self._database.read() as reading:
            return await find_requests(reading, self._sql, keys)

    async def orders(self, wanted: OrderFilter, *, before: str, limit: int) -> list[Order]:
        if wanted.request_ids:
            sql = self._sql.LIST_ORDERS_OF_REQUESTS
        elif wanted.product_id:
            sql = self._sql.LIST_ORDERS_WITH_PRODUCT
        elif wanted.customer_id:
            sql = self._sql.LIST_ORDERS_OF_CUSTOMER
        elif wanted.status is OrderStatus.PENDING:
            sql = self._sql.LIST_PENDING_ORDERS
        elif wanted.status is OrderStatus.RESERVED:
            sql = self._sql.LIST_RESERVED_ORDERS
        elif wanted.status and wanted.status.is_final:
            sql = self._sql.LIST_ENDED_ORDERS
        else:
            sql = self._sql.LIST_ORDERS
        # Ids hold about the time of placing: the bounds of time become bounds of the index, with
        # room for an id made a moment before or after the time was read.
        start = max(wanted.created_from or _BEGINNING, _BEGINNING)
        end = min(wanted.created_before or _END, _END)
        newest = min(before or _LAST_ID, first_uuid7(max(end, _BEGINNING) + _ID_TIME_TOLERANCE))
        arguments: list[object] = [
            newest,
            limit,
            first_uuid7(max(start - _ID_TIME_TOLERANCE, _BEGINNING)),
            start,
            end,
            wanted.customer_id,
            wanted.status or "",
        ]
        if wanted.request_ids:
            arguments += [list(wanted.request_ids), wanted.product_id]
        elif wanted.product_id:
            arguments.append(wanted.product_id)
        async with self._database.read() as reading:
            rows = await reading.fetch(sql, *arguments)
        return list(map(_order, rows))

    async def any_hold_ended(self, here: datetime) -> bool:
        async with self._database.read() as reading:
            return bool(await reading.fetch(self._sql.ANY_HOLD_ENDED, here))

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
                action=Action(row["action"]),
            )
            for row in rows
        ]

    async def mark_sent(self, notifications: Sequence[Notification], at: datetime) -> None:
        order_ids = [news.order_id for news in notifications]
        versions = [news.version for news in notifications]
        await self._database.execute(self._sql.MARK_SENT, order_ids, versions, at)


def _order(row: Row, history: tuple[OrderChange, ...] = ()) -> Order:
    order_id, currency = row["order_id"], row["currency"]
    return Order(
        order_id=order_id,
        customer_id=row["customer_id"],
        request_id=row["request_id"],
        lines=tuple(
            OrderLine(product_id, quantity, Money(currency, minor))
            for product_id, quantity, minor in json.loads(row["lines"])
        ),
        total=Money(currency, row["total_minor"]),
        customer=customer_of(row),
        state=OrderState(
            order_id,
            OrderStatus(row["status"]),
            row["version"],
            expires_at=row["expires_at"] and instant(row["expires_at"]),
            confirmed_by=row["confirmed_by"],
        ),
        shortages=tuple(Shortage(*facts) for facts in json.loads(row["shortages"])),
        placed_at=instant(row["placed_at"]),
        updated_at=instant(row["updated_at"]),
        history=history,
        payments=tuple(
            RecordedPayment(Payment(PaymentKind(kind), name, Money(currency, minor)), instant(at))
            for kind, name, minor, at in json.loads(row["payments"] or "[]")
        ),
    )


def _history(row: Row) -> tuple[OrderChange, ...]:
    return tuple(
        OrderChange(
            row["order_id"],
            version,
            OrderStatus(status),
            instant(at),
            Caller(actor),
            reason,
            action=Action(action),
        )
        for version, status, at, reason, actor, action in json.loads(row["history"])
    )
