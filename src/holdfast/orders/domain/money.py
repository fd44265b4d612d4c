"""Money: a whole number of minor units in one currency; never a float."""

from dataclasses import dataclass

MINOR_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of 0 or more in minor units (pence, cents, yen) of an ISO 4217 currency."""

    currency: str
    minor: int

    def __post_init__(self) -> None:
        assert self.minor >= 0, "prices and totals are never negative"
