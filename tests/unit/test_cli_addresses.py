"""Addresses on the command line: sent with an order, changed, shown, refused with what to do."""

import json
from pathlib import Path

from holdfast.chassis.grpc.statuses import bad_request
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import holdfast, whole_order
from tests.unit.test_client_network import Network, network, placed

__all__ = ["network"]  # a fixture

CREATE = ("order", "create", "--customer", "c-17", "MUG=1", "--no-wait")
LONDON = pb.Address(name="Ada", street="1 High Street, Flat 2", city="London", country="GB")
TYPED = "name=Ada,street=1 High Street, Flat 2,city=London,country=GB"


def test_an_order_is_placed_with_addresses(network: Network, tmp_path: Path) -> None:
    network.answer("CreateOrder", placed(), placed())
    file = tmp_path / "bill.json"
    file.write_text(json.dumps({"company": "Analytical", "country": "FR"}))

    result = holdfast(network, *CREATE, "--ship-to", TYPED, "--bill-to", f"@{file}")
    holdfast(network, *CREATE)

    told, silent = network.asked(pb.CreateOrderRequest)
    assert result.exit_code == 0
    assert told.ship_to == LONDON
    assert told.bill_to == pb.Address(company="Analytical", country="FR")
    assert not silent.HasField("ship_to")
    assert not silent.HasField("bill_to")


def test_an_update_replaces_one_address_and_an_empty_text_takes_it_away(network: Network) -> None:
    network.answer("GetOrderDetails", whole_order(), whole_order())
    network.answer("UpdateOrder", whole_order(), whole_order())

    for typed in (TYPED, ""):
        assert holdfast(network, "order", "update", "o-1", "--ship-to", typed).exit_code == 0

    put, taken = network.asked(pb.UpdateOrderRequest)
    assert [list(one.update_mask.paths) for one in (put, taken)] == [["ship_to"]] * 2
    assert (put.ship_to, taken.ship_to) == (LONDON, pb.Address())


def test_an_order_shows_where_goods_and_bill_go(network: Network) -> None:
    order = whole_order()
    order.ship_to.CopyFrom(LONDON)
    order.bill_to.CopyFrom(
        pb.Address(company="[b]Analytical[/b]", postal_code="75002", city="Paris")
    )
    network.answer("GetOrderDetails", order, whole_order())

    shown = holdfast(network, "order", "get", "o-1").stdout
    without = holdfast(network, "order", "get", "o-1").stdout

    lines = [line.rstrip() for line in shown.splitlines()]
    assert "ship to   Ada, 1 High Street, Flat 2, London, GB" in lines
    assert "bill to   [b]Analytical[/b], 75002 Paris" in lines
    assert "ship to" not in without


def test_what_is_no_address_is_refused_and_nothing_is_sent(network: Network) -> None:
    for option in ("--ship-to", "--bill-to"):
        result = holdfast(network, *CREATE, option, "1 High Street")

        assert result.exit_code == 2
        assert option in result.stderr
        assert "postal_code" in result.stderr
    assert network.requests == []


def test_what_the_service_refuses_of_an_address_is_named_as_people_call_it(
    network: Network,
) -> None:
    network.answer("CreateOrder", bad_request([("ship_to.country", "must be two capital letters")]))

    result = holdfast(network, *CREATE, "--ship-to", "country=gb")

    assert result.exit_code == 2
    assert "ship to, country: must be two capital letters" in result.stderr
