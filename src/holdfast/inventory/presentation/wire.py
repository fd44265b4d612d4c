"""Messages of Inventory's API to the domain's words and back; all violations are found at once."""

from dataclasses import dataclass

from holdfast.chassis import money, times
from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.sourcing import LOCATION_CHARACTERS_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.ports import (
    MOVEMENT_ID_MAX,
    MovementFilter,
    ProductFilter,
    RecordedMovement,
    StockInfo,
    StockSummary,
)
from holdfast.inventory.application.stock.change_stock import (
    AdjustOnHand,
    EndQuarantine,
    Quarantine,
    SetOnHand,
)
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.catalog.product import Detail, Product
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import ReasonCode
from holdfast.inventory.domain.stock.refusals import ON_HAND_MAX
from holdfast.inventory.presentation.backorders_wire import read_backorder, write_backorder

BATCH_MAX = 1_000
NAME_CHARACTERS_MAX = 500
DESCRIPTION_CHARACTERS_MAX = 10_000
REASON_CHARACTERS_MAX = 500
REFERENCE_CHARACTERS_MAX = 200
VERSION_MAX = 2**63 - 1


def _name(code: ReasonCode) -> str:
    return f"STOCK_REASON_{code or 'UNSPECIFIED'}"


_REASON_CODES: dict[int, ReasonCode] = {
    pb.StockReason.Value(_name(code)): code for code in ReasonCode
}

PRODUCT_FIELDS = ("name", "description", "unit_price", "active", "backorder", "safety_stock")


def read_set_on_hand(
    request: pb.UpdateStockRequest, caller: Caller, violations: Violations
) -> SetOnHand:
    expected = request.expected_version if request.HasField("expected_version") else None
    if expected is not None:
        violations.within("expected_version", expected, lowest=0, highest=VERSION_MAX)
    if not request.HasField("quantity"):
        violations.add("quantity", "is missing; 0 says that nothing is there")
    return SetOnHand(
        product_id=violations.id("product_id", request.product_id),
        location_id=_location(request.location_id, violations),
        quantity=violations.within("quantity", request.quantity, lowest=0, highest=ON_HAND_MAX),
        expected_version=expected,
        reason=violations.text("reason", request.reason, characters_max=REASON_CHARACTERS_MAX),
        request_id=violations.optional_id("request_id", request.request_id),
        caller=caller,
        reason_code=_reason_code(request.reason_code, violations),
        displace=request.displace,
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
    if not request.reason.strip():
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
        reason_code=_reason_code(request.reason_code, violations),
        displace=request.displace,
    )


def read_quarantine(
    request: pb.QuarantineStockRequest, caller: Caller, violations: Violations
) -> Quarantine:
    product_id, location_id, units = _read_units(request, violations)
    reason, request_id, code = _read_why(request, violations)
    place = product_id, location_id
    return Quarantine(*place, units, reason, request_id, caller, code, displace=request.displace)


def read_end_of_quarantine(
    request: pb.ReleaseQuarantineRequest, caller: Caller, violations: Violations
) -> EndQuarantine:
    product_id, location_id, units = _read_units(request, violations)
    reason, request_id, code = _read_why(request, violations)
    place = product_id, location_id
    return EndQuarantine(*place, units, request.write_off, reason, request_id, caller, code)


def _read_units(
    request: pb.QuarantineStockRequest | pb.ReleaseQuarantineRequest, violations: Violations
) -> tuple[str, str, int]:
    return (
        violations.id("product_id", request.product_id),
        _location(request.location_id, violations),
        violations.within("quantity", request.quantity, lowest=1, highest=ON_HAND_MAX),
    )


def _read_why(
    request: pb.QuarantineStockRequest | pb.ReleaseQuarantineRequest, violations: Violations
) -> tuple[str, str, ReasonCode]:
    if not request.reason.strip():
        violations.add("reason", "is missing")
    return (
        violations.text("reason", request.reason, characters_max=REASON_CHARACTERS_MAX),
        violations.optional_id("request_id", request.request_id),
        _reason_code(request.reason_code, violations),
    )


def _reason_code(number: int, violations: Violations) -> ReasonCode:
    if number not in _REASON_CODES:
        known = ", ".join(filter(None, ReasonCode))
        violations.add("reason_code", f"{number} is no reason; there are {known}")
    return _REASON_CODES.get(number, ReasonCode.NONE)


def _location(location_id: str, violations: Violations) -> str:
    return violations.optional_id(
        "location_id", location_id or MAIN_LOCATION, characters_max=LOCATION_CHARACTERS_MAX
    )


def _is_batch(field: str, size: int, violations: Violations) -> bool:
    violations.size(field, size, highest=BATCH_MAX)
    return 1 <= size <= BATCH_MAX


def read_product_ids(request: pb.BatchGetStockInfoRequest, violations: Violations) -> list[str]:
    only_locations = bool(request.location_ids) and not request.product_ids
    if not only_locations and not _is_batch("product_ids", len(request.product_ids), violations):
        return []
    for index, product_id in enumerate(request.product_ids):
        violations.id(f"product_ids[{index}]", product_id)
    if len(request.location_ids) > BATCH_MAX:
        violations.size("location_ids", len(request.location_ids), highest=BATCH_MAX)
    for index, location_id in enumerate(request.location_ids[:BATCH_MAX]):
        violations.id(f"location_ids[{index}]", location_id, characters_max=LOCATION_CHARACTERS_MAX)
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
    safety_stock = violations.within(
        "product.safety_stock", product.safety_stock, lowest=0, highest=ON_HAND_MAX
    )
    backorder_max, expected_on = read_backorder(product.backorder, violations)
    return Product(
        *(product_id or "?", name, description, currency, max(price_minor, 0)),
        active=product.active if product.HasField("active") else True,
        backorder_max=backorder_max,
        expected_on=expected_on,
        safety_stock=max(safety_stock, 0),
    )


@dataclass(frozen=True, slots=True)
class ProductRevision:
    """What UpdateProduct asks for."""

    product_id: str
    expected_version: int
    details: dict[str, Detail]


def read_revision(request: pb.UpdateProductRequest, violations: Violations) -> ProductRevision:
    fields = list(request.update_mask.paths)
    violations.update_mask(fields, PRODUCT_FIELDS)
    if "active" in fields and not request.product.HasField("active"):
        violations.add("product.active", "is missing, and update_mask names it")
    product = read_product(request.product, violations, priced="unit_price" in fields)
    violations.within("product.version", request.product.version, lowest=1, highest=VERSION_MAX)
    details: dict[str, Detail] = {}
    for field in fields:
        if field == "unit_price":
            details |= {"currency": product.currency, "price_minor": product.price_minor}
        elif field == "backorder":
            details |= {
                "backorder_max": product.backorder_max,
                "expected_on": product.expected_on,
            }
        elif field in PRODUCT_FIELDS:
            details[field] = getattr(product, field)
    return ProductRevision(product.product_id, request.product.version, details)


def read_product_filter(request: pb.ListProductsRequest, violations: Violations) -> ProductFilter:
    most = request.available_max if request.HasField("available_max") else None
    if most is not None:
        violations.within("available_max", most, lowest=0, highest=ON_HAND_MAX)
    return ProductFilter(
        violations.optional_id("product_id_prefix", request.product_id_prefix),
        request.active if request.HasField("active") else None,
        most,
        request.waited_for if request.HasField("waited_for") else None,
    )


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
    if product.backorder_max or product.expected_on:
        write_backorder(message.backorder, product)
    message.safety_stock = product.safety_stock


def level_message(level: StockLevel, coming: int = 0) -> pb.StockLevel:
    return pb.StockLevel(
        location_id=level.location_id,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=level.available,
        version=level.version,
        quarantined=level.quarantined,
        in_transit=coming,
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
    message.available = info.available
    message.quarantined = info.quarantined
    message.queued, message.backorder_room = info.queue.units, info.queue.room
    message.in_transit = sum(info.coming.values())
    message.levels.extend(
        level_message(level, info.coming.get(level.location_id, 0)) for level in info.levels
    )


def write_summary(message: pb.StockInfo, summary: StockSummary) -> None:
    product = message.product
    product.product_id = summary.product_id
    money.write(product.unit_price, summary.currency, summary.price_minor)
    product.active = summary.active
    product.version = summary.version
    message.on_hand = summary.on_hand
    message.reserved = summary.reserved
    message.available = summary.available
    message.quarantined = summary.quarantined
    message.queued, message.backorder_room = summary.queue.units, summary.queue.room


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
        credential_id=movement.credential_id,
        reason_code=pb.StockReason.Value(_name(movement.reason_code)),
        quarantined_delta=movement.quarantined_delta,
        quarantined_after=movement.quarantined_after,
    )
    times.write(message.create_time, movement.at)
    return message
