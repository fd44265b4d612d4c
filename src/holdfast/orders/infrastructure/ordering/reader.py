"""Orders as they are read: whole orders, and pages of them."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from holdfast.chassis.clock import first_uuid7
from holdfast.chassis.database.seam import Database, Reading, Row, instant
from holdfast.orders.application.ports import (
    EPOCH,
    Editable,
    Listed,
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
from holdfast.orders.infrastructure.ordering.store import columns_of, database_now, find_requests

BEGINNING = EPOCH
_END = datetime(9999, 1, 1, tzinfo=UTC)
ID_TIME_TOLERANCE = timedelta(seconds=10)
_FIRST_ID = "00000000-0000-0000-0000-000000000000"
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
HELD_FACTS = 2  # arguments of a search about what is held, the last ones
STRETCH = 400  # entries of an index that are looked at before another may be the better one
LOOKS_MAX = 2  # stretches that one page looks at: it takes some milliseconds, whatever is asked


class Reader:
    """Answers questions about committed orders."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = sql = SQL[database.engine]
        # By the filters that are set: where all that there is, or that an index has, fits.
        self._lists = {
            (): sql.LIST_ORDERS,
            ("CUSTOMER",): sql.LIST_ORDERS_OF_CUSTOMER,
            ("ENDED",): sql.LIST_ENDED_ORDERS,
        }
        self._searches: dict[str, str] = {
            lead: getattr(sql, f"SEARCH_BY_{lead}") for lead in ("ALL", *LEADS)
        }

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

    async def database_now(self, here: datetime) -> datetime:
        async with self._database.read() as reading:
            return await database_now(reading, self._sql, here)

    async def find_requests(
        self, keys: Collection[RequestKey]
    ) -> dict[RequestKey, RecordedRequest]:
        async with self._database.read() as reading:
            found = await find_requests(reading, self._sql, keys)
        REPLAYED.inc(len(found))
        return found

    async def orders(self, wanted: OrderFilter, *, before: str, limit: int) -> Listed:
        found, place = list[Order](), before
        for _ in range(LOOKS_MAX):
            looked, place = await self._look(wanted, place, limit - len(found))
            found += (one for one in looked if _is_held(one, wanted))
            if not place or len(found) == limit:
                break
        return Listed(found, place)

    async def _look(self, wanted: OrderFilter, before: str, limit: int) -> Listed:
        look = self._next_holds if wanted.by_hold_end else self._newest
        async with self._database.read() as reading:
            rows, end = await look(reading, wanted, before, limit)
        orders = list(map(order_of, rows))
        return Listed(orders, wanted.place_of(orders[-1]) if len(orders) == limit else end)

    async def _next_holds(
        self, reading: Reading, wanted: OrderFilter, after: str, limit: int
    ) -> tuple[Sequence[Row], str]:
        """Return what fits of STRETCH orders with a hold, the one that ends next first, and the
        place of the last of these; "": no more follow.
        """
        micros, _, order_id = after.rpartition(" ")
        since = EPOCH + timedelta(microseconds=int(micros or "0"))
        place = order_id or _FIRST_ID, limit, since
        facts = *_period(wanted), wanted.customer_id, OrderStatus.RESERVED, *_sought(wanted)
        rows = await reading.fetch(self._sql.LIST_HOLDS_BY_END, *place, *facts, STRETCH)
        if len(rows) == limit:
            return rows, ""
        last = await reading.fetch(self._sql.HOLD_SO_FAR, place[0], STRETCH - 1, since)
        ends = (wanted.place_of_hold(instant(one["ends_at"]), str(one["order_id"])) for one in last)
        return rows, next(ends, "")

    async def _newest(
        self, reading: Reading, wanted: OrderFilter, before: str, limit: int
    ) -> tuple[Sequence[Row], str]:
        """Return what fits, newest first, of all orders or of one stretch of them, and the id of
        the last one there; "": no more follow.
        """
        start, end = _period(wanted)
        oldest, newest = ids_between(start, end)
        newest = min(before or _LAST_ID, newest)
        if prefix := wanted.order_id_prefix:
            oldest = max(oldest, prefix + _FIRST_ID[len(prefix) :])
            newest = min(newest, _after(prefix + _LAST_ID[len(prefix) :]))
        place = newest, limit, oldest
        facts = start, end, wanted.owner or wanted.customer_id, wanted.status or ""
        if wanted.request_ids:
            asked = list(wanted.request_ids), wanted.product_id
            sql = self._sql.LIST_ORDERS_OF_REQUESTS
            return await reading.fetch(sql, *place, *facts, *asked), ""
        filters = _filters(wanted)
        if whole := self._lists.get(filters):
            return await reading.fetch(whole, *place, *facts), ""
        return await self._stretch(reading, wanted, filters, place, (*facts, *_sought(wanted)))

    async def _stretch(
        self,
        reading: Reading,
        wanted: OrderFilter,
        filters: Collection[str],
        place: tuple[str, int, str],
        facts: Sequence[object],
    ) -> tuple[Sequence[Row], str]:
        """Return what fits of STRETCH entries of an index, and the last of these.

        A stretch begins where the last index of a filter does: what is newer is missing there. The
        index leads whose entries lie furthest apart: it tells most, whatever the filters are.
        """
        newest, limit, oldest = place
        leads = [one for one in filters if one in LEADS]
        if wanted.owner:  # how long it takes tells nothing of what others have
            leads, sql, led = ["CUSTOMER"], self._sql.MARKS_OF_CUSTOMER, facts[:3]
        elif leads:
            sql, led = self._sql.MARKS, facts[:-HELD_FACTS]  # no index has what is held
        else:
            leads, sql, led = ["ALL"], self._sql.MARKS_OF_ALL, facts[:2]
        marks = await reading.fetch(sql, newest, STRETCH - 1, oldest, *led)
        if len(marks) < len(leads) or any(mark["next"] is None for mark in marks):
            return [], ""
        begin = _after(min(mark["next"] for mark in marks))
        lead, end = min(((one["lead"], one["far"]) for one in marks), key=lambda m: m[1] or "")
        rows = await reading.fetch(self._searches[lead], begin, limit, end or oldest, *facts)
        return rows, end or ""

    async def any_hold_ended(self, here: datetime) -> bool:
        async with self._database.read() as reading:
            return bool(await reading.fetch(self._sql.ANY_HOLD_ENDED, here))


def ids_between(start: datetime, end: datetime) -> tuple[str, str]:
    """Ids hold about the time of placing: return the bounds of those of orders placed in a period,
    with room for an id made a moment before or after the time was read.
    """
    return (
        first_uuid7(max(start, BEGINNING + ID_TIME_TOLERANCE) - ID_TIME_TOLERANCE),
        first_uuid7(max(end, BEGINNING) + ID_TIME_TOLERANCE),
    )


def _period(wanted: OrderFilter) -> tuple[datetime, datetime]:
    start = max(wanted.created_from or BEGINNING, BEGINNING)
    return start, min(wanted.created_before or _END, _END)


def _filters(wanted: OrderFilter) -> tuple[str, ...]:
    """Name the filters that are set; LEADS has those for which there is an index."""
    status, payment = wanted.status, wanted.payment_status
    filters = {
        "REFERENCE": wanted.reference,
        "EMAIL": wanted.email,
        "ENDED" if status and status.came_to_nothing else str(status): status,
        "CUSTOMER": wanted.owner or wanted.customer_id,
        "PRODUCT": wanted.product_id,
        "NONE" if payment is PaymentStatus.NONE else "PAYMENT": payment,
        "CHANNEL": wanted.channel,
        "HELD": wanted.to_ship or wanted.location_id,
    }
    return tuple(name for name, is_set in filters.items() if is_set)


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
