"""Transfers as plain facts: what left for another location, what came of it, what did not."""

from collections.abc import Mapping
from typing import NamedTuple


class TransferLine(NamedTuple):
    """Units of one product."""

    product_id: str
    sent: int
    received: int
    missing: int


class TransferReceipt(NamedTuple):
    """What came at once, by product.

    :param is_rest: whether it was asked for as all that was still to come.
    """

    request_id: str
    units: tuple[tuple[str, int], ...]
    is_rest: bool


class Transfer(NamedTuple):
    """Units on their way.

    :param lines: by product; `receipts` by request id.
    """

    transfer_id: str
    request_id: str
    origin: str
    target: str
    is_closed: bool
    lines: tuple[TransferLine, ...]
    receipts: tuple[TransferReceipt, ...] = ()

    @property
    def sent(self) -> Mapping[str, int]:
        """Units by product."""
        return {line.product_id: line.sent for line in self.lines}
