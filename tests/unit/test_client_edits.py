"""Edits and cancelled units in the client: what is sent, what is repeated, what comes back."""

from decimal import Decimal
from typing import assert_type

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money as WireMoney

from holdfast.client import (
    Charge,
    ChargeKind,
    EditState,
    Holdfast,
    HoldfastSync,
    Money,
    Order,
    OrderEdit,
    OrderLine,
    OrderRequest,
    Shortage,
    Unavailable,
    _requests,
)
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.unit.test_client_network import CONFIRMED, UNAVAILABLE, Network, client, network, order

__all__ = ["client", "network"]  # fixtures

FOUR_FIFTY = WireMoney(currency_code="GBP", units=4, nanos=500_000_000)
LINES = [OrderLine("LAMP", 5, line_no=1), OrderLine("MUG", 1, Money("GBP", 450))]
WIRE_LINES = [
    pb.OrderLine(product_id="LAMP", quantity=5, line_no=1),
    pb.OrderLine(product_id="MUG", quantity=1, unit_price=FOUR_FIFTY),
]


async def test_an_edit_sends_lines_with_their_numbers_and_names_only_what_changes(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", order(3), order(3), order(3))
    tax = Charge(ChargeKind.TAX, Decimal("4.5"), line_no=2_001)

    await client.orders.edit("o-1", version=2, lines=LINES, wait_s=1.5)
    await client.orders.edit("o-1", version=2, lines=LINES, charges=[tax])
    await client.orders.edit("o-1", version=2, charges=[])

    lines, both, no_charges = network.asked(pb.UpdateOrderRequest)
    assert list(lines.lines) == list(both.lines) == WIRE_LINES
    assert list(lines.update_mask.paths) == ["lines"]
    assert lines.wait == Duration(seconds=1, nanos=500_000_000)
    assert list(both.update_mask.paths) == ["lines", "charges"]
    assert [(one.kind, one.line_no) for one in both.charges] == [(pb.CHARGE_KIND_TAX, 2_001)]
    assert list(no_charges.update_mask.paths) == ["charges"]
    assert not any(one.validate_only for one in (lines, both, no_charges))
    assert {one.version for one in (lines, both, no_charges)} == {2}


async def test_a_preview_changes_nothing_and_so_is_repeated(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", UNAVAILABLE, order(2))

    seen = await client.orders.preview_edit("o-1", version=2, lines=LINES)

    assert seen.version == 2
    assert [one.validate_only for one in network.asked(pb.UpdateOrderRequest)] == [True, True]


async def test_an_edit_is_not_repeated_when_its_outcome_is_unknown(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", UNAVAILABLE, order(3))
    network.answer("CancelOrder", UNAVAILABLE, order(3))

    with pytest.raises(Unavailable):
        await client.orders.edit("o-1", version=2, lines=LINES)
    with pytest.raises(Unavailable):
        await client.orders.cancel("o-1", lines={1: 1}, version=2)

    assert len(network.requests) == 2


async def test_a_cancellation_names_units_or_is_whole_and_repeated(
    network: Network, client: Holdfast
) -> None:
    network.answer("CancelOrder", order(3), UNAVAILABLE, order(4))

    await client.orders.cancel("o-1", reason="broken", lines={2: 1, 1: 3}, version=2, wait_s=5)
    await client.orders.cancel("o-1")

    units, *whole = network.asked(pb.CancelOrderRequest)
    assert units == pb.CancelOrderRequest(
        order_id="o-1",
        reason="broken",
        version=2,
        lines=[
            pb.CancelledUnits(line_no=2, quantity=1),
            pb.CancelledUnits(line_no=1, quantity=3),
        ],
        wait=Duration(seconds=5),
    )
    assert whole == [pb.CancelOrderRequest(order_id="o-1")] * 2


async def test_waiting_for_an_edit_comes_on_top_of_the_deadline(network: Network) -> None:
    network.stream("UpdateOrder", 0.5, order(3))
    network.stream("CancelOrder", 0.5, order(3))

    async with Holdfast(network.address, network.address, deadline_s=0.2) as client:
        await client.orders.edit("o-1", version=2, lines=LINES, wait_s=5)
        await client.orders.cancel("o-1", lines={1: 1}, version=2, wait_s=5)


async def test_an_order_tells_its_line_numbers_and_its_newest_edit(
    network: Network, client: Holdfast
) -> None:
    message = order(4, CONFIRMED)
    message.lines.add(product_id="LAMP", quantity=3, unit_price=FOUR_FIFTY, line_no=7)
    message.edit.CopyFrom(
        pb.OrderEdit(
            edition=2,
            state=pb.EDIT_STATE_REFUSED,
            lines=[pb.OrderLine(product_id="LAMP", quantity=9, unit_price=FOUR_FIFTY, line_no=7)],
            charges=[pb.Charge(kind=pb.CHARGE_KIND_TAX, line_no=7, amount=FOUR_FIFTY)],
            total=FOUR_FIFTY,
            missing=[pb.Shortage(product_id="LAMP", wanted=9, available=4)],
            request_version=3,
            end_version=4,
        )
    )
    network.answer("GetOrderDetails", message, order(1))

    edited = await client.orders.get("o-1")
    untouched = await client.orders.get("o-1")

    price = Money("GBP", 450)
    assert edited.lines == (OrderLine("LAMP", 3, price, 7),)
    assert edited.edit == OrderEdit(
        edition=2,
        state=EditState.REFUSED,
        lines=(OrderLine("LAMP", 9, price, 7),),
        charges=(Charge(ChargeKind.TAX, price, 7),),
        total=price,
        missing=(Shortage("LAMP", 9, 4),),
        request_version=3,
        end_version=4,
    )
    assert untouched.edit is None


def test_lines_of_an_order_can_be_ordered_again_under_numbers_of_their_own() -> None:
    request = _requests.create_order(OrderRequest("c-17", [OrderLine("LAMP", 1, None, 7)]))

    assert request.lines[0].line_no == 0


def test_ordinary_code_edits_with_the_same_words(network: Network) -> None:
    network.answer("UpdateOrder", order(3), order(2))
    network.answer("CancelOrder", order(4))

    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        edited = client.orders.edit("o-1", version=2, lines=LINES)
        seen = client.orders.preview_edit("o-1", version=2, charges=[])
        cancelled = client.orders.cancel("o-1", lines={1: 1}, version=3)

    assert_type(edited, Order)
    assert [edited.version, seen.version, cancelled.version] == [3, 2, 4]
