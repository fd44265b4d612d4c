"""Erasing a customer: what will happen is told in numbers before, and their id has to be typed."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from holdfast.client import (
    CustomerProfile,
    Erased,
    InvalidRequest,
    OpenOrders,
    Order,
    Refused,
)
from holdfast.console.forms import Form
from holdfast.console.screens.customers import named, shown
from holdfast.console.visit import Visit

ORDERS_COUNTED_MAX = 5_000
OPEN_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Affected:
    """What erasing somebody would touch.

    :param orders: how many of theirs there are, `open_orders` the newest that are not final.
    :param is_more: there are more than were counted.
    :param seen: tells whether it is still as somebody saw it.
    """

    orders: int
    open_count: int
    open_orders: list[Order]
    is_more: bool
    seen: str


async def ask(visit: Visit) -> Response:
    """Tell what erasing a customer would do, and ask whether it is meant."""
    found = await visit.client.customers.get(named(visit))
    return await _asked(visit, found, Form(visit.words))


async def erase(visit: Visit) -> Response:
    """Erase a customer, as whoever asks for it was told."""
    form = await visit.form("erase")
    customer_id = form.values.get("customer_id", "")
    if form.text("typed") != customer_id.strip():
        form.errors["typed"] = visit.words.say("erase.differs", id=customer_id)

    async def act() -> Erased:
        found = await visit.client.customers.get(customer_id)
        if (await _affected(visit, found)).seen != form.text("seen"):
            raise _Changed
        force = form.text("force") == "yes"
        return await visit.client.customers.erase(customer_id, force=force)

    status = 400
    if not form.errors:
        try:
            erased = await visit.once(form, act)
            found = await visit.client.customers.get(customer_id)
            return await shown(visit, found, Form(visit.words), erased=erased)
        except _Changed:
            form.errors[""], status = visit.words.say("erase.changed"), 409
        except OpenOrders:
            form.errors["force"], status = visit.words.say("erase.open_refused"), 409
        except InvalidRequest as error:
            form.refuse(error, {})
        except Refused as error:
            form.errors[""], status = error.message, 409
    return await _asked(visit, await visit.client.customers.get(customer_id), form, status)


class _Changed(Exception):
    """It is not any more as it was told."""


async def _asked(visit: Visit, found: CustomerProfile, form: Form, status: int = 200) -> Response:
    affected = await _affected(visit, found)
    return visit.show("erase.html", status, profile=found, affected=affected, form=form)


async def _affected(visit: Visit, found: CustomerProfile) -> Affected:
    listed = visit.client.orders.list(
        customer_id=found.customer_id, limit=ORDERS_COUNTED_MAX + 1, page_size=1_000
    )
    count, open_count, newest_open = 0, 0, []
    async for order in listed:
        count += 1
        if not order.status.is_final:
            open_count += 1
            newest_open += [order] if open_count <= OPEN_SHOWN else []
    is_more = count > ORDERS_COUNTED_MAX
    version = f"{found.version}.{_stamp(found.erase_time)}"
    return Affected(
        min(count, ORDERS_COUNTED_MAX),
        open_count,
        newest_open,
        is_more,
        f"{version}.{count}.{open_count}",
    )


def _stamp(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
