"""A transfer is made: several products leave one location for another, all of them or none."""

from collections.abc import Mapping

from starlette.responses import Response

from holdfast.client import (
    InvalidRequest,
    NotFound,
    Refused,
    RequestIdReused,
    new_request_id,
)
from holdfast.console.forms import Form, number_in
from holdfast.console.visit import Visit, to

ROWS, ROWS_MAX = 5, 1_000  # a transfer has at most so many products


async def new(visit: Visit) -> Response:
    """Show the form for a new transfer, with the product that the URL names."""
    form = Form(visit.words)
    return await _shown(visit, form, {"product-1": visit.asked("product")})


async def create(visit: Visit) -> Response:
    """Send units from one location to another: what was sent twice leaves once."""
    form = await visit.form("transfer")
    if form.text("more"):
        return await _shown(visit, form, rows=_rows(form) + ROWS)
    origin, target, expected = form.needed("origin"), form.needed("target"), form.time("expected")
    lines, status = _lines(form), 400
    units: dict[str, int] = {}
    for product_id, quantity in lines.values():
        units[product_id] = units.get(product_id, 0) + quantity
    if not lines and not form.errors:
        form.errors[""] = visit.words.say("form.no_units")
    if not form.errors:
        try:
            made = await visit.client.inventory.create_transfer(
                units,
                origin=origin,
                target=target,
                reference=form.text("reference"),
                expected_time=expected,
                request_id=form.text("request_id") or new_request_id(),
            )
            return to(f"/transfers/{made.transfer_id}", said="transfer_made")
        except InvalidRequest as error:
            form.refuse(error, _fields(lines, units) | {"expected_time": "expected"})
        except RequestIdReused as error:
            form.errors[""], status = error.message, 409
            form.values = {**form.values, "request_id": ""}  # what is sent next has another one
        except NotFound as error:
            status = 409
            _put_missing(form, error, lines)
        except Refused as error:
            status = 409
            _put_refused(form, error, lines)
    return await _shown(visit, form, rows=_rows(form), status=status)


def _rows(form: Form) -> int:
    """How many rows the form has."""
    given = number_in(form.text("rows"))
    return ROWS if given is None else min(given, ROWS_MAX)


def _lines(form: Form) -> dict[int, tuple[str, int]]:
    """Product and units by row, of the rows that somebody has filled in."""
    lines = {}
    for row in range(1, _rows(form) + 1):
        product, units = f"product-{row}", f"units-{row}"
        if form.text(product) or form.text(units):
            form.needed(units)
            lines[row] = (form.needed(product), form.whole(units, lowest=1))
    return lines


def _fields(lines: Mapping[int, tuple[str, int]], units: Mapping[str, int]) -> dict[str, str]:
    """The form's names of what the service finds wrong with a product: the first row's of it."""
    fields = {}
    for index, product_id in enumerate(units):
        row = _row_of(product_id, lines)
        fields[f"lines[{index}].product_id"] = f"product-{row}"
        fields[f"lines[{index}].quantity"] = fields[f"units[{product_id}]"] = f"units-{row}"
    return fields


def _put_missing(form: Form, error: NotFound, lines: Mapping[int, tuple[str, int]]) -> None:
    """Say at each row, or at each end, that there is nothing of the kind."""
    for found in error.resources:
        told = form.words.say(f"transfer.no_{found.type}", name=found.name)
        if found.type == "product":
            form.errors[f"product-{_row_of(found.name, lines)}"] = told
        else:
            at = "origin" if form.text("origin") == found.name else "target"
            form.errors[at] = told


def _put_refused(form: Form, error: Refused, lines: Mapping[int, tuple[str, int]]) -> None:
    """Say at each row what the rules have against it, or else on top."""
    for one in error.unmet:
        form.errors[f"units-{_row_of(one.subject, lines)}"] = one.description
    if not error.unmet:
        form.errors[""] = error.message


def _row_of(product_id: str, lines: Mapping[int, tuple[str, int]]) -> int:
    return next((row for row, (named, _) in lines.items() if named == product_id), 0)


async def _shown(
    visit: Visit,
    form: Form,
    there: Mapping[str, str] | None = None,
    rows: int = ROWS,
    status: int = 200,
) -> Response:
    """Show the form.

    :param there: what stands in the fields of a form that was not sent yet.
    """
    found = [one async for one in visit.client.inventory.list_locations()]
    return visit.show(
        "sending.html",
        status,
        form=form,
        there=there or {},
        rows=min(rows, ROWS_MAX),
        everywhere=[one.location_id for one in found],
        active=[one.location_id for one in found if one.active],
        new_id=new_request_id,
    )
