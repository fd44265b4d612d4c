"""What can be done with a webhook: each by a form, which comes back with what is wrong in it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from starlette.responses import Response

from holdfast.client import Webhook, WebhookState
from holdfast.console.doing import Flawed, answered
from holdfast.console.forms import Form
from holdfast.console.screens.webhooks import secret_shown, shown
from holdfast.console.visit import Visit, to

_FIELDS: Mapping[str, str] = {
    "webhook.url": "url",
    "webhook.description": "description",
    "after.since": "since",
    "after": "since",
}

Act = Callable[[Form, Webhook], Awaitable[Response]]


async def change(visit: Visit) -> Response:
    """Say anew where it sends what."""

    async def act(form: Form, found: Webhook) -> Response:
        await visit.client.webhooks.update(
            found.webhook_id,
            version=form.whole("version"),
            url=form.text("url"),
            description=form.text("description"),
            types=form.picked("type-"),
        )
        return _back(found, "hook_change")

    return await _done(visit, "change", act)


async def switch(visit: Visit) -> Response:
    """Stop sending; or begin again, and with it what was missed, where that is asked for."""

    async def act(form: Form, found: Webhook) -> Response:
        active, place = form.text("active") == "yes", _place(visit, form)
        found = await visit.client.webhooks.update(
            found.webhook_id, version=form.whole("version"), active=active
        )
        if active and form.text("what") in ("failed", "since"):
            await visit.client.webhooks.replay(found.webhook_id, place)
        return _back(found, "hook_on" if active else "hook_off")

    return await _done(visit, "switch", act)


async def test(visit: Visit) -> Response:
    """Send a test event, and tell what came of it."""

    async def act(form: Form, found: Webhook) -> Response:
        attempt = await visit.client.webhooks.test(found.webhook_id)
        return await shown(visit, found, form, attempt=attempt)

    return await _done(visit, "test", act)


async def rotate(visit: Visit) -> Response:
    """Make another secret."""

    async def act(form: Form, found: Webhook) -> Response:
        made = await visit.client.webhooks.rotate(found.webhook_id)
        return secret_shown(visit, found.webhook_id, made.secret, "rotated")

    return await _done(visit, "rotate", act)


async def replay(visit: Visit) -> Response:
    """Send again what was given up, or all since a time."""

    async def act(form: Form, found: Webhook) -> Response:
        await visit.client.webhooks.replay(found.webhook_id, _place(visit, form))
        return _back(found, "hook_replay")

    return await _done(visit, "replay", act)


async def redeliver(visit: Visit) -> Response:
    """Send one event once more."""

    async def act(form: Form, found: Webhook) -> Response:
        await visit.client.webhooks.redeliver(found.webhook_id, form.text("event_id"))
        return _back(found, "hook_redeliver")

    return await _done(visit, "redeliver", act)


async def delete(visit: Visit) -> Response:
    """Delete it, with all that was recorded of its deliveries."""

    async def act(form: Form, found: Webhook) -> Response:
        if form.text("sure") != "yes":
            form.errors["sure"] = visit.words.say("form.sure")
            raise Flawed
        await visit.client.webhooks.delete(found.webhook_id)
        return to("/webhooks", said="hook_delete")

    return await _done(visit, "delete", act)


def _place(visit: Visit, form: Form) -> datetime | None:
    """Since when to send again; None: what was given up."""
    if form.text("what") != "since":
        return None
    form.needed("since")
    since = form.time("since")
    if since is not None and since > visit.now:  # seen before anything is switched
        form.errors["since"] = visit.words.say("hook.future")
    if form.errors:
        raise Flawed
    return since


def _back(found: Webhook, said: str) -> Response:
    return to(f"/webhooks/{found.webhook_id}", said=said)


async def _done(visit: Visit, name: str, act: Act) -> Response:
    form, webhooks = await visit.form(name), visit.client.webhooks
    webhook_id = visit.path("webhook_id")

    async def acted() -> Response:
        return await act(form, await webhooks.get(webhook_id))

    async def done() -> Response | None:
        found = await webhooks.get(webhook_id)
        if name == "change":
            return None if _theirs(found, form) else _back(found, "hook_change")
        active = form.text("active") == "yes"
        is_as_wanted = active is (found.state is WebhookState.ACTIVE)
        return _back(found, "hook_on" if active else "hook_off") if is_as_wanted else None

    async def again(status: int) -> Response:
        found = await webhooks.get(webhook_id)
        theirs = _theirs(found, form) if status == 409 and name == "change" else {}
        return await shown(visit, found, form, status, theirs=theirs)

    stale = visit.words.say("hook.stale")
    sets = name in ("change", "switch")
    return await answered(
        visit, form, acted, again, fields=_FIELDS, stale=stale, done=done, remembers=not sets
    )


def _theirs(found: Webhook, form: Form) -> Mapping[str, str]:
    """What it says now where a form says something else."""
    told = {"url": found.url, "description": found.description}
    differs = {name: text for name, text in told.items() if text != form.text(name)}
    if set(found.types) != set(form.picked("type-")):
        differs["types"] = ", ".join(one.rpartition(".")[2] for one in found.types)
    return differs
