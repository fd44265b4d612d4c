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

    @property
    def is_final(self) -> bool:
        """Whether nothing can change the order any more."""
        return not _NEXT[self]


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
    OrderStatus.CONFIRMED: frozenset((OrderStatus.CANCELLED,)),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}

assert _NEXT.keys() == set(OrderStatus), "every status states what may follow it"


def may_follow(before: OrderStatus, now: OrderStatus) -> bool:
    """Whether an order may go from one status to the other."""
    return now in _NEXT[before]


WAITING = frozenset((OrderStatus.PENDING, OrderStatus.RESERVED))  # where a hold may run
EDITABLE = frozenset((OrderStatus.RESERVED, OrderStatus.CONFIRMED))


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


def may_happen(action: Action, status: OrderStatus) -> bool:
    """Whether something beside the status may change while an order has that status."""
    match action:
        case Action.PAYMENT_RECORDED:
            return True
        case Action.HOLD_EXTENDED:
            return status in WAITING
        case Action.EDIT_ASKED | Action.EDITED | Action.EDIT_REFUSED:
            return status in EDITABLE
        case Action.CUSTOMER_UPDATED | Action.DETAILS_UPDATED:
            return not status.is_final
        case Action.STATUS:
            return False
