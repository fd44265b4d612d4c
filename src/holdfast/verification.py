"""Verify the databases: recompute every number from its records and name every contradiction.

Each service's own records are checked by its `infrastructure/audit.py`. Here Orders and Inventory
are held against each other: what Orders says of an order must be what Inventory holds for it. The
Notifier is held against the feeds of both: `told_audit` says what it must have told.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.audit import Auditor, Findings
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database
from holdfast.inventory.domain.reservations.reservation import ReservationState
from holdfast.inventory.infrastructure import audit as inventory_audit
from holdfast.inventory.infrastructure.events_to_proto import STOCK_BYTES_MAX
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.infrastructure import audit as notifier_audit
from holdfast.notifier.infrastructure import told_audit
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure import audit as orders_audit
from holdfast.orders.infrastructure import order_facts

PAGE_ORDERS = 5_000
FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
SETTLE_S_MAX = 10.0  # events may be on their way; what still disagrees then is a contradiction
PENDING_S_MAX = 3_900.0  # orders expire after an hour, unless told otherwise
LOOK_AGAIN_S = 0.5
KEPT_DAYS = 30.0  # unless told otherwise
RECORD = "a record, so that not all was checked,"
HELD_BYTES = 18  # in an event, of units held at a place, beside the names of both

# What Inventory may hold for an order of each status, once no event is on its way; None: nothing.
HELD, SHORT, OVER = ReservationState.HELD, ReservationState.SHORT, ReservationState.OVER
AGREEMENT: dict[OrderStatus, frozenset[ReservationState | None]] = {
    OrderStatus.PENDING: frozenset((None, HELD, SHORT)),
    OrderStatus.RESERVED: frozenset((HELD,)),
    OrderStatus.CONFIRMED: frozenset((HELD,)),
    OrderStatus.REJECTED: frozenset((SHORT,)),
    OrderStatus.CANCELLED: frozenset((OVER,)),
    OrderStatus.EXPIRED: frozenset((OVER,)),
    OrderStatus.PARTIALLY_SHIPPED: frozenset((HELD,)),
    OrderStatus.SHIPPED: frozenset((OVER,)),
}

assert AGREEMENT.keys() == set(OrderStatus), "every status states what Inventory may hold"


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, what is worth knowing, and what is wrong."""

    checked: dict[str, int]
    notes: list[str]
    contradictions: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts anything."""
        return not self.contradictions


class _Databases(NamedTuple):
    orders: Database
    inventory: Database
    notifier: Database | None


class _Auditors(NamedTuple):
    orders: Auditor
    inventory: Auditor
    notifier: Auditor | None


async def verify(
    orders_url: str,
    inventory_url: str,
    notifier_url: str = "",
    *,
    pending_s_max: float = PENDING_S_MAX,
    kept_days: float = KEPT_DAYS,
) -> Report:
    """Check the databases and hold them against each other. Reads only; safe on a running system.

    Each database is read as of one moment. Between those moments events may have been on their
    way: what the services disagree on counts only if they still do after SETTLE_S_MAX.

    :param notifier_url: "": the Notifier is left out.
    :param pending_s_max: orders that are PENDING for longer are a contradiction.
    :param kept_days: how long the Notifier keeps what it has told; see its settings.
    :raises DatabaseUnavailable: one of them can't be opened.
    """
    kept = timedelta(days=kept_days)
    async with AsyncExitStack() as opened:
        orders, inventory, *notifier = [
            await opened.enter_async_context(connect(url, wait=False))
            for url in (orders_url, inventory_url, *filter(None, [notifier_url]))
        ]
        databases = _Databases(orders, inventory, notifier[0] if notifier else None)
        findings = Findings()
        async with _auditors(databases, findings) as auditors:
            with auditors.orders.reading(RECORD):
                await orders_audit.audit(auditors.orders, pending_s_max=pending_s_max)
            with auditors.inventory.reading(RECORD):
                await inventory_audit.audit(auditors.inventory)
            if auditors.notifier is not None:
                with auditors.notifier.reading(RECORD):
                    await notifier_audit.audit(auditors.notifier)
            disagreements = await _disagreements_of(auditors, findings, kept)
        findings.contradict(await _lasting(disagreements, databases, kept))
    return Report(findings.checked, findings.notes, findings.contradictions)


@asynccontextmanager
async def _auditors(databases: _Databases, findings: Findings) -> AsyncIterator[_Auditors]:
    """Open the databases as of now, as near to each other as can be; the Notifier first: what it
    has followed is in the feeds then.
    """
    at = SystemClock().now()
    async with AsyncExitStack() as opened:

        async def auditor(service: str, database: Database) -> Auditor:
            reading = await opened.enter_async_context(database.snapshot())
            return Auditor(service, database.engine, reading, findings, at)

        told = databases.notifier
        notifier = None if told is None else await auditor("notifier", told)
        orders = await auditor("orders", databases.orders)
        yield _Auditors(orders, await auditor("inventory", databases.inventory), notifier)


async def _lasting(disagreements: list[str], databases: _Databases, kept: timedelta) -> list[str]:
    """Look again until nothing is left of them, or for SETTLE_S_MAX; return what is."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + SETTLE_S_MAX
    while disagreements and loop.time() < ends_at:
        await asyncio.sleep(LOOK_AGAIN_S)
        async with _auditors(databases, Findings()) as auditors:
            now = set(await _disagreements_of(auditors, Findings(), kept))
        disagreements = [one for one in disagreements if one in now]
    return disagreements


async def _disagreements_of(auditors: _Auditors, findings: Findings, kept: timedelta) -> list[str]:
    orders, inventory, notifier = auditors
    found = await _compare(orders, inventory, findings)
    if notifier is not None:
        feeds = {FeedName.ORDERS: orders, FeedName.INVENTORY: inventory}
        with notifier.reading("what was told"):
            found += await told_audit.compare(notifier, feeds, kept=kept)
    return found


async def _compare(orders: Auditor, inventory: Auditor, findings: Findings) -> list[str]:
    """Walk both in the order of the order id, a page of orders at a time."""
    disagreements: list[str] = []
    compared = 0
    start: str | None = FIRST_ID
    while start is not None:
        page = await order_facts.facts_from(orders, start, PAGE_ORDERS + 1)
        beyond = list(page)[PAGE_ORDERS:]  # where the next page starts
        page = {key: page[key] for key in list(page)[:PAGE_ORDERS]}
        last = max(page) if beyond else LAST_ID
        held = await inventory_audit.facts_between(inventory, start, last)
        disagreements += _disagreements(page, held)
        compared += len(page)
        start = beyond[0] if beyond else None
    findings.checked["orders compared with their reservations"] = compared
    return disagreements


def _disagreements(
    orders: dict[str, order_facts.OrderFacts],
    held: dict[str, inventory_audit.ReservationFacts],
) -> list[str]:
    found = [
        f"order {order_id} is unknown to Orders, Inventory has it {held[order_id].state}"
        for order_id in sorted(held.keys() - orders.keys())
    ]
    for order_id, order in orders.items():
        reservation = held.get(order_id)
        state = reservation.state if reservation else None
        if state not in AGREEMENT[order.status]:
            found.append(f"order {order_id} is {order.status}, Inventory has it {state or 'not'}")
        elif reservation:
            found += (
                f"order {order_id} {contradiction}"
                for contradiction in _contradictions(order, reservation)
            )
    return found


def _contradictions(
    order: order_facts.OrderFacts, reservation: inventory_audit.ReservationFacts
) -> Iterator[str]:
    """What an order and its reservation tell differently, to be read after the order's name."""
    yield from reservation.contradictions()
    decided = reservation.revision
    if decided > order.asked or (decided < order.asked and not order.waits):
        yield f"has asked {order.asked} questions, Inventory has decided {decided}"
    if reservation.state is not OVER and reservation.placed_at != order.placed_at:
        yield f"was placed at {order.placed_at}, Inventory has it since {reservation.placed_at}"
    if order.waits:
        return  # the answer is on its way
    refused = order.refused.get(decided, [])
    if reservation.missing != refused:
        yield f"was short of {refused} by question {decided}, by Inventory of {reservation.missing}"
    if reservation.state is not OVER and reservation.sourcing != order.sourcing:
        yield f"is to be sourced by {order.sourcing}, Inventory goes by {reservation.sourcing}"
    promised = reservation.units + reservation.queued
    if promised and promised != order.demand:
        waits = f" and {dict(reservation.queued)} queued" if reservation.queued else ""
        yield f"asks for {dict(order.demand)}, reserved {dict(reservation.units)}{waits}"
    if reservation.shipped != order.shipped:
        yield f"has shipped {dict(order.shipped)}, Inventory has booked {dict(reservation.shipped)}"
    if reservation.returned != order.returned:
        yield (
            f"got {dict(order.returned)} back, Inventory has booked {dict(reservation.returned)}"
        )
    told = Counter[tuple[str, str]]()
    for (product_id, location_id, _), units in reservation.stock.items():
        told[product_id, location_id] += units
    if not order.stock and _is_too_much(told):
        told.clear()
    known = order.sequence, order.revision, order.stock
    if known != (reservation.version, reservation.revision, told):
        yield (
            f"knows {dict(order.stock)} as version {order.sequence}, "
            f"Inventory holds {dict(told)} as version {reservation.version}"
        )
    if order.queued != reservation.queued:
        yield f"knows {dict(order.queued)} to wait, Inventory has {dict(reservation.queued)} wait"


def _is_too_much(held: Iterable[tuple[str, str]]) -> bool:
    """Whether no event had room for what is held, so that Orders knows nothing of it."""
    names = sum(len(name.encode()) + len(place.encode()) + HELD_BYTES for name, place in held)
    return names > STOCK_BYTES_MAX
