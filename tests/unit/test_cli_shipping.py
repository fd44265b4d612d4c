"""`order ship`, `order shipment`, `order return`: what they ask for, and what people are told."""

import json
from datetime import UTC, datetime

import pytest

from holdfast.chassis.grpc.statuses import bad_request
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import Code, holdfast
from tests.unit.test_cli_edits import basket
from tests.unit.test_client_network import Network, network
from tests.unit.test_client_shipping import returned

__all__ = ["network"]  # a fixture

OPEN = "order return open o-1 1=1 --reason dark"
RECEIVE = "order return receive r-1 1=1 --disposition restock"


def shipped() -> pb.Order:
    """Three lamps of line 1 have left; one of them may come back."""
    found = basket()
    found.status = pb.ORDER_STATUS_PARTIALLY_SHIPPED
    found.lines[0].shipped = 3
    parcel = found.shipments.add(shipment_id="s-1", carrier="[b]DHL", tracking_number="T1")
    for location_id, quantity in (("main", 2), ("shop", 1)):
        parcel.items.add(line_no=1, product_id="LAMP", location_id=location_id, quantity=quantity)
    found.returns.add().CopyFrom(returned())
    return found


def shipping(network: Network, typed: str) -> pb.ShipOrderRequest:
    network.answer("GetOrderDetails", basket())
    network.answer("ShipOrder", shipped())
    result = holdfast(network, "order", "ship", "o-1", *typed.split())
    assert result.exit_code == 0, result.stderr
    (request,) = network.asked(pb.ShipOrderRequest)
    return request


def test_all_that_is_held_leaves_without_a_look_at_the_order(network: Network) -> None:
    request = shipping(
        network,
        "--location shop --carrier DHL --tracking T1 --url https://x/T1 --shipment-id s-1",
    )

    assert network.requests == [request]
    assert request == pb.ShipOrderRequest(
        order_id="o-1",
        shipment_id="s-1",
        location_id="shop",
        carrier="DHL",
        tracking_number="T1",
        tracking_url="https://x/T1",
    )


@pytest.mark.parametrize(
    ("typed", "items"),
    [
        ("1=2", [(1, 2)]),
        ("LAMP=2", [(1, 2)]),
        ("4=1 LAMP=3", [(4, 1), (1, 3)]),
    ],
)
def test_units_are_named_by_the_line_s_number_or_by_its_product(
    network: Network, typed: str, items: list[tuple[int, int]]
) -> None:
    request = shipping(network, typed)

    assert [(one.line_no, one.quantity) for one in request.items] == items


def test_a_number_is_a_line_s_number_though_a_product_is_called_so(network: Network) -> None:
    order = basket()
    order.lines[0].product_id = "2"
    network.answer("GetOrderDetails", order)
    network.answer("ShipOrder", shipped())

    holdfast(network, *"order ship o-1 2=1".split())

    (request,) = network.asked(pb.ShipOrderRequest)
    assert request.items == [pb.ShipmentItem(line_no=2, quantity=1)]


@pytest.mark.parametrize("command", ["order ship o-1", "order return open o-1 --reason dark"])
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("MUG=1", "MUG stands on lines 2 and 4; say which: 2=1"),
        ("VASE=1", "no line of VASE"),
        ("3=1", "no line 3"),
        ("1=1 LAMP=1", "line 1 is named twice"),
    ],
)
def test_what_the_order_has_not_is_told_before_it_is_asked_for(
    network: Network, command: str, typed: str, words: str
) -> None:
    network.answer("GetOrderDetails", basket())

    result = holdfast(network, *command.split(), *typed.split())

    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
    assert len(network.requests) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "order ship",
        "order ship o-1 MUG",
        "order ship o-1 1=0",
        "order ship o-1 0=1",
        "order ship o-1 1=1@4.50",
        "order ship o-1 MUG=1@4.50",
        "order ship o-1 --location=",
        "order ship o-1 --shipment-id=",
        "order shipment update o-1 s-1",
        "order shipment update o-1 s-1 --delivered soon",
        "order return open o-1 --reason dark",
        "order return open o-1 1=1",
        "order return receive r-1 --disposition restock",
        "order return receive r-1 1=1",
        "order return receive r-1 1=1 --disposition unknown",
        "order return receive r-1 MUG=1 --disposition restock",
    ],
)
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr
    assert result.stderr


def test_a_product_in_place_of_a_line_s_number_is_told_as_that_where_no_order_is_named(
    network: Network,
) -> None:
    said = holdfast(network, *f"{RECEIVE} MUG=1".split()).stderr

    assert "name lines by their numbers" in " ".join(said.replace("│", " ").split())


def test_an_order_shows_what_left_and_what_comes_back(network: Network) -> None:
    network.answer("GetOrderDetails", shipped())

    shown = holdfast(network, "order", "get", "o-1").stdout

    rows = [line.split() for line in shown.splitlines()]
    assert ["line", "product", "quantity", "shipped", "unit", "price"] in rows
    assert ["1", "LAMP", "3", "3", "4.50", "GBP"] in rows
    assert ["2", "MUG", "1", "0", "4.50", "GBP"] in rows
    assert "1=2 from main, 1=1 from shop   [b]DHL    T1" in shown
    assert ["r-1", "CLOSED", "1", "LAMP", "3", "2", "dark"] in rows
    assert "what came by return r-1 cost 16.00 GBP" in shown, "so much may be given back"


def test_an_order_of_which_nothing_left_says_nothing_of_it(network: Network) -> None:
    network.answer("GetOrderDetails", basket())

    shown = holdfast(network, "order", "get", "o-1").stdout

    assert "shipped" not in shown
    assert "shipment" not in shown
    assert "return" not in shown


def test_programs_are_told_shipments_and_returns(network: Network) -> None:
    network.answer("GetOrderDetails", shipped())

    told = json.loads(holdfast(network, "order", "get", "o-1", "-o", "json").stdout)

    assert [line["shipped"] for line in told["lines"]] == [3, 0, 0]
    assert told["shipments"] == [
        {
            "shipment_id": "s-1",
            "items": [
                {"line_no": 1, "quantity": 2, "location_id": "main", "product_id": "LAMP"},
                {"line_no": 1, "quantity": 1, "location_id": "shop", "product_id": "LAMP"},
            ],
            "carrier": "[b]DHL",
            "tracking_number": "T1",
            "tracking_url": "",
            "ship_time": "1970-01-01T00:00:00Z",
            "deliver_time": None,
        }
    ]
    assert [one["return_id"] for one in told["returns"]] == ["r-1"]


@pytest.mark.parametrize("status", ["shipped", "Partially_Shipped"])
def test_orders_are_found_by_the_statuses_of_shipping(network: Network, status: str) -> None:
    network.answer("ListOrders", pb.ListOrdersResponse())
    network.answer("SearchOrders", pb.SearchOrdersResponse())

    holdfast(network, "order", "list", "--status", status)
    holdfast(network, "order", "search", "--status", status)

    wanted = pb.OrderStatus.Value(f"ORDER_STATUS_{status.upper()}")
    assert [request.status for request in network.requests] == [wanted] * 2  # type: ignore[attr-defined]


def test_of_a_shipment_what_is_typed_changes_and_an_empty_text_takes_away(
    network: Network,
) -> None:
    network.answer("UpdateShipment", *[shipped()] * 2)

    holdfast(network, *"order shipment update o-1 s-1 --carrier= --tracking T2 --url x".split())
    arrived = holdfast(
        network, *"order shipment update o-1 s-1 --delivered 2026-11-02T12:00+01:00".split()
    )

    travels, arrival = network.asked(pb.UpdateShipmentRequest)
    assert list(travels.update_mask.paths) == ["carrier", "tracking_number", "tracking_url"]
    assert travels.shipment == pb.Shipment(tracking_number="T2", tracking_url="x")
    assert list(arrival.update_mask.paths) == ["deliver_time"]
    assert arrival.shipment.deliver_time.ToDatetime() == datetime(2026, 11, 2, 11)  # noqa: DTZ001
    assert "[b]DHL" in arrived.stdout


def test_that_it_arrived_can_be_taken_back(network: Network) -> None:
    network.answer("UpdateShipment", shipped())
    update = "order shipment update o-1 s-1 --not-delivered".split()

    taken_back = holdfast(network, *update)
    both = holdfast(network, *update, "--delivered", "now")

    (request,) = network.asked(pb.UpdateShipmentRequest)
    assert (taken_back.exit_code, both.exit_code) == (0, 2)
    assert list(request.update_mask.paths) == ["deliver_time"]
    assert not request.shipment.HasField("deliver_time")


def test_what_arrived_now_arrived_at_this_moment(network: Network) -> None:
    network.answer("UpdateShipment", shipped())
    before = datetime.now(UTC)

    holdfast(network, *"order shipment update o-1 s-1 --delivered NOW".split())

    (request,) = network.asked(pb.UpdateShipmentRequest)
    assert before <= request.shipment.deliver_time.ToDatetime(tzinfo=UTC) <= datetime.now(UTC)


def test_a_return_is_opened_for_units_of_lines_with_one_reason(network: Network) -> None:
    network.answer("GetOrderDetails", shipped())
    network.answer("OpenReturn", returned())

    holdfast(network, *"order return open o-1 LAMP=2 4=1 --reason dark --request-id q-1".split())

    assert network.asked(pb.OpenReturnRequest) == [
        pb.OpenReturnRequest(
            order_id="o-1",
            lines=[
                pb.ReturnLine(line_no=1, quantity=2, reason="dark"),
                pb.ReturnLine(line_no=4, quantity=1, reason="dark"),
            ],
            request_id="q-1",
        )
    ]


def test_what_came_is_received_where_it_is_and_for_what_becomes_of_it(network: Network) -> None:
    network.answer("ReceiveReturn", *[returned()] * 2)

    holdfast(network, *"order return receive r-1 1=2 4=1 --disposition Write-Off".split())
    holdfast(network, *"order return receive r-1 1=1 --disposition restock --location shop".split())

    gone, back = network.asked(pb.ReceiveReturnRequest)
    assert gone.return_id == "r-1"
    assert [(one.line_no, one.quantity) for one in gone.lines] == [(1, 2), (4, 1)]
    assert {(one.disposition, one.location_id) for one in gone.lines} == {
        (pb.DISPOSITION_WRITE_OFF, "main")
    }
    assert [(one.disposition, one.location_id) for one in back.lines] == [
        (pb.DISPOSITION_RESTOCK, "shop")
    ]


@pytest.mark.parametrize(
    ("method", "typed"),
    [
        ("OpenReturn", OPEN),
        ("ReceiveReturn", RECEIVE),
        ("CloseReturn", "order return close r-1"),
    ],
)
def test_a_return_is_shown_whole_to_people_and_programs(
    network: Network, method: str, typed: str
) -> None:
    network.answer("GetOrderDetails", *[shipped()] * 2)
    network.answer(method, *[returned()] * 2)

    for_people = holdfast(network, *typed.split())
    for_programs = holdfast(network, *typed.split(), "--output", "json")

    rows = [line.split() for line in for_people.stdout.splitlines()]
    assert ["return", "r-1"] in rows
    assert ["state", "CLOSED"] in rows
    assert ["1", "LAMP", "3", "2", "dark"] in rows
    assert ["2026-11-02T12:00:00Z", "1", "LAMP", "1", "quarantine", "shop"] in rows
    assert ["2026-11-02T12:00:00Z", "1", "LAMP", "1", "write-off", "shop"] in rows
    told = json.loads(for_programs.stdout)
    assert (told["return_id"], told["order_id"], told["state"]) == ("r-1", "o-1", "CLOSED")
    assert told["receipts"][0]["lines"][1]["disposition"] == "WRITE_OFF"


@pytest.mark.parametrize(
    ("method", "typed", "option", "field"),
    [
        ("ShipOrder", "order ship o-1", "--shipment-id", "shipment_id"),
        ("OpenReturn", OPEN, "--request-id", "request_id"),
        ("ReceiveReturn", RECEIVE, "--request-id", "request_id"),
    ],
)
def test_where_nobody_knows_what_happened_the_id_for_a_safe_repeat_is_told(
    network: Network, method: str, typed: str, option: str, field: str
) -> None:
    network.answer("GetOrderDetails", shipped())
    network.answer(method, Code.DEADLINE_EXCEEDED)

    result = holdfast(network, *typed.split())

    assert result.exit_code == 4
    assert f"{option} {getattr(network.requests[-1], field)} " in result.stderr


@pytest.mark.parametrize(
    ("method", "typed", "field"),
    [
        ("ShipOrder", "order ship o-1 4=1", "items[0].quantity"),
        ("OpenReturn", "order return open o-1 4=1 --reason dark", "lines[0].quantity"),
        ("ReceiveReturn", f"{RECEIVE} 4=1", "lines[1].quantity"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_by_its_number(
    network: Network, method: str, typed: str, field: str
) -> None:
    network.answer("GetOrderDetails", basket())
    network.answer(method, bad_request([(field, "too many")]))

    result = holdfast(network, *typed.split())

    assert result.exit_code == 2
    assert result.stderr.splitlines()[1:] == ["  line 4, quantity: too many"]


def test_fields_of_a_shipment_are_told_as_people_call_them(network: Network) -> None:
    network.answer("UpdateShipment", bad_request([("shipment.tracking_url", "too long")]))

    result = holdfast(network, *"order shipment update o-1 s-1 --url x".split())

    assert result.stderr.splitlines()[1:] == ["  tracking url: too long"]
