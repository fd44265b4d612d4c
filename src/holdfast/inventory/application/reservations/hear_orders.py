"""Hear orders: move each reservation to what its order wants now; a batch in one transaction."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from holdfast.inventory.application.ports import Begin, Clock, Work
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import InventoryEvent, answer
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.reservations.reservation import (
    NOTHING_BOOKED,
    Reservation,
    Wanted,
    changed,
    hear,
)
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook


class StockQuestion(NamedTuple):
    """An event of an order that tells what it wants of stock; `reason` is for the ledger."""

    event_id: str
    wanted: Wanted
    reason: str
    caller: Caller


class HearOrders:
    """Decide orders' questions as they arrived; each has its effect once, answers go to the outbox.

    A question is known by its order and revision: whoever asks it again, under whatever event id,
    gets the same answer again, and nothing changes. A revision below the newest decided is out of
    date and is not answered. An order that is over before it was heard of is remembered, so that
    nothing is reserved for it later.

    :raises Conflict, DatabaseUnavailable: nothing happened, or it is unknown; call again with the
        same questions.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, questions: Sequence[StockQuestion]) -> None:
        async with self._begin() as work:
            new_ids = await work.first_seen([question.event_id for question in questions])
            # An event that stands twice in one batch is taken once: the first time.
            fresh = {q.event_id: q for q in reversed(questions) if q.event_id in new_ids}
            if fresh:
                await self._decide(work, list(reversed(fresh.values())))

    async def _decide(self, work: Work, questions: Sequence[StockQuestion]) -> None:
        known = await work.reservations({question.wanted.order_id for question in questions})
        telling = {q.wanted.order_id for q in questions if q.wanted.shipped or q.wanted.received}
        booked = await work.booked_facts(telling) if telling else {}
        new: list[tuple[str, str]] = []
        levels = await work.lock_levels(_products_touched(questions, known))
        # The time is read under the locks: it never runs backwards along a product's movements.
        book = StockBook(levels, self._clock.now(), await _places(work, questions))
        now = dict(known)
        told: list[tuple[InventoryEvent, Caller]] = []
        for _, wanted, reason, caller in questions:
            before = now.get(wanted.order_id)
            cause = Cause(caller, reason=reason, order_id=wanted.order_id)
            done = booked.get(wanted.order_id, NOTHING_BOOKED)
            after = now[wanted.order_id] = hear(before, wanted, book, cause, done)
            if wanted.order_id in booked and after is not before:
                told_now = wanted.facts.difference(done)
                new += [(wanted.order_id, fact) for fact in sorted(told_now)]
                booked[wanted.order_id] |= told_now
            if wanted.revision == after.revision:
                told.append((answer(after, is_repeat=after is before), caller))
        await work.announce(told, book.at)
        await work.save_book(book)
        await work.book_facts(new)
        await work.save_reservations(changed(now, known), known, book.at)


def _products_touched(
    questions: Sequence[StockQuestion], known: Mapping[str, Reservation]
) -> set[str]:
    products: set[str] = set()
    for question in questions:
        wanted = question.wanted
        products.update(one.product_id for one in wanted.shipped)
        products.update(one.product_id for one in wanted.received)
        before = known.get(wanted.order_id)
        if before is None:
            products.update(wanted.products)
        elif wanted.revision > before.revision:
            products.update(wanted.products, (stock.product_id for stock in before.stock))
            products.update(one.product_id for one in before.queued)
    return products


async def _places(work: Work, questions: Sequence[StockQuestion]) -> Mapping[str, Location]:
    """Where units came back to, by id."""
    named = {one.location_id for question in questions for one in question.wanted.received}
    found = await work.locations(named) if named else {}
    return {location.location_id: location for location in found.values()}
