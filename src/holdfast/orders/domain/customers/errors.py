"""What Orders refuses about customers; see the tree in `domain/errors.py`."""

from collections.abc import Sequence

from holdfast.orders.domain.errors import OrdersError

OPEN_ORDERS_TOLD_MAX = 10


class CustomerNotFound(OrdersError):
    """There is neither a profile nor an order of this customer."""

    reason = "CUSTOMER_NOT_FOUND"

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"customer {customer_id} has neither a profile nor orders")
        self.customer_id = customer_id


class StaleProfile(OrdersError):
    """The profile changed since it was read, or is there already.

    :param current: its version; 0: there is none.
    """

    reason = "STALE_VERSION"

    def __init__(self, customer_id: str, *, current: int) -> None:
        super().__init__(f"the profile of customer {customer_id} is at version {current} now")
        self.customer_id, self.current = customer_id, current


class CustomerErased(OrdersError):
    """What was erased does not come back.

    :param what: was erased, such as "customer c-17" or "order 0198c5f0-...".
    """

    reason = "CUSTOMER_ERASED"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} was erased, and what was erased does not come back: "
            "a new order may bring contact information of its own"
        )
        self.what = what


class OpenOrders(OrdersError):
    """Orders that would be erased are not final."""

    reason = "OPEN_ORDERS"

    def __init__(self, order_ids: Sequence[str]) -> None:
        super().__init__(
            f"nothing was erased, as orders are not final ({len(order_ids):,}): cancel or finish "
            "them, or force it"
        )
        self.order_ids = list(order_ids[:OPEN_ORDERS_TOLD_MAX])
