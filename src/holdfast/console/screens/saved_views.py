"""Saved views: shown above their lists, and all of them on a page of their own."""

from starlette.responses import RedirectResponse, Response

from holdfast.console.forms import Form
from holdfast.console.views import LISTS, NAME_MAX, QUERY_MAX, TooMany, View, filter_of
from holdfast.console.visit import ROOT, Visit, to

MANAGES = "keys:manage"  # who may change what others share


async def views(visit: Visit) -> Response:
    """Show somebody's own views, and those for all."""
    return _shown(visit, Form(visit.words))


def _shown(visit: Visit, form: Form, status: int = 200) -> Response:
    return visit.show(
        "views.html",
        status,
        form=form,
        found=[one for one in visit.views.of(visit.caller.name) if visit.may(LISTS[one.path])],
        can_change=lambda one: _can_change(visit, one),
        keeps=visit.views.last,
        name_max=NAME_MAX,
    )


def _can_change(visit: Visit, view: View) -> bool:
    return view.owner == visit.caller.name or (view.shared and visit.may(MANAGES))


async def save(visit: Visit) -> Response:
    """Keep the list that somebody looks at."""
    form = await visit.form("save")
    name, path = _name_in(form), form.text("path")
    try:
        query = filter_of(form.text("query"))
    except ValueError:
        query = "?" * (QUERY_MAX + 1)
    if path not in LISTS or not visit.may(LISTS[path]):
        form.errors[""] = visit.words.say("views.no_list")
    elif len(query) > QUERY_MAX:
        form.errors[""] = visit.words.say("views.long", most=QUERY_MAX)
    if form.errors:
        return _shown(visit, form, 400)
    try:
        saved = await visit.views.save(
            visit.caller.name, name, path, query, shared=bool(form.text("shared"))
        )
    except TooMany:
        form.errors[""] = visit.words.say("views.many")
        return _shown(visit, form, 409)
    joint = "&" if saved.query else "?"
    return RedirectResponse(f"{ROOT}{saved.url}{joint}said=view_saved", 303)


async def change(visit: Visit) -> Response:
    """Name a view anew, or show it to others."""
    view_id = visit.path("view_id")
    form = await visit.form(f"change-{view_id}")
    view = visit.views.find(view_id)
    if view is not None and _can_change(visit, view):
        name = _name_in(form)
        if form.errors:
            return _shown(visit, form, 400)
        await visit.views.change(view_id, name, shared=bool(form.text("shared")))
        return to("/views", said="view_changed")
    form.name, form.errors[""] = "save", visit.words.say("views.gone")
    return _shown(visit, form, 404)


async def delete(visit: Visit) -> Response:
    """Forget a view. One that is gone already is what was wanted."""
    view = visit.views.find(visit.path("view_id"))
    if view is not None and _can_change(visit, view):
        await visit.views.remove(view.view_id)
    return to("/views", said="view_deleted")


def _name_in(form: Form) -> str:
    name = form.needed("name")
    if len(name) > NAME_MAX or not (name.isprintable() or form.errors):
        form.errors["name"] = form.words.say("views.name_flaw", most=NAME_MAX)
    return name
