"""What somebody looks for among orders: read from a URL, and listed page by page."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from holdfast.client import InvalidRequest, Order, OrderStatus
from holdfast.console.forms import moment
from holdfast.console.visit import Visit

STATUSES = tuple(one for one in OrderStatus if one is not OrderStatus.UNKNOWN)
_TEXTS = ("customer_id", "product_id", "reference", "email", "id")
_SEARCHED = {"reference": "reference", "email": "email", "id": "order_id_prefix"}
# Of orders, those made in the same millisecond stand by their ids.
_SAME = timedelta(seconds=1)


@dataclass(slots=True)
class Filter:
    """What somebody looks for, as far as it could be understood.

    :param flaws: by field, what could not; the list is shown without it.
    """

    texts: dict[str, str] = field(default_factory=dict)
    statuses: list[OrderStatus] = field(default_factory=list)
    times: dict[str, datetime] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    flaws: dict[str, str] = field(default_factory=dict)
    after: tuple[datetime, str] | None = None

    def query(self) -> list[tuple[str, str]]:
        """The filter as a URL says it, without the place in the list."""
        named = [(name, text) for name, text in self.typed.items() if text]
        return named + [("status", one) for one in self.statuses]


def read_filter(visit: Visit) -> Filter:
    """Read a URL; what can't be understood of it is a flaw."""
    found, query = Filter(), visit.request.query_params
    for name in _TEXTS:
        found.typed[name] = visit.asked(name)
        if found.typed[name]:
            found.texts[name] = found.typed[name].lower() if name == "id" else found.typed[name]
    for status in query.getlist("status"):
        known = next((one for one in STATUSES if one == status), None)
        if known is None:
            found.flaws["status"] = visit.words.say("filter.status", given=status[:40])
        elif known not in found.statuses:
            found.statuses.append(known)
    for name in ("created_from", "created_before"):
        found.typed[name] = visit.asked(name)
        if found.typed[name]:
            try:
                found.times[name] = moment(found.typed[name])
            except ValueError:
                found.flaws[name] = visit.words.say("filter.time")
    first, last = found.times.get("created_from"), found.times.get("created_before")
    if first is not None and last is not None and last < first:
        found.flaws["created_before"] = visit.words.say("filter.order")
        del found.times["created_before"]
    if after := visit.asked("after"):
        at, _, order_id = after.rpartition("_")
        try:
            found.after = moment(at) + _SAME - _SAME, order_id
        except (ValueError, OverflowError):
            found.flaws["after"] = visit.words.say("filter.after")
    return found


def place_after(create_time: datetime, order_id: str) -> str:
    """The place in a list after an order, as a URL says it."""
    return f"{create_time.isoformat()}_{order_id}"


async def page_of(
    visit: Visit, wanted: Filter, size: int, *, to_ship: bool = False
) -> tuple[list[Order], bool]:
    """A page of orders, newest first, and whether there are more.

    What a service does not understand of the filter becomes a flaw, and is left out.

    :param to_ship: only those of which something can leave now.
    """
    try:
        found = await _joined(visit, wanted, size + 1, to_ship)
    except InvalidRequest as refused:
        for violation in refused.violations:
            name = "id" if violation.field == "order_id_prefix" else violation.field
            wanted.flaws[name] = violation.description
            if not (wanted.texts.pop(name, None) or wanted.times.pop(name, None)):
                wanted.after = None  # the place in the list has a time, too
        found = await _joined(visit, wanted, size + 1, to_ship)
    return found[:size], len(found) > size


async def _joined(visit: Visit, wanted: Filter, most: int, to_ship: bool) -> list[Order]:
    """Of several statuses each is a list of its own, newest first, and they are joined; earlier
    ones are read first, so that an order that goes on meanwhile is met once at least.
    """
    statuses: list[OrderStatus | None] = sorted(wanted.statuses, key=STATUSES.index) or [None]
    found: dict[str, Order] = {}
    for status in statuses:
        listed = await _of_status(visit, wanted, status, most, to_ship)
        found |= {order.order_id: order for order in listed}
    return sorted(found.values(), key=lambda order: order.order_id, reverse=True)[:most]


async def _of_status(
    visit: Visit, wanted: Filter, status: OrderStatus | None, most: int, to_ship: bool
) -> list[Order]:
    times, after = dict(wanted.times), wanted.after
    if after is not None:
        latest = after[0] + _SAME
        times["created_before"] = min(times.get("created_before", latest), latest)
        if "created_from" in times and times["created_from"] > times["created_before"]:
            return []
    searched: dict[str, Any] = {
        _SEARCHED[name]: text for name, text in wanted.texts.items() if name in _SEARCHED
    }
    listed = {name: text for name, text in wanted.texts.items() if name not in _SEARCHED}
    how: dict[str, Any] = {**listed, **times, "status": status, "page_size": most}
    how["to_ship"] = to_ship
    verbs = visit.client.orders
    walk = verbs.search(**searched, **how) if searched else verbs.list(**how)
    return await _first(walk, after, most)


async def _first(
    walk: AsyncGenerator[Order], after: tuple[datetime, str] | None, most: int
) -> list[Order]:
    found: list[Order] = []
    async with aclosing(walk):
        async for order in walk:
            if after is not None and order.order_id >= after[1]:
                continue
            found.append(order)
            if len(found) >= most:
                break
    return found
