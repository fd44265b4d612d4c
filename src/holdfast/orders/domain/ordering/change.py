"""A change of an order: what is decided of it, and then kept and told."""

from datetime import datetime
from typing import NamedTuple

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import (
    Shortage,
)
from holdfast.orders.domain.events import (
    OrderEvent,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.details import Details
from holdfast.orders.domain.ordering.edits import (
    Edit,
    EditEnd,
    Editions,
)
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.payments.payment import Payment, PaymentStatus
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.domain.shipping.shipment import Shipment


class OrderChange(NamedTuple):
    """One change of an order: a row of its history and an event for the world.

    :param event: None only in a history that was read.
    :param shortages: what was missing; only for a rejection.
    :param customer: the new customer information; only when that is what changed.
    :param expires_at: the new end of its hold; only when that is what changed.
    :param confirmed_by: the payment's reference; only when that confirmed it.
    :param payment: only when one was recorded; `payment_status` follows from it and the others.
    :param details: the new ones; only when they changed.
    :param ends_hold: it had a hold, and has none any more.
    :param edit: only when one was asked for, or applied at once.
    :param edit_end: only when one was under way, and is no more.
    :param editions: where they stand now; only when they changed.
    :param total: what the order costs now; only when that changed.
    :param shipment: only when something left, or more is known of how it travels.
    :param goods_return: only when one was opened or closed, or something came by it.
    """

    order_id: str
    version: int
    status: OrderStatus
    at: datetime
    caller: Caller
    reason: str = ""
    event: OrderEvent | None = None
    shortages: tuple[Shortage, ...] = ()
    customer: Customer | None = None
    action: Action = Action.STATUS
    expires_at: datetime | None = None
    confirmed_by: str | None = None
    payment: Payment | None = None
    payment_status: PaymentStatus | None = None
    details: Details | None = None
    ends_hold: bool = False
    edit: Edit | None = None
    edit_end: EditEnd | None = None
    editions: Editions | None = None
    total: Money | None = None
    shipment: Shipment | None = None
    goods_return: Return | None = None
