"""Messages of Inventory's API to the domain's words and back; all violations are found at once."""

from dataclasses import dataclass

from holdfast.chassis import money, times
from holdfast.chassis.grpc import pages
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.ports import (
    MOVEMENT_ID_MAX,
    MovementFilter,
    RecordedMovement,
    StockInfo,
    StockSummary,
)
from holdfast.inventory.application.stock.change_stock import AdjustOnHand, SetOnHand
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.stock import MAIN_LOCATION, ON_HAND_MAX, StockLevel

BATCH_MAX = 1_000
LOCATION_CHARACTERS_MAX = 64
NAME_CHARACTERS_MAX = 500
DESCRIPTION_CHARACTERS_MAX = 10_000
REASON_CHARACTERS_MAX = 500
REFERENCE_CHARACTERS_MAX = 200
VERSION_MAX = 2**63 - 1

PRODUCT_FIELDS = ("name", "description", "unit_price", "active")


def read_set_on_hand(
    request: pb.UpdateStockRequest, caller: Caller, violations: Violations
) -> SetOnHand:
    expected = request.expected_version if request.HasField("expected_version") else None
    if expected is not None:
        violations.within("expected_version", expected, lowest=0, highest=VERSION_MAX)
    return SetOnHand(
        product_id=violations.id("product_id", request.product_id),
        location_id=_location(request.location_id, violations),
        quantity=violations.within("quantity", request.quantity, lowest=0, highest=ON_HAND_MAX),
        expected_version=expected,
        reason=violations.text("reason", request.reason, characters_max=REASON_CHARACTERS_MAX),
        request_id=violations.optional_id("request_id", request.request_id),
        caller=caller,
    )


def read_batch_set_on_hand(
    request: pb.BatchUpdateStockRequest, caller: Caller, violations: Violations
) -> list[SetOnHand | Violations]:
    """Read a batch: a bad request becomes its own violations and never fails its neighbours."""
    if not _is_batch("requests", len(request.requests), violations):
        return []
    read: list[SetOnHand | Violations] = []
    for one in request.requests:
        own = Violations()
        change = read_set_on_hand(one, caller, own)
        read.append(own if own else change)
    return read


def read_adjust_on_hand(
    request: pb.AdjustStockRequest, caller: Caller, violations: Violations
) -> AdjustOnHand:
    if request.delta == 0:
        violations.add("delta", "must not be 0")
    if not request.reason:
        violations.add("reason", "is missing")
    return AdjustOnHand(
        product_id=violations.id("product_id", request.product_id),
        location_id=_location(request.location_id, violations),
        delta=violations.within("delta", request.delta, lowest=-ON_HAND_MAX, highest=ON_HAND_MAX),
        reason=violations.text("reason", request.reason, characters_max=REASON_CHARACTERS_MAX),
        reference=violations.text(
            "reference", request.reference, characters_max=REFERENCE_CHARACTERS_MAX
        ),
        request_id=violations.optional_id("request_id", request.request_id),
        caller=caller,
    )


def _location(location_id: str, violations: Violations) -> str:
    return violations.optional_id(
        "location_id", location_id or MAIN_LOCATION, characters_max=LOCATION_CHARACTERS_MAX
    )


def _is_batch(field: str, size: int, violations: Violations) -> bool:
    violations.size(field, size, highest=BATCH_MAX)
    return 1 <= size <= BATCH_MAX


def read_product_ids(request: pb.BatchGetStockInfoRequest, violations: Violations) -> list[str]:
    if not _is_batch("product_ids", len(request.product_ids), violations):
        return []
    for index, product_id in enumerate(request.product_ids):
        violations.id(f"product_ids[{index}]", product_id)
    return list(request.product_ids)


def read_is_basic(request: pb.BatchGetStockInfoRequest, violations: Violations) -> bool:
    if request.view not in pb.StockInfoView.values():
        known = ", ".join(f"{number} {name}" for name, number in pb.StockInfoView.items())
        violations.add("view", f"{request.view} is no view of stock; there are {known}")
    return request.view == pb.STOCK_INFO_VIEW_BASIC


def read_product(product: pb.Product, violations: Violations, *, priced: bool = True) -> Product:
    """Read a product; not `priced`: the price does not matter and means nothing in the result."""
    currency, price_minor = "", 0
    if priced and product.HasField("unit_price"):
        currency, price_minor = money.to_minor(violations, "product.unit_price", product.unit_price)
    elif priced:
        violations.add("product.unit_price", "is missing")
    product_id = violations.id("product.product_id", product.product_id)
    name = violations.text("product.name", product.name, characters_max=NAME_CHARACTERS_MAX)
    description = violations.text(
        "product.description", product.description, characters_max=DESCRIPTION_CHARACTERS_MAX
    )
    return Product(
        product_id or "?", name, description, currency, max(price_minor, 0), product.active
    )


@dataclass(frozen=True, slots=True)
class ProductRevision:
    """What UpdateProduct asks for."""

    product_id: str
    expected_version: int
    details: dict[str, str | int | bool]


def read_revision(request: pb.UpdateProductRequest, violations: Violations) -> ProductRevision:
    fields = list(request.update_mask.paths)
    if not fields:
        violations.add("update_mask", f"is missing; it names any of {', '.join(PRODUCT_FIELDS)}")
    for field in fields:
        if field not in PRODUCT_FIELDS:
            violations.add("update_mask", f"{field!r} is none of {', '.join(PRODUCT_FIELDS)}")
    product = read_product(request.product, violations, priced="unit_price" in fields)
    violations.within("product.version", request.product.version, lowest=1, highest=VERSION_MAX)
    details: dict[str, str | int | bool] = {}
    for field in fields:
        if field == "unit_price":
            details |= {"currency": product.currency, "price_minor": product.price_minor}
        elif field in PRODUCT_FIELDS:
            details[field] = getattr(product, field)
    return ProductRevision(product.product_id, request.product.version, details)


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Which page of which movements is asked for."""

    wanted: MovementFilter
    filter_text: str
    before: int
    size: int


def read_movement_page(request: pb.ListMovementsRequest, violations: Violations) -> MovementPage:
    created_from, created_before = violations.period(request)
    wanted = MovementFilter(
        product_id=violations.optional_id("product_id", request.product_id),
        location_id=violations.optional_id(
            "location_id", request.location_id, characters_max=LOCATION_CHARACTERS_MAX
        ),
        order_id=violations.uuid("order_id", request.order_id) if request.order_id else "",
        created_from=created_from,
        created_before=created_before,
    )
    filter_text = f"movements {wanted!r}"
    cursor = pages.read_token(
        violations, request.page_token, filter_text, cursor_form="[0-9]{1,18}"
    )
    size = pages.page_size(violations, request.page_size)
    return MovementPage(wanted, filter_text, int(cursor or MOVEMENT_ID_MAX), size)


def product_message(product: Product) -> pb.Product:
    message = pb.Product()
    _write_product(message, product)
    return message


def _write_product(message: pb.Product, product: Product) -> None:
    message.product_id = product.product_id
    message.name = product.name
    message.description = product.description
    money.write(message.unit_price, product.currency, product.price_minor)
    message.active = product.active
    message.version = product.version


def level_message(level: StockLevel) -> pb.StockLevel:
    return pb.StockLevel(
        location_id=level.location_id,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=level.available,
        version=level.version,
    )


def info_message(info: StockInfo) -> pb.StockInfo:
    message = pb.StockInfo()
    write_info(message, info)
    return message


def write_info(message: pb.StockInfo, info: StockInfo) -> None:
    """Write in place: a message that is passed to another one is copied, which only levels are."""
    _write_product(message.product, info.product)
    message.on_hand = info.on_hand
    message.reserved = info.reserved
    message.available = message.on_hand - message.reserved
    message.levels.extend(map(level_message, info.levels))


def write_summary(message: pb.StockInfo, summary: StockSummary) -> None:
    product = message.product
    product.product_id = summary.product_id
    money.write(product.unit_price, summary.currency, summary.price_minor)
    product.active = summary.active
    product.version = summary.version
    message.on_hand = summary.on_hand
    message.reserved = summary.reserved
    message.available = summary.on_hand - summary.reserved


def movement_message(recorded: RecordedMovement) -> pb.Movement:
    movement = recorded.movement
    message = pb.Movement(
        movement_id=recorded.movement_id,
        product_id=movement.product_id,
        location_id=movement.location_id,
        kind=pb.MovementKind.Value(f"MOVEMENT_KIND_{movement.kind}"),
        on_hand_delta=movement.on_hand_delta,
        reserved_delta=movement.reserved_delta,
        on_hand_after=movement.on_hand_after,
        reserved_after=movement.reserved_after,
        order_id=movement.order_id or "",
        reason=movement.reason,
        reference=movement.reference,
        actor=movement.actor,
    )
    times.write(message.create_time, movement.at)
    return message
