"""Units on their way: they leave one level, and come to another one or are lost."""

from holdfast.inventory.domain.errors import LocationInactive
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Cause, MovementKind, ReasonCode
from holdfast.inventory.domain.stock.refusals import refuse_taken, refuse_too_many
from holdfast.inventory.domain.stock.stock import StockBook


def send(book: StockBook, level: StockLevel, units: int, cause: Cause) -> None:
    """Let units leave for another location.

    :raises NotFree: fewer are free there.
    """
    refuse_taken(level, units, "leave")
    book.move(level.key, MovementKind.TRANSFER_OUT, cause, on_hand_delta=-units)


def take_in(book: StockBook, level: StockLevel, units: int, cause: Cause) -> None:
    """Put units on hand that came from another location.

    :raises LocationInactive: nothing comes there.
    :raises QuantityTooLarge: on hand would exceed ON_HAND_MAX.
    """
    if not level.active:
        raise LocationInactive(level.location_id, wanted="receive")
    refuse_too_many(level, level.on_hand + units)
    book.move(level.key, MovementKind.TRANSFER_IN, cause, on_hand_delta=units)


def lose(book: StockBook, level: StockLevel, units: int, cause: Cause) -> None:
    """Book units that should have come from another location: they come and are lost, so that the
    ledger of the level shows them.
    """
    book.move(level.key, MovementKind.TRANSFER_IN, cause, on_hand_delta=units)
    lost = cause._replace(reason_code=ReasonCode.LOST)
    book.move(level.key, MovementKind.TRANSFER_LOSS, lost, on_hand_delta=-units)
