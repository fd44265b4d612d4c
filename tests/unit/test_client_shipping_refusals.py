"""What cannot be asked for of shipments, returns and quarantine is refused before it is sent.

Nobody listens at the addresses of these tests: whatever were sent would come back as Unavailable.
"""

from datetime import datetime
from typing import Any

import pytest

from holdfast.client import (
    Disposition,
    HoldfastSync,
    ReceiptLine,
    ReturnLine,
    ShipmentItem,
    StockReason,
)
from tests.unit.client_refusals import Call, Refused, cases, names_its_field

BAD_TEXTS: list[Any] = ["lamp \ud83d", b"s-1", 5, ["s-1"]]
BAD_IDS = ["", *BAD_TEXTS]
BAD_UNITS: list[Any] = [0, -1, 1.0, "1", None, True, 10**9 + 1]
BAD_LINE_NOS: list[Any] = [0, -1, 1.0, "1", None, True, 2**31]
BAD_LISTS: list[Any] = [[], (), "1=1", 5, {1: 1}]
NO_TEXTS = [*BAD_TEXTS, None]
RESTOCK = Disposition.RESTOCK
REFUSED: dict[str, Refused] = {
    "shipped order": ("order_id", NO_TEXTS, lambda h, bad: h.orders.ship(bad)),
    "shipment": ("shipment_id", BAD_IDS, lambda h, bad: h.orders.ship("o", shipment_id=bad)),
    "items": ("items", BAD_LISTS, lambda h, bad: h.orders.ship("o", bad)),
    "item": ("items[0]", [(1, 1), None, "1=1"], lambda h, bad: h.orders.ship("o", [bad])),
    "item's line": (
        "items[0].line_no",
        BAD_LINE_NOS,
        lambda h, bad: h.orders.ship("o", [ShipmentItem(bad, 1)]),
    ),
    "item's units": (
        "items[1].quantity",
        BAD_UNITS,
        lambda h, bad: h.orders.ship("o", [ShipmentItem(1, 1), ShipmentItem(2, bad)]),
    ),
    "item's location": (
        "items[0].location_id",
        NO_TEXTS,
        lambda h, bad: h.orders.ship("o", [ShipmentItem(1, 1, bad)]),
    ),
    "location": ("location_id", NO_TEXTS, lambda h, bad: h.orders.ship("o", location=bad)),
    "carrier": ("carrier", NO_TEXTS, lambda h, bad: h.orders.ship("o", carrier=bad)),
    "new carrier": (
        "shipment.carrier",
        BAD_TEXTS,
        lambda h, bad: h.orders.update_shipment("o", "s", carrier=bad),
    ),
    "updated shipment": (
        "shipment_id",
        NO_TEXTS,
        lambda h, bad: h.orders.update_shipment("o", bad, carrier="DHL"),
    ),
    "delivered": (
        "shipment.deliver_time",
        ["now", 5, datetime.fromisoformat("2026-11-02T12:00:00")],
        lambda h, bad: h.orders.update_shipment("o", "s", delivered=bad),
    ),
    "returned lines": ("lines", BAD_LISTS, lambda h, bad: h.orders.open_return("o", bad)),
    "returned line": (
        "lines[0]",
        [ShipmentItem(1, 1), None],
        lambda h, bad: h.orders.open_return("o", [bad]),
    ),
    "returned units": (
        "lines[0].quantity",
        BAD_UNITS,
        lambda h, bad: h.orders.open_return("o", [ReturnLine(1, bad)]),
    ),
    "reason": (
        "lines[0].reason",
        NO_TEXTS,
        lambda h, bad: h.orders.open_return("o", [ReturnLine(1, 1, bad)]),
    ),
    "opening's request id": (
        "request_id",
        BAD_IDS,
        lambda h, bad: h.orders.open_return("o", [ReturnLine(1, 1)], request_id=bad),
    ),
    "received lines": ("lines", BAD_LISTS, lambda h, bad: h.orders.receive_return("r", bad)),
    "received line's number": (
        "lines[0].line_no",
        BAD_LINE_NOS,
        lambda h, bad: h.orders.receive_return("r", [ReceiptLine(bad, 1, RESTOCK)]),
    ),
    "disposition": (
        "lines[0].disposition",
        ["RESTOCK", 1, None, Disposition.UNKNOWN],
        lambda h, bad: h.orders.receive_return("r", [ReceiptLine(1, 1, bad)]),
    ),
    "received at": (
        "lines[0].location_id",
        NO_TEXTS,
        lambda h, bad: h.orders.receive_return("r", [ReceiptLine(1, 1, RESTOCK, bad)]),
    ),
    "receipt's request id": (
        "request_id",
        BAD_IDS,
        lambda h, bad: h.orders.receive_return("r", [ReceiptLine(1, 1, RESTOCK)], request_id=bad),
    ),
    "closed return": ("return_id", NO_TEXTS, lambda h, bad: h.orders.close_return(bad)),
    "quarantined product": (
        "product_id",
        NO_TEXTS,
        lambda h, bad: h.inventory.quarantine(bad, 1, reason="wet"),
    ),
    "quarantined units": (
        "quantity",
        [0, -1, 1.0, "1", None, True, 10**12 + 1],
        lambda h, bad: h.inventory.quarantine("LAMP", bad, reason="wet"),
    ),
    "quarantine's code": (
        "reason_code",
        ["DAMAGED", StockReason.UNKNOWN],
        lambda h, bad: h.inventory.quarantine("LAMP", 1, reason="wet", reason_code=bad),
    ),
    "quarantine's request id": (
        "request_id",
        BAD_IDS,
        lambda h, bad: h.inventory.quarantine("LAMP", 1, reason="wet", request_id=bad),
    ),
    "released at": (
        "location_id",
        NO_TEXTS,
        lambda h, bad: h.inventory.release_quarantine("LAMP", 1, reason="dry", location_id=bad),
    ),
    "write-off": (
        "write_off",
        ["yes", 1, None],
        lambda h, bad: h.inventory.release_quarantine("LAMP", 1, reason="dry", write_off=bad),
    ),
}


@pytest.mark.parametrize(("field", "bad", "call"), cases(REFUSED))
def test_a_wrong_value_is_an_invalid_request_that_names_its_field(
    nobody: HoldfastSync, field: str, bad: Any, call: Call
) -> None:
    names_its_field(nobody, field, bad, call)
