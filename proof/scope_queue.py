"""The queue in a small scope: units come and are lost, who waits is served, and what each may do.

Inventory serves a queue by itself, in transactions of its own; here each page is one row.
"""

from collections.abc import Iterator
from typing import Any

from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.reservations import reservation as inventory
from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.inventory.domain.stock.stock import StockBook
from proof.scope_steps import CAUSE, book_of, saved, told
from proof.scope_world import PRODUCT, Answer, Scope, World

MAIN = Location("main")


def stock_acts(world: World, scope: Scope) -> Iterator[World]:
    """What happens to the stock, and that the queue is served."""
    queue = world.queue
    if queue.received < scope.supply:
        yield _received(world)
    if queue.lost < scope.losses_max:
        yield from _lost(world)
    if queue.is_due:
        yield served(world)


def served(world: World) -> World:
    """The first of the queue who can be given something gets all that there is for it."""
    book = book_of(world)
    waiting = sorted(
        (one.since, number, one)
        for number, reservation in enumerate(world.reservations)
        if reservation
        for one in reservation.queued
    )
    for _, number, one in waiting:
        before = world.reservations[number]
        assert before is not None, "who waits has a reservation"
        after = inventory.serve(before, one, book, CAUSE)
        if after is not before:
            return _told(saved(world, book, number, after), number, after)
    again = PRODUCT in book.to_serve
    return world._replace(queue=world.queue._replace(is_due=again))


def _received(world: World) -> World:
    """A unit comes to `main`."""
    book = book_of(world)
    level = book.level(PRODUCT, MAIN)
    book.set_on_hand(level, level.on_hand + 1, CAUSE)
    return _changed(world, book, received=world.queue.received + 1)


def _lost(world: World) -> Iterator[World]:
    """A unit at `main` is not there; one that is free, or else one of any order that holds some."""
    lost = world.queue.lost + 1
    level = book_of(world).level(PRODUCT, MAIN)
    if level.on_hand == 0:
        return
    if level.available:
        book = book_of(world)
        level = book.level(PRODUCT, MAIN)
        book.set_on_hand(level, level.on_hand - 1, CAUSE)
        yield _changed(world, book, lost=lost)
        return
    for number, before in enumerate(world.reservations):
        if before and before.stock:
            book = book_of(world)
            level = book.level(PRODUCT, MAIN)
            after, _ = inventory.displace(before, level.key, 1, book, CAUSE)
            book.set_on_hand(level, level.on_hand - 1, CAUSE)
            changed = saved(world, book, number, after)
            changed = changed._replace(queue=changed.queue._replace(lost=lost))
            yield _told(changed, number, after)


def _changed(world: World, book: StockBook, **changes: Any) -> World:
    """The stock has changed, and no promise."""
    after = saved(world, book, 0, world.reservations[0])
    return after._replace(queue=after.queue._replace(**changes))


def _told(world: World, number: int, after: Reservation) -> World:
    return world.saying(Answer(number, told(after), is_asked=False))
