"""`holdfast order figures`: orders counted by day."""

from datetime import date, timedelta
from typing import Annotated

import typer

from holdfast.chassis.clock import SystemClock
from holdfast.cli.backorders import day
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.output import Output, OutputOption, print_json, print_line, print_table
from holdfast.client import OrderFigures, OrdersOfDay

USUALLY = timedelta(days=29)  # and today


def figures(
    first: Annotated[
        date | None,
        typer.Option(
            "--from", parser=day, metavar="DAY", help="The first day; usually the last 30 days."
        ),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option(
            "--to", parser=day, metavar="DAY", help="The last day, counted too; usually today."
        ),
    ] = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Count orders by day: holdfast order figures --from 2026-03-02 --to 2026-03-08

    Days are those of UTC, at most 92. Revenue is what orders cost that were not rejected,
    cancelled or expired. What was refused for want of stock was never an order.
    """
    until = last or SystemClock().now().date()
    since = first or until - USUALLY
    found = Connection(orders, data=data, reads=True).run(
        lambda client: client.orders.figures(since, until)
    )
    if output is Output.JSON:
        print_json(found)
        return
    _show(found)


def _show(found: OrderFigures) -> None:
    print_table(
        ("day", "orders", "revenue", "at once", "waited", "rejected", "p50 s", "p95 s"),
        [_row(one) for one in found.days],
    )
    if found.shortages:
        print_line("")
        print_table(
            ("short of", "orders rejected", "units missing", "orders waiting", "units waited for"),
            [
                (one.product_id, one.rejected, one.missing, one.waiting, one.waited_for)
                for one in found.shortages
            ],
        )


def _row(one: OrdersOfDay) -> tuple[object, ...]:
    revenue = ", ".join(str(sales.revenue) for sales in one.sales.values())
    promised = one.promised_p50_s, one.promised_p95_s
    return one.day, one.orders, revenue, one.at_once, one.waited, one.rejected, *promised
