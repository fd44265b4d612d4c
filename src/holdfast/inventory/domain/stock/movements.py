"""Movements: the immutable records of changes of levels, and what each kind may change."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.caller import Caller


class MovementKind(StrEnum):
    """Why a level changed."""

    RECEIPT = "RECEIPT"  # goods came in
    ADJUSTMENT = "ADJUSTMENT"  # goods went without an order
    RESERVATION = "RESERVATION"  # promised to an order
    RELEASE = "RELEASE"  # a promise taken back
    SHIPMENT = "SHIPMENT"  # left the house for an order
    RETURN = "RETURN"  # came back
    WRITE_OFF = "WRITE_OFF"  # came back or was in quarantine, and is gone
    QUARANTINE = "QUARANTINE"  # on hand, and out of sale
    UNQUARANTINE = "UNQUARANTINE"  # back on sale
    TRANSFER_OUT = "TRANSFER_OUT"  # left for another location
    TRANSFER_IN = "TRANSFER_IN"  # came from another location, or should have
    TRANSFER_LOSS = "TRANSFER_LOSS"  # should have come, and has not


class ReasonCode(StrEnum):
    """Why units came or went, as one of few; the proto says what each means."""

    NONE = ""
    RECEIVED = "RECEIVED"
    DAMAGED = "DAMAGED"
    LOST = "LOST"
    FOUND = "FOUND"
    THEFT = "THEFT"
    CORRECTION = "CORRECTION"
    SAMPLE = "SAMPLE"
    EXPIRED = "EXPIRED"
    RECALLED = "RECALLED"
    OWN_USE = "OWN_USE"
    OTHER = "OTHER"


# What a kind may do to (on hand, reserved, quarantined): the signs of its deltas.
_SHAPES: dict[MovementKind, frozenset[tuple[int, int, int]]] = {
    MovementKind.RECEIPT: frozenset({(1, 0, 0)}),
    MovementKind.ADJUSTMENT: frozenset({(-1, 0, 0), (1, 0, 0)}),
    MovementKind.RESERVATION: frozenset({(0, 1, 0)}),
    MovementKind.RELEASE: frozenset({(0, -1, 0)}),
    MovementKind.SHIPMENT: frozenset({(-1, -1, 0), (-1, 0, 0)}),
    MovementKind.RETURN: frozenset({(1, 0, 0), (1, 0, 1)}),
    MovementKind.WRITE_OFF: frozenset({(-1, 0, 0), (-1, 0, -1)}),
    MovementKind.QUARANTINE: frozenset({(0, 0, 1)}),
    MovementKind.UNQUARANTINE: frozenset({(0, 0, -1)}),
    MovementKind.TRANSFER_OUT: frozenset({(-1, 0, 0)}),
    MovementKind.TRANSFER_IN: frozenset({(1, 0, 0)}),
    MovementKind.TRANSFER_LOSS: frozenset({(-1, 0, 0)}),
}

assert _SHAPES.keys() == set(MovementKind), "every kind states its shape"


class Movement(NamedTuple):
    """The immutable record of one change of one level."""

    product_id: str
    location_id: str
    lot_id: str
    kind: MovementKind
    on_hand_delta: int
    reserved_delta: int
    on_hand_after: int
    reserved_after: int
    order_id: str | None
    reason: str
    reference: str
    actor: str
    at: datetime
    reason_code: ReasonCode = ReasonCode.NONE
    quarantined_delta: int = 0
    quarantined_after: int = 0
    credential_id: str = ""


class Cause(NamedTuple):
    """Why a level changes, for the ledger."""

    caller: Caller
    reason: str = ""
    reference: str = ""
    order_id: str | None = None
    reason_code: ReasonCode = ReasonCode.NONE


def refuse_shape(kind: MovementKind, on_hand: int, reserved: int, quarantined: int) -> None:
    """Stop what would make a movement of another shape than its kind's: it is our bug."""
    shape = (
        (on_hand > 0) - (on_hand < 0),
        (reserved > 0) - (reserved < 0),
        (quarantined > 0) - (quarantined < 0),
    )
    assert shape in _SHAPES[kind], "each kind of movement has its own shape"
