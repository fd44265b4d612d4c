"""Verify both databases: recompute every number from its records and name every contradiction.

Each service's own records are checked where they are known (`infrastructure/audit.py`); here the
two services
are held against each other: what Orders says of an order must be what Inventory holds for it.
"""

import asyncio
from dataclasses import dataclass

from holdfast.chassis.audit import Auditor, Findings
from holdfast.chassis.database import Database
from holdfast.chassis.engines import connect
from holdfast.inventory.domain.reservation import ReservationState
from holdfast.inventory.infrastructure import audit as inventory_audit
from holdfast.orders.domain.order import OrderStatus
from holdfast.orders.infrastructure import audit as orders_audit

PAGE_ORDERS = 5_000
FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# On a running system events are on their way: what still disagrees after this long is a
# contradiction.
SETTLE_S_MAX = 10.0
LOOK_AGAIN_S = 0.5

# What Inventory may hold for an order of each status, once no event is on its way; None: nothing at
# all.
AGREEMENT: dict[OrderStatus, frozenset[ReservationState | None]] = {
    OrderStatus.PENDING: frozenset((None, *ReservationState)),
    OrderStatus.CONFIRMED: frozenset((ReservationState.RESERVED,)),
    OrderStatus.REJECTED: frozenset((ReservationState.REFUSED,)),
    OrderStatus.CANCELLED: frozenset(
        (ReservationState.RELEASED, ReservationState.REFUSED, ReservationState.TOMBSTONE)
    ),
    OrderStatus.EXPIRED: frozenset(
        (ReservationState.RELEASED, ReservationState.REFUSED, ReservationState.TOMBSTONE)
    ),
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


async def verify(orders_url: str, inventory_url: str) -> Report:
    """Check both databases and hold them against each other. Reads only; safe on a running system.

    Each database is read as of one moment; while disagreements or waiting events remain, it is
    all read again for
    up to SETTLE_S_MAX, since events may have been on their way.

    :raises DatabaseUnavailable: one of them can't be opened.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + SETTLE_S_MAX
    async with (
        connect(orders_url, wait=False) as orders,
        connect(inventory_url, wait=False) as inventory,
    ):
        while True:
            findings = await _verify_once(orders, inventory)
            if not findings.contradictions or loop.time() > ends_at:
                return Report(findings.checked, findings.notes, findings.contradictions)
            await asyncio.sleep(LOOK_AGAIN_S)


async def _verify_once(orders: Database, inventory: Database) -> Findings:
    findings = Findings()
    async with orders.snapshot() as orders_reading, inventory.snapshot() as inventory_reading:
        of_orders = Auditor("orders", orders.engine, orders_reading, findings)
        of_inventory = Auditor("inventory", inventory.engine, inventory_reading, findings)
        await orders_audit.audit(of_orders)
        await inventory_audit.audit(of_inventory)
        await _compare(of_orders, of_inventory, findings)
    return findings


async def _compare(orders: Auditor, inventory: Auditor, findings: Findings) -> None:
    """Walk both in the order of the order id, a page of orders at a time."""
    disagreements: list[str] = []
    pending = compared = 0
    start: str | None = FIRST_ID
    while start is not None:
        page = await orders_audit.facts_from(orders, start, PAGE_ORDERS + 1)
        beyond = list(page)[PAGE_ORDERS:]  # where the next page starts
        page = {key: page[key] for key in list(page)[:PAGE_ORDERS]}
        last = max(page) if beyond else LAST_ID
        held = await inventory_audit.facts_between(inventory, start, last)
        disagreements += _disagreements(page, held)
        pending += sum(order.status is OrderStatus.PENDING for order in page.values())
        compared += len(page)
        start = beyond[0] if beyond else None
    findings.contradict(disagreements)
    findings.checked["orders compared with their reservations"] = compared
    if pending:
        findings.notes.append(f"orders: {pending} orders are PENDING; they are asked about again")


def _disagreements(
    orders: dict[str, orders_audit.OrderFacts],
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
        elif reservation and reservation.stock and reservation.stock != order.demand:
            asked, stock = dict(order.demand), dict(reservation.stock)
            found.append(f"order {order_id} asks for {asked}, reserved {stock}")
    return found
