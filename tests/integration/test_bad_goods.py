"""Bad input about goods and places gets all its violations at once, and changes nothing."""

from collections.abc import Iterator

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import RunningHoldfast, line
from tests.integration.test_bad_input import (
    BAD_IDS,
    BAD_TIMES,
    BAD_UUIDS,
    INT64_MAX,
    INT64_MIN,
    INVALID,
    NIL,
    NOT_FOUND,
    Case,
    surprises,
)

BAD_PLACES = {"longer than 64": "x" * 65, **BAD_IDS}
BAD_UNITS = ((0, 0), (-1, -1), (-(2**31), 10**9 + 1), (0, INT64_MAX), (0, INT64_MIN))
MASKS = {"no mask": [], "unknown": ["prices"], "two": ["*", "x" * 50_000]}


def bad(name: str, request: Message, fields: str, code: StatusCode = INVALID) -> Case:
    method = type(request).__name__.removesuffix("Request")
    return Case(name, method, request, tuple(fields.split()), code)


def of_mask(mask: list[str]) -> str:
    return " update_mask" * max(len(mask), 1)


def bad_shipments() -> Iterator[Case]:
    for order_id in BAD_UUIDS:
        yield bad(f"order {order_id}", pb.ShipOrderRequest(order_id=order_id), "order_id")
    for name, text in BAD_PLACES.items():
        shipping = pb.ShipOrderRequest(order_id=NIL, location_id=text, carrier="x" * 201)
        shipping.items.add(line_no=1, quantity=1, location_id=text)
        yield bad(f"place {name}", shipping, "items[0].location_id location_id carrier")
    for name, text in BAD_IDS.items():
        shipping = pb.ShipOrderRequest(order_id=NIL, shipment_id=text)
        yield bad(f"shipment {name}", shipping, "shipment_id")
    for line_no, units in BAD_UNITS:
        shipping = pb.ShipOrderRequest(order_id=NIL)
        shipping.items.add(line_no=line_no, quantity=units)
        yield bad(f"{units} of line {line_no}", shipping, "items[0].line_no items[0].quantity")
    items = [pb.ShipmentItem(line_no=1, quantity=1)] * 2_001
    yield bad("many items", pb.ShipOrderRequest(order_id=NIL, items=items), "items")
    texts = pb.ShipOrderRequest(order_id=NIL, tracking_number="\0", tracking_url="x" * 2_001)
    yield bad("texts", texts, "tracking_number tracking_url")
    yield bad("unknown order", pb.ShipOrderRequest(order_id=NIL), "", NOT_FOUND)


def bad_shipment_updates() -> Iterator[Case]:
    for name, mask in MASKS.items():
        update = pb.UpdateShipmentRequest(order_id="x", update_mask=FieldMask(paths=mask))
        yield bad(name, update, "order_id shipment_id" + of_mask(mask))
    arrived = pb.UpdateShipmentRequest(order_id=NIL, shipment_id="s")
    arrived.update_mask.paths.append("deliver_time")
    yield bad("no time, of an unknown order", arrived, "", NOT_FOUND)
    for name, time in BAD_TIMES.items():
        shipment = pb.Shipment(deliver_time=time, carrier="\0")
        update = pb.UpdateShipmentRequest(
            order_id=NIL, shipment_id="s", shipment=shipment, update_mask=arrived.update_mask
        )
        yield bad(f"time {name}", update, "shipment.carrier shipment.deliver_time")
    arrived.shipment.deliver_time.CopyFrom(Timestamp(seconds=1))
    yield bad("unknown order", arrived, "", NOT_FOUND)


def bad_returns() -> Iterator[Case]:
    for uuid in BAD_UUIDS:
        yield bad(f"order {uuid}", pb.OpenReturnRequest(order_id=uuid), "order_id lines")
        yield bad(f"return {uuid}", pb.ReceiveReturnRequest(return_id=uuid), "return_id lines")
        yield bad(f"return {uuid}", pb.CloseReturnRequest(return_id=uuid), "return_id")
    for name, text in BAD_IDS.items():
        opening = pb.OpenReturnRequest(order_id=NIL, request_id=text)
        opening.lines.add(line_no=1, quantity=1, reason="x" * 501)
        yield bad(f"id {name}", opening, "request_id lines[0].reason")
        receipt = pb.ReceiveReturnRequest(return_id=NIL, request_id=text)
        receipt.lines.add(line_no=1, quantity=1, disposition=pb.DISPOSITION_RESTOCK)
        yield bad(f"id {name}", receipt, "request_id")
    for name, text in BAD_PLACES.items():
        receipt = pb.ReceiveReturnRequest(return_id=NIL)
        receipt.lines.add(
            line_no=1, quantity=1, disposition=pb.DISPOSITION_WRITE_OFF, location_id=text
        )
        yield bad(f"place {name}", receipt, "lines[0].location_id")
    units = "lines[0].line_no lines[0].quantity"
    for line_no, quantity in BAD_UNITS:
        opening = pb.OpenReturnRequest(order_id=NIL)
        opening.lines.add(line_no=line_no, quantity=quantity)
        yield bad(f"{quantity} of line {line_no}", opening, units)
        receipt = pb.ReceiveReturnRequest(return_id=NIL)
        receipt.lines.add(line_no=line_no, quantity=quantity)
        yield bad(f"{quantity} of line {line_no}", receipt, units + " lines[0].disposition")
    lines = [pb.ReturnLine(line_no=1, quantity=1)] * 2_001
    yield bad("many lines", pb.OpenReturnRequest(order_id=NIL, lines=lines), "lines")
    yield bad("unknown return", pb.CloseReturnRequest(return_id=NIL), "", NOT_FOUND)


def bad_cancelled_units() -> Iterator[Case]:
    for line_no, quantity in BAD_UNITS:
        cancelling = pb.CancelOrderRequest(order_id=NIL)
        cancelling.lines.add(line_no=line_no, quantity=quantity)
        fields = "version lines[0].line_no lines[0].quantity"
        yield bad(f"{quantity} of line {line_no}", cancelling, fields)


QUARANTINING = (inventory_pb.QuarantineStockRequest, inventory_pb.ReleaseQuarantineRequest)


def bad_quarantine() -> Iterator[Case]:
    for method in QUARANTINING:
        for units in (0, -1, 10**12 + 1, INT64_MIN):
            yield bad(f"{units} units", method(quantity=units), "product_id quantity reason")
        yield bad(
            "a reason of blanks",
            method(product_id="LAMP", quantity=1, reason=" \t\u00a0"),
            "reason",
        )
        for name, text in BAD_IDS.items():
            change = method(product_id=text, request_id=text, quantity=1, reason="x" * 501)
            yield bad(f"id {name}", change, "product_id request_id reason")
        for name, text in BAD_PLACES.items():
            change = method(product_id="LAMP", location_id=text, quantity=1, reason="\0")
            yield bad(f"place {name}", change, "location_id reason")


def bad_locations() -> Iterator[Case]:
    for name, text in {"empty": "", **BAD_PLACES}.items():
        new = inventory_pb.CreateLocationRequest()
        new.location.location_id, new.location.name, new.location.priority = text, "x" * 501, -1
        new.location.address.country = "fr"
        fields = ("location_id", "name", "priority", "address.country")
        yield bad(f"id {name}", new, " ".join(f"location.{field}" for field in fields))
    for name, mask in MASKS.items():
        update = inventory_pb.UpdateLocationRequest(update_mask=FieldMask(paths=mask))
        yield bad(name, update, "location.location_id location.version" + of_mask(mask))
    bare = inventory_pb.UpdateLocationRequest(
        location=inventory_pb.Location(location_id="main", version=1),
        update_mask=FieldMask(paths=["priority", "active"]),
    )
    yield bad("named and not given", bare, "location.priority location.active")


def bad_baskets() -> Iterator[Case]:
    yield bad("no lines", inventory_pb.CheckAvailabilityRequest(), "lines")
    for quantity in (0, -1, 10**9 + 1, INT64_MAX):
        basket = inventory_pb.CheckAvailabilityRequest()
        basket.lines.add(product_id="", quantity=quantity)
        yield bad(f"{quantity} units", basket, "lines[0].product_id lines[0].quantity")
    for name, text in {"empty": "", **BAD_PLACES}.items():
        basket = inventory_pb.CheckAvailabilityRequest()
        basket.lines.add(product_id="LAMP", quantity=1)
        basket.sourcing.strategy = inventory_pb.SOURCING_STRATEGY_PINNED
        basket.sourcing.location_ids.append(text)
        yield bad(f"place {name}", basket, "sourcing.location_ids[0]")


def bad_explanations() -> Iterator[Case]:
    everything = "product_id location_id as_of page_token page_size"
    future = Timestamp()
    future.GetCurrentTime()
    future.seconds += 3_600
    for name, time in {"in the future": future, **BAD_TIMES}.items():
        question = inventory_pb.ExplainStockRequest(
            location_id="x" * 65, as_of=time, page_token="forged", page_size=-1
        )
        yield bad(f"time {name}", question, everything)
        question = inventory_pb.ExplainStockRequest(product_id="LAMP", as_of=time)
        yield bad(f"time alone {name}", question, "as_of")
    for name, text in {"empty": "", **BAD_IDS}.items():
        question = inventory_pb.ExplainStockRequest(product_id=text)
        yield bad(f"product {name}", question, "product_id")
    for name, text in BAD_PLACES.items():
        question = inventory_pb.ExplainStockRequest(product_id="LAMP", location_id=text)
        yield bad(f"place {name}", question, "location_id")
    for place in ("nowhere", "'; DROP TABLE location;--"):
        question = inventory_pb.ExplainStockRequest(product_id="LAMP", location_id=place)
        yield bad(f"place {place}", question, "", NOT_FOUND)
    ghost = inventory_pb.ExplainStockRequest(product_id="GHOST", location_id="main")
    yield bad("unknown product", ghost, "", NOT_FOUND)


def bad_transfers() -> Iterator[Case]:
    for name, text in {"empty": "", **BAD_PLACES}.items():
        sending = inventory_pb.CreateTransferRequest(origin=text, target=text, reference="x" * 201)
        again = " target" if text else ""  # it is the origin as well
        yield bad(f"place {name}", sending, "origin target reference lines" + again)
    same = inventory_pb.CreateTransferRequest(origin="main", target="main", reference="\0")
    same.lines.add(product_id="LAMP", quantity=1)
    yield bad("nowhere else", same, "target reference")
    for quantity in (0, -1, 10**12 + 1, INT64_MIN):
        sending = inventory_pb.CreateTransferRequest(origin="main", target="shop")
        sending.lines.add(product_id="", quantity=quantity)
        yield bad(f"{quantity} units", sending, "lines[0].product_id lines[0].quantity")
        receipt = inventory_pb.ReceiveTransferRequest(transfer_id=NIL, lines=sending.lines)
        yield bad(f"{quantity} units", receipt, "lines[0].product_id lines[0].quantity")
    for name, text in BAD_IDS.items():
        sending = inventory_pb.CreateTransferRequest(origin="main", target="shop", request_id=text)
        sending.lines.add(product_id=text, quantity=1)
        yield bad(f"id {name}", sending, "lines[0].product_id request_id")
        receipt = inventory_pb.ReceiveTransferRequest(transfer_id="x", request_id=text)
        yield bad(f"id {name}", receipt, "transfer_id request_id")
    twice = inventory_pb.ReceiveTransferRequest(transfer_id=NIL)
    for _ in range(2):
        twice.lines.add(product_id="LAMP", quantity=1)
    yield bad("a product twice", twice, "lines[1].product_id")
    many = [inventory_pb.TransferUnits(product_id=f"p-{n}", quantity=1) for n in range(1_001)]
    yield bad("many", inventory_pb.ReceiveTransferRequest(transfer_id=NIL, lines=many), "lines")
    for name, time in BAD_TIMES.items():
        sending = inventory_pb.CreateTransferRequest(
            origin="main", target="shop", lines=many[:1], expected_time=time
        )
        yield bad(f"time {name}", sending, "expected_time")
    for uuid in BAD_UUIDS:
        for method in (inventory_pb.CloseTransferRequest, inventory_pb.GetTransferRequest):
            yield bad(f"transfer {uuid}", method(transfer_id=uuid), "transfer_id")
    listing = inventory_pb.ListTransfersRequest(page_size=-1, page_token="x")
    yield bad("page", listing, "page_size page_token")
    yield bad("unknown transfer", inventory_pb.CloseTransferRequest(transfer_id=NIL), "", NOT_FOUND)


def bad_safety_stock() -> Iterator[Case]:
    for units in (-1, 10**12 + 1, INT64_MIN, INT64_MAX):
        product = inventory_pb.Product(product_id="NEW", safety_stock=units, name="x" * 501)
        fields = "product.name product.unit_price product.safety_stock"
        yield bad(f"{units} units", inventory_pb.CreateProductRequest(product=product), fields)
        product.product_id, product.version = "LAMP", 1
        update = inventory_pb.UpdateProductRequest(
            product=product, update_mask=FieldMask(paths=["safety_stock"])
        )
        yield bad(f"{units} units", update, "product.name product.safety_stock")


TABLES = {
    table.__name__: table
    for table in (
        bad_shipments,
        bad_shipment_updates,
        bad_returns,
        bad_cancelled_units,
        bad_quarantine,
        bad_locations,
        bad_baskets,
        bad_explanations,
        bad_transfers,
        bad_safety_stock,
    )
}


@pytest.mark.parametrize("table", TABLES)
async def test_every_bad_request_is_refused_with_all_its_violations_and_changes_nothing(
    holdfast: RunningHoldfast, table: str
) -> None:
    await holdfast.product("LAMP", 10)
    await holdfast.place(line("LAMP"))

    assert await surprises(holdfast, TABLES[table]()) == []
