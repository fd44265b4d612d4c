"""What came, went and was promised, newest first: the movements that make a number."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.responses import Response

from holdfast.client import InvalidRequest, Movement, MovementKind
from holdfast.console.forms import moment
from holdfast.console.screens.looking import BEGINNING, Found, Place, look
from holdfast.console.visit import Visit

PAGE_MOVEMENTS = 50
# With a filter that Inventory has none for, so many are looked at for one page.
LOOKED_MAX = 2_000
LOOKED_AT_ONCE = 500
KINDS = tuple(one for one in MovementKind if one is not MovementKind.UNKNOWN)
NUMBERS = ("on_hand", "reserved", "quarantined")
_SERVED = {"id": "product_id", "location": "location_id", "order": "order_id"}


@dataclass(slots=True)
class Filter:
    """What somebody looks for, as far as it could be understood.

    :param number: only what changed this number; "": any.
    :param flaws: by field, what could not; the list is shown without it.
    """

    typed: dict[str, str]
    kind: MovementKind | None = None
    number: str = ""
    before: datetime | None = None
    place: Place = BEGINNING
    flaws: dict[str, str] = field(default_factory=dict)

    def fits(self, one: Movement) -> bool:
        deltas = (one.on_hand_delta, one.reserved_delta, one.quarantined_delta)
        return (
            self.kind in (None, one.kind)
            and self.typed["reference"] in ("", one.reference)
            and (not self.number or dict(zip(NUMBERS, deltas, strict=True))[self.number] != 0)
        )

    @property
    def is_served(self) -> bool:
        """Whether Inventory itself has all filters that are asked for."""
        return not (self.kind or self.number or self.typed["reference"])

    def query(self) -> dict[str, str]:
        """The filter as a URL says it, without the place in the list."""
        return {name: text for name, text in self.typed.items() if text}


async def movements(visit: Visit) -> Response:
    """Show a page of movements."""
    wanted = _read(visit)
    try:
        found = await _found(visit, wanted)
    except InvalidRequest as refused:
        _leave_out(visit, wanted, refused)
        found = await _found(visit, wanted)
    return visit.show(
        "movements.html",
        movements=found.rows,
        rest=found.rest,
        looked=found.looked,
        wanted=wanted,
        kinds=KINDS,
        numbers=NUMBERS,
    )


def _read(visit: Visit) -> Filter:
    names = ("id", "location", "order", "kind", "of", "reference", "before")
    found = Filter({name: visit.asked(name) for name in names})
    typed = found.typed
    found.kind = next((one for one in KINDS if one == typed["kind"]), None)
    if typed["kind"] and found.kind is None:
        found.flaws["kind"] = visit.words.say("filter.kind")
    if typed["of"] in ("", *NUMBERS):
        found.number = typed["of"]
    else:
        found.flaws["of"] = visit.words.say("filter.kind")
    if typed["before"]:
        try:
            found.before = moment(typed["before"])
        except ValueError:
            found.flaws["before"] = visit.words.say("filter.time")
    found.place = Place(visit.asked("after"), visit.asked("past"))
    return found


def _leave_out(visit: Visit, wanted: Filter, refused: InvalidRequest) -> None:
    """Take out of a filter what the service can't understand."""
    names = {served: name for name, served in _SERVED.items()} | {"created_before": "before"}
    for violation in refused.violations:
        name = names.get(violation.field, "after")
        after = visit.words.say("filter.after")
        wanted.flaws[name] = after if name == "after" else violation.description
    if "before" in wanted.flaws:
        wanted.before = None
    wanted.place = BEGINNING


async def _found(visit: Visit, wanted: Filter) -> Found[Movement]:
    size = PAGE_MOVEMENTS if wanted.is_served else LOOKED_AT_ONCE
    served: dict[str, Any] = {
        served: wanted.typed[name] for name, served in _SERVED.items() if name not in wanted.flaws
    }

    async def page(token: str) -> tuple[Sequence[Movement], str]:
        return await visit.client.inventory.movement_page(
            token, created_before=wanted.before, page_size=size, **served
        )

    async def keep(given: Sequence[Movement]) -> Sequence[Movement]:
        return [one for one in given if wanted.fits(one)]

    return await look(
        page,
        keep,
        name=lambda one: str(one.movement_id),
        start=wanted.place,
        rows_max=PAGE_MOVEMENTS,
        looked_max=LOOKED_MAX,
    )
