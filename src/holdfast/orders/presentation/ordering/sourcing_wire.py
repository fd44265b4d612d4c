"""Where stock is to come from and where it is held, on the wire."""

from holdfast.chassis.grpc import sourcing
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing, Strategy


def read_sourcing(
    request: pb.CreateOrderRequest | pb.UpdateOrderRequest, violations: Violations, at: str = ""
) -> Sourcing:
    if not request.HasField("sourcing"):
        return BY_PRIORITY
    plain = sourcing.read(request.sourcing, violations, f"{at}sourcing")
    if plain is None:
        return BY_PRIORITY
    return Sourcing(Strategy(plain.strategy), *plain[1:])


def write_sourcing(message: pb.Order, order: Order) -> None:
    if order.sourcing != BY_PRIORITY:
        sourcing.write(message.sourcing, *order.sourcing)
    for part in order.to_ship:
        message.stock.add(
            product_id=part.product_id,
            location_id=part.location_id,
            quantity=part.quantity,
            reason=inventory_pb2.SourcingReason.Value(f"SOURCING_REASON_{part.reason}"),
        )
    for product_id, quantity in order.awaited:
        message.queued.add(product_id=product_id, quantity=quantity)
