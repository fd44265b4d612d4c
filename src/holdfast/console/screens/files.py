"""The page of files: what somebody may bring and fetch, and what they have brought."""

from starlette.responses import Response

from holdfast.client import OrderStatus, new_request_id
from holdfast.console.forms import Form
from holdfast.console.intake import owner_of
from holdfast.console.uploads import FILE_BYTES_MAX
from holdfast.console.visit import Visit
from holdfast.exchange.exports import COLUMNS
from holdfast.exchange.files import KINDS
from holdfast.importing.dates import DateOrder
from holdfast.importing.encodings import Encoding
from holdfast.importing.locales import Locale, manner_of
from holdfast.importing.tables import FileKind

MEGABYTES_MAX = FILE_BYTES_MAX // 1024**2
STATUSES = tuple(one for one in OrderStatus if one is not OrderStatus.UNKNOWN)
TO_BRING: dict[str, tuple[str, ...]] = {
    "products": ("stock:read", "products:write"),
    "prices": ("stock:read", "products:write"),
    "stock": ("stock:read", "stock:write"),
    "customers": ("customers:read", "customers:write"),
    "orders": ("orders:read", "orders:write", "stock:read"),
}
TO_FETCH: dict[str, tuple[str, ...]] = {
    "products": ("stock:read",),
    "prices": ("stock:read",),
    "stock": ("stock:read",),
    "customers": ("customers:read",),
    "orders": ("orders:read",),
}


def may_bring(visit: Visit) -> list[str]:
    """The kinds of files that somebody may have taken in."""
    if not visit.may("imports:write"):
        return []
    return [kind for kind in KINDS if all(map(visit.may, TO_BRING[kind]))]


def may_fetch(visit: Visit) -> list[str]:
    """The kinds of files that somebody may have."""
    return [kind for kind in COLUMNS if all(map(visit.may, TO_FETCH[kind]))]


async def files(visit: Visit) -> Response:
    """Show the page."""
    return shown(visit, Form(visit.words))


def shown(visit: Visit, form: Form, status: int = 200) -> Response:
    """Show the page with a form as somebody filled it in."""
    say = visit.words.say
    return visit.show(
        "files.html",
        status,
        form=form,
        brought=visit.intakes.of(owner_of(visit.caller)),
        kinds=[(one, say(f"kind.{one}")) for one in may_bring(visit)],
        fetched=[(one, say(f"kind.{one}")) for one in may_fetch(visit)],
        locales=[(one, f"{one}: {_sample(one)}") for one in Locale],
        dates=[(one, say(f"files.dates_{one}")) for one in DateOrder],
        encodings=[(one, one) for one in Encoding],
        formats=[(one, say(f"files.format_{one}")) for one in FileKind],
        statuses=[(one, say(f"status.{one}")) for one in STATUSES],
        megabytes=MEGABYTES_MAX,
        new_id=new_request_id,
    )


def _sample(locale: Locale) -> str:
    manner = manner_of(locale)
    return f"1{manner.thousands[0]}234{manner.decimal}56"
