"""Sourcing on the command line: `stock check`, and orders that are placed, edited and shown."""

import json

import pytest

from holdfast.chassis.grpc.statuses import bad_request
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_cli_commands import holdfast, whole_order
from tests.unit.test_client_network import Network, network, placed

__all__ = ["network"]  # a fixture

PINNED = pb.Sourcing(
    strategy=pb.SOURCING_STRATEGY_PINNED, location_ids=["berlin", "main"], may_split=False
)
TYPED_PINNED = "--sourcing pinned --from berlin --from main --no-split"
CHECK = "stock check LAMP-RED=2 MUG=1"
CREATE = "order create --customer c-17 MUG=1 --no-wait"
EDIT = "order edit o-1 --no-wait"


def free(*reasons: pb.SourcingReason.ValueType) -> pb.CheckAvailabilityResponse:
    """Two lamps at a location of its own for each reason."""
    found = pb.CheckAvailabilityResponse(available=True, shipments=len(reasons))
    for number, reason in enumerate(reasons):
        found.stock.add(product_id="LAMP", location_id=f"[b]{number}", quantity=2, reason=reason)
    return found


def short() -> pb.CheckAvailabilityResponse:
    found = pb.CheckAvailabilityResponse()
    found.missing.add(product_id="LAMP", wanted=2, available=1)
    found.missing.add(product_id="MUG", wanted=1, available=0)
    return found


def sent(network: Network, typed: str) -> pb.Sourcing | None:
    """The sourcing that a command asked for; None: it said nothing of it."""
    network.answer("CheckAvailability", free())
    network.answer("CreateOrder", placed())
    network.answer("GetOrderDetails", whole_order())
    network.answer("UpdateOrder", whole_order())
    result = holdfast(network, *typed.split())
    assert result.exit_code == 0, result.stderr
    request = network.requests[-1]
    assert isinstance(
        request,
        pb.CheckAvailabilityRequest | orders_pb2.CreateOrderRequest | orders_pb2.UpdateOrderRequest,
    )
    return request.sourcing if request.HasField("sourcing") else None


@pytest.mark.parametrize("command", [CHECK, CREATE, EDIT])
@pytest.mark.parametrize(
    ("typed", "sourcing"),
    [
        (TYPED_PINNED, PINNED),
        (
            "--sourcing nearest --from berlin",
            pb.Sourcing(
                strategy=pb.SOURCING_STRATEGY_NEAREST, location_ids=["berlin"], may_split=True
            ),
        ),
        (
            "--sourcing Fewest-Shipments",
            pb.Sourcing(strategy=pb.SOURCING_STRATEGY_FEWEST_SHIPMENTS, may_split=True),
        ),
        (
            "--sourcing priority",
            pb.Sourcing(strategy=pb.SOURCING_STRATEGY_PRIORITY, may_split=True),
        ),
        ("--no-split", pb.Sourcing(strategy=pb.SOURCING_STRATEGY_PRIORITY, may_split=False)),
        (
            "--in-stock-only",
            pb.Sourcing(strategy=pb.SOURCING_STRATEGY_PRIORITY, may_split=True, in_stock_only=True),
        ),
        (
            "--sourcing pinned --from berlin --in-stock-only",
            pb.Sourcing(
                strategy=pb.SOURCING_STRATEGY_PINNED,
                location_ids=["berlin"],
                may_split=True,
                in_stock_only=True,
            ),
        ),
    ],
)
def test_a_sourcing_is_typed_alike_wherever_it_is_taken(
    network: Network, command: str, typed: str, sourcing: pb.Sourcing
) -> None:
    assert sent(network, f"{command} {typed}") == sourcing


@pytest.mark.parametrize("command", [CHECK, CREATE, f"{EDIT} MUG=1"])
def test_of_a_sourcing_that_is_not_typed_nothing_is_said(network: Network, command: str) -> None:
    assert sent(network, command) is None


def test_an_edit_of_the_sourcing_alone_leaves_lines_and_charges(network: Network) -> None:
    for preview in ("", " --preview"):
        sent(network, f"{EDIT} {TYPED_PINNED}{preview}")

    edit, preview_edit = network.asked(orders_pb2.UpdateOrderRequest)
    assert list(edit.update_mask.paths) == list(preview_edit.update_mask.paths) == ["sourcing"]
    assert (edit.validate_only, preview_edit.validate_only) == (False, True)


@pytest.mark.parametrize("command", [CHECK, CREATE, EDIT])
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("--sourcing pinned", "--sourcing pinned needs --from LOCATION"),
        ("--sourcing nearest --no-split", "--sourcing nearest needs --from LOCATION"),
        ("--from berlin", "--from is for --sourcing nearest or pinned"),
        ("--sourcing priority --from berlin", "--from is for --sourcing nearest or pinned"),
        ("--sourcing cheapest", "is no sourcing; there are priority, fewest-shipments, nearest"),
        ("--sourcing pinned --from=", "is empty"),
    ],
)
def test_a_sourcing_that_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, command: str, typed: str, words: str
) -> None:
    result = holdfast(network, *command.split(), *typed.split())

    assert (result.exit_code, network.requests) == (2, [])
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_a_check_asks_for_units_whatever_their_price(network: Network) -> None:
    network.answer("CheckAvailability", free())

    holdfast(network, "stock", "check", "LAMP-RED=2@12.50", "MUG=1")

    (request,) = network.asked(pb.CheckAvailabilityRequest)
    assert list(request.lines) == [
        pb.BasketLine(product_id="LAMP-RED", quantity=2),
        pb.BasketLine(product_id="MUG", quantity=1),
    ]


def test_what_is_there_is_told_with_from_where_and_why(network: Network) -> None:
    known = pb.SourcingReason.values()[1:]
    network.answer("CheckAvailability", free(*known), free(known[-1]))

    all_reasons = holdfast(network, *CHECK.split())
    one_shipment = holdfast(network, *CHECK.split())

    first, _, _, _, *rows = all_reasons.stdout.splitlines()
    assert (all_reasons.exit_code, first) == (0, "yes, in 5 shipments")
    assert one_shipment.stdout.startswith("yes, in 1 shipment\n")
    assert [row.split()[:3] for row in rows] == [["LAMP", f"[b]{n}", "2"] for n in range(5)]
    assert [" ".join(row.split()[3:]) for row in rows] == [
        "next by priority",
        "next nearest",
        "next of the pinned",
        "first that has all of it",
        "one of the fewest that have all of it",
    ]


def test_what_is_missing_is_told_and_ends_with_1(network: Network) -> None:
    network.answer("CheckAvailability", short(), short())

    for_people = holdfast(network, *CHECK.split())
    for_programs = holdfast(network, *CHECK.split(), "--output", "json")

    assert for_people.exit_code == for_programs.exit_code == 1
    assert for_people.stdout == (
        "no, short of stock:\n  LAMP: wanted 2, available 1\n  MUG: wanted 1, available 0\n"
    )
    assert json.loads(for_programs.stdout) == {
        "available": False,
        "stock": [],
        "shipments": 0,
        "missing": [
            {"product_id": "LAMP", "wanted": 2, "available": 1, "expected_date": None},
            {"product_id": "MUG", "wanted": 1, "available": 0, "expected_date": None},
        ],
        "queued": [],
    }


def test_a_check_as_json_has_plain_reasons(network: Network) -> None:
    network.answer("CheckAvailability", free(pb.SOURCING_REASON_HAS_ALL))

    told = json.loads(holdfast(network, *CHECK.split(), "-o", "json").stdout)

    assert (told["available"], told["shipments"], told["missing"]) == (True, 1, [])
    assert told["stock"] == [
        {"product_id": "LAMP", "location_id": "[b]0", "quantity": 2, "reason": "HAS_ALL"}
    ]


def test_an_order_shows_its_sourcing_and_where_its_units_are_held_and_why(
    network: Network,
) -> None:
    found = whole_order()
    found.sourcing.CopyFrom(PINNED)
    found.stock.add(
        product_id="MUG", location_id="berlin", quantity=3, reason=pb.SOURCING_REASON_HAS_ALL
    )
    network.answer("GetOrderDetails", found, found, whole_order())

    shown = holdfast(network, *"order get o-1".split()).stdout
    told = json.loads(holdfast(network, *"order get o-1 -o json".split()).stdout)
    without = holdfast(network, *"order get o-1".split()).stdout

    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert "sourcing pinned: berlin, main (not split)" in rows
    assert "MUG berlin 3 first that has all of it" in rows
    assert told["sourcing"] == {
        "strategy": "PINNED",
        "locations": ["berlin", "main"],
        "may_split": False,
        "in_stock_only": False,
    }
    assert [one["location_id"] for one in told["stock"]] == ["berlin"]
    assert "sourcing" not in without
    assert "why there" not in without


def test_an_order_that_wants_what_is_there_says_so(network: Network) -> None:
    found = whole_order()
    found.sourcing.in_stock_only = True
    network.answer("GetOrderDetails", found)

    shown = holdfast(network, *"order get o-1".split()).stdout

    assert "sourcing priority (in stock only)" in [
        " ".join(line.split()) for line in shown.split("\n")
    ]


def test_what_the_service_refuses_of_a_sourcing_is_named_as_people_call_it(
    network: Network,
) -> None:
    network.answer("CreateOrder", bad_request([("sourcing.location_ids[1]", "is too long")]))

    result = holdfast(network, *CREATE.split(), *TYPED_PINNED.split())

    assert result.exit_code == 2
    assert "sourcing, location 2: is too long" in result.stderr
