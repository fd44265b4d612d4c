"""Customer information of an order: who receives it and how to reach them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

NAME_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Customer:
    """Everything is optional; empty means not given."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""

    def revised(self, details: Mapping[str, str]) -> "Customer":
        """Return the information with new values for some fields, by field name."""
        return replace(self, **details)


NOBODY = Customer()
