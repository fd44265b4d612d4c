"""Webhooks: where events are sent to, how each fares, and what was delivered to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.responses import Response

from holdfast.client import (
    Attempt,
    Delivery,
    DeliveryState,
    InvalidRequest,
    Refused,
    Webhook,
    WebhookState,
    event_types,
    new_request_id,
)
from holdfast.console.forms import Form
from holdfast.console.visit import Visit

PAGE_WEBHOOKS = 50
PAGE_DELIVERIES = 50
FAILED_FIRST = 10
STATES = (
    DeliveryState.FAILED,
    DeliveryState.WAITING,
    DeliveryState.QUEUED,
    DeliveryState.DELIVERED,
)


async def webhooks(visit: Visit) -> Response:
    """Show a page of webhooks, the newest first."""
    return await _listed(visit, Form(visit.words))


async def create(visit: Visit) -> Response:
    """Make a webhook, and show its secret. A form that is sent twice makes one."""
    form, status = await visit.form("create"), 400
    since = form.time("since")
    if not form.errors:
        try:
            made = await visit.client.webhooks.create(
                form.text("url"),
                types=form.picked("type-"),
                description=form.text("description"),
                in_order=form.text("in_order") == "yes",
                after=since,
                request_id=form.text("request_id") or new_request_id(),
            )
            return secret_shown(visit, made.webhook.webhook_id, made.secret, "made")
        except InvalidRequest as error:
            form.refuse(error, {"after.since": "since", "after": "since"})
        except Refused as error:
            form.errors[""], status = error.message, 409
            form.values = {**form.values, "request_id": new_request_id()}  # it is another one then
    return await _listed(visit, form, status)


async def _listed(visit: Visit, form: Form, status: int = 200) -> Response:
    flaw, asked = "", visit.client.webhooks
    try:
        page, after = await asked.page(visit.asked("after"), page_size=PAGE_WEBHOOKS)
    except InvalidRequest:
        flaw = visit.words.say("filter.after")
        page, after = await asked.page(page_size=PAGE_WEBHOOKS)
    return visit.show(
        "webhooks.html", status, webhooks=page, after=after, flaw=flaw, form=form, types=_types()
    )


def _types(*others: str) -> list[str]:
    """Types to choose from: those that are known here, and those that somebody has chosen."""
    known = [name for names in event_types().values() for name in names]
    return list(dict.fromkeys([*known, *others]))


def secret_shown(visit: Visit, webhook_id: str, secret: str, how: str) -> Response:
    """Show a secret, this once, and tell what to do with it."""
    return visit.show(
        "secret.html",
        kind="hook",
        secret=secret,
        how=how,
        on=f"/webhooks/{webhook_id}",
        name=webhook_id,
    )


async def webhook(visit: Visit) -> Response:
    """Show a webhook."""
    found = await visit.client.webhooks.get(visit.path("webhook_id"))
    return await shown(visit, found, Form(visit.words))


class Shown(NamedTuple):
    """Deliveries of one kind, the newest first.

    :param name: of the text above them.
    :param more: the query that leads to further ones; empty: there are none.
    """

    name: str
    deliveries: Sequence[Delivery]
    more: Mapping[str, str]


async def shown(
    visit: Visit,
    found: Webhook,
    form: Form,
    status: int = 200,
    *,
    attempt: Attempt | None = None,
    theirs: Mapping[str, str] | None = None,
) -> Response:
    """Show a webhook with what was delivered to it, failures first.

    :param attempt: what came of a test just now.
    :param theirs: what it says by now where a form says something else.
    """
    state = next((one for one in STATES if one == visit.asked("state")), None)
    flaw = ""
    if state is None and visit.asked("state"):
        flaw = visit.words.say("filter.status", given=visit.asked("state")[:40])
    try:
        lists = await _lists(visit, found.webhook_id, state, visit.asked("after"))
    except InvalidRequest:
        flaw = visit.words.say("filter.after")
        lists = await _lists(visit, found.webhook_id, state, "")
    return visit.show(
        "webhook.html",
        status,
        webhook=found,
        form=form,
        state=state,
        states=STATES,
        flaw=flaw,
        lists=[one for one in lists if one.deliveries],
        types=_types(*found.types),
        attempt=attempt,
        theirs=theirs or {},
        is_active=found.state is WebhookState.ACTIVE,
    )


async def _lists(
    visit: Visit, webhook_id: str, state: DeliveryState | None, after: str
) -> list[Shown]:
    asked = visit.client.webhooks
    page, token = await asked.delivery_page(
        webhook_id, after, state=state, page_size=PAGE_DELIVERIES
    )
    told = {"state": state or "", "after": token}
    found = [Shown("deliveries", page, told if token else {})]
    if state is None and not after:
        failed, token = await asked.delivery_page(
            webhook_id, state=DeliveryState.FAILED, page_size=FAILED_FIRST
        )
        found.insert(0, Shown("failed", failed, {"state": DeliveryState.FAILED} if token else {}))
    return found
