"""Units on their way from one location to another."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TransferState(StrEnum):
    """Where a transfer stands."""

    IN_TRANSIT = "IN_TRANSIT"  # units may come, also when all have
    CLOSED = "CLOSED"  # nothing more comes
    UNKNOWN = "UNKNOWN"  # a state that this version of the client does not know


@dataclass(frozen=True, slots=True)
class TransferLine:
    """Units of one product in a transfer.

    :param sent: left the origin.
    :param received: have come to the target.
    :param missing: had not come when the transfer was closed; 0 before.
    """

    product_id: str
    sent: int
    received: int
    missing: int

    @property
    def in_transit(self) -> int:
        """Units that are still to come."""
        return self.sent - self.received - self.missing


@dataclass(frozen=True, slots=True)
class Transfer:
    """Units on their way from one location to another. Times are UTC.

    :param lines: by product id, each product once.
    :param reference: your own document.
    :param close_time: None: more may come.
    :param expected_time: None: not said.
    """

    transfer_id: str
    origin: str
    target: str
    state: TransferState
    lines: tuple[TransferLine, ...]
    reference: str
    create_time: datetime
    close_time: datetime | None = None
    expected_time: datetime | None = None
