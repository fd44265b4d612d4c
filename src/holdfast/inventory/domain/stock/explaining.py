"""Why a level is what it is: movements added up by kind, and by the orders that hold units."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import MovementKind


class Step(NamedTuple):
    """A movement of a level, in short."""

    movement_id: int
    kind: MovementKind
    on_hand_delta: int
    reserved_delta: int
    quarantined_delta: int
    order_id: str | None
    at: datetime


class KindSum(NamedTuple):
    """All movements of one kind."""

    kind: MovementKind
    movements: int
    on_hand: int
    reserved: int
    quarantined: int


class Numbers(NamedTuple):
    """What there is at a level."""

    on_hand: int
    reserved: int
    quarantined: int


NOTHING = Numbers(0, 0, 0)


class Hold(NamedTuple):
    """Units of a level that an order holds; `at`: when that last changed."""

    order_id: str
    quantity: int
    at: datetime


class Incoming(NamedTuple):
    """Units that a transfer brings to a location."""

    transfer_id: str
    origin: str
    quantity: int
    created_at: datetime
    expected_at: datetime | None


class Coming(NamedTuple):
    """What is on its way to a location.

    :param active: whether the location is.
    :param units, transfers: of all transfers, also beyond the first ones.
    :param first: the oldest transfers.
    """

    active: bool
    units: int
    transfers: int
    first: Sequence[Incoming]


NOTHING_COMING = Coming(active=True, units=0, transfers=0, first=())


def sums_of(steps: Iterable[Step]) -> tuple[KindSum, ...]:
    """Add movements up by kind, in the order of the kinds."""
    sums = dict.fromkeys(MovementKind, (0, 0, 0, 0))
    for step in steps:
        count, on_hand, reserved, quarantined = sums[step.kind]
        sums[step.kind] = (
            count + 1,
            on_hand + step.on_hand_delta,
            reserved + step.reserved_delta,
            quarantined + step.quarantined_delta,
        )
    return tuple(KindSum(kind, *numbers) for kind, numbers in sums.items() if numbers[0])


def before(level: StockLevel, sums: Iterable[KindSum]) -> Numbers:
    """What there was at a level before the movements that are added up."""
    on_hand, reserved, quarantined = level.on_hand, level.reserved, level.quarantined
    for one in sums:
        on_hand -= one.on_hand
        reserved -= one.reserved
        quarantined -= one.quarantined
    return Numbers(on_hand, reserved, quarantined)


def holders_in(steps: Iterable[Step]) -> list[str]:
    """The orders whose holds changed, by their newest change."""
    changed = (step.order_id for step in steps if step.reserved_delta and step.order_id)
    return list(dict.fromkeys(changed))


def holds_of(steps: Sequence[Step], earlier: Mapping[str, int]) -> list[Hold]:
    """What orders hold after these movements, at least, newest first.

    :param steps: newest first.
    :param earlier: what orders held before them, as far as it is known.
    """
    units = dict(earlier)
    changed: dict[str, datetime] = {}
    for step in steps:
        if step.reserved_delta and step.order_id:
            units[step.order_id] = units.get(step.order_id, 0) + step.reserved_delta
            changed.setdefault(step.order_id, step.at)
    return [Hold(order, units[order], at) for order, at in changed.items() if units[order] > 0]
