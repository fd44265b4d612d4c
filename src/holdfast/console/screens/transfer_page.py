"""The page of a transfer: what was sent, what came, what happened; it is received and closed."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from holdfast.client import (
    Movement,
    Refused,
    Transfer,
    TransferState,
    new_request_id,
)
from holdfast.console.doing import Flawed, Stale, answered
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
    form, inventory = await visit.form("receive"), visit.client.inventory
    seen = await inventory.transfer(visit.path("transfer_id"))
    numbers = {line.product_id: number for number, line in enumerate(seen.lines, 1)}
    units = form.units("units-")
    came = {name: units[number] for name, number in numbers.items() if number in units}
    if not came and not form.errors:
        form.errors[""] = visit.words.say("form.no_units")
    request_id = form.text("request_id") or new_request_id()

    async def act() -> Response:
        async with visit.turns.one_of(seen.transfer_id):
            if form.text("seen") != stamp(await inventory.transfer(seen.transfer_id)):
                raise Stale
            if form.errors:
                raise Flawed
            try:
                await inventory.receive_transfer(seen.transfer_id, came, request_id=request_id)
            except Refused as error:
                told = {f"units-{numbers[one.subject]}": one.description for one in error.unmet}
                if not told:
                    raise
                form.errors |= told
                raise Flawed(409) from error
        return to(f"/transfers/{seen.transfer_id}", said="transfer_received")

    async def again(status: int) -> Response:
        return await _shown(visit, await inventory.transfer(seen.transfer_id), form, status)

    stale = visit.words.say("transfer.stale")
    return await answered(visit, form, act, again, fields=_fields(came, numbers), stale=stale)


async def close(visit: Visit) -> Response:
    """End a transfer: what has not come is missing. What the reader has not seen come is asked."""
    form, inventory = await visit.form("close"), visit.client.inventory
    transfer_id = (await inventory.transfer(visit.path("transfer_id"))).transfer_id
    async with visit.turns.one_of(transfer_id):
        seen = await inventory.transfer(transfer_id)
        if seen.state is TransferState.IN_TRANSIT and form.text("seen") != stamp(seen):
            form.errors[""] = visit.words.say("transfer.stale")
            return await _shown(visit, seen, form, 409)
        await inventory.close_transfer(transfer_id)
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
