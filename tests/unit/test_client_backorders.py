"""Back-orders in the client: policies, queues, what waits, and what is refused unsent."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, assert_type

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from holdfast.chassis.grpc.statuses import refusal
from holdfast.client import (
    Availability,
    AwaitedUnits,
    Backorder,
    BackorderedUnits,
    BackorderMode,
    HeldStock,
    Holdfast,
    HoldfastSync,
    Money,
    OrderLine,
    QueuedUnits,
    Refused,
    Sourcing,
    SourcingReason,
    StockRequest,
)
from holdfast.client import _stock_wire as stock_wire
from holdfast.client import _wire as wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.client_refusals import Call, cases, names_its_field
from tests.unit.client_refusals import Refused as RefusedValues
from tests.unit.test_client_network import UNAVAILABLE, Network, client, network, placed

__all__ = ["client", "network"]  # fixtures

LINES = [OrderLine("LAMP", 5)]
PRICE = Money("GBP", 450)
FIFTEENTH = date(2027, 1, 15)
FIFTEENTH_MESSAGE = Date(year=2027, month=1, day=15)
NONE, LIMITED, UNLIMITED = BackorderMode.NONE, BackorderMode.LIMITED, BackorderMode.UNLIMITED
FIFTY = Backorder(LIMITED, 50, FIFTEENTH)
FIFTY_MESSAGE = pb.Backorder(
    mode=pb.BACKORDER_MODE_LIMITED, units_max=50, expected_date=FIFTEENTH_MESSAGE
)
IN_STOCK = Sourcing(in_stock_only=True)
IN_STOCK_MESSAGE = pb.Sourcing(
    strategy=pb.SOURCING_STRATEGY_PRIORITY, may_split=True, in_stock_only=True
)


def product(backorder: pb.Backorder | None = None) -> pb.Product:
    made = pb.Product(product_id="LAMP", version=1, backorder=backorder)
    made.unit_price.currency_code = "GBP"
    return made


async def test_a_product_is_made_with_its_policy(network: Network, client: Holdfast) -> None:
    network.answer("CreateProduct", UNAVAILABLE, product(FIFTY_MESSAGE), product())

    limited = await client.inventory.create_product("LAMP", unit_price=PRICE, backorder=FIFTY)
    plain = await client.inventory.create_product("LAMP", unit_price=PRICE)

    first, again, silent = network.asked(pb.CreateProductRequest)
    assert first == again
    assert first.product.backorder == FIFTY_MESSAGE
    assert not silent.product.HasField("backorder")
    assert (limited.backorder, plain.backorder) == (FIFTY, Backorder())


@pytest.mark.parametrize(
    ("backorder", "message"),
    [
        (Backorder(), pb.Backorder(mode=pb.BACKORDER_MODE_NONE)),
        (Backorder(UNLIMITED), pb.Backorder(mode=pb.BACKORDER_MODE_UNLIMITED)),
        (FIFTY, FIFTY_MESSAGE),
    ],
)
async def test_an_update_gives_the_whole_policy(
    network: Network, client: Holdfast, backorder: Backorder, message: pb.Backorder
) -> None:
    network.answer("UpdateProduct", product(message))

    changed = await client.inventory.update_product("LAMP", version=1, backorder=backorder)

    (request,) = network.asked(pb.UpdateProductRequest)
    assert list(request.update_mask.paths) == ["backorder"]
    assert request.product.HasField("backorder")
    assert request.product.backorder == message
    assert changed.backorder == backorder


async def test_stock_tells_what_is_waited_for_and_what_may_be(
    network: Network, client: Holdfast
) -> None:
    network.answer(
        "GetStockInfo", pb.StockInfo(product=product(FIFTY_MESSAGE), queued=7, backorder_room=43)
    )

    found = await client.inventory.get_stock("LAMP")

    assert (found.queued, found.backorder_room, found.product.backorder) == (7, 43, FIFTY)


async def test_promises_give_way_only_where_that_is_said(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateStock", *[pb.UpdateStockResponse()] * 2)
    network.answer("AdjustStock", *[pb.AdjustStockResponse()] * 2)
    network.answer("QuarantineStock", *[pb.QuarantineStockResponse()] * 2)
    network.answer(
        "BatchUpdateStock", pb.BatchUpdateStockResponse(results=[pb.BatchUpdateStockResult()])
    )
    inventory = client.inventory

    await inventory.set_stock("LAMP", 1, displace=True)
    await inventory.set_stock("LAMP", 1)
    await inventory.adjust_stock("LAMP", -1, reason="fell", displace=True)
    await inventory.adjust_stock("LAMP", -1, reason="fell")
    await inventory.quarantine("LAMP", 1, reason="wet", displace=True)
    await inventory.quarantine("LAMP", 1, reason="wet")
    await inventory.set_stock_batch([StockRequest("LAMP", 1, displace=True)])

    *changes, batch = network.requests
    assert [one.displace for one in changes] == [True, False] * 3  # type: ignore[attr-defined]
    assert batch.requests[0].displace  # type: ignore[attr-defined]


async def test_an_order_that_wants_what_is_there_says_so(
    network: Network, client: Holdfast
) -> None:
    network.answer("CreateOrder", placed())
    network.answer("UpdateOrder", orders_pb2.Order())
    network.answer("CheckAvailability", pb.CheckAvailabilityResponse())

    await client.orders.create("c-17", LINES, sourcing=IN_STOCK)
    await client.orders.edit("o-1", version=1, sourcing=IN_STOCK)
    await client.inventory.check_availability(LINES, sourcing=IN_STOCK)

    sent = [request.sourcing for request in network.requests]  # type: ignore[attr-defined]
    assert sent == [IN_STOCK_MESSAGE] * 3
    assert stock_wire.sourcing_from_wire(IN_STOCK_MESSAGE) == IN_STOCK


async def test_availability_tells_what_would_have_to_wait(
    network: Network, client: Holdfast
) -> None:
    answer = pb.CheckAvailabilityResponse(available=True, shipments=1)
    answer.stock.add(product_id="LAMP", location_id="main", quantity=2)
    answer.queued.add(product_id="LAMP", quantity=3, expected_date=FIFTEENTH_MESSAGE)
    answer.queued.add(product_id="MUG", quantity=1)
    network.answer("CheckAvailability", answer)

    found = await client.inventory.check_availability(LINES)

    held = HeldStock("LAMP", "main", 2, SourcingReason.PRIORITY)
    waits = (AwaitedUnits("LAMP", 3, FIFTEENTH), AwaitedUnits("MUG", 1))
    assert found == Availability(True, (held,), 1, (), waits)


def in_queue(position: int) -> pb.BackorderedUnits:
    return pb.BackorderedUnits(
        position=position,
        order_id=f"o-{position}",
        quantity=2,
        units_ahead=2 * position - 2,
        since_time=Timestamp(seconds=position),
    )


async def test_a_queue_is_listed_over_all_pages(network: Network, client: Holdfast) -> None:
    network.answer(
        "ListBackorders",
        pb.ListBackordersResponse(backorders=[in_queue(1), in_queue(2)], next_page_token="next"),
        UNAVAILABLE,
        pb.ListBackordersResponse(backorders=[in_queue(3)]),
    )

    found = [one async for one in client.inventory.list_backorders("LAMP", page_size=2)]

    assert [one.order_id for one in found] == ["o-1", "o-2", "o-3"]
    since = datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)
    assert found[2] == BackorderedUnits(3, "o-3", 2, 4, since)
    pages = [
        (one.product_id, one.page_size, one.page_token)
        for one in network.asked(pb.ListBackordersRequest)
    ]
    assert pages == [("LAMP", 2, ""), ("LAMP", 2, "next"), ("LAMP", 2, "next")]


def test_the_sync_face_lists_a_queue_too(network: Network) -> None:
    network.answer("ListBackorders", pb.ListBackordersResponse(backorders=[in_queue(1)]))
    network.answer("AdjustStock", pb.AdjustStockResponse())

    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        listed = client.inventory.list_backorders("LAMP", limit=1)
        assert_type(listed, Iterator[BackorderedUnits])
        assert [one.order_id for one in listed] == ["o-1"]
        client.inventory.adjust_stock("LAMP", -1, reason="fell", displace=True)


def test_an_order_tells_what_waits() -> None:
    message = orders_pb2.Order()
    message.queued.add(product_id="LAMP", quantity=3)

    assert wire.order_from_wire(message).queued == (QueuedUnits("LAMP", 3),)
    assert wire.order_from_wire(orders_pb2.Order()).queued == ()


async def test_what_waits_and_is_to_leave_is_refused_with_how_much_that_is(
    network: Network, client: Holdfast
) -> None:
    status = refusal(
        grpc.StatusCode.FAILED_PRECONDITION, "STILL_QUEUED", "3 wait", metadata={"queued": "3"}
    )
    network.answer("ShipOrder", status)

    with pytest.raises(Refused) as refused:
        await client.orders.ship("o-1")

    assert (refused.value.reason, refused.value.details["queued"]) == ("STILL_QUEUED", "3")


def test_every_mode_of_the_contract_has_a_name_here_and_a_newer_one_is_no_failure() -> None:
    newer: Any = 99
    modes = [
        stock_wire.backorder_from_wire(pb.Backorder(mode=number)).mode
        for number in (*pb.BackorderMode.values(), newer)
    ]

    assert modes == [NONE, NONE, LIMITED, UNLIMITED, BackorderMode.UNKNOWN]


POLICY = "product.backorder"
REFUSED: dict[str, RefusedValues] = {
    "policy": (
        POLICY,
        ["LIMITED", LIMITED, {}, 50],
        lambda h, bad: h.inventory.create_product("LAMP", unit_price=PRICE, backorder=bad),
    ),
    "mode": (
        f"{POLICY}.mode",
        ["LIMITED", BackorderMode.UNKNOWN, None],
        lambda h, bad: h.inventory.update_product("LAMP", version=1, backorder=Backorder(bad)),
    ),
    "limit": (
        f"{POLICY}.units_max",
        [0, -1, 1.0, "1", True, 10**12 + 1],
        lambda h, bad: h.inventory.update_product(
            "LAMP", version=1, backorder=Backorder(LIMITED, bad)
        ),
    ),
    "limit where there is none": (
        f"{POLICY}.units_max",
        [1, -1, "0", None],
        lambda h, bad: h.inventory.update_product(
            "LAMP", version=1, backorder=Backorder(UNLIMITED, bad)
        ),
    ),
    "day": (
        f"{POLICY}.expected_date",
        ["2027-01-15", datetime(2027, 1, 15, tzinfo=UTC), 20270115],
        lambda h, bad: h.inventory.update_product(
            "LAMP", version=1, backorder=Backorder(expected_date=bad)
        ),
    ),
    "displace, set": (
        "displace",
        ["yes", 1, None],
        lambda h, bad: h.inventory.set_stock("LAMP", 1, displace=bad),
    ),
    "displace, adjust": (
        "displace",
        ["yes", 1, None],
        lambda h, bad: h.inventory.adjust_stock("LAMP", -1, reason="r", displace=bad),
    ),
    "displace, quarantine": (
        "displace",
        ["yes", 1, None],
        lambda h, bad: h.inventory.quarantine("LAMP", 1, reason="r", displace=bad),
    ),
    "in stock only": (
        "sourcing.in_stock_only",
        ["yes", 1, None],
        lambda h, bad: h.orders.create("c", LINES, sourcing=Sourcing(in_stock_only=bad)),
    ),
    "queue": (
        "product_id",
        ["lamp \ud83d", b"LAMP", 5, None],
        lambda h, bad: h.inventory.list_backorders(bad),
    ),
    "queue's limit": (
        "limit",
        [0, "1"],
        lambda h, bad: h.inventory.list_backorders("LAMP", limit=bad),
    ),
}


@pytest.mark.parametrize(("field", "bad", "call"), cases(REFUSED))
def test_a_wrong_value_is_an_invalid_request_that_names_its_field(
    nobody: HoldfastSync, field: str, bad: Any, call: Call
) -> None:
    names_its_field(nobody, field, bad, call)
