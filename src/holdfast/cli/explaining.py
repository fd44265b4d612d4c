"""`holdfast stock explain`: why a level is what it is, or was what it was."""

from datetime import datetime
from typing import Annotated

import typer

from holdfast.cli.arguments import given, time, typed
from holdfast.cli.backorders import show_waiting
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
)
from holdfast.cli.output import Output, OutputOption, print_json, print_line, print_table, signed
from holdfast.client import ExplainedLevel, Movement, OpenHold, StockExplanation

NUMBERS = ("on_hand", "reserved", "quarantined")


def explain(
    product_id: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id.")],
    location: Annotated[
        str | None, typer.Option(parser=given, metavar="ID", help="Only there.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            parser=time,
            metavar="TIME",
            help="What was then. ISO 8601, such as 2026-03-02T09:00+01:00; UTC without an offset.",
        ),
    ] = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell why on hand is 47: holdfast stock explain LAMP-RED --location main

    Shows who waits for it; and at each place the movements that make each number, the orders that
    hold what is reserved, the transfers that bring more, and the last movements. With --as-of the
    same of a moment in the past, but for who waited and what was on its way, which is not kept.
    """
    found = Connection(inventory=inventory, data=data, reads=True).run(
        lambda client: client.inventory.explain(product_id, location=location, as_of=as_of)
    )
    if output is Output.JSON:
        print_json(found)
        return
    _show_queue(found)
    if not found.levels and not found.queued:
        print_line(f"{product_id} was never anywhere{' up to then' if as_of else ''}")
    for number, explained in enumerate(found.levels):
        if number:
            print_line("")
        _show(product_id, explained)


def _show_queue(found: StockExplanation) -> None:
    if not found.queued:
        return
    print_line(f"{found.product_id}: {found.available} available; {found.queued} waited for:")
    show_waiting(found.backorders)
    if found.backorder_rows > len(found.backorders):
        print_line(f"and {found.backorder_rows - len(found.backorders):,} more")
    print_line("")


def _show(product_id: str, explained: ExplainedLevel) -> None:
    level = explained.level
    print_line(f"{product_id} at {level.location_id}: {level.available} available")
    for name in NUMBERS:
        print_line(f"  {_sum(name, explained)}")
    if explained.summed_from:
        print_line(f"  earlier: before {_when(explained.summed_from)}")
    print_line("")
    _show_holds(explained)
    print_line("")
    _show_incoming(explained)
    print_line("last movements:")
    print_table(
        ("time", "kind", "on hand", "reserved", "quarantined", "order", "reason", "by"),
        [_movement_row(move) for move in explained.movements],
    )


def _sum(name: str, explained: ExplainedLevel) -> str:
    """47 on hand = 60 receipt - 13 shipment"""
    parts = [(getattr(explained.earlier, name), "earlier")]
    parts += [(getattr(one, name), typed(one.kind)) for one in explained.sums]
    text = f"{getattr(explained.level, name)} {name.replace('_', ' ')}"
    for number, (units, kind) in enumerate((u, kind) for u, kind in parts if u):
        sign = "-" if units < 0 else "+"
        lead = ("= -" if units < 0 else "= ") if number == 0 else f"{sign} "
        text += f" {lead}{abs(units)} {kind}"
    return text


def _show_holds(explained: ExplainedLevel) -> None:
    reserved, known = explained.level.reserved, explained.hold_units
    if not reserved:
        print_line("no order holds any of it")
        return
    print_line(f"held by {_counted(explained.hold_orders, 'order')}:")
    print_table(("order", "units", "since"), [_hold_row(hold) for hold in explained.holds])
    if explained.hold_orders > len(explained.holds):
        print_line(f"and {_counted(explained.hold_orders - len(explained.holds), 'order')} more")
    if reserved > known:
        print_line(f"and {_counted(reserved - known, 'unit')} of orders from earlier")


def _show_incoming(explained: ExplainedLevel) -> None:
    if not explained.incoming:
        return
    transfers = _counted(explained.incoming_transfers, "transfer")
    print_line(f"{explained.level.in_transit} on their way by {transfers}:")
    print_table(
        ("transfer", "from", "units", "since", "expected"),
        [
            (one.transfer_id, one.origin, one.quantity, one.create_time, one.expected_time)
            for one in explained.incoming
        ],
    )
    if explained.incoming_transfers > len(explained.incoming):
        more = _counted(explained.incoming_transfers - len(explained.incoming), "transfer")
        print_line(f"and {more} more")
    print_line("")


def _hold_row(hold: OpenHold) -> tuple[object, ...]:
    return hold.order_id, hold.quantity, hold.change_time


def _movement_row(move: Movement) -> tuple[object, ...]:
    return (
        *(move.create_time, typed(move.kind)),
        f"{move.on_hand_delta:+} = {move.on_hand_after}",
        f"{move.reserved_delta:+} = {move.reserved_after}",
        f"{move.quarantined_delta:+} = {move.quarantined_after}",
        move.order_id,
        " ".join(filter(None, (move.reason, move.reference))),
        signed(move.actor, move.credential_id),
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _when(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
