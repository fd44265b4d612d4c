"""Customers: found by id or e-mail; one's profile, addresses and orders, and all that is known."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from holdfast.client import (
    Address,
    CustomerProfile,
    Erased,
    InvalidRequest,
    NotFound,
    Order,
)
from holdfast.console.doing import answered
from holdfast.console.forms import Form, FormUnreadable
from holdfast.console.visit import Visit, to

PAGE_CUSTOMERS = 50
ORDERS_SHOWN = 20
FIELDS = ("name", "email", "phone", "address")
_FORM = {f"customer.{name}": name for name in FIELDS}


async def customers(visit: Visit) -> Response:
    """Show a page of profiles, those of a name or an e-mail address, or lead to one by its id."""
    wanted, flaws = visit.asked("id"), {}
    asked = {name: visit.asked(name) for name in ("name", "email")}
    if wanted:
        try:
            found = await visit.client.customers.get(wanted)
            return to("/customer", id=found.customer_id)
        except (NotFound, InvalidRequest) as error:
            flaws["id"] = error.message
    try:
        page, after = await _page(visit, asked, visit.asked("after"))
    except InvalidRequest as error:
        flaws |= {one.field: one.description for one in error.violations}
        page, after = await _page(visit, {k: v for k, v in asked.items() if k not in flaws}, "")
    return visit.show(
        "customers.html", profiles=page, after=after, typed={"id": wanted, **asked}, flaws=flaws
    )


async def _page(
    visit: Visit, asked: Mapping[str, str], after: str
) -> tuple[list[CustomerProfile], str]:
    page, token = await visit.client.customers.page(after, page_size=PAGE_CUSTOMERS, **asked)
    return list(page), token


async def customer(visit: Visit) -> Response:
    """Show a customer."""
    found = await visit.client.customers.get(named(visit))
    return await shown(visit, found, Form(visit.words))


def named(visit: Visit) -> str:
    """The customer that a URL names, whose id may have spaces wherever it likes."""
    return visit.request.query_params.get("id", "")


async def update(visit: Visit) -> Response:
    """Change a profile, as its reader saw it; where somebody was faster, show both."""
    form = await visit.form("profile")
    customer_id, customers = form.values.get("customer_id", ""), visit.client.customers
    version = form.whole("version")
    if form.errors:
        raise FormUnreadable  # nobody types it

    async def act() -> Response:
        await customers.update(
            customer_id,
            version=version,
            name=form.text("name"),
            email=form.text("email"),
            phone=form.text("phone"),
            address=form.text("address"),
        )
        return to("/customer", id=customer_id, said="profile")

    async def again(status: int) -> Response:
        return await shown(visit, await customers.get(customer_id), form, status)

    async def done() -> Response | None:
        theirs = _theirs(await customers.get(customer_id), form)
        return None if theirs else to("/customer", id=customer_id, said="profile")

    stale = visit.words.say("customer.stale")
    return await answered(
        visit, form, act, again, fields=_FORM, stale=stale, done=done, remembers=False
    )


async def shown(
    visit: Visit,
    found: CustomerProfile,
    form: Form,
    status: int = 200,
    erased: Erased | None = None,
) -> Response:
    """Show a customer with their newest orders.

    :param erased: what was erased just now.
    """
    orders: list[Order] = []
    if visit.may("orders:read"):
        listed = visit.client.orders.list(
            customer_id=found.customer_id, limit=ORDERS_SHOWN + 1, page_size=ORDERS_SHOWN + 1
        )
        orders = [one async for one in listed]
    return visit.show(
        "customer.html",
        status,
        profile=found,
        form=form,
        orders=orders[:ORDERS_SHOWN],
        is_more=len(orders) > ORDERS_SHOWN,
        addresses=_addresses(orders[:ORDERS_SHOWN]),
        erased=erased,
        theirs=_theirs(found, form) if status == 409 else {},
    )


def _addresses(orders: list[Order]) -> list[Address]:
    """Where their orders went or were billed to, each once, as last used."""
    told = [at for one in orders for at in (one.details.ship_to, one.details.bill_to)]
    return list(dict.fromkeys(at for at in told if at not in (None, Address())))


def _theirs(found: CustomerProfile, form: Form) -> Mapping[str, str]:
    """What the profile says now where a form says something else."""
    now = {name: str(getattr(found.customer, name)).strip() for name in FIELDS}
    return {name: text for name, text in now.items() if text != form.text(name)}


async def export(visit: Visit) -> Response:
    """Send all that is kept of a customer as a file of JSON.

    It is begun when there is something to send. Should it break off, so does the connection, and
    the browser says so: what came is not all.
    """
    customer_id = named(visit)
    parts = visit.client.customers.export(customer_id)
    profile = await anext(parts)
    name = f"customer-{customer_id}.json"
    headers = {
        "cache-control": "no-store",
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
    }
    return StreamingResponse(
        _written(profile, parts), media_type="application/json", headers=headers
    )


async def _written(
    first: object, rest: AsyncGenerator[CustomerProfile | Order]
) -> AsyncIterator[str]:
    """One object with the profile and all orders; without its end it is none."""
    yield f'{{"profile": {_json(first)},\n"orders": ['
    before = "\n"
    async with aclosing(rest):
        async for order in rest:
            yield before + _json(order)
            before = ",\n"
    yield "\n]}\n"


def _json(value: Any) -> str:
    return json.dumps(asdict(value), default=_time, ensure_ascii=False)


def _time(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
