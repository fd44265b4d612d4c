"""Back-orders on the command line: policies, queues, what waits, and promises that give way."""

import json

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from holdfast.chassis.grpc.statuses import bad_request, not_found, refusal
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_cli_commands import holdfast, whole_order
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

FIFTEENTH = Date(year=2027, month=1, day=15)
CREATE = "product create LAMP --price 4.50"
UPDATE = "product update LAMP"
NONE, LIMITED, UNLIMITED = pb.BackorderMode.values()[1:]


def product(backorder: pb.Backorder | None = None) -> pb.Product:
    price = Money(currency_code="GBP", units=4)
    return pb.Product(
        product_id="LAMP", unit_price=price, active=True, version=3, backorder=backorder
    )


def fifty() -> pb.Backorder:
    return pb.Backorder(mode=LIMITED, units_max=50, expected_date=FIFTEENTH)


def rows(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("typed", "policy"),
    [
        ("--backorder none", pb.Backorder(mode=NONE)),
        ("--backorder limited:50", pb.Backorder(mode=LIMITED, units_max=50)),
        ("--backorder Unlimited", pb.Backorder(mode=UNLIMITED)),
        ("--backorder limited:50 --expected 2027-01-15", fifty()),
        ("--expected 2027-01-15", pb.Backorder(mode=NONE, expected_date=FIFTEENTH)),
    ],
)
def test_a_product_is_made_with_its_policy(
    network: Network, typed: str, policy: pb.Backorder
) -> None:
    network.answer("CreateProduct", product(fifty()), product())

    made = holdfast(network, *CREATE.split(), *typed.split())
    plain = holdfast(network, *CREATE.split())

    first, silent = network.asked(pb.CreateProductRequest)
    assert first.product.backorder == policy
    assert not silent.product.HasField("backorder")
    assert "back-orders limited:50" in rows(made.stdout)
    assert "expected 2027-01-15" in rows(made.stdout)
    assert "back-orders" not in plain.stdout


@pytest.mark.parametrize(
    ("typed", "policy"),
    [
        (["--backorder", "unlimited"], pb.Backorder(mode=UNLIMITED, expected_date=FIFTEENTH)),
        (["--expected", ""], pb.Backorder(mode=LIMITED, units_max=50)),
        (
            ["--expected", "2027-02-01"],
            pb.Backorder(mode=LIMITED, units_max=50, expected_date=Date(year=2027, month=2, day=1)),
        ),
        (["--backorder", "none", "--expected", ""], pb.Backorder(mode=NONE)),
    ],
)
def test_of_a_policy_what_is_not_typed_stays(
    network: Network, typed: list[str], policy: pb.Backorder
) -> None:
    network.answer("GetStockInfo", pb.StockInfo(product=product(fifty())))
    network.answer("UpdateProduct", product())

    result = holdfast(network, *UPDATE.split(), *typed)

    (request,) = network.asked(pb.UpdateProductRequest)
    assert result.exit_code == 0, result.stderr
    assert list(request.update_mask.paths) == ["backorder"]
    assert request.product.backorder == policy


@pytest.mark.parametrize("command", [CREATE, UPDATE])
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("--backorder limited", "limited:50"),
        ("--backorder limited:", "limited:50"),
        ("--backorder limited:0", "0 is too small"),
        ("--backorder limited:many", "many is not a whole number"),
        ("--backorder none:5", "is no policy of back-orders"),
        ("--backorder unlimited:5", "is no policy of back-orders"),
        ("--backorder some", "is no policy of back-orders; there are none, limited, unlimited"),
        ("--expected 15.1.2027", "'15.1.2027' is no day, such as 2027-01-15"),
        ("--expected 2027-02-30", "'2027-02-30' is no day"),
    ],
)
def test_a_policy_that_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, command: str, typed: str, words: str
) -> None:
    result = holdfast(network, *command.split(), *typed.split())

    assert (result.exit_code, network.requests) == (2, [])
    assert words in " ".join(result.stderr.replace("│", " ").split())


def test_what_the_service_refuses_of_a_policy_is_named_as_people_call_it(network: Network) -> None:
    network.answer("CreateProduct", bad_request([("product.backorder.units_max", "is too large")]))

    result = holdfast(network, *CREATE.split(), "--backorder", "limited:5")

    assert result.exit_code == 2
    assert "  backorder, units max: is too large" in result.stderr


def queue() -> pb.ListBackordersResponse:
    found = pb.ListBackordersResponse(expected_date=FIFTEENTH)
    for position, units, ahead in ((1, 2, 0), (2, 5, 2)):
        found.backorders.add(
            position=position,
            order_id=f"o-{position}",
            quantity=units,
            units_ahead=ahead,
            since_time=Timestamp(seconds=position),
        )
    return found


def test_a_queue_is_shown_in_the_order_in_which_it_is_served(network: Network) -> None:
    network.answer("GetStockInfo", *[pb.StockInfo(product=product(fifty()))] * 2)
    network.answer("ListBackorders", queue(), queue())

    shown = holdfast(network, *"backorder list LAMP".split())
    told = json.loads(holdfast(network, *"backorder list LAMP -o json".split()).stdout)

    lines = rows(shown.stdout)
    assert lines[0] == "more is expected on 2027-01-15"
    assert lines[-2:] == ["1 o-1 2 0 1970-01-01T00:00:01Z", "2 o-2 5 2 1970-01-01T00:00:02Z"]
    assert told[1] == {
        "position": 2,
        "order_id": "o-2",
        "quantity": 5,
        "units_ahead": 2,
        "since_time": "1970-01-01T00:00:02Z",
    }


def test_a_queue_that_nobody_stands_in_says_so(network: Network) -> None:
    network.answer("GetStockInfo", pb.StockInfo(product=product()))
    network.answer("ListBackorders", pb.ListBackordersResponse())

    assert holdfast(network, "backorder", "list", "LAMP").stdout == "none\n"


def test_the_queue_of_no_product_ends_with_3(network: Network) -> None:
    network.answer("GetStockInfo", not_found("product", ["LAMP"]))

    assert holdfast(network, "backorder", "list", "LAMP").exit_code == 3


def test_a_product_tells_what_is_waited_for_and_what_may_be(network: Network) -> None:
    network.answer(
        "GetStockInfo",
        pb.StockInfo(product=product(fifty()), queued=7, backorder_room=43),
        pb.StockInfo(
            product=product(pb.Backorder(mode=UNLIMITED)), queued=0, backorder_room=10**12
        ),
        pb.StockInfo(product=product(), queued=2),
        pb.StockInfo(product=product()),
        pb.StockInfo(product=product(fifty()), queued=7, backorder_room=43),
    )
    get = "stock get LAMP".split()

    limited, unlimited, displaced, plain = (rows(holdfast(network, *get).stdout) for _ in range(4))
    told = json.loads(holdfast(network, *get, "-o", "json").stdout)

    assert limited[-4:] == [
        "queued 7",
        "back-orders limited:50",
        "may still wait 43",
        "expected 2027-01-15",
    ]
    assert unlimited[-2:] == ["queued 0", "back-orders unlimited"]
    assert displaced[-1] == "queued 2"
    assert plain[-1] == "available 0"
    assert (told["queued"], told["backorder_room"]) == (7, 43)
    assert told["product"]["backorder"] == {
        "mode": "LIMITED",
        "units_max": 50,
        "expected_date": "2027-01-15",
    }


@pytest.mark.parametrize(
    "command",
    [
        "stock set LAMP 1",
        "stock adjust LAMP -1 --reason fell",
        "stock quarantine LAMP 1 --reason wet",
    ],
)
def test_promises_give_way_only_where_that_is_typed(network: Network, command: str) -> None:
    network.answer("UpdateStock", *[pb.UpdateStockResponse()] * 2)
    network.answer("AdjustStock", *[pb.AdjustStockResponse()] * 2)
    network.answer("QuarantineStock", *[pb.QuarantineStockResponse()] * 2)

    for typed in (command, f"{command} --displace"):
        assert holdfast(network, *typed.split()).exit_code == 0

    asked = [request.displace for request in network.requests]  # type: ignore[attr-defined]
    assert asked == [False, True]


def test_a_check_tells_what_would_have_to_wait(network: Network) -> None:
    part = pb.CheckAvailabilityResponse(available=True, shipments=1)
    part.stock.add(product_id="LAMP", location_id="main", quantity=2)
    part.queued.add(product_id="LAMP", quantity=3, expected_date=FIFTEENTH)
    later = pb.CheckAvailabilityResponse(available=True)
    later.queued.add(product_id="LAMP", quantity=5)
    network.answer("CheckAvailability", part, later, part)
    check = "stock check LAMP=5".split()

    some, none = (holdfast(network, *check) for _ in range(2))
    told = json.loads(holdfast(network, *check, "-o", "json").stdout)

    assert (some.exit_code, none.exit_code) == (0, 0)
    lines = rows(some.stdout)
    assert lines[0] == "yes, in 1 shipment now, and the rest would wait for stock"
    assert "LAMP main 2 next by priority" in lines
    assert lines[-1] == "LAMP 3 2027-01-15"
    assert rows(none.stdout)[0] == "yes, but all of it would wait for stock"
    assert rows(none.stdout)[-1] == "LAMP 5"
    assert told["queued"] == [{"product_id": "LAMP", "quantity": 3, "expected_date": "2027-01-15"}]


def test_a_check_tells_when_more_of_what_is_missing_is_expected(network: Network) -> None:
    answer = pb.CheckAvailabilityResponse()
    answer.missing.add(product_id="LAMP", wanted=5, available=2, expected_date=FIFTEENTH)
    answer.missing.add(product_id="MUG", wanted=1)
    network.answer("CheckAvailability", answer, answer)
    check = "stock check LAMP=5 MUG=1".split()

    shown = rows(holdfast(network, *check).stdout)
    told = json.loads(holdfast(network, *check, "-o", "json").stdout)

    assert shown == [
        "no, short of stock:",
        "LAMP: wanted 5, available 2; more is expected on 2027-01-15",
        "MUG: wanted 1, available 0",
    ]
    assert [one["expected_date"] for one in told["missing"]] == ["2027-01-15", None]


def test_an_order_shows_what_waits(network: Network) -> None:
    found = whole_order()
    found.queued.add(product_id="MUG", quantity=3)
    network.answer("GetOrderDetails", found, whole_order(), found)
    get = "order get o-1".split()

    waiting, plain = (holdfast(network, *get).stdout for _ in range(2))
    told = json.loads(holdfast(network, *get, "-o", "json").stdout)

    assert "product units that wait for stock" in rows(waiting)
    assert "MUG 3" in rows(waiting)
    assert "wait" not in plain
    assert told["queued"] == [{"product_id": "MUG", "quantity": 3}]


def test_who_ships_what_waits_is_told_where_to_look(network: Network) -> None:
    facts = {"product_id": "LAMP", "queued": "3"}
    network.answer("GetOrderDetails", whole_order())
    network.answer(
        "ShipOrder",
        refusal(
            grpc.StatusCode.FAILED_PRECONDITION, "STILL_QUEUED", "3 wait for stock", metadata=facts
        ),
    )

    result = holdfast(network, "order", "ship", "o-1", "1=5")

    assert result.exit_code == 1
    assert result.stderr == "holdfast: 3 wait for stock\n  holdfast backorder list LAMP\n"
