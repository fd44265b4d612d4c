"""Reservations as rows: what is held, what was missing and by which sourcing, as JSON."""

import json

from holdfast.chassis.database.seam import Row
from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock.levels import HeldStock, Shortage
from holdfast.inventory.domain.stock.sourcing import (
    BY_PRIORITY,
    Sourcing,
    SourcingReason,
    Strategy,
)

BY_RANK = SourcingReason.PRIORITY  # what is not said of units that are held


def reservation_of(row: Row) -> Reservation:
    return Reservation(
        row["order_id"],
        row["version"],
        row["revision"],
        ReservationState(row["state"]),
        tuple(
            HeldStock(product, at, lot, units, SourcingReason(why[0]) if why else BY_RANK)
            for product, at, lot, units, *why in json.loads(row["stock"])
        ),
        tuple(Shortage(*short) for short in json.loads(row["missing"])),
        _sourcing(row["sourcing"]),
    )


def _sourcing(text: str | None) -> Sourcing:
    if text is None:
        return BY_PRIORITY
    strategy, location_ids, may_split = json.loads(text)
    return Sourcing(Strategy(strategy), tuple(location_ids), may_split)


def texts_of(reservation: Reservation) -> tuple[str, str, str | None]:
    """What is held, what was missing and by which sourcing, as JSON; what is usual is left out."""
    if reservation.sourcing is BY_PRIORITY:
        stock, sourcing = json.dumps([part[:4] for part in reservation.stock]), None
    else:
        stock, sourcing = json.dumps(reservation.stock), json.dumps(reservation.sourcing)
    if not reservation.missing:  # nearly always
        return stock, "[]", sourcing
    missing = [(short.product_id, short.wanted, short.available) for short in reservation.missing]
    return stock, json.dumps(missing), sourcing
