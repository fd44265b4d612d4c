"""How the command line shows orders: to people, or as JSON."""

from collections.abc import Sequence

from holdfast.cli.addresses import address_line
from holdfast.cli.backorders import show_queued
from holdfast.cli.output import Output, print_facts, print_json, print_line, print_table, signed
from holdfast.cli.shipping_views import show_returns, show_shipments
from holdfast.cli.sourcing import shortage_line, show_stock, sourcing_line
from holdfast.client import (
    Charge,
    EditState,
    Order,
    OrderEdit,
    OrderLine,
    OrderStatus,
    PaymentKind,
    Placed,
)


def show_placed(placed: Placed, output: Output) -> None:
    if output is Output.JSON:
        print_json(placed)
        return
    print_line(f"order {placed.order_id} is {placed.status}")
    for short in placed.shortages:
        print_line(f"  {shortage_line(short)}")
    if placed.status is OrderStatus.RESERVED:
        print_line(f"  held until {placed.expires_time:%Y-%m-%dT%H:%M:%SZ}; then it expires")
    if placed.status is OrderStatus.PENDING:
        print_line(f"  its outcome follows: holdfast order watch {placed.order_id}")


def headline(order: Order) -> str:
    last = order.history[-1] if order.history else None
    why = f" ({last.reason})" if last and last.reason else ""
    return f"order {order.order_id} version {order.version} is {order.status}{why}"


def show_orders(found: list[Order], output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
        return
    print_table(
        ("order", "created", "customer", "status", "lines", "total"),
        [
            (o.order_id, o.create_time, o.customer_id, o.status, len(o.lines), o.total)
            for o in found
        ],
    )


def _payment(order: Order) -> str:
    if not order.payments and not order.payment_reference:
        return ""
    facts = [f"confirmed by {order.payment_reference}"] if order.payment_reference else []
    for one in order.payments:
        amount = "" if one.kind is PaymentKind.NAMED else f" {one.amount}"
        facts.append(f"{one.reference} {one.kind.lower()}{amount}")
    return f"{order.payment_status} ({', '.join(facts)})"


def show_order(order: Order, output: Output) -> None:
    if output is Output.JSON:
        print_json(order)
        return
    print_facts(
        {
            "order": order.order_id,
            "status": order.status,
            "customer": order.customer_id,
            "name": order.customer.name,
            "email": order.customer.email,
            "phone": order.customer.phone,
            "address": order.customer.address,
            "total": order.total,
            "held until": order.expires_time if order.status is OrderStatus.RESERVED else None,
            "payment": _payment(order),
            "reference": order.details.reference,
            "channel": order.details.channel,
            "note": order.details.note,
            "attributes": ", ".join(f"{k}={v}" for k, v in order.details.attributes.items()),
            "ship to": address_line(order.details.ship_to),
            "bill to": address_line(order.details.bill_to),
            "sourcing": sourcing_line(order.sourcing),
            "version": order.version,
        }
    )
    print_line("")
    _show_contents(order.lines, order.charges)
    for short in order.shortages:
        print_line(f"short: {shortage_line(short)}")
    if order.stock:
        print_line("")
        show_stock(order.stock)
    if order.queued:
        print_line("")
        show_queued(order.queued)
    show_shipments(order.shipments)
    show_returns(order.returns)
    if order.edit is not None:
        _show_edit(order.order_id, order.edit)
    if order.history:
        print_line("")
        print_table(
            ("version", "what", "time", "reason", "by"),
            [
                (
                    *(c.version, c.action or c.status, c.change_time),
                    *(c.reason, signed(c.actor, c.credential_id)),
                )
                for c in order.history
            ],
        )


def _show_contents(lines: Sequence[OrderLine], charges: Sequence[Charge]) -> None:
    if any(line.shipped for line in lines):
        print_table(
            ("line", "product", "quantity", "shipped", "unit price"),
            [(m.line_no, m.product_id, m.quantity, m.shipped, m.unit_price) for m in lines],
        )
    else:
        print_table(
            ("line", "product", "quantity", "unit price"),
            [(m.line_no, m.product_id, m.quantity, m.unit_price) for m in lines],
        )
    for charge in charges:
        where = f" of line {charge.line_no}" if charge.line_no else ""
        print_line(f"{charge.kind.lower()}{where}: {charge.amount} {charge.code}".rstrip())


def _show_edit(order_id: str, edit: OrderEdit) -> None:
    """What became of the newest edit; an applied one is the order, and told by its history."""
    match edit.state:
        case EditState.ASKED:
            print_line("")
            print_line(f"edit {edit.edition} is under way, Inventory has not answered; it wants:")
            _show_contents(edit.lines, edit.charges)
            print_line(f"total with it: {edit.total}")
            print_line(f"look again: holdfast order get {order_id}")
        case EditState.REFUSED:
            print_line(f"edit {edit.edition} was refused, the order stayed as it was; short:")
            for short in edit.missing:
                print_line(f"  {shortage_line(short)}")
        case EditState.DROPPED:
            print_line(f"edit {edit.edition} was dropped: the order ended first")
