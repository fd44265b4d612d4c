"""Charges and details as the wire takes them; see `_requests`, which checks everything else."""

from dataclasses import fields

from holdfast.client._checks import Checks
from holdfast.client._types import Address, Charge, ChargeKind, Details
from holdfast.client._wire import charge_kind_to_wire
from holdfast.contracts.orders.v1 import orders_pb2


def write_charges(checks: Checks, message: orders_pb2.CreateOrderRequest, charges: object) -> None:
    for number, charge in enumerate(checks.items("charges", charges) if charges else ()):
        at = f"charges[{number}]"
        if not isinstance(charge, Charge):
            checks.is_a(at, charge, Charge)
            continue
        if not isinstance(charge.kind, ChargeKind) or charge.kind is ChargeKind.UNKNOWN:
            checks.add(f"{at}.kind", "must be a ChargeKind that is known")
            continue
        message.charges.add(
            kind=charge_kind_to_wire(charge.kind),
            line_no=checks.number(f"{at}.line_no", charge.line_no, lowest=0, highest=2_000),
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
    for key, value in dict(details.attributes).items():
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
