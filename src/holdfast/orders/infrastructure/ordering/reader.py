"""Orders as they are read: whole orders, and pages of them."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from holdfast.chassis.clock import first_uuid7
from holdfast.chassis.database.seam import Database, Reading, Row
from holdfast.orders.application.ports import (
    EPOCH,
    Editable,
    OrderFilter,
    RecordedRequest,
    RequestKey,
    ReturnRef,
)
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Edit
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.payments.payment import (
    PaymentStatus,
)
from holdfast.orders.infrastructure.metrics import REPLAYED
from holdfast.orders.infrastructure.ordering.documents import (
    order_of,
    whole_order,
    with_returns,
)
from holdfast.orders.infrastructure.ordering.edits import (
    edit_of,
)
from holdfast.orders.infrastructure.ordering.paging_sql import LEADS
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.infrastructure.ordering.store import columns_of, find_requests

BEGINNING = EPOCH
_END = datetime(9999, 1, 1, tzinfo=UTC)
ID_TIME_TOLERANCE = timedelta(seconds=10)
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
HELD_FACTS = 2  # arguments of a search about what is held, the last ones
STRETCH = 2_000  # entries of an index that are looked at before another may be the better one


class Reader:
    """Answers questions about committed orders."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = sql = SQL[database.engine]
        self._lists = {
            "PENDING": sql.LIST_PENDING_ORDERS,
            "RESERVED": sql.LIST_RESERVED_ORDERS,
            "CUSTOMER": sql.LIST_ORDERS_OF_CUSTOMER,
            "PRODUCT": sql.LIST_ORDERS_WITH_PRODUCT,
            "ENDED": sql.LIST_ENDED_ORDERS,
        }
        self._searches: dict[str, str] = {lead: getattr(sql, f"SEARCH_BY_{lead}") for lead in LEADS}

    async def details(self, order_ids: Sequence[str]) -> Sequence[Order | None]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.FIND_DETAILS, list(set(order_ids)))
        found = {row["order_id"]: whole_order(row) for row in rows}
        return [found.get(order_id) for order_id in order_ids]

    async def named(self, refs: Sequence[OrderRef]) -> Sequence[Order | None]:
        rows = await self._named(refs, self._sql.FIND_DETAILS, self._sql.FIND_NAMED_DETAILS)
        found = {ref: whole_order(row) for ref, row in rows.items()}
        return [found.get(ref) for ref in refs]

    async def editable(self, refs: Collection[OrderRef]) -> dict[OrderRef, Editable]:
        rows = await self._named(refs, self._sql.FIND_EDITABLE, self._sql.FIND_NAMED_EDITABLE)
        return {
            OrderRef(*ref): Editable(with_returns(order_of(row), row), row["line_no_max"])
            for ref, row in rows.items()
        }

    async def orders_of_returns(self, returns: Collection[ReturnRef]) -> dict[ReturnRef, str]:
        sql = self._sql.ORDERS_OF_RETURNS, self._sql.ORDERS_OF_NAMED_RETURNS
        rows = await self._named(returns, *sql, key="return_id")
        return {ref: row["order_id"] for ref, row in rows.items()}

    async def _named(
        self, refs: Collection[tuple[str, str]], by_id: str, by_ref: str, key: str = "order_id"
    ) -> dict[tuple[str, str], Row]:
        """Return the rows of what callers name.

        :param by_id: the statement where they may all name anybody's.
        """
        async with self._database.read() as reading:
            if any(owner for _, owner in refs):
                rows = await reading.fetch(by_ref, *columns_of(set(refs)))
                return {(row[key], row["owner"]): row for row in rows}
            rows = await reading.fetch(by_id, sorted({name for name, _ in refs}))
            return {(row[key], ""): row for row in rows}

    async def edits(self, order_id: str, after_version: int) -> list[Edit]:
        async with self._database.read() as reading:
            rows = await reading.fetch(self._sql.EDITS_SINCE, order_id, after_version)
        return [edit_of(row["edit"], row["currency"]) for row in rows]

    async def find_requests(
        self, keys: Collection[RequestKey]
    ) -> dict[RequestKey, RecordedRequest]:
        async with self._database.read() as reading:
            found = await find_requests(reading, self._sql, keys)
        REPLAYED.inc(len(found))
        return found

    async def orders(self, wanted: OrderFilter, *, before: str, limit: int) -> list[Order]:
        found: list[Order] = []
        while True:
            left = limit - len(found)
            listed = list(map(order_of, await self._rows(wanted, before, left)))
            found += (one for one in listed if _is_held(one, wanted))
            if len(listed) < left or len(found) == limit:
                return found
            before = wanted.place_of(listed[-1])

    async def _holds(self, wanted: OrderFilter, after: str, limit: int) -> Sequence[Row]:
        """Return orders with a hold, the one that ends next first."""
        micros, _, order_id = after.rpartition(" ")
        since = EPOCH + timedelta(microseconds=int(micros or "0"))
        start, end = wanted.created_from or BEGINNING, wanted.created_before or _END
        facts = order_id or _FIRST_ID, limit, since, start, end, wanted.customer_id
        async with self._database.read() as reading:
            sql = self._sql.LIST_HOLDS_BY_END
            return await reading.fetch(sql, *facts, OrderStatus.RESERVED, *_sought(wanted))

    async def _rows(self, wanted: OrderFilter, before: str, limit: int) -> Sequence[Row]:
        if wanted.by_hold_end:
            return await self._holds(wanted, before, limit)
        # Ids hold about the time of placing: the bounds of time become bounds of the index, with
        # room for an id made a moment before or after the time was read.
        start = max(wanted.created_from or BEGINNING, BEGINNING)
        end = min(wanted.created_before or _END, _END)
        newest = min(before or _LAST_ID, first_uuid7(max(end, BEGINNING) + ID_TIME_TOLERANCE))
        oldest = first_uuid7(max(start - ID_TIME_TOLERANCE, BEGINNING))
        if prefix := wanted.order_id_prefix:
            oldest = max(oldest, prefix + _FIRST_ID[len(prefix) :])
            last = prefix + _LAST_ID[len(prefix) :]
            newest = min(newest, _after(last))
        customer_id = wanted.owner or wanted.customer_id
        facts: tuple[object, ...] = start, end, customer_id, wanted.status or ""
        leads = ["CUSTOMER"] if wanted.owner else _leads(wanted)
        async with self._database.read() as reading:
            if len(leads) > 1 and not wanted.request_ids:
                facts = *facts, *_sought(wanted)
                return await self._in_common(reading, len(leads), newest, limit, oldest, *facts)
            sql, more = self._list_of(wanted, leads)
            return await reading.fetch(sql, newest, limit, oldest, *facts, *more)

    async def _in_common(
        self, reading: Reading, leads: int, newest: str, limit: int, oldest: str, *facts: object
    ) -> Sequence[Row]:
        """Return the orders that so many indexes have in common, stretch by stretch.

        A stretch begins where the last of them begins: what is newer is missing there. It has
        STRETCH entries of the index whose entries lie furthest apart. So the index leads that tells
        most, as long as it does, whatever the filters are.
        """
        found: list[Row] = []
        while len(found) < limit:
            led = facts[:-HELD_FACTS]  # no index has what is held
            marks = await reading.fetch(self._sql.MARKS, newest, STRETCH, oldest, *led)
            if len(marks) < leads or any(mark["next"] is None for mark in marks):
                break
            begin = _after(min(mark["next"] for mark in marks))
            lead, end = min(
                ((mark["lead"], mark["far"]) for mark in marks), key=lambda m: m[1] or ""
            )
            search, left = self._searches[lead], limit - len(found)
            found += await reading.fetch(search, begin, left, end or oldest, *facts)
            if end is None:
                break
            newest = end
        return found

    def _list_of(self, wanted: OrderFilter, leads: Sequence[str]) -> tuple[str, Sequence[object]]:
        """Return the statement that lists these orders, for which there is one index or none, and
        its arguments beside those that all of them have.
        """
        sql = self._sql
        if wanted.request_ids:
            asked = list(wanted.request_ids), wanted.product_id
            return sql.LIST_ORDERS_OF_REQUESTS, asked
        product_id, *others = _sought(wanted)
        if any(others) or wanted.owner:
            return self._searches[leads[0]] if leads else sql.SEARCH_ALL, (product_id, *others)
        if not leads:
            return sql.LIST_ORDERS, ()
        return self._lists[leads[0]], (product_id,) if product_id else ()

    async def any_hold_ended(self, here: datetime) -> bool:
        async with self._database.read() as reading:
            return bool(await reading.fetch(self._sql.ANY_HOLD_ENDED, here))


def _leads(wanted: OrderFilter) -> list[str]:
    """Name the indexes that these filters have, as MARKS does: every filter but CONFIRMED, what has
    left and what nobody paid for, which have none.
    """
    status, payment = wanted.status, wanted.payment_status
    filters = {
        "REFERENCE": wanted.reference,
        "EMAIL": wanted.email,
        "PENDING": status is OrderStatus.PENDING,
        "RESERVED": status is OrderStatus.RESERVED,
        "CUSTOMER": wanted.customer_id,
        "PRODUCT": wanted.product_id,
        "ENDED": status and status.came_to_nothing,
        "PAYMENT": payment not in (None, PaymentStatus.NONE),
        "CHANNEL": wanted.channel,
    }
    return [lead for lead, is_set in filters.items() if is_set]


def _sought(wanted: OrderFilter) -> tuple[object, ...]:
    """The arguments of a search beside those that all lists have."""
    named = wanted.product_id, wanted.reference, wanted.email, wanted.channel
    return *named, wanted.payment_status or "", wanted.location_id, wanted.to_ship


def _is_held(order: Order, wanted: OrderFilter) -> bool:
    """Whether what the filter wants to be held is: a row tells it with what has left since."""
    if not (wanted.to_ship or wanted.location_id):
        return True
    can_leave = order.state.status in (OrderStatus.CONFIRMED, OrderStatus.PARTIALLY_SHIPPED)
    return order.holds_at(wanted.location_id) and (can_leave or not wanted.to_ship)


def _after(order_id: str) -> str:
    """The id that follows, if there is one."""
    return str(UUID(int=min(UUID(order_id).int + 1, UUID(_LAST_ID).int)))
