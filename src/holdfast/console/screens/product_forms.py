"""A product is made, or changed: two people on one of them see each other's changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from holdfast.client import Backorder, BackorderMode, Money, Product
from holdfast.console.doing import Flawed, answered
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

MODES = (BackorderMode.NONE, BackorderMode.LIMITED, BackorderMode.UNLIMITED)
_FIELDS: Mapping[str, str] = {
    "product.unit_price": "price",
    "product.unit_price.currency_code": "currency",
    "product.backorder.units_max": "units_max",
    "product.backorder.expected_date": "expected",
}


@dataclass(frozen=True, slots=True)
class Details:
    """What a form says of a product."""

    name: str
    description: str
    unit_price: Money
    active: bool
    backorder: Backorder
    safety_stock: int

    def are_of(self, product: Product) -> bool:
        return self == Details(
            product.name,
            product.description,
            product.unit_price,
            product.active,
            product.backorder,
            product.safety_stock,
        )


async def new(visit: Visit) -> Response:
    """Show the form for a new product; its currency is that of the first there is."""
    page, _ = await visit.client.inventory.product_page(page_size=1)
    currency = page[0].unit_price.currency if page else ""
    return _shown(visit, None, Form(visit.words), typed={"currency": currency})


async def create(visit: Visit) -> Response:
    """Make a product: what was sent twice makes one."""
    form = await visit.form("product")
    product_id, wanted = form.needed("product_id"), _read(form)

    async def act() -> Response:
        if wanted is None or form.errors:
            raise Flawed
        await visit.client.inventory.create_product(
            product_id,
            name=wanted.name,
            description=wanted.description,
            unit_price=wanted.unit_price,
            active=wanted.active,
            backorder=wanted.backorder,
            safety_stock=wanted.safety_stock,
        )
        return to("/stock", id=product_id, said="product_made")

    async def again(status: int) -> Response:
        return _shown(visit, None, form, status)

    return await answered(
        visit, form, act, again, fields=_FIELDS, prefix="product.", refused_at="product_id"
    )


async def details(visit: Visit) -> Response:
    """Show the form with what is known of a product."""
    info = await visit.client.inventory.get_stock(visit.asked("id"))
    return _shown(visit, info.product, Form(visit.words))


async def change(visit: Visit) -> Response:
    """Change what is known of a product, if nobody else has since its reader saw it."""
    form = await visit.form("product")
    product_id, wanted = form.text("product_id"), _read(form)
    version = form.whole("version", lowest=1)
    changed = to("/stock", id=product_id, said="product_changed")

    async def as_it_is() -> Product:
        return (await visit.client.inventory.get_stock(product_id)).product

    async def act() -> Response:
        if wanted is None or form.errors:
            raise Flawed
        await visit.client.inventory.update_product(
            product_id,
            version=version,
            name=wanted.name,
            description=wanted.description,
            unit_price=wanted.unit_price,
            active=wanted.active,
            backorder=wanted.backorder,
            safety_stock=wanted.safety_stock,
        )
        return changed

    async def again(status: int) -> Response:
        return _shown(visit, await as_it_is(), form, status)

    async def done() -> Response | None:
        return changed if wanted is not None and wanted.are_of(await as_it_is()) else None

    stale = visit.words.say("product.stale")
    return await answered(
        visit,
        form,
        act,
        again,
        fields=_FIELDS,
        prefix="product.",
        stale=stale,
        done=done,
        remembers=False,
    )


def _read(form: Form) -> Details | None:
    """What a form says; None: it says too little."""
    price, day = _price(form), form.day("expected")
    mode = next((one for one in MODES if one == form.text("mode")), MODES[0])
    units = form.whole("units_max", lowest=1)
    if mode is BackorderMode.LIMITED and not form.text("units_max"):
        form.needed("units_max")
    if price is None:
        return None
    return Details(
        name=form.text("name"),
        description=form.text("description"),
        unit_price=price,
        active=bool(form.text("active")),
        backorder=Backorder(mode, units if mode is BackorderMode.LIMITED else 0, day),
        safety_stock=form.whole("safety_stock"),
    )


def _price(form: Form) -> Money | None:
    form.needed("price")
    amount, currency = form.amount("price"), form.needed("currency").upper()
    if amount is None or not currency:
        return None
    try:
        Money.parse("0", currency)
    except ValueError:
        form.errors["currency"] = form.words.say("form.currency")
        return None
    try:
        return Money.parse(f"{amount:f}", currency)
    except ValueError:
        form.errors["price"] = form.words.say("form.amount_of", currency=currency)
        return None


def _shown(
    visit: Visit,
    product: Product | None,
    form: Form,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Show the form.

    :param product: as it is; None: it is a new one.
    :param typed: what stands in the fields of a new one.
    """
    there = typed or {}
    if product is not None:
        policy = product.backorder
        there = {
            "name": product.name,
            "description": product.description,
            "price": visit.words.typed(product.unit_price),
            "currency": product.unit_price.currency,
            "active": "yes" if product.active else "",
            "mode": policy.mode,
            "units_max": str(policy.units_max) if policy.units_max else "",
            "expected": policy.expected_date.isoformat() if policy.expected_date else "",
            "safety_stock": str(product.safety_stock),
        }
    return visit.show(
        "product.html",
        status,
        product=product,
        form=form,
        there=there,
        theirs=form.others(there) if status == 409 and product is not None else {},
        modes=MODES,
    )
