"""Refusals of facts about payments."""

from holdfast.orders.domain.errors import OrdersError
from holdfast.orders.domain.money import MINOR_MAX

_EXCEEDED = {
    "CAPTURED": ("CAPTURE_EXCEEDS_AUTHORIZATION", "authorised and not captured"),
    "VOIDED": ("VOID_EXCEEDS_AUTHORIZATION", "authorised and not captured"),
    "REFUNDED": ("REFUND_EXCEEDS_CAPTURE", "captured and not given back"),
}


class WrongPaymentCurrency(OrdersError):
    """A payment in another currency than the order's."""

    reason = "WRONG_CURRENCY"

    def __init__(self, named: str, due: str) -> None:
        super().__init__(f"is in {named}, but the order is in {due}: name that currency, or none")


class PaymentReused(OrdersError):
    """The same fact with another amount."""

    reason = "PAYMENT_REUSED"

    def __init__(self, order_id: str, kind: str, reference: str, recorded_minor: int) -> None:
        super().__init__(
            f"order {order_id} has {reference} {kind} with another amount ({recorded_minor:,} of "
            "the smallest coin): a second fact needs a reference of its own"
        )
        self.recorded_minor = recorded_minor


class PaymentExceeds(OrdersError):
    """More than was authorised would be captured, or more than was captured refunded."""

    def __init__(self, order_id: str, kind: str, minor: int, allowed_minor: int) -> None:
        self.reason, left = _EXCEEDED[kind]
        super().__init__(
            f"order {order_id} has {allowed_minor:,} of the smallest coin {left}, "
            f"so {minor:,} can't be {kind.lower()}"
        )
        self.allowed_minor = allowed_minor


class PaymentsTooLarge(OrdersError):
    """The order's payments of a kind would come to more than an amount can be."""

    reason = "TOTAL_TOO_LARGE"

    def __init__(self, order_id: str, kind: str) -> None:
        super().__init__(
            f"is too large: order {order_id} would have more {kind.lower()} than "
            f"{MINOR_MAX:,} of the smallest coin"
        )


class TooManyPayments(OrdersError):
    """The order has as many payments as it may have."""

    reason = "TOO_MANY_CHANGES"

    def __init__(self, order_id: str, allowed: int) -> None:
        super().__init__(f"order {order_id} has {allowed:,} payments, and more is not allowed")
        self.order_id, self.allowed = order_id, allowed
