"""Details and charges on the wire: read with all their violations, written as they were read."""

import re
from collections.abc import Iterable

from holdfast.chassis import money
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ordering.place_orders import AskedCharge
from holdfast.orders.domain.money import Amount, Money
from holdfast.orders.domain.ordering.charges import CHARGES_MAX, Charge, ChargeKind
from holdfast.orders.domain.ordering.details import NO_DETAILS, Address, Details
from holdfast.orders.domain.ordering.document import Order

NOTE_CHARACTERS_MAX = 2_000
ATTRIBUTES_MAX = 50
KEY_CHARACTERS_MAX, VALUE_CHARACTERS_MAX = 40, 500
ADDRESS_CHARACTERS_MAX = {"name": 200, "company": 200, "street": 500, "city": 200, "region": 200}
ADDRESS_CHARACTERS_MAX |= {"postal_code": 50, "country": 2}
DETAILS = ("reference", "note", "attributes", "ship_to", "bill_to")  # what UpdateOrder may name

_COUNTRY = re.compile(r"[A-Z]{2}")
_KINDS = {pb.ChargeKind.Value(f"CHARGE_KIND_{kind}"): kind for kind in ChargeKind}


def read_details(
    request: pb.CreateOrderRequest | pb.UpdateOrderRequest, violations: Violations, at: str = ""
) -> Details:
    """Read what both requests have; the channel is only told when an order is placed."""
    if not (
        request.reference
        or request.note
        or request.attributes
        or request.HasField("ship_to")
        or request.HasField("bill_to")
        or (isinstance(request, pb.CreateOrderRequest) and request.channel)
    ):
        return NO_DETAILS
    channel = ""
    if isinstance(request, pb.CreateOrderRequest):
        channel = violations.optional_id(f"{at}channel", request.channel)
    return Details(
        violations.optional_id(f"{at}reference", request.reference),
        channel,
        violations.text(f"{at}note", request.note, characters_max=NOTE_CHARACTERS_MAX),
        _read_attributes(dict(request.attributes), violations, f"{at}attributes"),
        _read_address(request.ship_to, violations, f"{at}ship_to"),
        _read_address(request.bill_to, violations, f"{at}bill_to"),
    )


def _read_attributes(
    attributes: dict[str, str], violations: Violations, at: str
) -> tuple[tuple[str, str], ...]:
    if attributes:
        violations.size(at, len(attributes), highest=ATTRIBUTES_MAX)
    for key, value in attributes.items():
        violations.id(f"{at}[{key!r}]", key, characters_max=KEY_CHARACTERS_MAX)
        violations.text(f"{at}[{key!r}]", value, characters_max=VALUE_CHARACTERS_MAX)
    return tuple(sorted(attributes.items()))


def _read_address(address: pb.Address, violations: Violations, at: str) -> Address:
    parts = {
        name: violations.text(f"{at}.{name}", getattr(address, name), characters_max=limit)
        for name, limit in ADDRESS_CHARACTERS_MAX.items()
    }
    if parts["country"] and not _COUNTRY.fullmatch(parts["country"]):
        violations.add(f"{at}.country", "must be two capital letters, such as FR (ISO 3166-1)")
    return Address(**parts)


def read_charges(
    request: pb.CreateOrderRequest | pb.UpdateOrderRequest,
    violations: Violations,
    at: str = "",
    *,
    line_no_max: int,
) -> tuple[AskedCharge, ...]:
    if len(request.charges) > CHARGES_MAX:
        violations.size(f"{at}charges", len(request.charges), highest=CHARGES_MAX)
        return ()
    return tuple(
        _read_charge(charge, line_no_max, violations, f"{at}charges[{index}]")
        for index, charge in enumerate(request.charges)
    )


def _read_charge(
    charge: pb.Charge, line_no_max: int, violations: Violations, at: str
) -> AskedCharge:
    kind = _KINDS.get(charge.kind)
    if kind is None:
        known = ", ".join(f"{number} {kind}" for number, kind in _KINDS.items())
        violations.add(f"{at}.kind", f"{charge.kind} is no kind of charge; there are {known}")
    violations.within(f"{at}.line_no", charge.line_no, lowest=0, highest=line_no_max)
    code = violations.optional_id(f"{at}.code", charge.code)
    if not charge.HasField("amount"):
        violations.add(f"{at}.amount", "is missing; 0 is a charge of nothing")
    amount: Money | Amount
    if charge.amount.currency_code:
        amount = Money(*money.to_minor(violations, f"{at}.amount", charge.amount))
    else:
        amount = Amount(money.to_billionths(violations, f"{at}.amount", charge.amount))
    return AskedCharge(kind or ChargeKind.FEE, charge.line_no, code, amount)


def write_charges(message: pb.Order | pb.OrderEdit, charges: Iterable[Charge]) -> None:
    for charge in charges:
        written = message.charges.add(line_no=charge.line_no, code=charge.code)
        written.kind = pb.ChargeKind.Value(f"CHARGE_KIND_{charge.kind}")
        money.write(written.amount, *charge.amount)


def write_details(message: pb.Order, order: Order) -> None:
    write_charges(message, order.charges)
    details = order.details
    if details is NO_DETAILS:
        return
    message.reference, message.channel = details.reference, details.channel
    message.note = details.note
    for key, value in details.attributes:
        message.attributes[key] = value
    for name in ("ship_to", "bill_to"):
        address: Address = getattr(details, name)
        if any(address):
            getattr(message, name).CopyFrom(pb.Address(**address._asdict()))
