"""Orders that somebody chose from a list, over several of its pages: the form carries them."""

import re

from holdfast.console.forms import Form
from holdfast.console.visit import Visit

_FIELD = re.compile(r"order-([0-9a-f]{8}-[0-9a-f-]{27})")


def chosen_in(form: Form) -> list[str]:
    """The orders that a form names, in its order."""
    return [found[1] for name in form.values if (found := _FIELD.fullmatch(name))]


async def chosen(visit: Visit, page: list[str]) -> list[str]:
    """Whom a list shows as chosen: who came with its form, and all of a page if that is asked."""
    if visit.request.method != "POST":
        return []
    form = await visit.form("chosen")
    found = chosen_in(form)
    return [*dict.fromkeys(found + page)] if form.text("page") else found
