"""Reservations as rows: what is held, missing and waited for and by which sourcing, as JSON."""

import json
from collections.abc import Sequence
from datetime import datetime

import orjson

from holdfast.chassis.database.seam import Row, instant
from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock.levels import HeldStock, QueuedUnits, Shortage
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
        _queued(row["queued"]) if row["queued"] else (),
        instant(row["placed_at"]),
    )


def queue_text(queued: Sequence[QueuedUnits]) -> str | None:
    rows = [(name, units, since.isoformat()) for name, units, since in queued]
    return json.dumps(rows) if rows else None


def _queued(text: str) -> tuple[QueuedUnits, ...]:
    return tuple(
        QueuedUnits(product_id, units, datetime.fromisoformat(since))
        for product_id, units, since in json.loads(text)
    )


def _sourcing(text: str | None) -> Sourcing:
    if text is None:
        return BY_PRIORITY
    strategy, location_ids, *wishes = json.loads(text)
    return Sourcing(Strategy(strategy), tuple(location_ids), *wishes)


def texts_of(reservation: Reservation) -> tuple[str, str, str | None]:
    """What is held, what was missing and by which sourcing, as JSON; what is usual is left out."""
    if reservation.sourcing is BY_PRIORITY:
        stock, sourcing = orjson.dumps([part[:4] for part in reservation.stock]).decode(), None
    else:
        stock, sourcing = json.dumps(reservation.stock), json.dumps(reservation.sourcing)
    if not reservation.missing:  # nearly always
        return stock, "[]", sourcing
    missing = [(short.product_id, short.wanted, short.available) for short in reservation.missing]
    return stock, json.dumps(missing), sourcing
