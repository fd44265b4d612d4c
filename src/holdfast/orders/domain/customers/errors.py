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
    """What was erased does not come back."""

    reason = "CUSTOMER_ERASED"

    def __init__(self, customer_id: str) -> None:
        super().__init__(
            f"customer {customer_id} was erased, and what was erased does not come back: "
            "a new order may bring contact information of its own"
        )
        self.customer_id = customer_id


class OpenOrders(OrdersError):
    """The customer has orders that are not final."""

    reason = "OPEN_ORDERS"

    def __init__(self, customer_id: str, order_ids: Sequence[str]) -> None:
        told = list(order_ids[:OPEN_ORDERS_TOLD_MAX])
        super().__init__(
            f"customer {customer_id} has {len(order_ids):,} orders that are not final: nothing was "
            "erased; cancel or finish them, or force it"
        )
        self.customer_id, self.order_ids = customer_id, told
