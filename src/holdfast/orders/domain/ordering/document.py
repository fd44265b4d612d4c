"""An order as it is told: with all that is known of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.charges import Charge
from holdfast.orders.domain.ordering.details import NO_DETAILS, Details
from holdfast.orders.domain.ordering.edits import Contents, Edit
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, QueuedUnits
from holdfast.orders.domain.payments.payment import RecordedPayment
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.domain.shipping.goods import NO_GOODS, Goods
from holdfast.orders.domain.shipping.shipment import Shipment, still_held


@dataclass(frozen=True, slots=True)
class Order:
    """An order with all that is known; `history`, oldest first, may be missing (empty) in lists."""

    order_id: str
    customer_id: str
    request_id: str
    lines: tuple[OrderLine, ...]
    total: Money
    customer: Customer
    state: OrderState
    shortages: tuple[Shortage, ...]
    placed_at: datetime
    updated_at: datetime
    history: tuple[OrderChange, ...] = ()
    payments: tuple[RecordedPayment, ...] = ()
    charges: tuple[Charge, ...] = ()
    details: Details = NO_DETAILS
    edit: Edit | None = None  # the newest
    sourcing: Sourcing = BY_PRIORITY
    stock: tuple[HeldStock, ...] = ()  # what Inventory holds, as it last told
    queued: tuple[QueuedUnits, ...] = ()  # what waits for stock, as Inventory last told
    stock_revision: int = 0  # of the question that it had answered then
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()  # not in lists

    @property
    def goods(self) -> Goods:
        """What has left and what came back."""
        return Goods(self.shipments, self.returns) if self.shipments else NO_GOODS

    @property
    def to_ship(self) -> tuple[HeldStock, ...]:
        """What is held for the order and can leave, and from where."""
        if self.state.status.is_final:  # whatever Inventory has still to give back
            return ()
        return still_held(self.stock, self.stock_revision, self.shipments)

    def holds_at(self, location_id: str) -> bool:
        """Whether something is held for the order at a location; "": anywhere."""
        return any(location_id in ("", part.location_id) for part in self.to_ship)

    @property
    def awaited(self) -> tuple[QueuedUnits, ...]:
        """What waits for stock; for an order that is over nothing does."""
        return () if self.state.status.is_final else self.queued

    @property
    def rest_is_cancelled(self) -> bool:
        """Whether it is over because what had not left was taken off; its history is there."""
        ended = self.edit and self.edit.ended_version
        return any(
            change.version == ended and change.status is OrderStatus.SHIPPED
            for change in self.history
        )

    @property
    def contents(self) -> Contents:
        """The edition that counts."""
        return Contents(self.lines, self.charges, self.total, self.sourcing)

    def with_contents(self, contents: Contents) -> "Order":
        """The same with another edition."""
        lines, charges, total, sourcing = contents
        return replace(self, lines=lines, charges=charges, total=total, sourcing=sourcing)
