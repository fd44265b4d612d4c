"""The list of products: its filters live in the URL, and it goes on where the last page ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from holdfast.client import HoldfastError, InvalidRequest, Product, StockInfo
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

PAGE_PRODUCTS = 50
ACTIVE: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}
# What is typed, and what the client calls it, by the service's name of the field.
_SERVED = {"product_id_prefix": ("id", "id_prefix"), "available_max": ("low", "available_max")}


@dataclass(slots=True)
class Filter:
    """What somebody looks for, as far as it could be understood.

    :param served: as the client takes it.
    :param after: where the page begins; "": the first one.
    :param flaws: by field, what could not; the list is shown without it.
    """

    typed: dict[str, str]
    served: dict[str, Any]
    after: str
    flaws: dict[str, str] = field(default_factory=dict)

    def query(self) -> dict[str, str]:
        """The filter as a URL says it, without the place in the list."""
        return {name: text for name, text in self.typed.items() if text}


async def products(visit: Visit) -> Response:
    """Show a page of products by id, with what there is of each; or lead to the one whose id it
    is, if no other begins so.
    """
    wanted = _read(visit)
    try:
        page, rest = await _page(visit, wanted)
    except InvalidRequest as refused:
        _leave_out(visit, wanted, refused)
        page, rest = await _page(visit, wanted)
    if [one.product_id for one in page] == [wanted.typed["id"]] and not (rest or wanted.after):
        return to("/stock", id=wanted.typed["id"])
    return visit.show(
        "products.html",
        infos=await stock_of(visit, [one.product_id for one in page]),
        rest=rest,
        wanted=wanted,
        actives=list(ACTIVE),
    )


def _read(visit: Visit) -> Filter:
    typed = {name: visit.asked(name) for name in ("id", "active", "low", "waits")}
    form = Form(visit.words, "filter", typed)
    served: dict[str, Any] = {"id_prefix": typed["id"]}
    if typed["active"] in ACTIVE:
        served["active"] = ACTIVE[typed["active"]]
    else:
        form.errors["active"] = visit.words.say("filter.active")
    units = form.whole("low")
    if typed["low"] and "low" not in form.errors:
        served["available_max"] = units
    if typed["waits"]:
        served["waited_for"] = True
    return Filter(typed, served, visit.asked("after"), form.errors)


async def _page(visit: Visit, wanted: Filter) -> tuple[Sequence[Product], str]:
    return await visit.client.inventory.product_page(
        wanted.after, page_size=PAGE_PRODUCTS, **wanted.served
    )


def _leave_out(visit: Visit, wanted: Filter, refused: InvalidRequest) -> None:
    """Take out of a filter what the service can't understand."""
    for violation in refused.violations:
        if violation.field in _SERVED:
            typed, served = _SERVED[violation.field]
            del wanted.served[served]
            wanted.flaws[typed] = violation.description
        else:
            wanted.flaws["after"] = visit.words.say("filter.after")
    wanted.after = ""  # it was made for the whole filter


async def stock_of(visit: Visit, product_ids: Sequence[str]) -> Sequence[StockInfo]:
    """What there is of these products.

    :raises HoldfastError: what stands in place of one, of which none is ever deleted.
    """
    found = await visit.client.inventory.get_stock_batch(product_ids) if product_ids else []
    return [_there(one) for one in found]


def _there(found: StockInfo | HoldfastError) -> StockInfo:
    if isinstance(found, HoldfastError):
        raise found
    return found
