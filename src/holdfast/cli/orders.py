"""`holdfast order`: place orders, look at them, change them."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import typer

from holdfast.cli.arguments import (
    BeforeOption,
    FromOption,
    LimitOption,
    StatusOption,
    VersionOption,
    duration_s,
    given,
    order_lines,
)
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.exits import REFUSED, repeatable_as
from holdfast.cli.order_views import headline, show_order, show_orders, show_placed
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_json_line,
    print_line,
)
from holdfast.client import (
    Charge,
    ChargeKind,
    Customer,
    Details,
    Holdfast,
    Order,
    OrderStatus,
    PaymentKind,
    PaymentStatus,
    parse_amount,
)

app = CommandGroup(help="Place orders, look at them, change them.", no_args_is_help=True)


class PaidOption(StrEnum):
    """What a payment provider does."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    VOIDED = "voided"


HOLD_S_MAX = 86_400.0
WAIT_S_MAX = 60.0  # the service waits no longer either

OrderId = Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order's id.")]
NameOption = Annotated[str | None, typer.Option(help="Who receives it.")]
EmailOption = Annotated[str | None, typer.Option(help="E-mail address.")]
PhoneOption = Annotated[str | None, typer.Option(help="Phone number.")]
AddressOption = Annotated[str | None, typer.Option(help="Postal address.")]
DiscountOption = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="Taken off the whole order.")
]
AddedOption = Annotated[str | None, typer.Option(metavar="AMOUNT", help="Added to the order.")]
ReferenceOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Your own number of the order.")
]
ChannelOption = Annotated[str, typer.Option(metavar="TEXT", help="Where it came from.")]
NoteOption = Annotated[str | None, typer.Option(help="For whoever handles it.")]
HoldOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Hold the stock so long (up to 24h) for `order confirm`."),
]


@app.command()
def create(
    lines: Annotated[
        list[str], typer.Argument(metavar="PRODUCT=QTY[@PRICE]", help="What to order.")
    ],
    customer: Annotated[str, typer.Option(metavar="ID", help="Who orders.")],
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Of the prices; default: that of each product."),
    ] = None,
    name: NameOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    address: AddressOption = None,
    request_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The same id and contents order once only.")
    ] = None,
    wait: Annotated[
        str, typer.Option(metavar="TIME", help="Wait for the outcome at most so long (up to 60s).")
    ] = "10s",
    discount: DiscountOption = None,
    shipping: AddedOption = None,
    tax: AddedOption = None,
    reference: ReferenceOption = None,
    channel: ChannelOption = "",
    note: NoteOption = None,
    hold: HoldOption = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait.")] = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Place an order: holdfast order create --customer c-17 LAMP-RED=2 MUG=1@4.50

    Without a price the product's own is taken; one that you give is in the product's currency.
    Exits with 1 if the stock is short.
    """
    wait_s = 0.0 if no_wait else duration_s(wait, "--wait")
    if wait_s > WAIT_S_MAX:
        raise typer.BadParameter(f"--wait takes at most {WAIT_S_MAX:g}s; then try `order watch`")
    hold_s = None if hold is None else _hold_s(hold, "--hold")
    wanted = order_lines(lines, currency)
    charges = _charges(discount, shipping, tax)
    details = Details(reference or "", channel, note or "")
    who = Customer(name or "", email or "", phone or "", address or "")
    with repeatable_as(request_id) as own_id:
        placed = Connection(orders, data=data).run(
            lambda client: client.orders.create(
                customer,
                wanted,
                customer=who,
                request_id=own_id,
                wait_s=wait_s,
                hold_s=hold_s,
                charges=charges,
                details=details,
            )
        )
    show_placed(placed, output)
    if placed.status is OrderStatus.REJECTED:
        raise typer.Exit(REFUSED)


@app.command()
def get(
    order_id: OrderId,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show an order with its lines and history."""
    order = Connection(orders, data=data).run(lambda client: client.orders.get(order_id))
    show_order(order, output)


@app.command("list")
def list_orders(
    customer: Annotated[
        str | None, typer.Option(parser=given, metavar="ID", help="Only this customer's.")
    ] = None,
    status: StatusOption = None,
    product: Annotated[
        str | None, typer.Option(parser=given, metavar="ID", help="Only with this product.")
    ] = None,
    created_from: FromOption = None,
    created_before: BeforeOption = None,
    limit: LimitOption = 50,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List orders, newest first."""

    async def found(client: Holdfast) -> list[Order]:
        listed = client.orders.list(
            customer_id=customer or "",
            status=status,
            product_id=product or "",
            created_from=created_from,
            created_before=created_before,
            limit=limit,
        )
        return [order async for order in listed]

    show_orders(Connection(orders, data=data).run(found), output)


@app.command()
def search(
    prefix: Annotated[str, typer.Argument(metavar="ID", help="The beginning of an order id.")] = "",
    reference: Annotated[str, typer.Option(metavar="TEXT", help="Your own number.")] = "",
    email: Annotated[str, typer.Option(help="The customer's e-mail address.")] = "",
    channel: Annotated[str, typer.Option(metavar="TEXT", help="Where it came from.")] = "",
    payment_status: Annotated[
        PaymentStatus | None, typer.Option(help="Where its payment stands.", case_sensitive=False)
    ] = None,
    customer: Annotated[str, typer.Option(metavar="ID", help="Only this customer's.")] = "",
    status: StatusOption = None,
    product: Annotated[str, typer.Option(metavar="ID", help="Only with this product.")] = "",
    created_from: FromOption = None,
    created_before: BeforeOption = None,
    limit: LimitOption = 50,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Find orders by what you know of them, newest first: holdfast order search --reference W-17"""

    async def found(client: Holdfast) -> list[Order]:
        sought = client.orders.search(
            order_id_prefix=prefix,
            reference=reference,
            email=email,
            channel=channel,
            payment_status=payment_status,
            customer_id=customer,
            status=status,
            product_id=product,
            created_from=created_from,
            created_before=created_before,
            limit=limit,
        )
        return [order async for order in sought]

    show_orders(Connection(orders, data=data).run(found), output)


@app.command()
def update(
    order_id: OrderId,
    name: NameOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    address: AddressOption = None,
    reference: ReferenceOption = None,
    note: NoteOption = None,
    version: VersionOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change what is known beside the lines of an order; an empty text takes a field away."""
    if name is email is phone is address is reference is note is None:
        raise typer.BadParameter(
            "nothing to change: give --name, --email, --phone, --address, --reference or --note"
        )

    async def change(client: Holdfast) -> Order:
        current = version or (await client.orders.get(order_id)).version
        return await client.orders.update(
            order_id,
            version=current,
            name=name,
            email=email,
            phone=phone,
            address=address,
            reference=reference,
            note=note,
        )

    show_order(Connection(orders, data=data).run(change), output)


@app.command()
def cancel(
    order_id: OrderId,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Cancel an order; its stock comes back shortly after."""
    order = Connection(orders, data=data).run(
        lambda client: client.orders.cancel(order_id, reason=reason)
    )
    show_order(order, output)


@app.command()
def confirm(
    order_id: OrderId,
    payment: Annotated[str, typer.Option(metavar="REF", help="The payment's reference.")],
    authorized: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Record that so much is authorised.")
    ] = None,
    captured: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Record that so much was taken.")
    ] = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Confirm an order whose stock is held; the payment's reference is kept in any case."""
    if authorized is not None and captured is not None:
        raise typer.BadParameter("give --authorized or --captured, not both")
    text = authorized if captured is None else captured
    kind = PaymentKind.AUTHORIZED if captured is None else PaymentKind.CAPTURED
    amount = None if text is None else _amount(text)
    order = Connection(orders, data=data).run(
        lambda client: client.orders.confirm(
            order_id, payment=payment, kind=kind if amount is not None else None, amount=amount
        )
    )
    show_order(order, output)


@app.command()
def extend(
    order_id: OrderId,
    hold: Annotated[str, typer.Argument(metavar="TIME", help="From now on, up to 24h.")],
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let a hold end later: holdfast order extend ID 15m. It is never shortened."""
    hold_s = _hold_s(hold, "TIME")
    order = Connection(orders, data=data).run(
        lambda client: client.orders.extend_hold(order_id, hold_s=hold_s)
    )
    show_order(order, output)


@app.command()
def pay(
    order_id: OrderId,
    kind: Annotated[PaidOption, typer.Argument(help="What the payment provider did.")],
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Such as 12.50, in the order's currency.")
    ],
    reference: Annotated[str, typer.Option(metavar="REF", help="The provider's name for it.")],
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Record what the payment provider did: holdfast order pay ID captured 12.50 --reference R1

    Nothing is charged, and no stock is moved.
    """
    exact = _amount(amount)
    order = Connection(orders, data=data).run(
        lambda client: client.orders.record_payment(
            order_id, PaymentKind(kind.upper()), exact, reference=reference
        )
    )
    show_order(order, output)


@app.command()
def watch(
    order_id: OrderId,
    watch_for: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Watch at most so long.")
    ] = "1h",
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show an order now and after every change, until it is final; JSON is one object a line."""
    watch_s = duration_s(watch_for, "--for")

    async def follow(client: Holdfast) -> None:
        async for order in client.orders.watch(order_id, watch_s=watch_s):
            if output is Output.JSON:
                print_json_line(order)
            else:
                print_line(headline(order))

    Connection(orders, data=data).run(follow)


def _charges(discount: str | None, shipping: str | None, tax: str | None) -> list[Charge]:
    amounts = {
        ChargeKind.DISCOUNT: discount,
        ChargeKind.SHIPPING: shipping,
        ChargeKind.TAX: tax,
    }
    return [Charge(kind, _amount(text)) for kind, text in amounts.items() if text is not None]


def _hold_s(text: str, option: str) -> float:
    hold_s = duration_s(text, option)
    if not 0 < hold_s <= HOLD_S_MAX:
        raise typer.BadParameter(f"{option} takes more than 0 and at most 24h")
    return hold_s


def _amount(text: str) -> Decimal:
    try:
        return parse_amount(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}") from None
