"""Customers as plain facts."""

from typing import NamedTuple


class Profile(NamedTuple):
    """What is kept of a customer beside their orders.

    :param known: name, e-mail address, phone and address; empty where there is none.
    """

    customer_id: str
    version: int
    known: tuple[str, ...]
    is_erased: bool
