"""The page of an order: what it is, why it stands where it stands, and what can be done with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response, StreamingResponse

from holdfast.client import (
    Disposition,
    HoldfastError,
    Order,
    PaymentKind,
    Return,
    ReturnState,
    new_request_id,
)
from holdfast.console.forms import Form, number_in
from holdfast.console.screens.beside import beside
from holdfast.console.screens.holdings import can_ship, ready
from holdfast.console.visit import Visit

STREAM_S_MAX = 300.0  # the browser asks again, and is signed out where it was idle
PAYMENTS = (
    PaymentKind.AUTHORIZED,
    PaymentKind.CAPTURED,
    PaymentKind.REFUNDED,
    PaymentKind.VOIDED,
)
DISPOSITIONS = tuple(one for one in Disposition if one is not Disposition.UNKNOWN)


async def order(visit: Visit) -> Response:
    """Show an order."""
    found = await visit.client.orders.get(visit.path("order_id"))
    return await shown(visit, found, Form(visit.words))


async def shown(visit: Visit, found: Order, form: Form, status: int = 200) -> Response:
    """Show an order with a form as somebody filled it in, and what is to be said of that.

    :param form: the one that was sent; the others are empty.
    """
    version = number_in(form.values.get("version", ""))
    since = [
        change
        for change in found.history
        if status == 409 and version is not None and change.version > version
    ]
    locations = await beside(_active_locations(visit), None)
    return visit.show(
        "order.html",
        status,
        order=found,
        form=form,
        empty=Form(visit.words),
        since=since,
        locations=locations,
        held_at=list(dict.fromkeys(one.location_id for one in found.stock)),
        opened=form.name or visit.asked("act"),
        location=visit.asked("location"),
        ready=ready(found, visit.asked("location")),
        **_facts(found),
    )


async def _active_locations(visit: Visit) -> list[str]:
    """Where goods may come back to; none where locations may not be seen."""
    if not visit.may("stock:read"):
        return []
    listed = visit.client.inventory.list_locations()
    return [one.location_id async for one in listed if one.active]


def _facts(found: Order) -> dict[str, Any]:
    returned = {line.line_no: 0 for line in found.lines}
    for one in found.returns:
        is_open = one.state is ReturnState.OPEN
        for line in one.lines:
            returned[line.line_no] += line.quantity if is_open else line.received
    return {
        "can_ship": can_ship(found),
        "can_return": any(line.shipped > returned[line.line_no] for line in found.lines),
        "returnable": {line.line_no: line.shipped - returned[line.line_no] for line in found.lines},
        "left": {line.line_no: line.quantity - line.shipped for line in found.lines},
        "awaited": {one.return_id: _awaited(found, one) for one in found.returns},
        "payment_kinds": PAYMENTS,
        "dispositions": DISPOSITIONS,
        "new_id": new_request_id,
    }


def _awaited(found: Order, one: Return) -> dict[int, int]:
    """Units of each of the order's lines that are still to come by a return."""
    due = {line.line_no: line.quantity - line.received for line in one.lines}
    return {line.line_no: due.get(line.line_no, 0) for line in found.lines}


async def live(visit: Visit) -> Response:
    """Send the order's facts after every change, until it is final, or its reader is gone."""
    found = await visit.client.orders.get(visit.path("order_id"))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(
        _changes(visit, found), media_type="text/event-stream", headers=headers
    )


async def _changes(visit: Visit, found: Order) -> AsyncIterator[str]:
    """The facts after each change; whoever leaves this may do so at any moment, without a word."""
    news: asyncio.Queue[bool] = asyncio.Queue()
    listening = asyncio.create_task(_listen(visit, found.order_id, news))
    over = asyncio.create_task(visit.session.over.wait())
    over.add_done_callback(lambda _: news.put_nowait(False))
    try:
        while await news.get():
            found = await visit.client.orders.get(found.order_id)
            facts = visit.part("order_facts.html", order=found, **_facts(found))
            yield _event(found.version, facts)
        if found.status.is_final:
            yield "event: over\ndata:\n\n"
    except HoldfastError:
        return  # the browser asks again in a moment, and is told then
    finally:
        listening.cancel()
        over.cancel()


async def _listen(visit: Visit, order_id: str, news: asyncio.Queue[bool]) -> None:
    """Tell of every change; False is the end.

    A task of its own: where the browser has left, nothing may be waited for any more.
    """
    try:
        async with aclosing(visit.client.orders.watch(order_id, watch_s=STREAM_S_MAX)) as watch:
            async for _ in watch:
                news.put_nowait(True)
    except HoldfastError:
        return  # likewise
    finally:
        news.put_nowait(False)


def _event(version: int, text: str) -> str:
    lines = "\n".join(f"data: {line}" for line in text.splitlines())
    return f"id: {version}\n{lines}\n\n"
