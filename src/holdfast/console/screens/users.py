"""Users: people who sign in by a name and a password; made, changed, locked and deleted."""

from starlette.responses import Response

from holdfast.chassis.identity.roles import ROLES, SCOPES, known_scopes
from holdfast.client import User
from holdfast.console.doing import Act, Flawed, answered
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

MANAGE = "keys:manage"


async def users(visit: Visit) -> Response:
    """Show all users, by name."""
    return await _listed(visit, Form(visit.words))


async def create(visit: Visit) -> Response:
    """Make a user. A form that is sent twice makes one."""
    form = await visit.form("create")

    async def act() -> Response:
        name, grants = form.needed("name"), _grants(form)
        password = _password(form)
        if form.errors:
            raise Flawed
        await visit.client.users.create(name, grants, password)
        return to("/users", said="user_made")

    async def again(status: int) -> Response:
        return await _listed(visit, form, status)

    return await answered(visit, form, act, again, fields={})


async def user(visit: Visit) -> Response:
    """Show a user, and what can be done with them."""
    return await _shown(visit, Form(visit.words), visit.asked("name"))


async def change_rights(visit: Visit) -> Response:
    """Give a user other roles; their sessions end."""
    form = await visit.form("rights")

    async def act() -> Response:
        grants = _grants(form)
        if form.errors:
            raise Flawed
        await visit.client.users.update(form.text("name"), grants=grants)
        return _changed(form)

    return await _done(visit, form, act, remembers=False)


async def set_password(visit: Visit) -> Response:
    """Give a user another password; their sessions end."""
    form = await visit.form("password")

    async def act() -> Response:
        password = _password(form)
        if form.errors:
            raise Flawed
        await visit.client.users.update(form.text("name"), password=password)
        return _changed(form)

    return await _done(visit, form, act, remembers=False)


async def lock(visit: Visit) -> Response:
    """Let a user in no more, and end their sessions."""
    return await _locked(visit, "lock", locked=True)


async def unlock(visit: Visit) -> Response:
    """Let a user in again."""
    return await _locked(visit, "unlock", locked=False)


async def _locked(visit: Visit, name: str, *, locked: bool) -> Response:
    form = await visit.form(name)

    async def act() -> Response:
        await visit.client.users.update(form.text("name"), locked=locked)
        return _changed(form)

    return await _done(visit, form, act, remembers=False)


async def delete(visit: Visit) -> Response:
    """Delete a user, if that is meant."""
    form = await visit.form("delete")

    async def act() -> Response:
        if form.text("sure") != "yes":
            form.errors["sure"] = visit.words.say("form.sure")
            raise Flawed
        await visit.client.users.delete(form.text("name"))
        return to("/users", said="user_deleted")

    return await _done(visit, form, act)


async def _done(visit: Visit, form: Form, act: Act, *, remembers: bool = True) -> Response:
    async def again(status: int) -> Response:
        return await _shown(visit, form, form.text("name"), status)

    return await answered(visit, form, act, again, fields={}, remembers=remembers)


def _changed(form: Form) -> Response:
    return to("/user", name=form.text("name"), said="user_changed")


def _grants(form: Form) -> list[str]:
    grants = form.picked("grant-")
    if not grants:
        form.errors["grants"] = form.words.say("key.no_grants")
    return grants


def _password(form: Form) -> str:
    """What was typed twice."""
    password = form.typed("password")
    if password and form.values.get("again") != password:
        form.errors["again"] = form.words.say("user.differs")
    return password


async def _listed(visit: Visit, form: Form, status: int = 200) -> Response:
    return visit.show(
        "users.html",
        status,
        users=await visit.client.users.list(),
        form=form,
        roles=_roles(visit),
    )


async def _shown(visit: Visit, form: Form, name: str, status: int = 200) -> Response:
    found = next((one for one in await visit.client.users.list() if one.name == name), None)
    if found is None:
        return visit.show("error.html", 404, detail=visit.words.say("user.nowhere"), again="")
    mine = visit.caller.scopes
    return visit.show(
        "user.html",
        status,
        user=found,
        form=form,
        roles=[*_roles(visit), *_further(found, mine)],
        scopes=sorted(known_scopes(found.grants)),
        is_own=found.name == visit.caller.user,
        is_less=known_scopes(found.grants) <= mine,
    )


def _roles(visit: Visit) -> list[tuple[str, str]]:
    """What whoever asks may give others."""
    return [(name, name) for name, scopes in ROLES.items() if scopes <= visit.caller.scopes]


def _further(found: User, mine: frozenset[str]) -> list[tuple[str, str]]:
    """Single rights that a user has, beside the roles."""
    return [(name, name) for name in found.grants if name in SCOPES & mine]
