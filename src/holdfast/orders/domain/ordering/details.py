"""What is known of an order beside its lines: names, notes and places. Nothing is decided by it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple


class Address(NamedTuple):
    """Where something goes; every part may be empty."""

    name: str = ""
    company: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


NOWHERE = Address()


@dataclass(frozen=True, slots=True)
class Details:
    """Everything is optional; empty means not given."""

    reference: str = ""
    channel: str = ""
    note: str = ""
    attributes: tuple[tuple[str, str], ...] = ()  # sorted
    ship_to: Address = NOWHERE
    bill_to: Address = NOWHERE

    def revised(self, values: Mapping[str, object]) -> "Details":
        """Return the details with new values for some of them, by name."""
        return replace(self, **values)  # type: ignore[arg-type]


NO_DETAILS = Details()
