"""Keys: who may call and what for; made, rotated and revoked."""

from collections.abc import Iterable
from datetime import timedelta

from starlette.responses import Response

from holdfast.chassis.identity.roles import ROLES, SCOPES, known_scopes
from holdfast.client import Key, NewKey
from holdfast.console.doing import Flawed, answered
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

MANAGE = "keys:manage"
DAYS_MAX = 36_500  # a service allows less, and tells so
HOURS_MAX = 24 * DAYS_MAX


async def keys(visit: Visit) -> Response:
    """Show all keys: those that are good, the newest first, then those that have ended."""
    return await _listed(visit, Form(visit.words))


async def create(visit: Visit) -> Response:
    """Make a key, and show it. A form that is sent twice makes one."""
    form = await visit.form("create")

    async def act() -> Response:
        name, grants = form.needed("name"), form.picked("grant-")
        days = _period(form, "days", lowest=1, highest=DAYS_MAX)
        if not grants:
            form.errors["grants"] = visit.words.say("key.no_grants")
        if form.errors:
            raise Flawed
        made = await visit.client.keys.create(
            name,
            grants,
            lifetime=None if days is None else timedelta(days=days),
            networks=form.text("networks").replace(",", " ").split(),
        )
        return _shown_once(visit, made, "made")

    async def again(status: int) -> Response:
        return await _listed(visit, form, status)

    return await answered(visit, form, act, again, fields={"lifetime": "days"})


async def key(visit: Visit) -> Response:
    """Show a key, and what can be done with it."""
    return await _shown(visit, Form(visit.words))


async def rotate(visit: Visit) -> Response:
    """Make a key that does the same, and show it; the one that is there ends after a while."""
    form = await visit.form("rotate")

    async def act() -> Response:
        form.needed("hours")
        hours = _period(form, "hours", lowest=0, highest=HOURS_MAX)
        if form.errors:
            raise Flawed
        overlap = timedelta(hours=hours or 0)
        made = await visit.client.keys.rotate(visit.path("key_id"), overlap=overlap)
        return _shown_once(visit, made, "rotated")

    async def again(status: int) -> Response:
        return await _shown(visit, form, status)

    return await answered(visit, form, act, again, fields={"overlap": "hours"})


async def revoke(visit: Visit) -> Response:
    """Revoke a key for good."""
    form = await visit.form("revoke")

    async def act() -> Response:
        if form.text("sure") != "yes":
            form.errors["sure"] = visit.words.say("form.sure")
            raise Flawed
        await visit.client.keys.revoke(visit.path("key_id"))
        return to("/keys", said="key_revoke")

    async def again(status: int) -> Response:
        return await _shown(visit, form, status)

    return await answered(visit, form, act, again, fields={})


def _period(form: Form, name: str, *, lowest: int, highest: int) -> int | None:
    """A number of days or hours; None: the field is empty."""
    found = form.whole(name, lowest=lowest)
    if found > highest:
        form.errors[name] = form.words.say("key.too_long")
    return found if form.text(name) else None


def _shown_once(visit: Visit, made: NewKey, how: str) -> Response:
    key_id = made.key.key_id
    return visit.show(
        "secret.html", kind="key", secret=made.text, how=how, on=f"/keys/{key_id}", name=key_id
    )


async def _listed(visit: Visit, form: Form, status: int = 200) -> Response:
    newest_first = (await visit.client.keys.list())[::-1]
    mine = visit.caller.scopes
    return visit.show(
        "keys.html",
        status,
        good=[one for one in newest_first if _is_good(visit, one)],
        ended=[one for one in newest_first if not _is_good(visit, one)],
        form=form,
        roles=[(name, name) for name, scopes in ROLES.items() if scopes <= mine],
        scopes=[(name, name) for name in sorted(SCOPES & mine)],
        meant=ROLES,
    )


async def _shown(visit: Visit, form: Form, status: int = 200) -> Response:
    every = await visit.client.keys.list()
    found = next((one for one in every if one.key_id == visit.path("key_id")), None)
    if found is None:
        return visit.show("error.html", 404, detail=visit.words.say("key.nowhere"), again="")
    others = [one for one in every if one is not found and _is_good(visit, one)]
    return visit.show(
        "key.html",
        status,
        key=found,
        form=form,
        is_good=_is_good(visit, found),
        is_own=found.key_id == visit.caller.credential_id,
        is_last=_manages([found]) and not _manages(others),
        is_less=known_scopes(found.grants) <= visit.caller.scopes,
        scopes=sorted(known_scopes(found.grants)),
    )


def _is_good(visit: Visit, one: Key) -> bool:
    ended = one.expire_time is not None and one.expire_time <= visit.now
    return one.revoke_time is None and not ended


def _manages(some: Iterable[Key]) -> bool:
    """Whether one of them can make and end keys."""
    return any(MANAGE in known_scopes(one.grants) for one in some)
