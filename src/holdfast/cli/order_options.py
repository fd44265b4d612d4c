"""What `holdfast order` can be told of an order beside its lines, and how that is read."""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import typer

from holdfast.cli.addresses import EXAMPLE, PARTS, address
from holdfast.cli.arguments import duration_s, given, names_of, one_of
from holdfast.client import Address, Charge, ChargeKind, PaymentStatus, parse_amount

_CHARGE = re.compile(
    r"(?P<kind>[^:=]+)(?::(?P<line>[0-9]{1,9}))?=(?P<amount>[^:]+)(?::(?P<code>.*))?",
    re.ASCII | re.DOTALL,
)
_charge_kind = one_of(ChargeKind, "kind of charge")

HOLD_S_MAX = 86_400.0
WAIT_S_MAX = 60.0  # the service waits no longer either


class PaidOption(StrEnum):
    """What a payment provider does."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    VOIDED = "voided"


OrderId = Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order's id.")]
PriceCurrencyOption = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="Of the prices; default: that of each product."),
]
OnceOption = Annotated[
    str | None, typer.Option(metavar="ID", help="The same id and contents order once only.")
]
WaitOption = Annotated[
    str, typer.Option(metavar="TIME", help="Wait for the outcome at most so long (up to 60s).")
]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Do not wait.")]
DiscountOption = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="Taken off the whole order.")
]
AddedOption = Annotated[str | None, typer.Option(metavar="AMOUNT", help="Added to the order.")]
ChargeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND[:LINE]=AMOUNT[:CODE]",
        help=f"Any charge ({names_of(ChargeKind)}), of a line or of the whole order, such as "
        "discount:2=1.50:SPRING; repeatable.",
    ),
]
AttributeOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Anything else of yours; repeatable."),
]
ReferenceOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Your own number of the order.")
]
ChannelOption = Annotated[str, typer.Option(metavar="TEXT", help="Where it came from.")]
NoteOption = Annotated[str | None, typer.Option(help="For whoever handles it.")]
ToShipOption = Annotated[
    bool, typer.Option("--to-ship", help="Only those of which something can leave now.")
]
HeldAtOption = Annotated[
    str | None,
    typer.Option(
        parser=given, metavar="ID", help="Only those for which units are held at this location."
    ),
]
CustomersOption = Annotated[
    str | None,
    typer.Option("--customer", parser=given, metavar="ID", help="Only this customer's."),
]
PrefixArgument = Annotated[
    str | None, typer.Argument(parser=given, metavar="ID", help="The beginning of an order id.")
]
WithReferenceOption = Annotated[
    str | None,
    typer.Option("--reference", parser=given, metavar="TEXT", help="Your own number."),
]
WithEmailOption = Annotated[
    str | None,
    typer.Option("--email", parser=given, metavar="ADDRESS", help="The customer's e-mail address."),
]
FromChannelOption = Annotated[
    str | None,
    typer.Option("--channel", parser=given, metavar="TEXT", help="Where it came from."),
]
PaymentStatusOption = Annotated[
    PaymentStatus | None,
    typer.Option(
        parser=one_of(PaymentStatus, "status of a payment"),
        metavar="STATUS",
        help=f"Where its payment stands: {names_of(PaymentStatus)}.",
    ),
]
WithProductOption = Annotated[
    str | None,
    typer.Option("--product", parser=given, metavar="ID", help="Only with this product."),
]
HoldEndOption = Annotated[
    bool,
    typer.Option("--by-hold-end", help="Only those with a hold; the one that ends next first."),
]
HoldOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Hold the stock so long (up to 24h) for `order confirm`."),
]
ShipToOption = Annotated[
    Address | None,
    typer.Option(
        parser=address,
        metavar="ADDRESS",
        help=f"Where the goods go, in parts: '{EXAMPLE}'. There are {', '.join(PARTS)}. "
        "@FILE reads them from a JSON object.",
    ),
]
BillToOption = Annotated[
    Address | None,
    typer.Option(parser=address, metavar="ADDRESS", help="Where the bill goes, likewise."),
]


def charges_of(
    discount: str | None, shipping: str | None, tax: str | None, others: Sequence[str] | None
) -> list[Charge]:
    """Read what is added to an order, or taken off.

    :param others: charges as they are typed for --charge.
    """
    texts = {
        ChargeKind.DISCOUNT: discount,
        ChargeKind.SHIPPING: shipping,
        ChargeKind.TAX: tax,
    }
    of_order = [
        Charge(kind, exact_amount(text)) for kind, text in texts.items() if text is not None
    ]
    return of_order + [_charge(text) for text in others or ()]


def _charge(text: str) -> Charge:
    found = _CHARGE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is no charge: write KIND[:LINE]=AMOUNT[:CODE], such as "
            "discount:2=1.50:SPRING"
        )
    return Charge(
        _charge_kind(found["kind"]),
        exact_amount(found["amount"]),
        int(found["line"] or 0),
        found["code"] or "",
    )


def attributes_of(pairs: Sequence[str] | None) -> dict[str, str]:
    """Read attributes as they are typed, each once."""
    found: dict[str, str] = {}
    for pair in pairs or ():
        key, is_pair, value = pair.partition("=")
        if not is_pair or not key:
            raise typer.BadParameter(f"{pair!r} is no attribute: write KEY=VALUE")
        if key in found:
            raise typer.BadParameter(f"attribute {key} is there twice")
        found[key] = value
    return found


def wait_seconds(text: str) -> float:
    """Read how long to wait for an outcome."""
    wait_s = duration_s(text, "--wait")
    if wait_s > WAIT_S_MAX:
        raise typer.BadParameter(f"--wait takes at most {WAIT_S_MAX:g}s; then try `order watch`")
    return wait_s


def hold_seconds(text: str, option: str) -> float:
    """Read how long to hold stock."""
    hold_s = duration_s(text, option)
    if not 0 < hold_s <= HOLD_S_MAX:
        raise typer.BadParameter(f"{option} takes more than 0 and at most 24h")
    return hold_s


def exact_amount(text: str) -> Decimal:
    """Read an amount in the currency of whatever it belongs to."""
    try:
        return parse_amount(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}") from None
