"""Lines, charges, details, sourcing and policies as the wire takes them; `_requests` checks the
rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from holdfast.client._checks import LINE_NO_MAX, QUANTITY_MAX, STOCK_MAX, Checks
from holdfast.client._stock_types import Backorder, BackorderMode, Sourcing, SourcingStrategy
from holdfast.client._stock_wire import backorder_mode_to_wire, strategy_to_wire
from holdfast.client._times import day_to_wire
from holdfast.client._types import Address, Charge, ChargeKind, Details, OrderLine
from holdfast.client._wire import charge_kind_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2

LINES_MAX = 2_000  # of one order
LOCATIONS_MAX = 100  # that a sourcing names
_WITH_LOCATIONS = (SourcingStrategy.NEAREST, SourcingStrategy.PINNED)


def write_lines(
    checks: Checks,
    message: orders_pb2.CreateOrderRequest
    | orders_pb2.UpdateOrderRequest
    | inventory_pb2.CheckAvailabilityRequest,
    lines: object,
) -> None:
    """At least one; with their numbers only where lines are edited, and prices where they count."""
    is_edit = isinstance(message, orders_pb2.UpdateOrderRequest)
    for number, line in enumerate(checks.items("lines", lines)):
        at = f"lines[{number}]"
        if not isinstance(line, OrderLine):
            checks.is_a(at, line, OrderLine)
            continue
        written = message.lines.add(
            product_id=checks.text(f"{at}.product_id", line.product_id),
            quantity=checks.number(f"{at}.quantity", line.quantity, lowest=1, highest=QUANTITY_MAX),
        )
        if isinstance(written, inventory_pb2.BasketLine):
            continue
        if line.unit_price is not None:
            price = checks.line_price(f"{at}.unit_price", line.unit_price)
            written.unit_price.CopyFrom(price)
        if is_edit:
            written.line_no = checks.number(
                f"{at}.line_no", line.line_no, lowest=0, highest=LINE_NO_MAX
            )


def write_charges(
    checks: Checks,
    message: orders_pb2.CreateOrderRequest | orders_pb2.UpdateOrderRequest,
    charges: object,
) -> None:
    is_edit = isinstance(message, orders_pb2.UpdateOrderRequest)
    line_no_max = LINE_NO_MAX if is_edit else LINES_MAX
    for number, charge in enumerate(checks.items("charges", charges) if charges else ()):
        at = f"charges[{number}]"
        if not isinstance(charge, Charge):
            checks.is_a(at, charge, Charge)
            continue
        kind = checks.known(f"{at}.kind", charge.kind, ChargeKind)
        if kind is None:
            continue
        message.charges.add(
            kind=charge_kind_to_wire(kind),
            line_no=checks.number(f"{at}.line_no", charge.line_no, lowest=0, highest=line_no_max),
            code=checks.text(f"{at}.code", charge.code),
            amount=checks.line_price(f"{at}.amount", charge.amount),
        )


def write_details(
    checks: Checks,
    message: orders_pb2.CreateOrderRequest | orders_pb2.UpdateOrderRequest,
    details: Details,
) -> None:
    """All of them; the channel only where the request has one."""
    message.reference = checks.text("reference", details.reference)
    message.note = checks.text("note", details.note)
    if isinstance(message, orders_pb2.CreateOrderRequest):
        message.channel = checks.text("channel", details.channel)
    if checks.is_a("attributes", details.attributes, Mapping):
        for key, value in details.attributes.items():
            name = checks.text("attributes", key)
            message.attributes[name] = checks.text(f"attributes[{key}]", value)
    for name in ("ship_to", "bill_to"):
        address = getattr(details, name)
        if address is not None and checks.is_a(name, address, Address):
            written = getattr(message, name)
            written.SetInParent()
            for part in fields(Address):
                text = checks.text(f"{name}.{part.name}", getattr(address, part.name))
                setattr(written, part.name, text)


def write_sourcing(checks: Checks, message: inventory_pb2.Sourcing, sourcing: object) -> None:
    """All of it, so that a sourcing by priority is there too."""
    if not isinstance(sourcing, Sourcing):
        checks.is_a("sourcing", sourcing, Sourcing)
        return
    message.may_split = checks.flag("sourcing.may_split", sourcing.may_split)
    message.in_stock_only = checks.flag("sourcing.in_stock_only", sourcing.in_stock_only)
    strategy = checks.known("sourcing.strategy", sourcing.strategy, SourcingStrategy)
    if strategy is not None:
        message.strategy = strategy_to_wire(strategy)
        message.location_ids.extend(_named(checks, strategy, sourcing.locations))


def write_backorder(checks: Checks, message: inventory_pb2.Backorder, backorder: object) -> None:
    """All of it, so that a policy by which nothing waits is there too."""
    at = "product.backorder"
    if not isinstance(backorder, Backorder):
        checks.is_a(at, backorder, Backorder)
        return
    mode = checks.known(f"{at}.mode", backorder.mode, BackorderMode)
    if mode is not None:
        message.mode = backorder_mode_to_wire(mode)
        message.units_max = _units_max(checks, f"{at}.units_max", mode, backorder.units_max)
    if backorder.expected_date is not None:
        day = checks.day(f"{at}.expected_date", backorder.expected_date)
        message.expected_date.CopyFrom(day_to_wire(day))


def _units_max(checks: Checks, at: str, mode: BackorderMode, units: object) -> int:
    if mode is BackorderMode.LIMITED:
        return checks.number(at, units, lowest=1, highest=STOCK_MAX)
    if checks.number(at, units, lowest=0):
        checks.add(at, f"must be 0: {mode} takes none")
    return 0


def _named(checks: Checks, strategy: SourcingStrategy, locations: object) -> Sequence[str]:
    """The locations of a sourcing: 1 to LOCATIONS_MAX, each once, where the strategy takes any."""
    at = "sourcing.location_ids"
    if strategy not in _WITH_LOCATIONS:
        if locations != () and locations != []:
            checks.add(at, f"must be empty: {strategy} takes none")
        return ()
    items = checks.items(at, locations)
    named = [checks.text(f"{at}[{number}]", item) for number, item in enumerate(items)]
    if len(named) > LOCATIONS_MAX:
        checks.add(at, f"has {len(named)} items; it must have between 1 and {LOCATIONS_MAX}")
    if len({*named}) < len(named):
        checks.add(at, "name a location twice")
    return named
