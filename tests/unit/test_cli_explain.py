"""`stock explain`: what it asks for, and how people and programs read the answer."""

import json

import pytest

from holdfast.chassis.grpc.statuses import not_found
from holdfast.client._times import time_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_cli_commands import NOON, holdfast
from tests.unit.test_client_explain import level
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture


def lines(network: Network, *typed: str) -> list[str]:
    result = holdfast(network, "stock", "explain", *typed)
    assert result.exit_code == 0, result.stderr
    return [line.rstrip() for line in result.stdout.splitlines()]


def test_each_number_is_told_as_the_sum_that_it_is(network: Network) -> None:
    network.answer("ExplainStock", pb.ExplainStockResponse(levels=[level(all_summed=False)]))

    shown = lines(network, "LAMP")

    assert shown[:5] == [
        "LAMP at main: 40 available",
        "  47 on hand = 60 receipt - 13 shipment",
        "  5 reserved = 18 earlier - 13 shipment",
        "  2 quarantined = 2 unknown",
        "  earlier: before 2026-11-02T12:00:00Z",
    ]
    assert "held by 7 orders:" in shown
    assert "and 6 orders more" in shown
    assert ["o-1", "4", "2026-11-02T12:00:00Z"] in [line.split() for line in shown]
    assert ["2026-11-02T12:00:00Z", "shipment", "-1", "=", "47"] in [
        line.split()[:5] for line in shown
    ]


def test_a_sum_that_begins_with_what_went_says_so_and_nothing_is_no_sum(network: Network) -> None:
    went = pb.ExplainedLevel(level=pb.StockLevel(location_id="main"))
    went.sums.add(kind=pb.MOVEMENT_KIND_ADJUSTMENT, on_hand=-2)
    went.sums.add(kind=pb.MOVEMENT_KIND_RETURN, on_hand=2)
    network.answer("ExplainStock", pb.ExplainStockResponse(levels=[went]))

    shown = lines(network, "LAMP")

    assert shown[1:3] == ["  0 on hand = -2 adjustment + 2 return", "  0 reserved"]
    assert "no order holds any of it" in shown
    assert not any("earlier" in line for line in shown)


def test_units_of_orders_that_are_not_known_are_told_as_such(network: Network) -> None:
    partly = level()
    partly.hold_orders, partly.hold_units = 1, 4
    network.answer("ExplainStock", pb.ExplainStockResponse(levels=[partly]))

    shown = lines(network, "LAMP")

    assert "held by 1 order:" in shown
    assert "and 1 unit of orders from earlier" in shown
    assert not any("more" in line for line in shown)


def test_a_place_and_a_moment_are_asked_for_as_typed(network: Network) -> None:
    network.answer("ExplainStock", *[pb.ExplainStockResponse()] * 2)

    then = lines(network, "LAMP", "--location", "shop", "--as-of", "2026-11-02T13:00:00.123456+01")
    ever = lines(network, "LAMP")

    asked, plain = network.asked(pb.ExplainStockRequest)
    assert (asked.product_id, asked.location_id) == ("LAMP", "shop")
    assert asked.as_of.ToDatetime() == NOON.replace(tzinfo=None)
    assert (plain.location_id, plain.HasField("as_of")) == ("", False)
    assert then == ["LAMP was never anywhere up to then"]
    assert ever == ["LAMP was never anywhere"]


def test_who_waits_and_what_is_coming_is_shown_and_how_much_more_there_is(
    network: Network,
) -> None:
    explained = level()
    explained.level.in_transit, explained.incoming_transfers = 7, 3
    explained.incoming.add(
        transfer_id="t-1", origin="attic", quantity=4, create_time=time_to_wire(NOON)
    )
    answer = pb.ExplainStockResponse(
        product_id="LAMP", levels=[explained], available=2, queued=3, backorder_rows=5
    )
    answer.backorders.add(position=1, order_id="o-9", quantity=3, since_time=time_to_wire(NOON))
    alone = pb.ExplainStockResponse(product_id="LAMP", available=0, queued=3, backorder_rows=1)
    alone.backorders.extend(answer.backorders)
    network.answer("ExplainStock", answer, alone, answer)

    shown = lines(network, "LAMP")
    only_waited_for = lines(network, "LAMP")
    told = json.loads("\n".join(lines(network, "LAMP", "--output", "json")))

    assert shown[0] == "LAMP: 2 available; 3 waited for:"
    assert ["1", "o-9", "3", "0", "2026-11-02T12:00:00Z"] in [line.split() for line in shown]
    assert "and 4 more" in shown
    assert "7 on their way by 3 transfers:" in shown
    assert ["t-1", "attic", "4", "2026-11-02T12:00:00Z"] in [line.split() for line in shown]
    assert "and 2 transfers more" in shown
    assert only_waited_for[0] == "LAMP: 0 available; 3 waited for:"
    assert not any("never anywhere" in line for line in only_waited_for)
    assert (told["available"], told["queued"], told["backorder_rows"]) == (2, 3, 5)
    assert told["backorders"][0]["order_id"] == "o-9"
    assert told["levels"][0]["incoming"][0]["transfer_id"] == "t-1"


def test_programs_get_all_of_it(network: Network) -> None:
    network.answer("ExplainStock", pb.ExplainStockResponse(levels=[level("main"), level("shop")]))

    found = json.loads("\n".join(lines(network, "LAMP", "--output", "json")))

    assert (found["product_id"], found["as_of"]) == ("LAMP", None)
    main, shop = found["levels"]
    assert (main["level"]["on_hand"], shop["level"]["location_id"]) == (47, "shop")
    assert main["sums"][0] == {
        "kind": "RECEIPT",
        "movements": 2,
        "on_hand": 60,
        "reserved": 0,
        "quarantined": 0,
    }
    assert main["holds"] == [
        {"order_id": "o-1", "quantity": 4, "change_time": "2026-11-02T12:00:00Z"}
    ]
    assert (main["hold_orders"], main["movements"][0]["order_id"]) == (7, "o-2")


@pytest.mark.parametrize("typed", ["", "LAMP --location=", "LAMP --as-of yesterday"])
def test_what_makes_no_sense_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, "stock", "explain", *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr


def test_what_does_not_exist_ends_with_3(network: Network) -> None:
    network.answer("ExplainStock", not_found("product", ["LAMP"]))

    result = holdfast(network, "stock", "explain", "LAMP")

    assert result.exit_code == 3
    assert "LAMP" in result.stderr
