"""Orders' rows: what is read from and written to its database, the same way on both engines."""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from holdfast.chassis.database.seam import (
    Database,
    KeyTaken,
    Reading,
    Transaction,
    instant,
)
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.orders.application.ports import (
    KnownDetails,
    KnownPayments,
    RecordedRequest,
    RequestKey,
    StockNews,
)
from holdfast.orders.domain.caller import ORDERS, OrderRef
from holdfast.orders.domain.customers.customer import NOBODY
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.details import NO_DETAILS, Details
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.payments.payment import Payment, PaymentKind
from holdfast.orders.domain.shipping.goods import NO_GOODS
from holdfast.orders.infrastructure.customers.rows import Rows
from holdfast.orders.infrastructure.events_to_proto import EventCodec
from holdfast.orders.infrastructure.metrics import REPLAYED, count_changes
from holdfast.orders.infrastructure.ordering.documents import (
    customer_of,
    details_of,
    whole_order,
)
from holdfast.orders.infrastructure.ordering.edits import (
    add_contents,
    record_edits,
    sourcing_of,
)
from holdfast.orders.infrastructure.ordering.sql import SQL, Statements
from holdfast.orders.infrastructure.ordering.states import (
    asked_by,
    state_of,
    stock_row,
    write_states,
)
from holdfast.orders.infrastructure.returns.rows import record_returns
from holdfast.orders.infrastructure.shipping.rows import record_shipments


class Store:
    """Opens transactions.

    :param changed: called after a commit with the ids of the orders that changed.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        inbox: Inbox,
        codec: EventCodec,
        changed: Callable[[Iterable[str]], None],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._inbox = inbox
        self._codec = codec
        self._changed = changed

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["StoreWork"]:
        async with self._database.begin() as transaction:
            yield StoreWork(
                transaction,
                SQL[self._database.engine],
                self._outbox,
                self._inbox,
                self._codec,
                self._changed,
            )

    async def record_orders(self, orders: Sequence[NewOrder]) -> dict[RequestKey, RecordedRequest]:
        """Record what is new in one trip: whose key is taken is looked up only where one is.

        Each round leaves out a key at least, so that it ends, and no race is lost for good.
        """
        taken: dict[RequestKey, RecordedRequest] = {}
        new = {(order.customer_id, order.request_id): order for order in orders}
        while new:
            try:
                async with self.begin() as work:
                    work.add_orders(list(new.values()))
                break
            except KeyTaken:
                async with self._database.read() as reading:
                    found = await find_requests(reading, SQL[self._database.engine], new)
                if not found:  # another key
                    raise
                taken |= found
                new = {key: order for key, order in new.items() if key not in found}
        REPLAYED.inc(len(taken))
        return taken


class StoreWork:
    """One open transaction on Orders' rows."""

    def __init__(
        self,
        transaction: Transaction,
        sql: Statements,
        outbox: Outbox,
        inbox: Inbox,
        codec: EventCodec,
        changed: Callable[[Iterable[str]], None],
    ) -> None:
        self.customers = Rows(transaction, sql)
        self._transaction = transaction
        self._sql = sql
        self._outbox = outbox
        self._inbox = inbox
        self._codec = codec
        self._changed = changed

    async def first_seen(self, event_ids: Sequence[str]) -> set[str]:
        return await self._inbox.first_seen(self._transaction, event_ids)

    def add_orders(self, orders: Sequence[NewOrder]) -> None:
        """Record new orders at the end of the transaction.

        :raises KeyTaken: at the end: one's (customer, request id) is taken.
        """
        defer, sql = self._transaction.defer, self._sql
        defer(sql.INSERT_ORDERS, list(map(order_row, orders)))
        first = [(one.order_id, 1, one.lines, one.charges, one.sourcing) for one in orders]
        add_contents(self._transaction, sql, first)
        defer(sql.INSERT_UNANSWERED, [(order.order_id, order.placed.at) for order in orders])
        self._put_details([(o.order_id, o.details) for o in orders if o.details != NO_DETAILS])
        holds = [(order.order_id, order.expires_at) for order in orders if order.expires_at]
        defer(sql.INSERT_HOLDS, holds)
        placed = [order.placed for order in orders]
        defer(sql.INSERT_PLACED, [(c.order_id, c.at, c.reason, *_who(c)) for c in placed])
        self._tell(placed)

    def _put_details(self, details: Sequence[tuple[str, Details]]) -> None:
        rows = [
            (order_id, d.reference, d.channel, d.note)
            + tuple(map(json.dumps, (d.attributes, d.ship_to, d.bill_to)))
            for order_id, d in details
        ]
        self._transaction.defer(self._sql.PUT_DETAILS, rows)

    async def whole_orders(self, order_ids: Collection[str]) -> dict[str, Order]:
        rows = await self._transaction.fetch(self._sql.FIND_DETAILS, sorted(order_ids))
        return {row["order_id"]: whole_order(row) for row in rows}

    async def database_now(self, here: datetime) -> datetime:
        return await database_now(self._transaction, self._sql, here)

    async def payments(self, order_ids: Collection[str]) -> dict[str, KnownPayments]:
        rows = await self._transaction.fetch(self._sql.PAYMENTS_OF_ORDERS, sorted(order_ids))
        facts: dict[str, list[Payment]] = {row["order_id"]: [] for row in rows}
        for row in rows:
            if row["kind"] is not None:
                amount = Money(row["currency"], row["amount_minor"])
                payment = Payment(PaymentKind(row["kind"]), row["reference"], amount)
                facts[row["order_id"]].append(payment)
        first = {row["order_id"]: row for row in rows}
        return {
            key: KnownPayments(
                tuple(known),
                Money(row["currency"], row["total_minor"]),
                None
                if row["edited_minor"] is None
                else Money(row["currency"], row["edited_minor"]),
            )
            for key, known in facts.items()
            if (row := first[key])
        }

    def _tell(self, changes: Sequence[OrderChange]) -> None:
        events = [
            self._codec.encode(
                change.event, change.order_id, change.version, change.at, change.caller
            )
            for change in changes
            if change.event is not None
        ]
        self._outbox.append(self._transaction, events)
        self._transaction.after_commit(lambda: count_changes(changes))

    def _add_history(self, changes: Sequence[OrderChange]) -> None:
        self._transaction.defer(
            self._sql.INSERT_HISTORY,
            [
                (c.order_id, c.version, c.status, c.at, c.reason, name, c.action, credential_id)
                for c in changes
                for name, credential_id in [_who(c)]
            ],
        )

    async def lock_states(self, order_ids: Collection[str]) -> dict[str, OrderState]:
        rows = await self._transaction.fetch(self._sql.LOCK_STATES, sorted(order_ids))
        return {row["order_id"]: state_of(row) for row in rows}

    async def lock_named(self, refs: Collection[OrderRef]) -> dict[OrderRef, OrderState]:
        if not any(ref.owner for ref in refs):
            states = await self.lock_states([ref.order_id for ref in refs])
            return {OrderRef(order_id): state for order_id, state in states.items()}
        rows = await self._transaction.fetch(self._sql.LOCK_NAMED_STATES, *columns_of(refs))
        return {OrderRef(row["order_id"], row["owner"]): state_of(row) for row in rows}

    async def known_of(self, order_id: str) -> KnownDetails:
        (row,) = await self._transaction.fetch(self._sql.KNOWN_OF_ORDER, order_id)
        details = NO_DETAILS
        if row["reference"] is not None:
            documents = [json.loads(row[name]) for name in ("attributes", "ship_to", "bill_to")]
            details = details_of([row["reference"], row["channel"], row["note"], *documents])
        return KnownDetails(customer_of(row), details)

    async def record(self, changes: Sequence[OrderChange], news: Sequence[StockNews] = ()) -> None:
        heard = {one.state.order_id: one for one in news}
        self._transaction.defer(
            self._sql.DELETE_UNANSWERED,
            [(order_id,) for order_id, one in heard.items() if not one.state.waits],
        )
        by_order: dict[str, list[OrderChange]] = defaultdict(list)
        for change in changes:
            by_order[change.order_id].append(change)
        refreshed = [stock_row(one) for key, one in heard.items() if key not in by_order]
        await self._transaction.write(self._sql.UPDATE_STOCK, refreshed)
        if not changes:
            return
        await write_states(self._transaction, self._sql, by_order, heard)
        await failpoint("orders changed")
        asking = {c.order_id: c.at for c in changes if asked_by(c) is not None}
        self._transaction.defer(self._sql.PUT_UNANSWERED, list(asking.items()))
        revised = [
            (c.order_id, c.customer.name, c.customer.email, c.customer.phone, c.customer.address)
            for c in changes
            if c.customer
        ]
        await self._transaction.write(self._sql.UPDATE_CUSTOMERS, revised)
        # Not deferred: the next command about the same order, in the same transaction, looks there.
        payments = [
            (c.order_id, c.version, p.kind, p.reference, p.amount.minor, c.at)
            for c in changes
            if (p := c.payment)
        ]
        await self._transaction.write(self._sql.INSERT_PAYMENTS, payments)
        states = {c.order_id: c.payment_status for c in changes if c.payment_status}
        await self._transaction.write(self._sql.PUT_PAYMENT_STATES, list(states.items()))
        await record_edits(self._transaction, self._sql, changes)
        await record_shipments(self._transaction, self._sql, changes)
        await record_returns(self._transaction, self._sql, changes)
        self._record_beside_the_status(changes)
        self._add_history(changes)
        self._tell(changes)
        self._transaction.after_commit(lambda: self._changed(by_order))

    def _record_beside_the_status(self, changes: Sequence[OrderChange]) -> None:
        """Holds and details: few orders have any, and the others pay nothing."""
        ended = [(c.order_id,) for c in changes if c.ends_hold]
        self._transaction.defer(self._sql.DELETE_HOLDS, ended)
        held = [(c.order_id, c.expires_at) for c in changes if c.expires_at]
        self._transaction.defer(self._sql.INSERT_HOLDS, held)
        self._put_details([(c.order_id, c.details) for c in changes if c.details])

    async def claim_ended_holds(self, here: datetime, *, limit: int) -> list[OrderState]:
        rows = await self._transaction.fetch(self._sql.CLAIM_ENDED_HOLDS, here, limit)
        return list(map(state_of, rows))

    async def claim_late(
        self, at: datetime, *, asked_before: datetime, limit: int
    ) -> list[OrderState]:
        rows = await self._transaction.fetch(self._sql.CLAIM_LATE, asked_before, limit, at)
        return list(map(state_of, rows))

    async def claim_expired(self, *, placed_before: datetime, limit: int) -> list[OrderState]:
        rows = await self._transaction.fetch(self._sql.CLAIM_EXPIRED, placed_before, limit)
        return list(map(state_of, rows))

    async def ask_again(self, orders: Sequence[OrderState], at: datetime) -> None:
        if not orders:
            return
        ids = [order.order_id for order in orders]
        waiting = await self._transaction.fetch(self._sql.MARK_ASKED, ids, at)
        since = {row["order_id"]: instant(row["since"]) for row in waiting}
        demand: dict[str, Counter[str]] = defaultdict(Counter)
        for row in await self._transaction.fetch(self._sql.WANTED_LINES, ids):
            demand[row["order_id"]][row["product_id"]] += row["quantity"]
        sourcing = {
            row["order_id"]: sourcing_of(
                [row["strategy"], json.loads(row["location_ids"])]
                + [row["may_split"], row["in_stock_only"]]
            )
            for row in await self._transaction.fetch(self._sql.WANTED_SOURCINGS, ids)
        }
        shipped = [
            one.order_id
            for one in orders
            if one.status in (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED)
        ]
        whole = await self.whole_orders(shipped) if shipped else {}
        self._outbox.append(
            self._transaction,
            [
                self._codec.encode(
                    order.ask_again(
                        demand[order.order_id],
                        sourcing.get(order.order_id, BY_PRIORITY),
                        whole[order.order_id].goods if order.order_id in whole else NO_GOODS,
                        since.get(order.order_id),
                    ),
                    order.order_id,
                    order.version,
                    at,
                    ORDERS,
                )
                for order in orders
            ],
        )


def columns_of(refs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """What callers name, and the customers whose it must be, as a statement takes them."""
    named = sorted(refs)
    return [name for name, _ in named], [owner for _, owner in named]


async def database_now(reading: Reading, sql: Statements, here: datetime) -> datetime:
    """Return the time by the database's clock; of an engine without one, `here`."""
    (row,) = await reading.fetch(sql.DATABASE_NOW, here)
    return instant(row["now"])


async def find_requests(
    reading: Reading, sql: Statements, keys: Collection[RequestKey]
) -> dict[RequestKey, RecordedRequest]:
    """Return the orders recorded under these request ids."""
    customers, requests = [key[0] for key in keys], [key[1] for key in keys]
    rows = await reading.fetch(sql.FIND_REQUESTS, customers, requests)
    return {
        (row["customer_id"], row["request_id"]): RecordedRequest(row["request_hash"], state_of(row))
        for row in rows
    }


def _who(change: OrderChange) -> tuple[str, str | None]:
    """Who asked for it, and by which credential."""
    return change.caller.name, change.caller.credential_id or None


def order_row(order: NewOrder) -> tuple[object, ...]:
    request = order.customer_id, order.request_id, order.request_hash
    customer = order.customer
    return (
        (order.order_id, *request, order.total.currency, order.total.minor)
        + (customer.name, customer.email, customer.phone, customer.address)
        + (order.placed.at, order.expires_at)
        + (order.customer_id if customer == NOBODY else None,)  # takes the profile's
    )
