"""What must be paid before units of an order may leave, by the channel that it came through."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.payments.payment import Payment, is_covered, is_paid
from holdfast.orders.domain.shipping.errors import NotPaid

OTHERS = ""  # the rule of channels that have none of their own, and of orders without a channel


class Required(StrEnum):
    """What of an order's total there must be."""

    NONE = "NONE"
    AUTHORIZED = "AUTHORIZED"  # promised or taken
    PAID = "PAID"  # taken


class PaidFirst(NamedTuple):
    """The rules of a shop.

    :param by_channel: see OTHERS; of a channel without any rule nothing is required.
    """

    by_channel: Mapping[str, Required]

    def refuse_unpaid(self, order: Order) -> None:
        """Let pass what may leave.

        :raises NotPaid: not so much of the order's total is there as its channel wants.
        """
        known = [one.payment for one in order.payments]
        if required := self.lacking(order.details.channel, known, order.total):
            raise NotPaid(order.order_id, required)

    def lacking(self, channel: str, known: Sequence[Payment], total: Money) -> Required | None:
        """What is required by a channel and not there; None: nothing."""
        required = self.by_channel.get(channel, self.by_channel.get(OTHERS, Required.NONE))
        is_enough = {Required.AUTHORIZED: is_covered, Required.PAID: is_paid}.get(required)
        return None if is_enough is None or is_enough(known, total) else required


NOTHING_FIRST = PaidFirst({})
