"""The list of products: its filters live in the URL, and it goes on where the last page ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response

from holdfast.client import HoldfastError, InvalidRequest, NotFound, Product, StockInfo
from holdfast.console.forms import Form
from holdfast.console.screens.looking import BEGINNING, Found, Place, look
from holdfast.console.visit import Visit, to

PAGE_PRODUCTS = 50
# With a filter that Inventory has none for, so many are looked at for one page.
LOOKED_MAX = 2_000
LOOKED_AT_ONCE = 500
ACTIVE: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}


@dataclass(slots=True)
class Filter:
    """What somebody looks for, as far as it could be understood.

    :param at_most: units that are available; None: any number.
    :param waits: only what orders wait for.
    :param flaws: by field, what could not; the list is shown without it.
    """

    begins: str = ""
    active: bool | None = None
    at_most: int | None = None
    waits: bool = False
    place: Place = BEGINNING
    typed: dict[str, str] = field(default_factory=dict)
    flaws: dict[str, str] = field(default_factory=dict)

    @property
    def is_any(self) -> bool:
        about_stock = self.at_most is not None or self.waits
        return bool(self.begins) or self.active is not None or about_stock

    def fits(self, product: Product) -> bool:
        """Whether a product may be shown, by its details alone."""
        is_named = product.product_id.startswith(self.begins)
        return is_named and self.active in (None, product.active)

    def fits_stock(self, info: StockInfo) -> bool:
        """Whether it may be shown, by what there is of it."""
        is_low = self.at_most is None or info.available <= self.at_most
        return is_low and (not self.waits or info.queued > 0)

    def is_behind(self, page: Sequence[Product]) -> bool:
        """Whether nothing that follows a page can begin so: ids are listed byte by byte."""
        last = page[-1].product_id if page else ""
        return last.encode() > self.begins.encode() and not last.startswith(self.begins)

    def query(self) -> dict[str, str]:
        """The filter as a URL says it, without the place in the list."""
        return {name: text for name, text in self.typed.items() if text}


async def products(visit: Visit) -> Response:
    """Show a page of products by id, with what there is of each; or lead to the only one."""
    wanted = _read(visit)
    named = await _named(visit, wanted)
    try:
        found = await _found(visit, wanted)
    except InvalidRequest:
        wanted.flaws["after"] = visit.words.say("filter.after")
        wanted.place = BEGINNING
        found = await _found(visit, wanted)
    rows = found.rows
    if named is not None and wanted.place == BEGINNING:
        rows = [named] + [one for one in rows if one.product != named.product]
        if len(rows) == 1:
            return to("/stock", id=named.product.product_id)
    return visit.show(
        "products.html",
        infos=rows,
        rest=found.rest,
        looked=found.looked,
        wanted=wanted,
        actives=list(ACTIVE),
    )


def _read(visit: Visit) -> Filter:
    typed = {name: visit.asked(name) for name in ("id", "active", "low", "waits")}
    form = Form(visit.words, "filter", typed)
    found = Filter(begins=typed["id"], typed=typed, flaws=form.errors)
    if typed["active"] in ACTIVE:
        found.active = ACTIVE[typed["active"]]
    else:
        form.errors["active"] = visit.words.say("filter.active")
    units = form.whole("low")
    if typed["low"] and "low" not in form.errors:
        found.at_most = units
    found.waits = bool(typed["waits"])
    found.place = Place(visit.asked("after"), visit.asked("past"))
    return found


async def _named(visit: Visit, wanted: Filter) -> StockInfo | None:
    """The product whose whole id was typed, however far behind others it stands."""
    if not wanted.begins:
        return None
    try:
        info = await visit.client.inventory.get_stock(wanted.begins)
    except NotFound:
        return None
    except InvalidRequest as refused:
        wanted.flaws["id"] = refused.violations[0].description
        wanted.begins = ""
        return None
    return info if wanted.fits(info.product) and wanted.fits_stock(info) else None


async def _found(visit: Visit, wanted: Filter) -> Found[StockInfo]:
    inventory = visit.client.inventory
    size = LOOKED_AT_ONCE if wanted.is_any else PAGE_PRODUCTS

    async def page(token: str) -> tuple[Sequence[Product], str]:
        given, following = await inventory.product_page(token, page_size=size)
        return given, "" if wanted.is_behind(given) else following

    async def keep(given: Sequence[Product]) -> Sequence[StockInfo]:
        fitting = [one.product_id for one in given if wanted.fits(one)]
        return [one for one in await stock_of(visit, fitting) if wanted.fits_stock(one)]

    return await look(
        page,
        keep,
        name=name_of,
        start=wanted.place,
        rows_max=PAGE_PRODUCTS,
        looked_max=LOOKED_MAX,
    )


def name_of(one: Product | StockInfo) -> str:
    return one.product.product_id if isinstance(one, StockInfo) else one.product_id


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
