"""Goods that have left and goods that came back: facts, which are booked and never refused."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.stock.facts import Disposition, ReceivedUnits, ShippedUnits
from holdfast.inventory.domain.stock.levels import NO_LOT, HeldStock, LevelKey
from holdfast.inventory.domain.stock.movements import Cause, MovementKind, ReasonCode
from holdfast.inventory.domain.stock.parts import without
from holdfast.inventory.domain.stock.stock import StockBook

Fact = TypeVar("Fact", ShippedUnits, ReceivedUnits)


def ship(
    book: StockBook, held: Sequence[HeldStock], shipped: Sequence[ShippedUnits], cause: Cause
) -> tuple[HeldStock, ...]:
    """Book what has left for an order, whatever is held for it: a parcel can't be refused.

    Units go out of what the order holds there. What it does not hold there is taken from units that
    are free there, and it gives up as many that it holds elsewhere. What is not there at all the
    book was wrong about, and is found first. What others are promised is never touched.

    :returns: what is still held, sorted.
    """
    left = {part.key: part for part in held}
    for one in _of_known_products(book, shipped):
        by = cause._replace(reference=one.shipment_id)
        key = one.product_id, one.location_id, NO_LOT
        if book.there(key) is None:  # never from where the order holds any
            key = one.product_id, MAIN_LOCATION, NO_LOT
        own = min(left[key].quantity if key in left else 0, one.quantity)
        if own:
            without(left, key, own)
            book.move(key, MovementKind.SHIPMENT, by, on_hand_delta=-own, reserved_delta=-own)
        if other := one.quantity - own:
            _ship_unheld(book, left, key, other, by)
    return tuple(sorted(left.values()))


def _of_known_products(book: StockBook, told: Iterable[Fact]) -> list[Fact]:
    """Without what is of a product that was never here: a restored backup may not have it, and
    there is nothing to book it to. Every other one has its gate.
    """
    return [one for one in told if book.knows(one.product_id)]


def _ship_unheld(
    book: StockBook, left: dict[LevelKey, HeldStock], key: LevelKey, units: int, cause: Cause
) -> None:
    """Book units that left from where the order holds none of them any more."""
    to_give_up = units
    for there in sorted(one for one in left if one[0] == key[0]):
        given_up = min(left[there].quantity, to_give_up)
        if given_up:
            without(left, there, given_up)
            book.move(there, MovementKind.RELEASE, cause, reserved_delta=-given_up)
            to_give_up -= given_up
    level = book.there(key)
    assert level is not None, "every product has its gate"
    missing = units - level.untaken
    if missing > 0:
        found = cause._replace(reason="the book was wrong", reason_code=ReasonCode.CORRECTION)
        book.move(key, MovementKind.ADJUSTMENT, found, on_hand_delta=missing)
    book.move(key, MovementKind.SHIPMENT, cause, on_hand_delta=-units)


def receive(book: StockBook, received: Sequence[ReceivedUnits], cause: Cause) -> None:
    """Book what has come back for an order, wherever it is: it can't be refused."""
    for one in _of_known_products(book, received):
        by = cause._replace(reference=one.receipt_id)
        key = one.product_id, one.location_id, NO_LOT
        if book.there(key) is None:
            here = book.places.get(one.location_id, Location(MAIN_LOCATION))
            key = book.level(one.product_id, here).key
        aside = one.quantity if one.disposition is Disposition.QUARANTINE else 0
        book.move(
            key,
            MovementKind.RETURN,
            by,
            on_hand_delta=one.quantity,
            quarantined_delta=aside,
        )
        if one.disposition is Disposition.WRITE_OFF:
            book.move(key, MovementKind.WRITE_OFF, by, on_hand_delta=-one.quantity)
