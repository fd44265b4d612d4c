"""Close a transfer: what has not come is missing."""

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import Begin, Clock
from holdfast.inventory.application.transfers.booking import booked, cause_of
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import TransferNotFound
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.domain.transfers.moving import lose
from holdfast.inventory.domain.transfers.transfer import Transfer


class CloseTransfer:
    """End a transfer. A repeat changes nothing.

    :raises TransferNotFound: there is none of this id.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, transfer_id: str, caller: Caller) -> Transfer:
        async with self._begin() as work:
            before = await work.lock_transfer(transfer_id)
            if before is None:
                raise TransferNotFound(transfer_id)
            if before.closed_at:
                return before
            target = named(before.target, await work.locations({before.target}))
            book = StockBook(await work.lock_levels(before.coming), self._clock.now())
            for product_id, quantity in sorted(before.coming.items()):
                lose(book, book.level(product_id, target), quantity, cause_of(before, caller))
            after = before.closed(book.at)
            await work.save_transfer(after)
            await booked(work, book, caller)
        return after
