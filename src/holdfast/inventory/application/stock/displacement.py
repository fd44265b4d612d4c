"""Displacement: what is physically gone is gone, and the youngest promises of it wait for stock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.inventory.application.ports import Going, Work
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import ChangeCause, InventoryEvent, ReservationChanged
from holdfast.inventory.domain.reservations.reservation import Reservation, changed, displace
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook

Place = tuple[str, str]  # product, location


@dataclass(slots=True)
class Displacement:
    """The promises that may have to give way, locked before the levels, as everybody does.

    :param youngest: orders by place, the newest promise first.
    :param known: their reservations as they were locked.
    """

    going: Mapping[Place, Going | None]
    youngest: Mapping[Place, Sequence[str]]
    known: Mapping[str, Reservation]
    _now: dict[str, Reservation] = field(init=False)
    _book: StockBook = field(init=False)
    _untold: list[Reservation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._now = dict(self.known)

    async def begin(self, work: Work, book: StockBook) -> None:
        """Begin, with the levels locked.

        :raises Conflict: somebody was promised units there meanwhile.
        """
        self._book = book
        for place, going in self.going.items():
            await work.refuse_new_promises(*place, going, self.known)

    def make_room(self, level: StockLevel, units: int, why: Cause) -> None:
        """Take from the youngest promises what is missing for so many units to go. Where more would
        go than is not in quarantine, nothing gives way: it is refused anyway.
        """
        missing = units - level.untaken
        if missing > level.reserved:
            return
        for order_id in self.youngest[level.product_id, level.location_id]:
            if missing <= 0:
                return
            before = self._now[order_id]
            cause = why._replace(order_id=order_id)
            after, taken = displace(before, level.key, missing, self._book, cause)
            if taken:
                missing -= taken
                self._now[order_id] = after
                self._untold.append(after)

    def told(self, caller: Caller) -> list[tuple[InventoryEvent, Caller]]:
        """Return what is to be told since this was asked last."""
        untold, self._untold = self._untold, []
        return [(ReservationChanged(one, ChangeCause.DISPLACED), caller) for one in untold]

    async def save(self, work: Work) -> None:
        """Write the reservations that gave way."""
        gave_way = changed(self._now, self.known)
        await work.save_reservations(gave_way, self.known, self._book.at)


async def lock_promises(work: Work, going: Mapping[Place, Going | None]) -> Displacement | None:
    """Lock the promises that may have to give way; None: no change lets any."""
    if not going:
        return None
    youngest = {
        place: await work.youngest_promises(*place, units) for place, units in going.items()
    }
    known = await work.reservations({one for orders in youngest.values() for one in orders})
    return Displacement(going, youngest, known)
