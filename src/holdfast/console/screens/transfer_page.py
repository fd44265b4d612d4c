"""The page of a transfer: what was sent, what came, what happened; it is received and closed."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from holdfast.client import (
    InvalidRequest,
    Movement,
    Refused,
    RequestIdReused,
    Transfer,
    TransferState,
    new_request_id,
)
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

PRODUCTS_MAX = 10  # whose movements are looked at for what happened
MOVEMENTS_MAX = 100  # of each of them, at each end


@dataclass(frozen=True, slots=True)
class Told:
    """What happened of a transfer, newest first.

    :param is_all: nothing else did.
    """

    movements: list[Movement]
    is_all: bool


async def transfer(visit: Visit) -> Response:
    """Show a transfer."""
    found = await visit.client.inventory.transfer(visit.path("transfer_id"))
    return await _shown(visit, found, Form(visit.words))


async def receive(visit: Visit) -> Response:
    """Record that units have come, if nothing has since the reader saw what was still to come."""
    form, transfer_id = await visit.form("receive"), visit.path("transfer_id")
    inventory, status = visit.client.inventory, 400
    seen = await inventory.transfer(transfer_id)
    if form.text("seen") != stamp(seen):
        form.errors[""] = visit.words.say("transfer.stale")
        return await _shown(visit, seen, form, 409)
    numbers = {line.product_id: number for number, line in enumerate(seen.lines, 1)}
    units = form.units("units-")
    came = {name: units[number] for name, number in numbers.items() if number in units}
    if not came and not form.errors:
        form.errors[""] = visit.words.say("form.no_units")
    if not form.errors:
        request_id = form.text("request_id") or new_request_id()
        try:
            await inventory.receive_transfer(transfer_id, came, request_id=request_id)
        except InvalidRequest as error:
            form.refuse(error, _fields(came, numbers))
        except RequestIdReused as error:
            form.errors[""], status = error.message, 409
            form.values = {**form.values, "request_id": ""}  # what is sent next has another one
        except Refused as error:
            status = 409
            form.errors |= {f"units-{numbers[one.subject]}": one.description for one in error.unmet}
            if not error.unmet:
                form.errors[""] = error.message
    if form.errors:
        return await _shown(visit, await inventory.transfer(transfer_id), form, status)
    return to(f"/transfers/{transfer_id}", said="transfer_received")


async def close(visit: Visit) -> Response:
    """End a transfer: what has not come is missing. What the reader has not seen come is asked."""
    form, transfer_id = await visit.form("close"), visit.path("transfer_id")
    seen = await visit.client.inventory.transfer(transfer_id)
    if seen.state is TransferState.IN_TRANSIT and form.text("seen") != stamp(seen):
        form.errors[""] = visit.words.say("transfer.stale")
        return await _shown(visit, seen, form, 409)
    await visit.client.inventory.close_transfer(transfer_id)
    return to(f"/transfers/{transfer_id}", said="transfer_closed")


def stamp(one: Transfer) -> str:
    """What a transfer's reader has seen of it: it never gets back to an earlier one."""
    return f"{one.state}-{sum(line.received for line in one.lines)}"


def _fields(came: Mapping[str, int], numbers: Mapping[str, int]) -> dict[str, str]:
    """The form's names of what the service finds wrong with a line."""
    fields = {f"units[{name}]": f"units-{numbers[name]}" for name in came}
    return fields | {
        f"lines[{index}].quantity": f"units-{numbers[name]}" for index, name in enumerate(came)
    }


async def _shown(visit: Visit, found: Transfer, form: Form, status: int = 200) -> Response:
    """Show a transfer with a form as somebody filled it in; the others are empty."""
    numbered = [
        {"line_no": number, "product_id": line.product_id}
        for number, line in enumerate(found.lines, 1)
    ]
    return visit.show(
        "transfer.html",
        status,
        transfer=found,
        form=form,
        numbered={"lines": numbered},
        due={number: line.in_transit for number, line in enumerate(found.lines, 1)},
        stamp=stamp(found),
        told=await _told(visit, found),
        new_id=new_request_id,
        now=visit.now,
    )


async def _told(visit: Visit, found: Transfer) -> Told:
    """What the ledger has of a transfer, which is found there by its id, product by product."""
    told: list[Movement] = []
    is_all = len(found.lines) <= PRODUCTS_MAX
    for line in found.lines[:PRODUCTS_MAX]:
        for location_id in (found.origin, found.target):
            page, rest = await visit.client.inventory.movement_page(
                product_id=line.product_id,
                location_id=location_id,
                created_from=found.create_time,
                page_size=MOVEMENTS_MAX,
            )
            told += [one for one in page if one.reference == found.transfer_id]
            is_all = is_all and not rest
    newest_first = sorted(told, key=lambda one: one.movement_id, reverse=True)
    return Told(newest_first, is_all)
