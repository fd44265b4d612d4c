"""How the command line shows what left the house, and what comes back."""

from collections.abc import Sequence

from holdfast.cli.arguments import typed
from holdfast.cli.output import Output, print_facts, print_json, print_line, print_table
from holdfast.client import Return, Shipment


def show_shipments(shipments: Sequence[Shipment]) -> None:
    """Print a row for each; the units that left as they are typed, LINE=QTY."""
    if not shipments:
        return
    print_line("")
    print_table(
        ("shipment", "time", "units", "carrier", "tracking", "url", "delivered"),
        [
            (
                one.shipment_id,
                one.ship_time,
                ", ".join(f"{i.line_no}={i.quantity} from {i.location_id}" for i in one.items),
                one.carrier,
                one.tracking_number,
                one.tracking_url,
                one.deliver_time,
            )
            for one in shipments
        ],
    )


def show_returns(returns: Sequence[Return]) -> None:
    """Print a row for each line of each, and what the units that came cost."""
    if not returns:
        return
    print_line("")
    print_table(
        ("return", "state", "line", "product", "quantity", "received", "reason"),
        [
            (
                *(one.return_id, one.state, line.line_no, line.product_id),
                *(line.quantity, line.received, line.reason),
            )
            for one in returns
            for line in one.lines
        ],
    )
    for one in returns:
        if one.receipts:
            print_line(f"what came by return {one.return_id} cost {one.value}")


def show_return(found: Return, output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
        return
    print_facts(
        {
            "return": found.return_id,
            "order": found.order_id,
            "state": found.state,
            "value": found.value,
            "opened": found.open_time,
            "closed": found.close_time,
        }
    )
    print_line("")
    print_table(
        ("line", "product", "quantity", "received", "reason"),
        [(m.line_no, m.product_id, m.quantity, m.received, m.reason) for m in found.lines],
    )
    if found.receipts:
        print_line("")
        print_table(
            ("came", "line", "product", "quantity", "what becomes of it", "location"),
            [
                (
                    *(receipt.receive_time, line.line_no, line.product_id, line.quantity),
                    *(typed(line.disposition), line.location_id),
                )
                for receipt in found.receipts
                for line in receipt.lines
            ],
        )
