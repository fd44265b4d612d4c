"""Why a level is what it is, as callers read it."""

from dataclasses import dataclass
from datetime import datetime

from holdfast.client._stock_types import BackorderedUnits, Movement, MovementKind, StockLevel


@dataclass(frozen=True, slots=True)
class MovementSum:
    """All movements of one kind: how many, and what they changed together, in units."""

    kind: MovementKind
    movements: int
    on_hand: int
    reserved: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class OpenHold:
    """Units of a level that an order holds; `change_time`: when they last changed."""

    order_id: str
    quantity: int
    change_time: datetime


@dataclass(frozen=True, slots=True)
class IncomingStock:
    """Units of a product that a transfer brings.

    :param quantity: units that are still to come, 1 or more.
    :param create_time: when they left, in UTC.
    :param expected_time: when they are expected; None: not said.
    """

    transfer_id: str
    origin: str
    quantity: int
    create_time: datetime
    expected_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class EarlierStock:
    """What a level had before the movements that are added up."""

    on_hand: int
    reserved: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class ExplainedLevel:
    """A level, and what makes its numbers: each is that of `earlier` and of all sums together.

    :param level: of a moment in the past its version is 0 where it is not known, and `available`
        goes by whether the location is active now.
    :param sums: by kind; kinds without a movement are left out.
    :param summed_from: when the oldest movement in the sums happened; None: all are in them.
    :param earlier: before the sums; all 0 if they have all movements.
    :param holds: who holds what is reserved, newest first, at most 100.
    :param hold_orders: how many orders hold units, also beyond these.
    :param hold_units: units that they hold. Only where there were more than 1,000 movements it may
        be less than `reserved`: older holds are not known.
    :param movements: the last ones, newest first, at most 20.
    :param incoming: what is on its way there, the oldest transfer first, at most 20; none of a
        moment in the past.
    :param incoming_transfers: how many transfers bring units, also beyond these.
    """

    level: StockLevel
    sums: tuple[MovementSum, ...]
    summed_from: datetime | None
    earlier: EarlierStock
    holds: tuple[OpenHold, ...]
    hold_orders: int
    hold_units: int
    movements: tuple[Movement, ...]
    incoming: tuple[IncomingStock, ...] = ()
    incoming_transfers: int = 0


@dataclass(frozen=True, slots=True)
class StockExplanation:
    """Why the levels of a product are what they are, and what may be promised of it.

    What was waited for and on its way at a moment in the past is not kept.

    :param as_of: the moment that was asked for; None: now.
    :param levels: by location id.
    :param available: units free to promise, less what orders wait for; None of a past moment.
    :param queued: units that orders wait for; None of a past moment.
    :param backorders: who waits, in the order in which they are served, at most 20.
    :param backorder_rows: how many rows the queue has, also beyond these.
    """

    product_id: str
    as_of: datetime | None
    levels: tuple[ExplainedLevel, ...]
    available: int | None = None
    queued: int | None = None
    backorders: tuple[BackorderedUnits, ...] = ()
    backorder_rows: int = 0
