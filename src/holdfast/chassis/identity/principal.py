"""Who a call is made by, as the rest of a service sees it."""

from contextvars import ContextVar
from typing import NamedTuple


class Principal(NamedTuple):
    """Somebody whose credentials were found good.

    :param customer_id: "" unless this is a shop's customer, who may see their own orders only.
    """

    name: str
    credential_id: str
    scopes: frozenset[str]
    customer_id: str = ""


current: ContextVar[Principal] = ContextVar("principal")
