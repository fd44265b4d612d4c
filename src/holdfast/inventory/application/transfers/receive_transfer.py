"""Receive units of a transfer."""

from collections.abc import Callable, Mapping
from dataclasses import fields

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import Begin, Clock
from holdfast.inventory.application.transfers.booking import booked, cause_of
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import TransferNotFound, TransferRequestReused
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.domain.transfers.moving import take_in
from holdfast.inventory.domain.transfers.transfer import Receipt, Transfer


class ReceivedBefore(Transfer):
    """A transfer of which an earlier request received what was asked."""

    __slots__ = ()


class ReceiveTransfer:
    """Put units that came on hand at the target. A repeat returns the transfer as it is by then
    (ReceivedBefore).

    :param units: by product; none: all that is still to come.
    :param request_id: "": a repeat receives again.
    :raises TransferNotFound: there is none of this id.
    :raises TransferClosed, NothingToReceive, OverReceipt: it has no such units in transit.
    :raises LocationInactive: nothing comes to the target.
    :raises QuantityTooLarge: a level would hold too many.
    :raises TransferRequestReused: the request id was used for other contents.
    """

    def __init__(self, begin: Begin, clock: Clock, new_id: Callable[[], str]) -> None:
        self._begin = begin
        self._clock = clock
        self._new_id = new_id

    async def __call__(
        self, transfer_id: str, units: Mapping[str, int], request_id: str, caller: Caller
    ) -> Transfer:
        async with self._begin() as work:
            before = await work.lock_transfer(transfer_id)
            if before is None:
                raise TransferNotFound(transfer_id)
            known = await work.receipt(transfer_id, request_id)
            if known is not None:
                if known.is_rest != (not units) or (units and known.units != units):
                    raise TransferRequestReused(request_id, transfer_id)
                return _received_before(before)
            name = request_id or self._new_id()
            receipt = Receipt(name, units or before.coming, is_rest=not units)
            after = before.received(receipt.units)
            target = named(after.target, await work.locations({after.target}))
            book = StockBook(await work.lock_levels(receipt.units), self._clock.now())
            for product_id, quantity in sorted(receipt.units.items()):
                level = book.level(product_id, target)
                take_in(book, level, quantity, cause_of(after, caller))
            await work.save_transfer(after)
            await work.add_receipt(transfer_id, receipt, book.at)
            await booked(work, book, caller)
        return after


def _received_before(transfer: Transfer) -> ReceivedBefore:
    return ReceivedBefore(**{one.name: getattr(transfer, one.name) for one in fields(transfer)})
