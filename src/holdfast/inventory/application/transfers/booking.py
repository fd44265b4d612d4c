"""How transfers are written into the ledger, and told."""

from holdfast.inventory.application.ports import Work
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import level_changed
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.domain.transfers.transfer import Transfer


def cause_of(transfer: Transfer, caller: Caller) -> Cause:
    """Return why levels change: its movements are found by the transfer's id."""
    return Cause(caller, reason=transfer.reference, reference=transfer.transfer_id)


async def booked(work: Work, book: StockBook, caller: Caller) -> None:
    """Write the levels and movements, and tell every level that changed."""
    await work.save_book(book)
    told = [(level_changed(level), caller) for level in book.changed]
    await work.announce(told, book.at)
