"""Erasing: whom it is about, and what came of it."""

from datetime import datetime
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


class Erasure(NamedTuple):
    """The record that something was erased. It keeps nothing of an e-mail address, not even a
    digest: addresses can be guessed.
    """

    erasure_id: str
    whom: Whom
    actor: str
    credential_id: str
    at: datetime
    erased: Erased
    forced: bool
