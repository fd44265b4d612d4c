"""Who a call is made by, as the rest of a service sees it."""

import math
from contextvars import ContextVar
from typing import NamedTuple


class Principal(NamedTuple):
    """Somebody whose credentials were found good.

    :param customer_id: "" unless this is a shop's customer, who may see their own orders only.
    :param ends_at: when the credential ends by itself, in seconds since 1970, as far as it says so:
        a token does; of a key it is asked anew.
    :param user: who signed in by a password; "": nobody did.
    """

    name: str
    credential_id: str
    scopes: frozenset[str]
    customer_id: str = ""
    ends_at: float = math.inf
    user: str = ""


current: ContextVar[Principal] = ContextVar("principal")
