"""An order about to be recorded, with its first change, event and question."""

from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.events import OrderPlaced
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.charges import Charge, charged_total
from holdfast.orders.domain.ordering.details import NO_DETAILS, Details
from holdfast.orders.domain.ordering.lines import OrderLine, demand_of, total_of
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import StockWanted


class NewOrder(NamedTuple):
    """An order about to be recorded.

    :param request_hash: digest of the request's contents, to tell a repeat from a reused request
        id.
    :param hold: for how long its stock is held for a confirmation; None: it needs none.
    :param expires_at: when that ends; known once it is being recorded.
    """

    order_id: str
    customer_id: str
    request_id: str
    request_hash: str
    lines: tuple[OrderLine, ...]
    total: Money
    customer: Customer
    placed: OrderChange
    hold: timedelta | None = None
    expires_at: datetime | None = None
    charges: tuple[Charge, ...] = ()
    details: Details = NO_DETAILS
    sourcing: Sourcing = BY_PRIORITY

    @classmethod
    def place(
        cls,
        order_id: str,
        *,
        customer_id: str,
        request_id: str,
        request_hash: str,
        lines: tuple[OrderLine, ...],
        customer: Customer,
        at: datetime,
        caller: Caller,
        hold: timedelta | None = None,
        charges: tuple[Charge, ...] = (),
        details: Details = NO_DETAILS,
        sourcing: Sourcing = BY_PRIORITY,
    ) -> "NewOrder":
        """Make a PENDING order of its lines.

        :raises MixedCurrencies: the lines have more than one currency.
        :raises TotalTooLarge: the total does not fit into 64 bits.
        :raises WrongCharges: a discount is above what it is taken off from.
        """
        total = charged_total(lines, charges) if charges else total_of(lines)
        demand = demand_of([(line.product_id, line.quantity) for line in lines])
        event = OrderPlaced(customer_id, StockWanted(1, demand, sourcing), total)
        placed = OrderChange(order_id, 1, OrderStatus.PENDING, at, caller, "order placed", event)
        request = request_id, request_hash
        known = order_id, customer_id, *request, lines, total, customer, placed
        return cls(*known, hold, None, charges, details, sourcing)
