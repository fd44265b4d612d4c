"""Where an order may stand, what may follow, and what may change of it there."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"  # recorded, stock not decided
    RESERVED = "RESERVED"  # stock held until the hold ends, or the order is confirmed
    CONFIRMED = "CONFIRMED"  # stock reserved
    REJECTED = "REJECTED"  # stock short
    CANCELLED = "CANCELLED"  # by request
    EXPIRED = "EXPIRED"  # no decision in time, or the hold ran out
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"  # some units have left
    SHIPPED = "SHIPPED"  # all units have left

    @property
    def is_final(self) -> bool:
        """Whether nothing more leaves for the order, and its lines stay as they are."""
        return not _NEXT[self]

    @property
    def came_to_nothing(self) -> bool:
        """Whether nothing has left for the order, and nothing will."""
        return self.is_final and self is not OrderStatus.SHIPPED


_NEXT: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset(
        (
            OrderStatus.RESERVED,
            OrderStatus.CONFIRMED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        )
    ),
    OrderStatus.RESERVED: frozenset(
        (OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
    ),
    OrderStatus.CONFIRMED: frozenset(
        (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED, OrderStatus.CANCELLED)
    ),
    OrderStatus.PARTIALLY_SHIPPED: frozenset((OrderStatus.SHIPPED,)),
    OrderStatus.SHIPPED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}

assert _NEXT.keys() == set(OrderStatus), "every status states what may follow it"


def may_follow(before: OrderStatus, now: OrderStatus) -> bool:
    """Whether an order may go from one status to the other."""
    return now in _NEXT[before]


WAITING = frozenset((OrderStatus.PENDING, OrderStatus.RESERVED))  # where a hold may run
SHIPPABLE = frozenset((OrderStatus.CONFIRMED, OrderStatus.PARTIALLY_SHIPPED))
EDITABLE = SHIPPABLE | {OrderStatus.RESERVED}


class Action(StrEnum):
    """What changed of an order: its status, or something beside it."""

    STATUS = ""
    CUSTOMER_UPDATED = "CUSTOMER_UPDATED"
    DETAILS_UPDATED = "DETAILS_UPDATED"  # beside the customer information, maybe
    HOLD_EXTENDED = "HOLD_EXTENDED"
    PAYMENT_RECORDED = "PAYMENT_RECORDED"
    EDIT_ASKED = "EDIT_ASKED"  # other units are wanted
    EDITED = "EDITED"  # other lines or charges count
    EDIT_REFUSED = "EDIT_REFUSED"  # stock short: all is as it was
    SHIPPED = "SHIPPED"  # more units have left, and not the last ones
    SHIPMENT_UPDATED = "SHIPMENT_UPDATED"
    RETURN_OPENED = "RETURN_OPENED"
    RETURN_RECEIVED = "RETURN_RECEIVED"
    RETURN_CLOSED = "RETURN_CLOSED"


def may_happen(action: Action, status: OrderStatus) -> bool:
    """Whether something beside the status may change while an order has that status."""
    match action:
        case Action.PAYMENT_RECORDED:
            return True
        case Action.HOLD_EXTENDED:
            return status in WAITING
        case Action.EDIT_ASKED | Action.EDITED | Action.EDIT_REFUSED:
            return status in EDITABLE
        case Action.SHIPPED:
            return status is OrderStatus.PARTIALLY_SHIPPED
        case (
            Action.SHIPMENT_UPDATED
            | Action.RETURN_OPENED
            | Action.RETURN_RECEIVED
            | Action.RETURN_CLOSED
        ):
            return status in (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED)
        case Action.CUSTOMER_UPDATED | Action.DETAILS_UPDATED:
            return not status.is_final
        case Action.STATUS:
            return False
