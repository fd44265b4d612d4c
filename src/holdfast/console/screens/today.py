"""What needs a person today: each row with its next step."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from holdfast.client import (
    DeadlineExceeded,
    DeliveryState,
    Order,
    OrderStatus,
    Unavailable,
    WebhookState,
)
from holdfast.console.screens.wanting import wanting
from holdfast.console.visit import Visit

ROWS_MAX = 10
NOTIFIER_S_MAX = 2.0
LATE_S = 60.0  # an order is decided in well under a second
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Matter:
    """One kind of what may need somebody.

    :param is_more: there are more than these rows; `more` is where all of them are.
    """

    name: str
    orders: list[Order]
    is_more: bool
    more: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """A webhook that does not get through: the last delivery that was given up, or none."""

    webhook_id: str
    url: str
    disabled: bool
    given_up: int


async def today(visit: Visit) -> Response:
    """The first page."""
    matters, failing, goods, parked = await asyncio.gather(
        _matters(visit), _hooks(visit), wanting(visit), _parked(visit)
    )
    return visit.show("today.html", matters=matters, failing=failing, goods=goods, parked=parked)


async def _parked(visit: Visit) -> list[str]:
    """The services that have dead letters, for whoever runs them."""
    if not visit.may("keys:manage"):
        return []
    try:
        async with asyncio.timeout(NOTIFIER_S_MAX):
            services = await visit.client.health()
    except TimeoutError:
        return []  # what is away is told of by what was asked of it
    return [one.service for one in services if one.dead_letters]


async def _hooks(visit: Visit) -> list[Failing] | None:
    """None: the Notifier is away, and orders still need people."""
    if not visit.may("webhooks:manage"):
        return []
    try:
        async with asyncio.timeout(NOTIFIER_S_MAX):
            return await _failing(visit)
    except (TimeoutError, Unavailable, DeadlineExceeded):
        return None


async def _matters(visit: Visit) -> list[Matter]:
    if not visit.may("orders:read"):
        return []
    now, listed = visit.now, visit.client.orders.list
    late = now - timedelta(seconds=LATE_S)
    some, day = ROWS_MAX + 1, now - DAY
    lists: dict[str, tuple[OrderStatus, dict[str, Any]]] = {
        "late": (OrderStatus.PENDING, {"created_before": late}),
        "holds": (OrderStatus.RESERVED, {"by_hold_end": True}),
        "rejected": (OrderStatus.REJECTED, {"created_from": day}),
        "expired": (OrderStatus.EXPIRED, {"created_from": day}),
    }
    found = await asyncio.gather(
        *(
            _matter(name, status, listed(status=status, **how, limit=some))
            for name, (status, how) in lists.items()
        )
    )
    return [one for one in found if one.orders]


async def _matter(name: str, status: OrderStatus, found: AsyncGenerator[Order]) -> Matter:
    async with aclosing(found):
        orders = [order async for order in found]
    return Matter(name, orders[:ROWS_MAX], len(orders) > ROWS_MAX, f"/orders?status={status}")


async def _failing(visit: Visit) -> list[Failing]:
    found, webhooks = [], visit.client.webhooks
    async for webhook in webhooks.list(limit=100):
        failed = webhooks.deliveries(
            webhook.webhook_id, state=DeliveryState.FAILED, limit=ROWS_MAX + 1
        )
        given_up = len([one async for one in failed])
        disabled = webhook.state is WebhookState.DISABLED
        if given_up or disabled:
            found.append(Failing(webhook.webhook_id, webhook.url, disabled, given_up))
    return found
