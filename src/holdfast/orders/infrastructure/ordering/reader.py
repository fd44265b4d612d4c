"""Orders as they are read: whole orders, pages of them, and notifications that wait to be sent."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from holdfast.chassis.clock import first_uuid7
from holdfast.chassis.database.seam import Database, Row, instant
from holdfast.orders.application.ports import (
    Editable,
    Notification,
    OrderFilter,
    RecordedRequest,
    RequestKey,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.details import NO_DETAILS
from holdfast.orders.domain.ordering.edits import Edit
from holdfast.orders.domain.ordering.order import Order, OrderState
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.payments.payment import (
    Payment,
    PaymentKind,
    PaymentStatus,
    RecordedPayment,
)
from holdfast.orders.infrastructure.ordering.edits import charges_of, edit_of, lines_of
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.infrastructure.ordering.store import (
    customer_of,
    details_of,
    editions_of,
    find_requests,
)

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
_ID_TIME_TOLERANCE = timedelta(seconds=10)
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
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

    async def editable(self, order_ids: Collection[str]) -> dict[str, Editable]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.FIND_EDITABLE, sorted(order_ids))
        return {row["order_id"]: Editable(_order(row), row["line_no_max"]) for row in rows}

    async def edits(self, order_id: str, after_version: int) -> list[Edit]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.EDITS_SINCE, order_id, after_version)
        return [edit_of(row["edit"], row["currency"]) for row in rows]

    async def find_requests(
        self, keys: Collection[RequestKey]
    ) -> dict[RequestKey, RecordedRequest]:
        async with self._database.read() as reading:
            return await find_requests(reading, self._sql, keys)

    async def orders(self, wanted: OrderFilter, *, before: str, limit: int) -> list[Order]:
        # Ids hold about the time of placing: the bounds of time become bounds of the index, with
        # room for an id made a moment before or after the time was read.
        start = max(wanted.created_from or _BEGINNING, _BEGINNING)
        end = min(wanted.created_before or _END, _END)
        newest = min(before or _LAST_ID, first_uuid7(max(end, _BEGINNING) + _ID_TIME_TOLERANCE))
        oldest = first_uuid7(max(start - _ID_TIME_TOLERANCE, _BEGINNING))
        if prefix := wanted.order_id_prefix:
            oldest = max(oldest, prefix + _FIRST_ID[len(prefix) :])
            last = UUID(prefix + _LAST_ID[len(prefix) :])
            newest = min(newest, str(UUID(int=min(last.int + 1, UUID(_LAST_ID).int))))
        arguments: list[object] = [
            newest,
            limit,
            oldest,
            start,
            end,
            wanted.customer_id,
            wanted.status or "",
        ]
        sql, more = self._list_of(wanted)
        async with self._database.read() as reading:
            rows = await reading.fetch(sql, *arguments, *more)
        return list(map(_order, rows))

    def _list_of(self, wanted: OrderFilter) -> tuple[str, Sequence[object]]:
        """Return the statement whose index tells most of these orders, and its arguments beside
        those that all of them have.
        """
        sql = self._sql
        sought = wanted.reference, wanted.email, wanted.channel, wanted.payment_status or ""
        if any(sought) or wanted.order_id_prefix:
            return self._search_for(wanted), (wanted.product_id, *sought)
        if wanted.request_ids:
            asked = list(wanted.request_ids), wanted.product_id
            return sql.LIST_ORDERS_OF_REQUESTS, asked
        if wanted.product_id:
            return sql.LIST_ORDERS_WITH_PRODUCT, (wanted.product_id,)
        if wanted.customer_id:
            return sql.LIST_ORDERS_OF_CUSTOMER, ()
        if wanted.status is OrderStatus.PENDING:
            return sql.LIST_PENDING_ORDERS, ()
        if wanted.status is OrderStatus.RESERVED:
            return sql.LIST_RESERVED_ORDERS, ()
        if wanted.status and wanted.status.is_final:
            return sql.LIST_ENDED_ORDERS, ()
        return sql.LIST_ORDERS, ()

    def _search_for(self, wanted: OrderFilter) -> str:
        sql = self._sql
        if wanted.reference:
            return sql.SEARCH_BY_REFERENCE
        if wanted.email:
            return sql.SEARCH_BY_EMAIL
        if wanted.customer_id:
            return sql.SEARCH_BY_CUSTOMER
        if wanted.order_id_prefix:
            return sql.SEARCH_ALL
        if wanted.payment_status not in (None, PaymentStatus.NONE):
            return sql.SEARCH_BY_PAYMENT
        return sql.SEARCH_BY_CHANNEL if wanted.channel else sql.SEARCH_ALL

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
        lines=lines_of(json.loads(row["lines"]), currency),
        total=Money(currency, row["total_minor"]),
        customer=customer_of(row),
        state=OrderState(
            order_id,
            OrderStatus(row["status"]),
            row["version"],
            expires_at=row["expires_at"] and instant(row["expires_at"]),
            confirmed_by=row["confirmed_by"],
            editions=editions_of(row),
        ),
        shortages=tuple(Shortage(*facts) for facts in json.loads(row["shortages"])),
        placed_at=instant(row["placed_at"]),
        updated_at=instant(row["updated_at"]),
        history=history,
        payments=tuple(
            RecordedPayment(Payment(PaymentKind(kind), name, Money(currency, minor)), instant(at))
            for kind, name, minor, at in json.loads(row["payments"] or "[]")
        ),
        charges=charges_of(json.loads(row["charges"]), currency) if row["charges"] else (),
        details=details_of(json.loads(row["details"])) if row["details"] else NO_DETAILS,
        edit=edit_of(row["edit"], currency) if row["edit"] else None,
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
