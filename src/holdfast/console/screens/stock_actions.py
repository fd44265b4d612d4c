"""What can be done with a product's stock: each by a form, which comes back with what is wrong."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from holdfast.client import (
    InvalidRequest,
    NotFound,
    Refused,
    RequestIdReused,
    StaleVersion,
    StockReason,
    new_request_id,
)
from holdfast.console.forms import Form
from holdfast.console.screens.stock import REASONS, shown
from holdfast.console.visit import Visit, to

_FIELDS: Mapping[str, str] = {"location_id": "location"}
_UNITS_MAX = 999_999_999_999

# What to do with a product, and what all of it takes: where, why, and the form's name for ever.
Act = Callable[[Form, str, dict[str, Any]], Awaitable[object]]


async def set_level(visit: Visit) -> Response:
    """Set how many units there are, if nothing has come or gone since they were counted."""

    async def act(form: Form, product_id: str, how: dict[str, Any]) -> object:
        form.needed("quantity")
        quantity, version = form.whole("quantity"), form.whole(f"version-{how['location_id']}")
        how["displace"] = bool(form.text("displace"))
        if form.errors:
            return None
        return await visit.client.inventory.set_stock(
            product_id, quantity, expected_version=version, **how
        )

    return await _done(visit, "set", act)


async def adjust(visit: Visit) -> Response:
    """Add units to a level, or take some away."""

    async def act(form: Form, product_id: str, how: dict[str, Any]) -> object:
        delta = form.whole("delta", lowest=-_UNITS_MAX)
        if not delta:
            form.errors.setdefault("delta", visit.words.say("form.delta"))
        form.needed("reason")
        how |= {"displace": bool(form.text("displace")), "reference": form.text("reference")}
        if form.errors:
            return None
        return await visit.client.inventory.adjust_stock(product_id, delta, **how)

    return await _done(visit, "adjust", act)


async def receive(visit: Visit) -> Response:
    """Record that units came in."""

    async def act(form: Form, product_id: str, how: dict[str, Any]) -> object:
        units = _units(form)
        how |= {"reason_code": StockReason.RECEIVED, "reference": form.text("reference")}
        if form.errors:
            return None
        return await visit.client.inventory.adjust_stock(product_id, units, **how)

    return await _done(visit, "receipt", act)


async def quarantine(visit: Visit) -> Response:
    """Take units out of sale."""

    async def act(form: Form, product_id: str, how: dict[str, Any]) -> object:
        units = _units(form)
        how["displace"] = bool(form.text("displace"))
        if form.errors:
            return None
        return await visit.client.inventory.quarantine(product_id, units, **how)

    return await _done(visit, "quarantine", act)


async def release(visit: Visit) -> Response:
    """End the quarantine of units: they are on sale again, or gone."""

    async def act(form: Form, product_id: str, how: dict[str, Any]) -> object:
        units = _units(form)
        how["write_off"] = form.text("become") == "gone"
        if form.errors:
            return None
        return await visit.client.inventory.release_quarantine(product_id, units, **how)

    return await _done(visit, "release", act)


async def _done(visit: Visit, name: str, act: Act) -> Response:
    """Do what a form says; else show it again, with what is wrong and all that was typed."""
    form = await visit.form(name)
    product_id, status = form.text("product_id"), 400
    how = {
        "location_id": form.needed("location"),
        "reason": form.text("reason"),
        "reason_code": next((one for one in REASONS if one == form.text("reason_code")), None),
        "request_id": form.text("request_id") or new_request_id(),
    }
    try:
        await act(form, product_id, how)
    except InvalidRequest as error:
        form.refuse(error, _FIELDS)
    except StaleVersion:
        form.errors[""], status = visit.words.say("stock.stale"), 409
    except RequestIdReused as error:
        form.errors[""], status = error.message, 409
        form.values = {**form.values, "request_id": ""}  # what is sent next has another one
    except (Refused, NotFound) as error:
        form.errors[""], status = error.message, 409
    if not form.errors:
        return to("/stock", id=product_id, said=name)
    return await shown(visit, product_id, form, status)


def _units(form: Form) -> int:
    """Units, and why they move."""
    form.needed("quantity")
    form.needed("reason")
    return form.whole("quantity", lowest=1)
