"""Verify both databases: recompute every number from its records and name every contradiction.

Each service's own records are checked by its `infrastructure/audit.py`. Here the two services
are held against each other: what Orders says of an order must be what Inventory holds for it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.audit import Auditor, Findings
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database
from holdfast.inventory.domain.reservations.reservation import ReservationState
from holdfast.inventory.infrastructure import audit as inventory_audit
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure import audit as orders_audit
from holdfast.orders.infrastructure import order_facts

PAGE_ORDERS = 5_000
FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
SETTLE_S_MAX = 10.0  # events may be on their way; what still disagrees then is a contradiction
PENDING_S_MAX = 3_900.0  # orders expire after an hour, unless told otherwise
LOOK_AGAIN_S = 0.5

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


async def verify(
    orders_url: str, inventory_url: str, *, pending_s_max: float = PENDING_S_MAX
) -> Report:
    """Check both databases and hold them against each other. Reads only; safe on a running system.

    Each database is read as of one moment. Between those two moments events may have been on their
    way: what the services disagree on counts only if they still do after SETTLE_S_MAX.

    :param pending_s_max: orders that are PENDING for longer are a contradiction.
    :raises DatabaseUnavailable: one of them can't be opened.
    """
    async with (
        connect(orders_url, wait=False) as orders,
        connect(inventory_url, wait=False) as inventory,
    ):
        findings = Findings()
        async with _auditors(orders, inventory, findings) as (of_orders, of_inventory):
            await orders_audit.audit(of_orders, pending_s_max=pending_s_max)
            await inventory_audit.audit(of_inventory)
            disagreements = await _compare(of_orders, of_inventory, findings)
        findings.contradict(await _lasting(disagreements, orders, inventory))
    return Report(findings.checked, findings.notes, findings.contradictions)


@asynccontextmanager
async def _auditors(
    orders: Database, inventory: Database, findings: Findings
) -> AsyncIterator[tuple[Auditor, Auditor]]:
    """Open both databases as of now, as near to each other as can be."""
    at = SystemClock().now()
    async with orders.snapshot() as of_orders, inventory.snapshot() as of_inventory:
        for reading in (of_orders, of_inventory):
            await reading.fetch("SELECT 1")  # a snapshot begins with its first statement
        yield (
            Auditor("orders", orders.engine, of_orders, findings, at),
            Auditor("inventory", inventory.engine, of_inventory, findings, at),
        )


async def _lasting(disagreements: list[str], orders: Database, inventory: Database) -> list[str]:
    """Look again until nothing is left of them, or for SETTLE_S_MAX; return what is."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + SETTLE_S_MAX
    while disagreements and loop.time() < ends_at:
        await asyncio.sleep(LOOK_AGAIN_S)
        async with _auditors(orders, inventory, Findings()) as (of_orders, of_inventory):
            now = set(await _compare(of_orders, of_inventory, Findings()))
        disagreements = [one for one in disagreements if one in now]
    return disagreements


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
    if order.waits:
        return  # the answer is on its way
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
    known = order.sequence, order.revision, order.stock
    if known != (reservation.version, reservation.revision, told):
        yield (
            f"knows {dict(order.stock)} as version {order.sequence}, "
            f"Inventory holds {dict(told)} as version {reservation.version}"
        )
    if order.queued != reservation.queued:
        yield f"knows {dict(order.queued)} to wait, Inventory has {dict(reservation.queued)} wait"
