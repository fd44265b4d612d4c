"""Orders' events on their way out: from the domain to protobuf in an envelope."""

from collections.abc import Callable, Sequence
from datetime import datetime

from google.protobuf.message import Message

from holdfast.chassis import money
from holdfast.chassis.broker import Event
from holdfast.contracts.orders.v1 import events_pb2, orders_pb2
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.order import OrderChange, OrderStatus


class EventCodec:
    """Gives events their envelope: id, type, aggregate, time and trace."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def placed(
        self,
        order_id: str,
        *,
        customer_id: str,
        products: Sequence[tuple[str, int]],
        total: Money,
        at: datetime,
        traceparent: str,
    ) -> Event:
        """Tell that an order waits for its stock."""
        message = events_pb2.OrderPlaced(order_id=order_id, customer_id=customer_id)
        for product_id, quantity in products:
            message.products.add(product_id=product_id, quantity=quantity)
        money.write(message.total, *total)
        return self._envelope(message, order_id, sequence=1, at=at, traceparent=traceparent)

    def changed(self, change: OrderChange) -> Event:
        """Tell of any later change."""
        return self._envelope(
            _message(change),
            change.order_id,
            sequence=change.version,
            at=change.at,
            traceparent=change.caller.traceparent,
        )

    def _envelope(
        self, message: Message, order_id: str, *, sequence: int, at: datetime, traceparent: str
    ) -> Event:
        return Event(
            event_id=self._new_id(),
            type=message.DESCRIPTOR.full_name,
            subject=order_id,
            sequence=sequence,
            time=at,
            data=message.SerializeToString(),
            traceparent=traceparent,
        )


def _message(change: OrderChange) -> Message:
    order_id = change.order_id
    if change.customer is not None:
        return events_pb2.OrderUpdated(order_id=order_id)
    match change.status:
        case OrderStatus.CONFIRMED:
            return events_pb2.OrderConfirmed(order_id=order_id)
        case OrderStatus.REJECTED:
            shortages = [
                orders_pb2.Shortage(product_id=s.product_id, wanted=s.wanted, available=s.available)
                for s in change.shortages
            ]
            return events_pb2.OrderRejected(order_id=order_id, shortages=shortages)
        case OrderStatus.CANCELLED:
            return events_pb2.OrderCancelled(order_id=order_id, reason=change.reason)
        case OrderStatus.EXPIRED:
            return events_pb2.OrderExpired(order_id=order_id)
        case OrderStatus.PENDING:
            raise AssertionError("an order becomes pending only by being placed")
