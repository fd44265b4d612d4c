"""Locations, sourcing and availability in the client: what is sent, told and repeated."""

from collections.abc import Iterator
from typing import Any, assert_type

import pytest

from holdfast.client import (
    Availability,
    HeldStock,
    Holdfast,
    HoldfastSync,
    Location,
    LocationAddress,
    LocationKind,
    OrderLine,
    OrderRequest,
    Shortage,
    Sourcing,
    SourcingReason,
    SourcingStrategy,
    StockReason,
    StockRequest,
    Unavailable,
    _requests,
)
from holdfast.client import _stock_wire as stock_wire
from holdfast.client import _wire as wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_client_network import UNAVAILABLE, Network, client, network, placed

__all__ = ["client", "network"]  # fixtures

LINES = [OrderLine("LAMP", 2)]
NEAREST, PINNED = SourcingStrategy.NEAREST, SourcingStrategy.PINNED
FROM_BERLIN = Sourcing(PINNED, ["berlin", "main"], may_split=False)
FROM_BERLIN_MESSAGE = pb.Sourcing(
    strategy=pb.SOURCING_STRATEGY_PINNED, location_ids=["berlin", "main"], may_split=False
)
BY_PRIORITY_MESSAGE = pb.Sourcing(strategy=pb.SOURCING_STRATEGY_PRIORITY, may_split=True)
BERLIN = LocationAddress("Torstr. 1", "Berlin", "BE", "10119", "DE")
BERLIN_MESSAGE = pb.LocationAddress(
    street="Torstr. 1", city="Berlin", region="BE", postal_code="10119", country="DE"
)


def shop(version: int = 1) -> pb.Location:
    return pb.Location(
        location_id="berlin",
        name="Shop",
        kind=pb.LOCATION_KIND_SHOP,
        priority=0,
        active=False,
        address=BERLIN_MESSAGE,
        version=version,
    )


async def test_a_location_is_made_with_all_that_is_given(
    network: Network, client: Holdfast
) -> None:
    network.answer("CreateLocation", UNAVAILABLE, shop())

    made = await client.inventory.create_location(
        "berlin", name="Shop", kind=LocationKind.SHOP, priority=0, active=False, address=BERLIN
    )

    sent = shop()
    sent.ClearField("version")
    first, again = network.asked(pb.CreateLocationRequest)
    assert first == again == pb.CreateLocationRequest(location=sent)
    assert made == Location("berlin", "Shop", LocationKind.SHOP, 0, False, BERLIN, 1)


async def test_of_a_new_location_the_service_chooses_the_priority_that_is_not_given(
    network: Network, client: Holdfast
) -> None:
    network.answer("CreateLocation", pb.Location(location_id="berlin"))

    made = await client.inventory.create_location("berlin")

    (request,) = network.asked(pb.CreateLocationRequest)
    assert request.location == pb.Location(
        location_id="berlin", kind=pb.LOCATION_KIND_WAREHOUSE, active=True
    )
    assert not request.location.HasField("priority")
    assert made.address is None


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ({"name": ""}, pb.Location()),
        ({"kind": LocationKind.SUPPLIER}, pb.Location(kind=pb.LOCATION_KIND_SUPPLIER)),
        ({"priority": 0}, pb.Location(priority=0)),
        ({"active": False}, pb.Location(active=False)),
        ({"address": LocationAddress()}, pb.Location(address=pb.LocationAddress())),
        ({"name": "New", "active": True}, pb.Location(name="New", active=True)),
    ],
)
async def test_an_update_of_a_location_sends_what_is_given_and_nothing_else(
    network: Network, client: Holdfast, given: dict[str, Any], location: pb.Location
) -> None:
    network.answer("UpdateLocation", shop(version=4))

    changed = await client.inventory.update_location("berlin", version=3, **given)

    (request,) = network.asked(pb.UpdateLocationRequest)
    location.location_id, location.version = "berlin", 3
    assert request.location == location
    assert list(request.update_mask.paths) == list(given)
    assert changed.version == 4


async def test_an_update_of_a_location_is_not_repeated_as_nobody_knows_whether_it_was_done(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateLocation", UNAVAILABLE, shop())

    with pytest.raises(Unavailable):
        await client.inventory.update_location("berlin", version=3, name="New")
    assert len(network.requests) == 1


async def test_locations_are_listed_over_all_pages(network: Network, client: Holdfast) -> None:
    network.answer(
        "ListLocations",
        pb.ListLocationsResponse(locations=[shop(1), shop(2)], next_page_token="next"),
        pb.ListLocationsResponse(locations=[shop(3)]),
    )

    found = [one.version async for one in client.inventory.list_locations()]

    assert found == [1, 2, 3]
    pages = [(one.page_size, one.page_token) for one in network.asked(pb.ListLocationsRequest)]
    assert pages == [(1_000, ""), (1_000, "next")]


async def test_availability_tells_from_where_and_why(network: Network, client: Holdfast) -> None:
    answer = pb.CheckAvailabilityResponse(available=True, shipments=1)
    answer.stock.add(
        product_id="LAMP", location_id="berlin", quantity=2, reason=pb.SOURCING_REASON_HAS_ALL
    )
    network.answer("CheckAvailability", UNAVAILABLE, answer)

    found = await client.inventory.check_availability(
        [OrderLine("LAMP", 2), OrderLine("MUG", 1)], sourcing=FROM_BERLIN
    )

    first, again = network.asked(pb.CheckAvailabilityRequest)
    lines = [
        pb.BasketLine(product_id="LAMP", quantity=2),
        pb.BasketLine(product_id="MUG", quantity=1),
    ]
    assert first == again == pb.CheckAvailabilityRequest(lines=lines, sourcing=FROM_BERLIN_MESSAGE)
    held = HeldStock("LAMP", "berlin", 2, SourcingReason.HAS_ALL)
    assert found == Availability(available=True, stock=(held,), shipments=1, missing=())


async def test_availability_tells_what_is_missing(network: Network, client: Holdfast) -> None:
    answer = pb.CheckAvailabilityResponse()
    answer.missing.add(product_id="LAMP", wanted=2, available=1)
    network.answer("CheckAvailability", answer)

    found = await client.inventory.check_availability(LINES)

    (request,) = network.asked(pb.CheckAvailabilityRequest)
    assert not request.HasField("sourcing")
    assert found == Availability(
        available=False, stock=(), shipments=0, missing=(Shortage("LAMP", 2, 1),)
    )


async def test_stock_changes_carry_their_reason_code(network: Network, client: Holdfast) -> None:
    network.answer("UpdateStock", *[pb.UpdateStockResponse()] * 2)
    network.answer("AdjustStock", *[pb.AdjustStockResponse()] * 2)
    network.answer(
        "BatchUpdateStock", pb.BatchUpdateStockResponse(results=[pb.BatchUpdateStockResult()])
    )
    lost, damaged, own_use = StockReason.LOST, StockReason.DAMAGED, StockReason.OWN_USE

    await client.inventory.set_stock("LAMP", 1, reason_code=lost)
    await client.inventory.set_stock("LAMP", 1)
    await client.inventory.adjust_stock("LAMP", -1, reason="fell", reason_code=damaged)
    await client.inventory.adjust_stock("LAMP", -1, reason="fell")
    await client.inventory.set_stock_batch([StockRequest("LAMP", 1, reason_code=own_use)])

    sets = [one.reason_code for one in network.asked(pb.UpdateStockRequest)]
    adjusts = [one.reason_code for one in network.asked(pb.AdjustStockRequest)]
    (batch,) = network.asked(pb.BatchUpdateStockRequest)
    assert sets == [pb.STOCK_REASON_LOST, pb.STOCK_REASON_UNSPECIFIED]
    assert adjusts == [pb.STOCK_REASON_DAMAGED, pb.STOCK_REASON_UNSPECIFIED]
    assert batch.requests[0].reason_code == pb.STOCK_REASON_OWN_USE


async def test_an_order_is_placed_with_its_sourcing(network: Network, client: Holdfast) -> None:
    network.answer("CreateOrder", placed(), placed())
    answer = orders_pb2.BatchCreateOrdersResponse()
    answer.results.add(order=placed())
    network.answer("BatchCreateOrders", answer)

    await client.orders.create("c-17", LINES, sourcing=FROM_BERLIN)
    await client.orders.create("c-17", LINES)
    await client.orders.create_batch([OrderRequest("c-17", LINES, sourcing=FROM_BERLIN)])

    told, silent = network.asked(orders_pb2.CreateOrderRequest)
    (batch,) = network.asked(orders_pb2.BatchCreateOrdersRequest)
    assert told.sourcing == batch.requests[0].sourcing == FROM_BERLIN_MESSAGE
    assert not silent.HasField("sourcing")


async def test_an_edit_can_give_another_sourcing_or_take_it_away(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", *[orders_pb2.Order()] * 3)

    await client.orders.edit("o-1", version=1, sourcing=FROM_BERLIN)
    await client.orders.preview_edit("o-1", version=1, lines=LINES, sourcing=Sourcing())
    await client.orders.edit("o-1", version=1, charges=[])

    moved, back, left = network.asked(orders_pb2.UpdateOrderRequest)
    assert list(moved.update_mask.paths) == ["sourcing"]
    assert moved.sourcing == FROM_BERLIN_MESSAGE
    assert list(back.update_mask.paths) == ["lines", "sourcing"]
    assert (back.sourcing, back.validate_only) == (BY_PRIORITY_MESSAGE, True)
    assert list(left.update_mask.paths) == ["charges"]
    assert not left.HasField("sourcing")


def test_an_order_tells_its_sourcing_and_what_is_held_for_it() -> None:
    message = orders_pb2.Order(sourcing=FROM_BERLIN_MESSAGE)
    message.stock.add(
        product_id="LAMP", location_id="main", quantity=1, reason=pb.SOURCING_REASON_PINNED
    )

    order = wire.order_from_wire(message)

    assert order.sourcing == Sourcing(PINNED, ("berlin", "main"), may_split=False)
    assert order.stock == (HeldStock("LAMP", "main", 1, SourcingReason.PINNED),)


def test_what_is_not_said_of_a_sourcing_is_by_priority_and_may_be_shared() -> None:
    message = orders_pb2.Order(sourcing=pb.Sourcing())
    message.stock.add(product_id="LAMP", location_id="main", quantity=1)

    order = wire.order_from_wire(message)

    assert order.sourcing == wire.order_from_wire(orders_pb2.Order()).sourcing == Sourcing()
    assert order.stock[0].reason is SourcingReason.PRIORITY


def test_a_movement_tells_its_reason_code() -> None:
    told = wire.movement_from_wire(pb.Movement(reason_code=pb.STOCK_REASON_THEFT))

    assert told.reason_code is StockReason.THEFT
    assert wire.movement_from_wire(pb.Movement()).reason_code is None


def test_every_reason_kind_and_rule_of_the_contract_has_a_name_here() -> None:
    named = [
        *(stock_wire.stock_reason_from_wire(number) for number in pb.StockReason.values()[1:]),
        *(
            stock_wire.location_from_wire(pb.Location(kind=number)).kind
            for number in pb.LocationKind.values()[1:]
        ),
        *(
            stock_wire.sourcing_from_wire(pb.Sourcing(strategy=number)).strategy
            for number in pb.SourcingStrategy.values()
        ),
        *(
            stock_wire.held_from_wire([pb.AvailableStock(reason=number)])[0].reason
            for number in pb.SourcingReason.values()
        ),
    ]

    assert None not in named
    assert "UNKNOWN" not in named


def test_what_a_newer_service_says_is_unknown_and_no_failure() -> None:
    number: Any = 99

    held = stock_wire.held_from_wire([pb.AvailableStock(reason=number)])
    assert stock_wire.stock_reason_from_wire(99) is StockReason.UNKNOWN
    assert stock_wire.location_from_wire(pb.Location(kind=number)).kind is LocationKind.UNKNOWN
    assert held[0].reason is SourcingReason.UNKNOWN
    assert (
        stock_wire.sourcing_from_wire(pb.Sourcing(strategy=number)).strategy
        is SourcingStrategy.UNKNOWN
    )


def test_the_sync_face_lists_and_checks_too(network: Network) -> None:
    network.answer("ListLocations", pb.ListLocationsResponse(locations=[shop()]))
    network.answer("CheckAvailability", pb.CheckAvailabilityResponse(available=True))

    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        listed = client.inventory.list_locations()
        assert_type(listed, Iterator[Location])
        assert [one.location_id for one in listed] == ["berlin"]
        assert client.inventory.check_availability(LINES).available


def test_a_hundred_locations_can_be_named() -> None:
    ids = [f"l-{number}" for number in range(100)]

    message = _requests.create_order(OrderRequest("c", LINES, sourcing=Sourcing(NEAREST, ids)))

    assert list(message.sourcing.location_ids) == ids
