"""Where stock is kept: listed, made, changed, and taken out of use."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from starlette.responses import Response

from holdfast.client import Location, LocationAddress, LocationKind
from holdfast.console.doing import Flawed, answered
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
    location_id, wanted = form.needed("location_id"), _read(form)

    async def act() -> Response:
        if form.errors:
            raise Flawed
        await visit.client.inventory.create_location(
            location_id,
            name=wanted.name,
            kind=wanted.kind,
            priority=wanted.priority,
            active=wanted.active,
            address=wanted.address if wanted.address != LocationAddress() else None,
        )
        return to("/locations", said="location_made")

    async def again(status: int) -> Response:
        return _shown(visit, None, form, status)

    return await answered(
        visit, form, act, again, fields=_FIELDS, prefix="location.", refused_at="location_id"
    )


async def details(visit: Visit) -> Response:
    """Show the form with what is known of a location."""
    found = await _one(visit, visit.asked("id"))
    if found is None:
        return _nowhere(visit)
    return _shown(visit, found, Form(visit.words))


async def change(visit: Visit) -> Response:
    """Change what is known of a location, if nobody else has since its reader saw it."""
    form = await visit.form("location")
    location_id, wanted = form.text("location_id"), _read(form)
    version = form.whole("version", lowest=1)
    changed = to("/locations", said="location_changed")

    async def act() -> Response:
        if form.errors:
            raise Flawed
        await visit.client.inventory.update_location(
            location_id,
            version=version,
            name=wanted.name,
            kind=wanted.kind,
            priority=wanted.priority,
            active=wanted.active,
            address=wanted.address,
        )
        return changed

    async def again(status: int) -> Response:
        found = await _one(visit, location_id)
        return _nowhere(visit) if found is None else _shown(visit, found, form, status)

    async def done() -> Response | None:
        found = await _one(visit, location_id)
        return changed if found is not None and wanted.are_of(found) else None

    stale = visit.words.say("location.stale")
    return await answered(
        visit,
        form,
        act,
        again,
        fields=_FIELDS,
        prefix="location.",
        stale=stale,
        done=done,
        remembers=False,
    )


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
