"""Who asks: every use case is told, and the order's history keeps it."""

from typing import NamedTuple


class OrderRef(NamedTuple):
    """An order as somebody names it: there is none unless it is theirs.

    :param owner: the customer whose it must be; "": whoever's it is.
    """

    order_id: str
    owner: str = ""


class Caller(NamedTuple):
    """Who is behind a request.

    :param traceparent: the trace it belongs to (W3C); may be empty.
    :param credential_id: which key or token it came with, never the secret; "": with none, such as
        the work of a service itself.
    :param customer_id: who may have to do with this customer's orders only; "": with everybody's.
    """

    name: str
    traceparent: str = ""
    credential_id: str = ""
    customer_id: str = ""

    def ref(self, order_id: str) -> OrderRef:
        """Name an order as this caller does."""
        return OrderRef(order_id, self.customer_id)


ORDERS = Caller("orders")
