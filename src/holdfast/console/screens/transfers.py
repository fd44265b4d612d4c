"""The list of transfers: its filters live in the URL, and it goes on where the last page ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.responses import Response

from holdfast.client import InvalidRequest, Transfer, TransferState
from holdfast.console.screens.looking import BEGINNING, Found, Place, look
from holdfast.console.visit import Visit

PAGE_TRANSFERS = 50
# With a filter that Inventory has none for, so many are looked at for one page.
LOOKED_MAX = 1_000
LOOKED_AT_ONCE = 200
STATES = tuple(one for one in TransferState if one is not TransferState.UNKNOWN)


@dataclass(slots=True)
class Filter:
    """What somebody looks for, as far as it could be understood.

    :param flaws: by field, what could not; the list is shown without it.
    """

    typed: dict[str, str]
    state: TransferState | None = None
    place: Place = BEGINNING
    flaws: dict[str, str] = field(default_factory=dict)

    def fits(self, one: Transfer) -> bool:
        products = {line.product_id for line in one.lines}
        return (
            self.typed["product"] in ("", *products)
            and self.typed["origin"] in ("", one.origin)
            and self.typed["target"] in ("", one.target)
        )

    @property
    def is_served(self) -> bool:
        """Whether Inventory itself has all filters that are asked for."""
        return not (self.typed["product"] or self.typed["origin"] or self.typed["target"])

    def query(self) -> dict[str, str]:
        """The filter as a URL says it, without the place in the list."""
        return {name: text for name, text in self.typed.items() if text}


async def transfers(visit: Visit) -> Response:
    """Show a page of transfers, newest first."""
    names = ("state", "product", "origin", "target")
    wanted = Filter({name: visit.asked(name) for name in names})
    wanted.state = next((one for one in STATES if one == wanted.typed["state"]), None)
    if wanted.typed["state"] and wanted.state is None:
        wanted.flaws["state"] = visit.words.say("filter.kind")
    wanted.place = Place(visit.asked("after"), visit.asked("past"))
    try:
        found = await _found(visit, wanted)
    except InvalidRequest:
        wanted.flaws["after"] = visit.words.say("filter.after")
        wanted.place = BEGINNING
        found = await _found(visit, wanted)
    return visit.show(
        "transfers.html",
        transfers=found.rows,
        rest=found.rest,
        looked=found.looked,
        wanted=wanted,
        states=STATES,
        now=visit.now,
    )


async def _found(visit: Visit, wanted: Filter) -> Found[Transfer]:
    size = PAGE_TRANSFERS if wanted.is_served else LOOKED_AT_ONCE

    async def page(token: str) -> tuple[Sequence[Transfer], str]:
        return await visit.client.inventory.transfer_page(token, state=wanted.state, page_size=size)

    async def keep(given: Sequence[Transfer]) -> Sequence[Transfer]:
        return [one for one in given if wanted.fits(one)]

    return await look(
        page,
        keep,
        name=lambda one: one.transfer_id,
        start=wanted.place,
        rows_max=PAGE_TRANSFERS,
        looked_max=LOOKED_MAX,
    )
