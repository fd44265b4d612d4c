"""One's own password, changed by whoever signed in by it."""

from starlette.responses import Response

from holdfast.console.doing import Flawed, answered
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to


async def ask(visit: Visit) -> Response:
    """Show the form; who has a key or a token has no password."""
    return await _shown(visit, Form(visit.words))


async def change(visit: Visit) -> Response:
    """Change it; other sessions end."""
    form = await visit.form("password")

    async def act() -> Response:
        old, new = form.typed("old_password"), form.typed("new_password")
        if new and form.values.get("again") != new:
            form.errors["again"] = visit.words.say("user.differs")
        if form.errors:
            raise Flawed
        await visit.client.users.change_password(old, new)
        return to("/password", said="password")

    async def again(status: int) -> Response:
        return await _shown(visit, form, status)

    return await answered(visit, form, act, again, fields={})


async def _shown(visit: Visit, form: Form, status: int = 200) -> Response:
    if not visit.caller.user:
        return visit.show("error.html", 404, detail=visit.words.say("user.no_password"), again="")
    return visit.show("own_password.html", status, form=form)
