"""A transfer: units that left one location and have yet to come to another."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.errors import (
    NothingToReceive,
    OverReceipt,
    TransferClosed,
    refuse_together,
)

LINES_MAX = 1_000


class TransferState(StrEnum):
    """Where a transfer stands."""

    IN_TRANSIT = "IN_TRANSIT"
    CLOSED = "CLOSED"


class TransferLine(NamedTuple):
    """Units of one product: what left, what has come, and what had not come at the end."""

    product_id: str
    sent: int
    received: int = 0
    missing: int = 0

    @property
    def coming(self) -> int:
        """Units that are in transit."""
        return self.sent - self.received - self.missing


class Receipt(NamedTuple):
    """What was recorded as received under a request id.

    :param units: by product.
    :param is_rest: whether no units were named, but all that was still to come.
    """

    request_id: str
    units: Mapping[str, int]
    is_rest: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """Units on their way from one location to another.

    :param lines: by product id, each product once.
    :param closed_at: None: more may come.
    """

    transfer_id: str
    request_id: str
    origin: str
    target: str
    lines: tuple[TransferLine, ...]
    reference: str
    expected_at: datetime | None
    created_at: datetime
    closed_at: datetime | None = None

    @property
    def state(self) -> TransferState:
        return TransferState.CLOSED if self.closed_at else TransferState.IN_TRANSIT

    @property
    def coming(self) -> dict[str, int]:
        """Units that are in transit, by product; products of which none are have no part in it."""
        return {line.product_id: line.coming for line in self.lines if line.coming}

    def is_repeated_by(self, other: "Transfer") -> bool:
        """Whether the other one asks for what this one was made of."""
        return self.contents == other.contents

    @property
    def contents(self) -> tuple[object, ...]:
        """What was asked for."""
        sent = [(line.product_id, line.sent) for line in self.lines]
        return self.origin, self.target, sent, self.reference, self.expected_at

    def received(self, units: Mapping[str, int]) -> "Transfer":
        """Return the transfer after these units have come.

        :raises TransferClosed: nothing more comes.
        :raises NothingToReceive: these are no units.
        :raises OverReceipt: fewer of a product are still to come.
        """
        if self.closed_at:
            raise TransferClosed(self.transfer_id)
        if not units:
            raise NothingToReceive(self.transfer_id)
        coming = Counter(self.coming)
        refuse_together(
            [
                OverReceipt(self.transfer_id, name, wanted=quantity, coming=coming[name])
                for name, quantity in sorted(units.items())
                if quantity > coming[name]
            ]
        )
        lines = (
            line._replace(received=line.received + units.get(line.product_id, 0))
            for line in self.lines
        )
        return replace(self, lines=tuple(lines))

    def closed(self, at: datetime) -> "Transfer":
        """Return the transfer at its end: what has not come is missing."""
        lines = (line._replace(missing=line.missing + line.coming) for line in self.lines)
        return replace(self, lines=tuple(lines), closed_at=at)
