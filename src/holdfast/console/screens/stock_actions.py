"""What can be done with a product's stock: each by a form, which comes back with what is wrong."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from holdfast.client import StockReason, new_request_id
from holdfast.console.doing import Flawed, answered
from holdfast.console.forms import Form
from holdfast.console.screens.stock import REASONS, shown
from holdfast.console.visit import Visit, to

_FIELDS: Mapping[str, str] = {"location_id": "location"}
_UNITS_MAX = 999_999_999_999

Do = Callable[[], Awaitable[object]]
# Reads what to do with a product, given what all of it takes: where, why, the form's name for ever.
Read = Callable[[Form, str, dict[str, Any]], Do]


async def set_level(visit: Visit) -> Response:
    """Set how many units there are, if nothing has come or gone since they were counted."""

    def read(form: Form, product_id: str, how: dict[str, Any]) -> Do:
        form.needed("quantity")
        quantity, version = form.whole("quantity"), form.whole(f"version-{how['location_id']}")
        how["displace"] = bool(form.text("displace"))
        return partial(
            visit.client.inventory.set_stock, product_id, quantity, expected_version=version, **how
        )

    return await _done(visit, "set", read)


async def adjust(visit: Visit) -> Response:
    """Add units to a level, or take some away."""

    def read(form: Form, product_id: str, how: dict[str, Any]) -> Do:
        delta = form.whole("delta", lowest=-_UNITS_MAX)
        if not delta:
            form.errors.setdefault("delta", visit.words.say("form.delta"))
        form.needed("reason")
        how |= {"displace": bool(form.text("displace")), "reference": form.text("reference")}
        return partial(visit.client.inventory.adjust_stock, product_id, delta, **how)

    return await _done(visit, "adjust", read)


async def receive(visit: Visit) -> Response:
    """Record that units came in."""

    def read(form: Form, product_id: str, how: dict[str, Any]) -> Do:
        units = _units(form)
        how |= {"reason_code": StockReason.RECEIVED, "reference": form.text("reference")}
        return partial(visit.client.inventory.adjust_stock, product_id, units, **how)

    return await _done(visit, "receipt", read)


async def quarantine(visit: Visit) -> Response:
    """Take units out of sale."""

    def read(form: Form, product_id: str, how: dict[str, Any]) -> Do:
        units = _units(form)
        how["displace"] = bool(form.text("displace"))
        return partial(visit.client.inventory.quarantine, product_id, units, **how)

    return await _done(visit, "quarantine", read)


async def release(visit: Visit) -> Response:
    """End the quarantine of units: they are on sale again, or gone."""

    def read(form: Form, product_id: str, how: dict[str, Any]) -> Do:
        units = _units(form)
        how["write_off"] = form.text("become") == "gone"
        return partial(visit.client.inventory.release_quarantine, product_id, units, **how)

    return await _done(visit, "release", read)


async def _done(visit: Visit, name: str, read: Read) -> Response:
    """Do what a form says; else show it again, with what is wrong and all that was typed."""
    form = await visit.form(name)
    product_id = form.text("product_id")
    how = {
        "location_id": form.needed("location"),
        "reason": form.text("reason"),
        "reason_code": next((one for one in REASONS if one == form.text("reason_code")), None),
        "request_id": form.text("request_id") or new_request_id(),
    }
    do = read(form, product_id, how)

    async def act() -> Response:
        if form.errors:
            raise Flawed
        await do()
        return to("/stock", id=product_id, said=name)

    async def again(status: int) -> Response:
        return await shown(visit, product_id, form, status)

    stale = visit.words.say("stock.stale")
    return await answered(visit, form, act, again, fields=_FIELDS, stale=stale)


def _units(form: Form) -> int:
    """Units, and why they move."""
    form.needed("quantity")
    form.needed("reason")
    return form.whole("quantity", lowest=1)
