"""Serve back-orders: what became free goes to those who wait for it, the first of them first."""

from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.inventory.application.ports import (
    Begin,
    Clock,
    QueuePlace,
    QueueRow,
    StockReader,
    ToServe,
)
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import ChangeCause, InventoryEvent, ReservationChanged
from holdfast.inventory.domain.reservations.reservation import Reservation, changed, serve
from holdfast.inventory.domain.stock.levels import QueuedUnits
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook

ROWS_MAX = 1_000  # of a queue, in one transaction
GROWTH = 10  # times as many rows are looked at after a page of which units were left
INVENTORY = Caller("inventory")


class Page(NamedTuple):
    """Where to go on in a queue, and how many of its rows to look at."""

    after: QueuePlace | None
    rows: int


class ServeBackorders:
    """Promise what is free to the queue of one product, in the queue's order, unit by unit.

    Nobody overtakes: whoever is promised units has nobody before them who could have had them, also
    not who asked before and was heard between two pages. Who can't be served from where units are
    free is passed over, page by page, of which each is larger than the one before. It happens in
    transactions of its own, of a bounded size: bringing stock costs the same however long the queue
    is, and what is free meanwhile is promised to nobody else (see `StockBook.queues`).

    :raises Conflict, DatabaseUnavailable: what was promised until then stays; call again.
    """

    def __init__(self, begin: Begin, reader: StockReader, clock: Clock) -> None:
        self._begin = begin
        self._reader = reader
        self._clock = clock

    async def __call__(self) -> int:
        """Return how many queues were served; call again until 0."""
        due = await self._reader.to_serve()
        if due is None:
            return 0
        page: Page | None = Page(None, _bounded(due.free))
        while page is not None:
            page = await self._serve(due, page)
        return 1

    async def _serve(self, due: ToServe, page: Page) -> Page | None:
        """Serve a page of the queue; return the next one, None: there is no more to do."""
        product_id, limit = due.product_id, page.rows
        async with self._begin() as work:
            ahead = await work.queue(product_id, after=page.after, limit=limit)
            known = await work.reservations({row.order_id for row in ahead})
            book = StockBook(await work.lock_levels([product_id]), self._clock.now())
            if page.after and await work.ticket(product_id) != due.ticket:
                return None  # somebody may have come before this page: the head is due again
            # Again, behind the gate: only now it stays as it is. Who came in between has no lock
            # yet, and is of the next page.
            rows = await work.queue(product_id, after=page.after, limit=limit)
            served = _Served(book, dict(known))
            looked = 0
            for row in rows:
                if row.order_id not in known or not book.free(product_id):
                    break
                served.promise(product_id, row)
                looked += 1
            free, ends = book.free(product_id), looked == len(rows) < limit
            if not free or ends:
                await work.served(product_id, due.ticket)
            await work.announce(served.told, book.at)
            await work.save_book(book)
            await work.save_reservations(changed(served.now, known), known, book.at)
        if not free or ends:
            return None
        after = rows[looked - 1].place if looked else page.after
        return Page(after, _bounded(max(free, GROWTH * limit)))


def _bounded(rows: int) -> int:
    return min(max(rows, 1), ROWS_MAX)


@dataclass(slots=True)
class _Served:
    """What became of the reservations of one page."""

    book: StockBook
    now: dict[str, Reservation]
    told: list[tuple[InventoryEvent, Caller]] = field(default_factory=list)

    def promise(self, product_id: str, row: QueueRow) -> None:
        """Promise what is free to a row of the queue."""
        before = self.now[row.order_id]
        waiting = QueuedUnits(product_id, row.quantity, row.since)
        cause = Cause(INVENTORY, reason="back-order", order_id=row.order_id)
        after = self.now[row.order_id] = serve(before, waiting, self.book, cause)
        if after is not before:
            self.told.append((ReservationChanged(after, ChangeCause.ALLOCATED), INVENTORY))
