"""Create a transfer: units leave one location for another."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.inventory.application.locations.named import all_named
from holdfast.inventory.application.ports import Begin, Clock
from holdfast.inventory.application.transfers.booking import booked, cause_of
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import (
    LocationInactive,
    NotFree,
    ProductNotFound,
    TransferRequestReused,
    refuse_together,
)
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.domain.transfers.moving import send
from holdfast.inventory.domain.transfers.transfer import Transfer, TransferLine


@dataclass(frozen=True, slots=True)
class AskedTransfer:
    """Units to send, by product; `request_id` "": a repeat sends again.

    :param transfer_id: of the transfer, unless the request was recorded before.
    """

    transfer_id: str
    origin: str
    target: str
    units: Mapping[str, int]
    reference: str
    expected_at: datetime | None
    request_id: str
    caller: Caller


class CreateTransfer:
    """Let units leave the origin, all or none. A repeat returns the transfer as it is by then.

    :raises ProductNotFound, LocationNotFound, LocationSpelledOtherwise: it names what is not there.
    :raises LocationInactive: nothing comes to the target.
    :raises NotFree: fewer units of a product are free at the origin.
    :raises TransferRequestReused: the request id was used for other contents.
    """

    def __init__(self, begin: Begin, clock: Clock, new_id: Callable[[], str]) -> None:
        self._begin = begin
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, asked: AskedTransfer) -> Transfer:
        async with self._begin() as work:
            existing = await work.existing_products(asked.units)
            places = await work.locations({asked.origin, asked.target})
            book = StockBook(await work.lock_levels(existing), self._clock.now())
            wanted = self._made_of(asked, book.at)
            # Looked for under the locks: what a twin has sent is not missed, and not short of it.
            before = await work.requested_transfer(wanted.request_id)
            if before is not None:
                if not before.is_repeated_by(wanted):
                    raise TransferRequestReused(wanted.request_id, before.transfer_id)
                return before
            _refuse_unknown(asked.units, existing)
            origin, target = all_named((wanted.origin, wanted.target), places)
            if not target.active:
                raise LocationInactive(target.location_id, wanted="receive")
            _send(book, wanted, origin, cause_of(wanted, asked.caller))
            await work.add_transfer(wanted)
            await booked(work, book, asked.caller)
        return wanted

    def _made_of(self, asked: AskedTransfer, at: datetime) -> Transfer:
        return Transfer(
            transfer_id=asked.transfer_id,
            request_id=asked.request_id or self._new_id(),
            origin=asked.origin,
            target=asked.target,
            lines=tuple(TransferLine(*units) for units in sorted(asked.units.items())),
            reference=asked.reference,
            expected_at=asked.expected_at,
            created_at=at,
        )


def _refuse_unknown(product_ids: Collection[str], existing: Collection[str]) -> None:
    unknown = [one for one in sorted(product_ids) if one not in existing]
    if unknown:
        raise ProductNotFound(*unknown)


def _send(book: StockBook, wanted: Transfer, origin: Location, cause: Cause) -> None:
    """Let all of it leave, or name every product of which too few are free."""
    refused = []
    for line in wanted.lines:
        try:
            send(book, book.level(line.product_id, origin), line.sent, cause)
        except NotFree as error:
            refused.append(error)
    refuse_together(refused)
