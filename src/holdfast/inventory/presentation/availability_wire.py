"""Baskets and sourcings in Inventory's messages, and what could be promised to them."""

from collections.abc import Mapping

from holdfast.chassis.grpc import sourcing
from holdfast.chassis.grpc.sizes import ANSWER_BYTES_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.finding import Found
from holdfast.inventory.domain.stock.levels import Short
from holdfast.inventory.domain.stock.sourcing import (
    BY_PRIORITY,
    Sourcing,
    SourcingReason,
    Strategy,
)
from holdfast.inventory.presentation.backorders_wire import write_expected

BASKET_LINES_MAX = 2_000
QUANTITY_MAX = 1_000_000_000  # of one line

REASONS = {
    reason: pb.SourcingReason.Value(f"SOURCING_REASON_{reason}") for reason in SourcingReason
}


def read_basket(
    request: pb.CheckAvailabilityRequest, violations: Violations
) -> tuple[dict[str, int], Sourcing]:
    """Read the units wanted by product, and where they are to come from."""
    violations.size("lines", len(request.lines), highest=BASKET_LINES_MAX)
    wanted: dict[str, int] = {}
    for index, line in enumerate(request.lines[:BASKET_LINES_MAX]):
        product_id = violations.id(f"lines[{index}].product_id", line.product_id)
        units = violations.within(
            f"lines[{index}].quantity", line.quantity, lowest=1, highest=QUANTITY_MAX
        )
        wanted[product_id] = wanted.get(product_id, 0) + units
    return wanted, read_sourcing(request.sourcing, violations)


def read_sourcing(message: pb.Sourcing, violations: Violations) -> Sourcing:
    plain = sourcing.read(message, violations, "sourcing")
    if plain is None:
        return BY_PRIORITY
    strategy, location_ids, *wishes = plain
    return Sourcing(Strategy(strategy), location_ids, *wishes)


def availability_message(
    found: Found | Short, products: Mapping[str, Product]
) -> pb.CheckAvailabilityResponse:
    message = pb.CheckAvailabilityResponse(available=not isinstance(found, Short))
    if isinstance(found, Short):
        for one in found.shortages:
            missing = message.missing.add(
                product_id=one.product_id, wanted=one.wanted, available=one.available
            )
            write_expected(missing, products[one.product_id])
        return message
    message.shipments = len({part.location_id for part in found.parts})
    for name, units in found.waits.items():
        write_expected(message.queued.add(product_id=name, quantity=units), products[name])
    for part in sorted(found.parts):
        message.stock.add(
            product_id=part.product_id,
            location_id=part.location_id,
            quantity=part.quantity,
            reason=REASONS[part.reason],
        )
    if message.ByteSize() > ANSWER_BYTES_MAX:  # many products, each from many locations
        del message.stock[:]
    return message
