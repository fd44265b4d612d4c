"""`location`, reason codes of stock, and what is said where a location is the trouble."""

import json

import pytest
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc.statuses import bad_request, not_found, refusal
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_cli_commands import Code, holdfast
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture


def berlin() -> pb.Location:
    return pb.Location(
        location_id="berlin",
        name="[red]Shop[/red]",
        kind=pb.LOCATION_KIND_SHOP,
        priority=10,
        active=True,
        address=pb.LocationAddress(street="Torstr. 1", city="Berlin", postal_code="10119"),
        version=3,
    )


def both() -> pb.ListLocationsResponse:
    return pb.ListLocationsResponse(locations=[pb.Location(location_id="main"), berlin()])


def test_a_location_is_made(network: Network) -> None:
    network.answer("CreateLocation", berlin(), berlin())
    typed = "location create berlin --name Shop --kind shop --priority 10 --inactive --city Berlin"

    for_people = holdfast(network, *typed.split())
    for_programs = holdfast(network, *typed.split(), "--output", "json")

    (request, _) = network.asked(pb.CreateLocationRequest)
    assert request.location == pb.Location(
        location_id="berlin",
        name="Shop",
        kind=pb.LOCATION_KIND_SHOP,
        priority=10,
        active=False,
        address=pb.LocationAddress(city="Berlin"),
    )
    lines = [line.rstrip() for line in for_people.stdout.splitlines()]
    assert "name      [red]Shop[/red]" in lines
    assert "kind      shop" in lines
    assert "address   Torstr. 1, 10119 Berlin" in lines
    assert json.loads(for_programs.stdout) == {
        "location_id": "berlin",
        "name": "[red]Shop[/red]",
        "kind": "SHOP",
        "priority": 10,
        "active": True,
        "address": {
            "street": "Torstr. 1",
            "city": "Berlin",
            "region": "",
            "postal_code": "10119",
            "country": "",
        },
        "version": 3,
    }


def test_a_location_of_which_nothing_is_said_is_an_active_warehouse(network: Network) -> None:
    network.answer("CreateLocation", berlin())

    assert holdfast(network, "location", "create", "berlin").exit_code == 0

    (request,) = network.asked(pb.CreateLocationRequest)
    assert request.location == pb.Location(
        location_id="berlin", kind=pb.LOCATION_KIND_WAREHOUSE, active=True
    )


@pytest.mark.parametrize(
    ("typed", "location"),
    [
        ("--name New", pb.Location(name="New")),
        ("--kind supplier", pb.Location(kind=pb.LOCATION_KIND_SUPPLIER)),
        ("--priority 0", pb.Location(priority=0)),
        ("--inactive", pb.Location(active=False)),
        ("--active", pb.Location(active=True)),
    ],
)
def test_an_update_takes_the_version_as_it_is_now(
    network: Network, typed: str, location: pb.Location
) -> None:
    network.answer("ListLocations", both())
    network.answer("UpdateLocation", berlin())

    result = holdfast(network, "location", "update", "berlin", *typed.split())

    (request,) = network.asked(pb.UpdateLocationRequest)
    location.location_id, location.version = "berlin", 3
    assert (result.exit_code, request.location) == (0, location)
    assert len(request.update_mask.paths) == 1


def test_a_part_of_an_address_is_changed_and_the_others_stay(network: Network) -> None:
    network.answer("ListLocations", both())
    network.answer("UpdateLocation", berlin())
    typed = ["--street", "", "--country", "DE", "--version", "2"]

    holdfast(network, "location", "update", "berlin", *typed)

    (request,) = network.asked(pb.UpdateLocationRequest)
    assert list(request.update_mask.paths) == ["address"]
    assert request.location.version == 2
    assert request.location.address == pb.LocationAddress(
        city="Berlin", postal_code="10119", country="DE"
    )


def test_locations_are_listed_as_they_come(network: Network) -> None:
    network.answer("ListLocations", both(), both())

    for_people = holdfast(network, "location", "list")
    for_programs = holdfast(network, "location", "list", "-o", "json")

    first, second = for_people.stdout.splitlines()[2:]
    assert first.split()[0] == "main"
    assert second.split() == [
        *("berlin", "[red]Shop[/red]", "shop", "10", "yes"),
        *("Torstr.", "1,", "10119", "Berlin"),
    ]
    assert [one["location_id"] for one in json.loads(for_programs.stdout)] == ["main", "berlin"]


def test_an_update_of_a_location_that_is_not_there_ends_with_3(network: Network) -> None:
    network.answer("ListLocations", both())

    result = holdfast(network, "location", "update", "paris", "--name", "New")

    assert result.exit_code == 3
    assert result.stderr == "holdfast: location not found: paris\n  holdfast location list\n"
    assert len(network.requests) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "location create",
        "location create berlin --kind castle",
        "location create berlin --kind unknown",
        "location create berlin --priority -1",
        "location create berlin --priority 1000001",
        "location update berlin",
        "location update berlin --version 1",
        "stock set MUG 1 --reason-code eaten",
        "stock adjust MUG 1 --reason found --reason-code unknown",
    ],
)
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr
    assert result.stderr


def test_stock_is_changed_with_a_reason_code(network: Network) -> None:
    network.answer("UpdateStock", pb.UpdateStockResponse())
    network.answer("AdjustStock", pb.AdjustStockResponse())

    holdfast(network, *"stock set MUG 12 --reason-code correction".split())
    holdfast(network, *"stock adjust MUG -3 --reason eaten --reason-code own-use".split())

    (put,) = network.asked(pb.UpdateStockRequest)
    (adjusted,) = network.asked(pb.AdjustStockRequest)
    assert put.reason_code == pb.STOCK_REASON_CORRECTION
    assert adjusted.reason_code == pb.STOCK_REASON_OWN_USE


def test_movements_tell_their_reason_code(network: Network) -> None:
    movements = [
        pb.Movement(product_id="MUG", reason="eaten", reason_code=pb.STOCK_REASON_OWN_USE),
        pb.Movement(product_id="MUG", reason="fell"),
    ]
    network.answer("ListMovements", *[pb.ListMovementsResponse(movements=movements)] * 2)

    shown = holdfast(network, "stock", "movements").stdout
    told = json.loads(holdfast(network, "stock", "movements", "-o", "json").stdout)

    coded, plain = shown.splitlines()[2:]
    assert coded.split()[-2:] == ["own-use", "eaten"]
    assert plain.split()[-2:] == ["0", "fell"]
    assert [one["reason_code"] for one in told] == ["OWN_USE", None]


@pytest.mark.parametrize(
    ("answer", "exit_code", "said"),
    [
        (
            not_found("location", ["paris"]),
            3,
            ["holdfast: location not found: paris", "  holdfast location list"],
        ),
        (
            refusal(Code.ALREADY_EXISTS, "LOCATION_EXISTS", "it exists already"),
            1,
            ["holdfast: it exists already", "  holdfast location list"],
        ),
        (
            refusal(
                Code.FAILED_PRECONDITION,
                "LOCATION_INACTIVE",
                "not active",
                metadata={"location_id": "old shop"},
            ),
            1,
            ["holdfast: not active", "  holdfast location update 'old shop' --active"],
        ),
        (
            bad_request([("location.address.postal_code", "too long"), ("location.name", "bad")]),
            2,
            [
                "holdfast: the request is not valid:",
                "  address, postal code: too long",
                "  name: bad",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_location_is_told_with_what_to_do_now(
    network: Network, answer: Status, exit_code: int, said: list[str]
) -> None:
    network.answer("CreateLocation", answer)

    result = holdfast(network, "location", "create", "paris")

    assert (result.exit_code, result.stderr.splitlines()) == (exit_code, said)
