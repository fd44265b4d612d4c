"""What commands ask of the services, print, and end with."""

import json
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from google.type.money_pb2 import Money
from typer.testing import CliRunner, Result

from holdfast.chassis.grpc.statuses import bad_request, not_found, refusal, stale
from holdfast.cli.main import app
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_client_network import CONFIRMED, Network, network, order, placed

__all__ = ["network"]  # a fixture

Code = grpc.StatusCode
FOUR_FIFTY = Money(currency_code="GBP", units=4, nanos=500_000_000)
NOON = datetime(2026, 11, 2, 12, 0, 0, 123_456, tzinfo=UTC)


def holdfast(network: Network, *arguments: str) -> Result:
    env = {"HOLDFAST_ORDERS": network.address, "HOLDFAST_INVENTORY": network.address}
    return CliRunner().invoke(app, arguments, env=env)


def rejected() -> orders_pb2.CreateOrderResponse:
    return orders_pb2.CreateOrderResponse(
        order_id="o-1",
        status=orders_pb2.ORDER_STATUS_REJECTED,
        shortages=[orders_pb2.Shortage(product_id="MUG", wanted=3, available=1)],
    )


def whole_order() -> orders_pb2.Order:
    found = order(2, CONFIRMED)
    found.customer_id = "c-17"
    found.customer.name = "[red]Ada[/red]"
    found.lines.add(product_id="MUG", quantity=3, unit_price=FOUR_FIFTY, line_no=1)
    found.total.CopyFrom(Money(currency_code="GBP", units=13, nanos=500_000_000))
    found.create_time.FromDatetime(NOON)
    found.update_time.FromDatetime(NOON)
    change = found.history.add(version=2, status=CONFIRMED, actor="inventory")
    change.change_time.FromDatetime(NOON)
    return found


def test_an_order_waits_ten_seconds_for_its_outcome(network: Network) -> None:
    network.answer("CreateOrder", orders_pb2.CreateOrderResponse(order_id="o-1", status=CONFIRMED))

    result = holdfast(
        network, "order", "create", "--customer", "c-17", "LAMP-RED=2", "MUG=1@4.50", "--name=Ada"
    )

    (request,) = network.asked(orders_pb2.CreateOrderRequest)
    assert result.exit_code == 0
    assert result.stdout == "order o-1 is CONFIRMED\n"
    assert request.wait.seconds == 10
    assert request.customer.name == "Ada"
    assert list(request.lines) == [
        orders_pb2.OrderLine(product_id="LAMP-RED", quantity=2),
        orders_pb2.OrderLine(
            product_id="MUG", quantity=1, unit_price=Money(units=4, nanos=500_000_000)
        ),
    ]


def test_a_currency_that_is_named_goes_with_every_price(network: Network) -> None:
    network.answer("CreateOrder", placed())

    holdfast(
        network,
        "order",
        "create",
        "--customer",
        "c-17",
        "MUG=1@4.50",
        "--currency=GBP",
        "--no-wait",
    )

    (request,) = network.asked(orders_pb2.CreateOrderRequest)
    assert request.lines[0].unit_price == FOUR_FIFTY


def test_an_order_that_is_not_waited_for_says_how_to_follow_it(network: Network) -> None:
    network.answer("CreateOrder", placed())

    result = holdfast(network, "order", "create", "--customer", "c-17", "MUG=1", "--no-wait")

    (request,) = network.asked(orders_pb2.CreateOrderRequest)
    assert result.exit_code == 0
    assert "holdfast order watch o-1" in result.stdout
    assert not request.HasField("wait")


def test_a_rejected_order_ends_with_1_and_its_shortages(network: Network) -> None:
    network.answer("CreateOrder", rejected(), rejected())
    command = ("order", "create", "--customer", "c-17", "MUG=3")

    for_people = holdfast(network, *command)
    for_programs = holdfast(network, *command, "--output", "json")

    assert for_people.exit_code == for_programs.exit_code == 1
    assert for_people.stdout == "order o-1 is REJECTED\n  MUG: wanted 3, available 1\n"
    assert json.loads(for_programs.stdout) == {
        "order_id": "o-1",
        "status": "REJECTED",
        "shortages": [{"product_id": "MUG", "wanted": 3, "available": 1, "expected_date": None}],
        "expires_time": None,
    }


def test_an_order_as_json_has_plain_keys_and_exact_money(network: Network) -> None:
    network.answer("GetOrderDetails", whole_order())

    result = holdfast(network, "order", "get", "o-1", "-o", "json")

    assert json.loads(result.stdout) == {
        "order_id": "o-1",
        "request_id": "",
        "customer_id": "c-17",
        "status": "CONFIRMED",
        "lines": [
            {
                "product_id": "MUG",
                "quantity": 3,
                "unit_price": {"currency": "GBP", "minor": 450},
                "line_no": 1,
                "shipped": 0,
            }
        ],
        "total": {"currency": "GBP", "minor": 1350},
        "customer": {"name": "[red]Ada[/red]", "email": "", "phone": "", "address": ""},
        "shortages": [],
        "version": 2,
        "create_time": "2026-11-02T12:00:00.123456Z",
        "update_time": "2026-11-02T12:00:00.123456Z",
        "history": [
            {
                "version": 2,
                "status": "CONFIRMED",
                "change_time": "2026-11-02T12:00:00.123456Z",
                "reason": "",
                "actor": "inventory",
                **dict.fromkeys(("action", "credential_id"), ""),
            }
        ],
        "expires_time": None,
        "payment_reference": "",
        "payment_status": "NONE",
        "payments": [],
        "charges": [],
        "details": {
            "reference": "",
            "channel": "",
            "note": "",
            "attributes": {},
            "ship_to": None,
            "bill_to": None,
        },
        "edit": None,
        "sourcing": {
            "strategy": "PRIORITY",
            "locations": [],
            "may_split": True,
            "in_stock_only": False,
        },
        "stock": [],
        "shipments": [],
        "returns": [],
        "queued": [],
    }


def test_an_order_for_people_shows_what_it_holds_and_no_markup_of_others(network: Network) -> None:
    network.answer("GetOrderDetails", whole_order())

    result = holdfast(network, "order", "get", "o-1")

    for text in ("c-17", "[red]Ada[/red]", "13.50 GBP", "MUG", "4.50 GBP", "CONFIRMED"):
        assert text in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("colours", ["", "1"])  # as on many build machines
def test_a_table_in_a_pipe_is_not_cut_short(
    colours: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", colours)
    product = inventory_pb2.Product(product_id="MUG", name="A mug " * 20, unit_price=FOUR_FIFTY)
    network.answer("ListProducts", inventory_pb2.ListProductsResponse(products=[product]))

    result = holdfast(network, "product", "list")

    assert "A mug " * 19 in result.stdout


def test_an_empty_list_says_so(network: Network) -> None:
    network.answer("ListOrders", *[orders_pb2.ListOrdersResponse()] * 2)

    assert holdfast(network, "order", "list").stdout == "none\n"
    assert json.loads(holdfast(network, "order", "list", "-o", "json").stdout) == []


def test_an_update_takes_the_version_as_it_is_now(network: Network) -> None:
    network.answer("GetOrderDetails", order(7))
    network.answer("UpdateOrder", order(8))

    result = holdfast(network, "order", "update", "o-1", "--email", "ada@example.com")

    (request,) = network.asked(orders_pb2.UpdateOrderRequest)
    assert result.exit_code == 0
    assert request.version == 7
    assert list(request.update_mask.paths) == ["customer.email"]


def test_a_watch_prints_one_line_a_version(network: Network) -> None:
    network.stream("WatchOrder", order(1), order(2, CONFIRMED))
    network.stream("WatchOrder", order(1), order(2, CONFIRMED))

    for_people = holdfast(network, "order", "watch", "o-1")
    for_programs = holdfast(network, "order", "watch", "o-1", "-o", "json")

    assert for_people.stdout.splitlines() == [
        "order o-1 version 1 is PENDING",
        "order o-1 version 2 is CONFIRMED",
    ]
    assert [json.loads(line)["version"] for line in for_programs.stdout.splitlines()] == [1, 2]


def test_stock_can_be_taken_away(network: Network) -> None:
    network.answer(
        "AdjustStock", inventory_pb2.AdjustStockResponse(level=inventory_pb2.StockLevel(on_hand=7))
    )

    result = holdfast(network, "stock", "adjust", "MUG", "-3", "--reason", "broke", "-o", "json")

    (request,) = network.asked(inventory_pb2.AdjustStockRequest)
    assert json.loads(result.stdout)["on_hand"] == 7
    assert (request.delta, request.reason) == (-3, "broke")


def test_stock_is_set_at_a_location(network: Network) -> None:
    network.answer("UpdateStock", inventory_pb2.UpdateStockResponse())

    result = holdfast(network, "stock", "set", "MUG", "12", "--location", "shop")

    (request,) = network.asked(inventory_pb2.UpdateStockRequest)
    assert result.exit_code == 0
    assert (request.product_id, request.quantity, request.location_id) == ("MUG", 12, "shop")


def test_movements_tell_why_a_level_is_what_it_is(network: Network) -> None:
    movement = inventory_pb2.Movement(
        product_id="MUG",
        kind=inventory_pb2.MOVEMENT_KIND_RECEIPT,
        on_hand_delta=47,
        on_hand_after=47,
        reason="delivery",
        reference="DN-9",
    )
    network.answer("ListMovements", inventory_pb2.ListMovementsResponse(movements=[movement]))

    result = holdfast(network, "stock", "movements", "MUG")

    for text in ("RECEIPT", "+47 = 47", "delivery DN-9"):
        assert text in result.stdout


def test_a_new_price_keeps_the_product_s_currency(network: Network) -> None:
    product = inventory_pb2.Product(
        product_id="MUG", unit_price=Money(currency_code="JPY", units=400), version=3
    )
    network.answer("GetStockInfo", inventory_pb2.StockInfo(product=product))
    network.answer("UpdateProduct", product)

    result = holdfast(network, "product", "update", "MUG", "--price", "450")

    (request,) = network.asked(inventory_pb2.UpdateProductRequest)
    assert result.exit_code == 0
    assert request.product.version == 3
    assert request.product.unit_price == Money(currency_code="JPY", units=450)


def test_a_product_is_made(network: Network) -> None:
    network.answer("CreateProduct", inventory_pb2.Product(product_id="MUG", unit_price=FOUR_FIFTY))
    typed = "product create MUG --name Mug --price 4.50 --inactive -o json"

    result = holdfast(network, *typed.split())

    (request,) = network.asked(inventory_pb2.CreateProductRequest)
    assert json.loads(result.stdout)["unit_price"] == {"currency": "GBP", "minor": 450}
    assert not request.product.active


def short_of_stock() -> Status:
    facts = {"wanted:MUG": "3", "available:MUG": "1"}
    return refusal(Code.FAILED_PRECONDITION, "SHORT_OF_STOCK", "short", metadata=facts)


@pytest.mark.parametrize(
    ("answer", "exit_code", "words"),
    [
        (short_of_stock(), 1, "MUG: wanted 3, available 1"),
        (refusal(Code.FAILED_PRECONDITION, "ILLEGAL_TRANSITION", "it is final"), 1, "it is final"),
        (refusal(Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", "used before"), 1, "used before"),
        (stale("order", "o-1", 7), 1, "version 7"),
        (refusal(Code.PERMISSION_DENIED, "NO_SCOPE", "not for you"), 1, "not for you"),
        (bad_request([("lines", "none"), ("customer_id", "empty")]), 2, "  customer id: empty"),
        (Code.UNIMPLEMENTED, 2, "is the address right?"),
        (not_found("order", ["o-1"]), 3, "o-1"),
        (refusal(Code.UNAVAILABLE, "DRAINING", "going down"), 4, "going down"),
        (Code.DEADLINE_EXCEEDED, 4, "outcome is unknown"),
        (Code.RESOURCE_EXHAUSTED, 4, "so be it"),
        (refusal(Code.INTERNAL, "", "a bug", metadata={"correlation_id": "4711"}), 70, "4711"),
    ],
)
def test_every_error_has_its_exit_code_and_words_on_standard_error(
    network: Network, answer: Message | grpc.StatusCode, exit_code: int, words: str
) -> None:
    network.answer("CancelOrder", *[answer] * 100)

    result = holdfast(network, "order", "cancel", "o-1")

    assert result.exit_code == exit_code
    assert result.stderr.startswith("holdfast: ")
    assert words in result.stderr
    assert result.stdout == ""


def test_what_nobody_foresaw_is_told_in_a_line_and_ends_with_70(network: Network) -> None:
    too_fine = order(1)
    too_fine.total.CopyFrom(Money(currency_code="GBP", nanos=1))
    network.answer("GetOrderDetails", too_fine)

    result = holdfast(network, "order", "get", "o-1")

    assert result.exit_code == 70
    assert result.stderr.startswith("holdfast: a bug of ours, sorry: ValueError: 1 nanos")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "typed",
    [
        "order create --customer c-17 MUG",
        "order create MUG=1",
        "order create --customer c-17",
        "order create --customer c-17 MUG=1 --wait soon",
        "order create --customer c-17 MUG=1 --wait 61s",
        "order update o-1",
        "order list --status nowhere",
        "stock set MUG -1",
        "stock adjust MUG -3",
        "product create MUG",
        "product create MUG --price cheap",
        "product update MUG",
        "dead-letters replay",
        "dead-letters replay l-1 --all",
        "nonsense",
    ],
)
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *typed.split())

    assert result.exit_code == 2
    assert result.stderr
    assert network.requests == []
