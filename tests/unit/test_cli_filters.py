"""What the filters of lists ask for, and what is refused before anything is asked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from holdfast.cli.main import app
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_cli_commands import holdfast, whole_order
from tests.unit.test_client_network import CONFIRMED, NOWHERE, Network, network

__all__ = ["network"]  # a fixture


def test_a_list_passes_its_filter_on_and_stops_at_its_limit(network: Network) -> None:
    found = orders_pb2.ListOrdersResponse(
        orders=[whole_order(), whole_order()], next_page_token="more"
    )
    network.answer("ListOrders", found)
    typed = "order list --customer c-17 --status confirmed --from 2026-11-01 --limit 2 -o json"

    result = holdfast(network, *typed.split())

    (request,) = network.asked(orders_pb2.ListOrdersRequest)
    assert [one["order_id"] for one in json.loads(result.stdout)] == ["o-1", "o-1"]
    assert request.customer_id == "c-17"
    assert request.status == CONFIRMED
    assert request.created_from.ToJsonString() == "2026-11-01T00:00:00Z"


def test_products_are_listed_as_the_options_say(network: Network) -> None:
    network.answer("ListProducts", *[inventory_pb2.ListProductsResponse()] * 3)
    typed = "product list --begins LAMP- --active --low 0 --waited-for"

    for command in (typed, "product list --inactive --not-waited-for", "product list"):
        assert holdfast(network, *command.split()).exit_code == 0

    size, request = 50, inventory_pb2.ListProductsRequest
    assert network.asked(request) == [
        request(
            product_id_prefix="LAMP-",
            active=True,
            available_max=0,
            waited_for=True,
            page_size=size,
        ),
        request(active=False, waited_for=False, page_size=size),
        request(page_size=size),
    ]


def test_the_times_of_a_filter_keep_their_offset_and_their_fractions(network: Network) -> None:
    network.answer("ListOrders", orders_pb2.ListOrdersResponse())
    network.answer("ListMovements", inventory_pb2.ListMovementsResponse())
    ends = ("--from", "2026-11-01T09:00:00.0000001+02:00", "--before", "2026-11-01 09:00")

    for command in (("order", "list"), ("stock", "movements")):
        assert holdfast(network, *command, *ends).exit_code == 0

    (orders,) = network.asked(orders_pb2.ListOrdersRequest)
    (moves,) = network.asked(inventory_pb2.ListMovementsRequest)
    for request in (orders, moves):
        assert request.created_from.ToJsonString() == "2026-11-01T07:00:00.000001Z"
        assert request.created_before.ToJsonString() == "2026-11-01T09:00:00Z"


def test_a_status_or_a_time_that_there_is_not_is_refused_before_anything_is_asked(
    network: Network,
) -> None:
    hints = {
        ("order", "list", "--status", "unknown"): "there are PENDING",
        ("order", "list", "--from", "03/04/2026"): "UTC",
        ("product", "list", "--low", "few"): "--low",
        ("product", "list", "--low", "-1"): "--low",
        ("product", "list", "--begins", ""): "--begins",
        ("stock", "movements", "--before", "2026-02-30"): "no such day",
        ("order", "create", "--customer", "c-1", "MUG=1", "--wait", "1h30"): "--wait",
    }

    for typed, hint in hints.items():
        result = holdfast(network, *typed)
        assert (result.exit_code, hint in result.stderr) == (2, True), result.stderr
    assert network.asked(orders_pb2.ListOrdersRequest) == []


def test_an_empty_filter_or_id_is_refused_instead_of_meaning_everything(
    network: Network,
) -> None:
    lists = [
        *(("order", "list", name, "") for name in ("--customer", "--status", "--product")),
        *(("order", "list", name, "") for name in ("--from", "--before")),
        *(("stock", "movements", name, "") for name in ("--location", "--order")),
        ("stock", "movements", " "),
        ("stock", "set", "MUG", "1", "--location", ""),
        ("stock", "set", "MUG", "1", "--request-id", ""),
        ("order", "create", "--customer", "c-1", "MUG=1", "--request-id", ""),
    ]

    for typed in lists:
        assert holdfast(network, *typed).exit_code == 2, typed
    assert network.requests == []


LOOKS = {"list", "search", "movements", "deliveries", "figures", "explain", "follow"}
PLACES = {f"--{one}{what}" for one in ("orders", "inventory", "notifier") for what in ("", "-db")}


def _filters(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Each command that looks at several things, with each option by which it is told which."""
    for name, one in getattr(command, "commands", {}).items():
        yield from _filters(one, *path, name)
    if path and path[-1] in LOOKS:
        needed = ["x" for one in command.params if one.required]
        texts = [one for one in command.params if not one.required and _is_text(one)]
        for one in texts:
            typed = [one.opts[0]] if one.opts[0].startswith("--") else []
            yield (*path, *needed, *typed, "")


def _is_text(parameter: Any) -> bool:
    annotation = parameter.type_descriptor.annotation
    return annotation in (str, list[str]) and not PLACES.intersection(parameter.opts)


EMPTY = sorted(_filters(get_command(app)))


def test_filters_are_found() -> None:
    assert {("order", "search", ""), ("events", "follow", "--type", "")} <= {*EMPTY}


@pytest.mark.parametrize("typed", EMPTY, ids=" ".join)
def test_no_filter_of_any_command_is_empty(network: Network, typed: tuple[str, ...]) -> None:
    result = holdfast(network, *typed)

    assert (result.exit_code, network.requests) == (2, []), result.output


def test_a_webhook_is_never_told_of_everything_for_want_of_a_name(network: Network) -> None:
    nobody = ("--notifier", NOWHERE)
    empty = [
        ("webhook", "create", "https://shop.example", "--types", ""),
        ("webhook", "update", "w-1", "--types", " , "),
        ("webhook", "update", "w-1", "--types", "", "--description", "all"),
        ("webhook", "create", "https://shop.example", "--after-orders", ""),
        ("webhook", "replay", "w-1", "--failed", "--after-inventory", ""),
    ]

    for typed in empty:
        result = holdfast(network, *typed, *nobody)
        assert result.exit_code == 2, result.stderr
        assert "--types" in result.stderr or "--after" in result.stderr


def test_a_payment_status_is_typed_as_it_is_read_and_never_unknown(network: Network) -> None:
    network.answer("SearchOrders", orders_pb2.SearchOrdersResponse())
    typed = ("order", "search", "--payment-status")

    found = holdfast(network, *typed, "partially-refunded")
    unknown = holdfast(network, *typed, "unknown")

    (request,) = network.asked(orders_pb2.SearchOrdersRequest)
    assert found.exit_code == 0, found.output
    assert request.payment_status == orders_pb2.PAYMENT_STATUS_PARTIALLY_REFUNDED
    assert unknown.exit_code == 2
    assert "there are none," in unknown.stderr


def test_a_watch_ends_within_a_year(network: Network) -> None:
    result = holdfast(network, "order", "watch", "o-1", "--for", "999999999h")

    assert result.exit_code == 2
    assert "--for" in result.stderr
    assert "at most a year, 8760h" in result.stderr
