"""Erasing: whom it is about, and what came of it."""

from typing import NamedTuple


class ByCustomer(NamedTuple):
    """One customer: the profile and all orders of this id."""

    customer_id: str


class ByEmail(NamedTuple):
    """Whoever has exactly this e-mail address: orders that bring it, also guests', and profiles."""

    email: str


Whom = ByCustomer | ByEmail


class Erased(NamedTuple):
    """How many orders and profiles had something to erase."""

    orders: int
    profiles: int
