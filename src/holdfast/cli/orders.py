"""`holdfast order`: place orders, look at them, change them."""

from typing import Annotated

import typer

from holdfast.cli import order_returns
from holdfast.cli.arguments import (
    AddressOption,
    BeforeOption,
    EmailOption,
    FromOption,
    LimitOption,
    NameOption,
    PhoneOption,
    StatusOption,
    VersionOption,
    duration_s,
    order_lines,
)
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.exits import REFUSED, repeatable_as
from holdfast.cli.order_edits import cancel, edit
from holdfast.cli.order_figures import figures
from holdfast.cli.order_options import (
    AddedOption,
    AttributeOption,
    BillToOption,
    ChannelOption,
    ChargeOption,
    CustomersOption,
    DiscountOption,
    FromChannelOption,
    HeldAtOption,
    HoldEndOption,
    HoldOption,
    NoteOption,
    NoWaitOption,
    OnceOption,
    OrderId,
    PaidOption,
    PaymentStatusOption,
    PrefixArgument,
    PriceCurrencyOption,
    ReferenceOption,
    ShipToOption,
    ToShipOption,
    WaitOption,
    WithEmailOption,
    WithProductOption,
    WithReferenceOption,
    attributes_of,
    charges_of,
    exact_amount,
    hold_seconds,
    wait_seconds,
)
from holdfast.cli.order_shipping import ship, shipment_app
from holdfast.cli.order_views import headline, show_order, show_orders, show_placed
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_json_line,
    print_line,
)
from holdfast.cli.sourcing import (
    InStockOnlyOption,
    NoSplitOption,
    SourcesOption,
    SourcingOption,
    sourcing_of,
)
from holdfast.client import (
    Customer,
    Details,
    Holdfast,
    Order,
    OrderStatus,
    PaymentKind,
    Placed,
)

app = CommandGroup(help="Place orders, look at them, change them.", no_args_is_help=True)
app.command()(edit)
app.command()(cancel)
app.command()(ship)
app.command()(figures)
app.add_typer(shipment_app, name="shipment")
app.add_typer(order_returns.app, name="return")


@app.command()
def create(
    lines: Annotated[
        list[str], typer.Argument(metavar="PRODUCT=QTY[@PRICE]", help="What to order.")
    ],
    customer: Annotated[str, typer.Option(metavar="ID", help="Who orders.")],
    currency: PriceCurrencyOption = None,
    name: NameOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    address: AddressOption = None,
    request_id: OnceOption = None,
    wait: WaitOption = "10s",
    discount: DiscountOption = None,
    shipping: AddedOption = None,
    tax: AddedOption = None,
    charge: ChargeOption = None,
    reference: ReferenceOption = None,
    channel: ChannelOption = "",
    note: NoteOption = None,
    attribute: AttributeOption = None,
    ship_to: ShipToOption = None,
    bill_to: BillToOption = None,
    hold: HoldOption = None,
    sourcing: SourcingOption = None,
    sources: SourcesOption = None,
    no_split: NoSplitOption = False,
    in_stock_only: InStockOnlyOption = False,
    no_wait: NoWaitOption = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Place an order: holdfast order create --customer c-17 LAMP-RED=2 MUG=1@4.50

    Without a price the product's own is taken; one that you give is in the product's currency.
    Exits with 1 if the stock is short, and may not be waited for.
    """
    wait_s = 0.0 if no_wait else wait_seconds(wait)
    hold_s = None if hold is None else hold_seconds(hold, "--hold")
    wanted = order_lines(lines, currency)
    charges = charges_of(discount, shipping, tax, charge)
    rule = sourcing_of(sourcing, sources, no_split, in_stock_only)
    attributes = attributes_of(attribute)
    details = Details(reference or "", channel, note or "", attributes, ship_to, bill_to)
    with repeatable_as(request_id) as own_id:
        placed = Connection(orders, data=data).run(
            lambda client: client.orders.create(
                customer,
                wanted,
                customer=Customer(name or "", email or "", phone or "", address or ""),
                request_id=own_id,
                wait_s=wait_s,
                hold_s=hold_s,
                charges=charges,
                details=details,
                sourcing=rule,
            )
        )
    _show(placed, output)


def _show(placed: Placed, output: Output) -> None:
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
    """Show an order with its lines, shipments, returns and history."""
    order = Connection(orders, data=data, reads=True).run(
        lambda client: client.orders.get(order_id)
    )
    show_order(order, output)


@app.command("list")
def list_orders(
    customer: CustomersOption = None,
    status: StatusOption = None,
    product: WithProductOption = None,
    created_from: FromOption = None,
    created_before: BeforeOption = None,
    to_ship: ToShipOption = False,
    location: HeldAtOption = None,
    by_hold_end: HoldEndOption = False,
    limit: LimitOption = 50,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List orders, newest first; what can leave now: holdfast order list --to-ship"""

    async def found(client: Holdfast) -> list[Order]:
        listed = client.orders.list(
            customer_id=customer or "",
            status=status,
            product_id=product or "",
            created_from=created_from,
            created_before=created_before,
            to_ship=to_ship,
            location_id=location or "",
            by_hold_end=by_hold_end,
            limit=limit,
        )
        return [order async for order in listed]

    show_orders(Connection(orders, data=data, reads=True).run(found), output)


@app.command()
def search(
    prefix: PrefixArgument = None,
    reference: WithReferenceOption = None,
    email: WithEmailOption = None,
    channel: FromChannelOption = None,
    payment_status: PaymentStatusOption = None,
    customer: CustomersOption = None,
    status: StatusOption = None,
    product: WithProductOption = None,
    created_from: FromOption = None,
    created_before: BeforeOption = None,
    to_ship: ToShipOption = False,
    location: HeldAtOption = None,
    limit: LimitOption = 50,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Find orders by what you know of them, newest first: holdfast order search --reference W-17"""

    async def found(client: Holdfast) -> list[Order]:
        sought = client.orders.search(
            order_id_prefix=prefix or "",
            reference=reference or "",
            email=email or "",
            channel=channel or "",
            payment_status=payment_status,
            customer_id=customer or "",
            status=status,
            product_id=product or "",
            created_from=created_from,
            created_before=created_before,
            to_ship=to_ship,
            location_id=location or "",
            limit=limit,
        )
        return [order async for order in sought]

    show_orders(Connection(orders, data=data, reads=True).run(found), output)


@app.command()
def update(
    order_id: OrderId,
    name: NameOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    address: AddressOption = None,
    reference: ReferenceOption = None,
    note: NoteOption = None,
    attribute: AttributeOption = None,
    ship_to: ShipToOption = None,
    bill_to: BillToOption = None,
    version: VersionOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change what is known beside the lines of an order; an empty text takes a field away.

    --ship-to and --bill-to replace the whole address; of the attributes only those that are named
    change.
    """
    attributes = attributes_of(attribute)
    new = (name, email, phone, address, reference, note, attributes or None, ship_to, bill_to)
    if all(one is None for one in new):
        raise typer.BadParameter(
            "nothing to change: give --name, --email, --phone, --address, --reference, --note, "
            "--attribute, --ship-to or --bill-to"
        )

    async def change(client: Holdfast) -> Order:
        current, all_attributes = version, None
        if attributes or not version:
            now = await client.orders.get(order_id)
            current = version or now.version
            if attributes:
                both = {**now.details.attributes, **attributes}
                all_attributes = {key: value for key, value in both.items() if value}
        return await client.orders.update(
            order_id,
            version=current or 0,
            name=name,
            email=email,
            phone=phone,
            address=address,
            reference=reference,
            note=note,
            attributes=all_attributes,
            ship_to=ship_to,
            bill_to=bill_to,
        )

    show_order(Connection(orders, data=data).run(change), output)


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
    amount = None if text is None else exact_amount(text)
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
    hold_s = hold_seconds(hold, "TIME")
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
    exact = exact_amount(amount)
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

    Connection(orders, data=data, reads=True).run(follow)
