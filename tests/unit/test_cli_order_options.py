"""Attributes and charges of orders, as they are typed and shown; and what their history says."""

import json

import pytest

from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_cli_commands import NOON, holdfast
from tests.unit.test_client_network import Network, network

__all__ = ["network"]  # a fixture

CREATE = ("order", "create", "--customer", "c-17", "MUG=1", "--no-wait")


def test_an_order_is_placed_with_attributes_and_with_charges_of_any_kind_and_line(
    network: Network,
) -> None:
    network.answer("CreateOrder", pb.CreateOrderResponse(order_id="o-1"))

    result = holdfast(
        network,
        *CREATE,
        *("--attribute", "shelf=B=7", "--attribute", "gift="),
        *("--discount", "1", "--charge", "DISCOUNT:1=0.50:SPRING", "--charge", "fee=0.30"),
    )

    (request,) = network.asked(pb.CreateOrderRequest)
    assert result.exit_code == 0, result.stderr
    assert dict(request.attributes) == {"shelf": "B=7", "gift": ""}
    assert [(one.kind, one.line_no, one.code, one.amount.nanos) for one in request.charges] == [
        (pb.CHARGE_KIND_DISCOUNT, 0, "", 0),
        (pb.CHARGE_KIND_DISCOUNT, 1, "SPRING", 500_000_000),
        (pb.CHARGE_KIND_FEE, 0, "", 300_000_000),
    ]


def test_an_update_changes_the_attributes_that_are_named_and_takes_away_what_is_empty(
    network: Network,
) -> None:
    now = pb.Order(order_id="o-1", version=7, attributes={"shelf": "B", "gift": "yes", "by": "ada"})
    network.answer("GetOrderDetails", now)
    network.answer("UpdateOrder", now)

    result = holdfast(
        network, "order", "update", "o-1", "--attribute", "shelf=C", "--attribute", "gift="
    )

    (request,) = network.asked(pb.UpdateOrderRequest)
    assert result.exit_code == 0, result.stderr
    assert list(request.update_mask.paths) == ["attributes"]
    assert dict(request.attributes) == {"shelf": "C", "by": "ada"}
    assert request.version == 7


def test_attributes_are_shown_and_the_history_says_what_was_done(network: Network) -> None:
    found = pb.Order(order_id="o-1", attributes={"shelf": "B"})
    found.history.add(version=2, status=pb.ORDER_STATUS_RESERVED, actor="inventory")
    found.history.add(
        version=3, status=pb.ORDER_STATUS_RESERVED, action="HOLD_EXTENDED", actor="ada"
    )
    for change in found.history:
        change.change_time.FromDatetime(NOON)
    network.answer("GetOrderDetails", *[found] * 2)

    shown = holdfast(network, "order", "get", "o-1").stdout.splitlines()
    told = json.loads(holdfast(network, "order", "get", "o-1", "-o", "json").stdout)

    assert ["attributes", "shelf=B"] in [line.split() for line in shown]
    words = [line.split() for line in shown]
    assert ["2", "RESERVED", "2026-11-02T12:00:00Z", "inventory"] in words
    assert ["3", "HOLD_EXTENDED", "2026-11-02T12:00:00Z", "ada"] in words
    assert told["details"]["attributes"] == {"shelf": "B"}
    assert [one["action"] for one in told["history"]] == ["", "HOLD_EXTENDED"]


@pytest.mark.parametrize(
    "typed",
    [
        *("--attribute=shelf", "--attribute==B", "--charge=discount", "--charge=gift=1"),
        *("--charge=fee:first=1", "--charge=fee=much", "--charge=fee=", "--charge=unknown=1"),
        "--attribute=a=1 --attribute=a=2",
    ],
)
def test_what_is_no_attribute_or_charge_ends_with_2_and_reaches_no_service(
    network: Network, typed: str
) -> None:
    result = holdfast(network, *CREATE, *typed.split())

    assert (result.exit_code, network.requests) == (2, []), result.stderr
