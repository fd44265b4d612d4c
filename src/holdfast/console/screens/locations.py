"""Where stock is kept: listed, made, changed, and taken out of use."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from starlette.responses import Response

from holdfast.client import (
    InvalidRequest,
    Location,
    LocationAddress,
    LocationKind,
    Refused,
    StaleVersion,
)
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

KINDS = tuple(one for one in LocationKind if one is not LocationKind.UNKNOWN)
PARTS = tuple(part.name for part in fields(LocationAddress))
PRIORITY = 100  # what a new one has unless it says otherwise
_FIELDS: Mapping[str, str] = {f"location.address.{part}": part for part in PARTS}


@dataclass(frozen=True, slots=True)
class Details:
    """What a form says of a location."""

    name: str
    kind: LocationKind
    priority: int
    active: bool
    address: LocationAddress

    def are_of(self, location: Location) -> bool:
        return self == Details(
            location.name,
            location.kind,
            location.priority,
            location.active,
            location.address or LocationAddress(),
        )


async def locations(visit: Visit) -> Response:
    """Show all locations, in the order in which stock is taken from them."""
    return visit.show("locations.html", locations=await _all(visit))


async def new(visit: Visit) -> Response:
    """Show the form for a new location."""
    return _shown(visit, None, Form(visit.words))


async def create(visit: Visit) -> Response:
    """Make a location: what was sent twice makes one."""
    form = await visit.form("location")
    location_id, wanted, status = form.needed("location_id"), _read(form), 400
    if not form.errors:
        try:
            await visit.client.inventory.create_location(
                location_id,
                name=wanted.name,
                kind=wanted.kind,
                priority=wanted.priority,
                active=wanted.active,
                address=wanted.address if wanted.address != LocationAddress() else None,
            )
        except InvalidRequest as error:
            form.refuse(error, _FIELDS, "location.")
        except Refused as error:
            form.errors["location_id"], status = error.message, 409
    if form.errors:
        return _shown(visit, None, form, status)
    return to("/locations", said="location_made")


async def details(visit: Visit) -> Response:
    """Show the form with what is known of a location."""
    found = await _one(visit, visit.asked("id"))
    if found is None:
        return _nowhere(visit)
    return _shown(visit, found, Form(visit.words))


async def change(visit: Visit) -> Response:
    """Change what is known of a location, if nobody else has since its reader saw it."""
    form = await visit.form("location")
    location_id, wanted, status = form.text("location_id"), _read(form), 400
    version = form.whole("version", lowest=1)
    if not form.errors:
        try:
            await visit.client.inventory.update_location(
                location_id,
                version=version,
                name=wanted.name,
                kind=wanted.kind,
                priority=wanted.priority,
                active=wanted.active,
                address=wanted.address,
            )
        except InvalidRequest as error:
            form.refuse(error, _FIELDS, "location.")
        except StaleVersion:
            form.errors[""], status = visit.words.say("location.stale"), 409
    if not form.errors:
        return to("/locations", said="location_changed")
    found = await _one(visit, location_id)
    if found is None:
        return _nowhere(visit)
    if status == 409 and wanted.are_of(found):
        return to("/locations", said="location_changed")
    return _shown(visit, found, form, status)


def _read(form: Form) -> Details:
    """What a form says, as far as it could be understood."""
    form.needed("priority")
    return Details(
        name=form.text("name"),
        kind=next((one for one in KINDS if one == form.text("kind")), LocationKind.WAREHOUSE),
        priority=form.whole("priority"),
        active=bool(form.text("active")),
        address=LocationAddress(**{part: form.text(part) for part in PARTS}),
    )


async def _all(visit: Visit) -> list[Location]:
    """At most 1,000, which is as many as there can be."""
    return [one async for one in visit.client.inventory.list_locations()]


async def _one(visit: Visit, location_id: str) -> Location | None:
    return next((one for one in await _all(visit) if one.location_id == location_id), None)


def _nowhere(visit: Visit) -> Response:
    return visit.show("error.html", 404, detail=visit.words.say("location.nowhere"), again="")


def _shown(visit: Visit, location: Location | None, form: Form, status: int = 200) -> Response:
    """Show the form.

    :param location: as it is; None: it is a new one.
    """
    there = {"priority": str(PRIORITY), "active": "yes"}
    if location is not None:
        address = location.address or LocationAddress()
        there = {
            "name": location.name,
            "kind": location.kind,
            "priority": str(location.priority),
            "active": "yes" if location.active else "",
        } | {part: getattr(address, part) for part in PARTS}
    return visit.show(
        "location.html",
        status,
        location=location,
        form=form,
        there=there,
        theirs=form.others(there) if status == 409 and location is not None else {},
        kinds=KINDS,
    )
