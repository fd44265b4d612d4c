"""What a level refuses: stale versions, units that are taken, and more than it may have."""

from holdfast.inventory.domain.errors import NotFree, QuantityTooLarge, StaleVersion
from holdfast.inventory.domain.stock.levels import StockLevel

ON_HAND_MAX = 1_000_000_000_000


def refuse_stale(level: StockLevel, expected_version: int | None) -> None:
    """Let pass a level of the version that the caller read; None: of any.

    :raises StaleVersion: it has another one.
    """
    if expected_version is not None and expected_version != level.version:
        name = f"{level.product_id} at {level.location_id}"
        raise StaleVersion("stock level", name, expected=expected_version, current=level.version)


def refuse_taken(level: StockLevel, units: int, wanted_to: str) -> None:
    """Let pass units that nobody was promised and that are not in quarantine.

    :raises NotFree: they are not.
    """
    if units > level.untaken:
        place = level.product_id, level.location_id
        raise NotFree(*place, wanted=units, free=level.untaken, wanted_to=wanted_to)


def refuse_too_many(level: StockLevel, on_hand: int) -> None:
    """Let pass what a level may have.

    :raises QuantityTooLarge: it exceeds ON_HAND_MAX.
    """
    if on_hand > ON_HAND_MAX:
        place = level.product_id, level.location_id
        raise QuantityTooLarge(*place, wanted=on_hand, allowed=ON_HAND_MAX)
