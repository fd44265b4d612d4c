"""`client.inventory.explain`: what is asked, page by page, and what is told."""

from datetime import UTC, datetime, timedelta, timezone
from typing import assert_type

import pytest

from holdfast.client import (
    EarlierStock,
    ExplainedLevel,
    Holdfast,
    HoldfastSync,
    InvalidRequest,
    Movement,
    MovementKind,
    MovementSum,
    OpenHold,
    StockExplanation,
    StockLevel,
)
from holdfast.client._times import time_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.unit.test_client_network import UNAVAILABLE, Network, client, network

__all__ = ["client", "network"]  # fixtures

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def level(location_id: str = "main", *, all_summed: bool = True) -> pb.ExplainedLevel:
    return pb.ExplainedLevel(
        level=pb.StockLevel(
            location_id=location_id,
            on_hand=47,
            reserved=5,
            available=40,
            version=9,
            quarantined=2,
        ),
        sums=[
            pb.MovementSum(kind=pb.MOVEMENT_KIND_RECEIPT, movements=2, on_hand=60),
            pb.MovementSum(kind=pb.MOVEMENT_KIND_SHIPMENT, movements=4, on_hand=-13, reserved=-13),
            pb.MovementSum(kind=99, movements=1, quarantined=2),  # type: ignore[arg-type]
        ],
        summed_from=None if all_summed else time_to_wire(NOON),
        earlier=pb.StockLevel() if all_summed else pb.StockLevel(reserved=18),
        holds=[pb.OpenHold(order_id="o-1", quantity=4, change_time=time_to_wire(NOON))],
        hold_orders=7,
        hold_units=5,
        movements=[
            pb.Movement(
                movement_id=3,
                product_id="LAMP",
                location_id=location_id,
                kind=pb.MOVEMENT_KIND_SHIPMENT,
                on_hand_delta=-1,
                reserved_delta=-1,
                on_hand_after=47,
                reserved_after=5,
                order_id="o-2",
                actor="orders",
                create_time=time_to_wire(NOON),
            )
        ],
    )


def told(location_id: str = "main", *, all_summed: bool = True) -> ExplainedLevel:
    return ExplainedLevel(
        level=StockLevel(location_id, 47, 5, 40, 9, quarantined=2),
        sums=(
            MovementSum(MovementKind.RECEIPT, 2, 60, 0, 0),
            MovementSum(MovementKind.SHIPMENT, 4, -13, -13, 0),
            MovementSum(MovementKind.UNKNOWN, 1, 0, 0, 2),
        ),
        summed_from=None if all_summed else NOON,
        earlier=EarlierStock(0, 0 if all_summed else 18, 0),
        holds=(OpenHold("o-1", 4, NOON),),
        hold_orders=7,
        hold_units=5,
        movements=(
            Movement(
                movement_id=3,
                product_id="LAMP",
                location_id=location_id,
                kind=MovementKind.SHIPMENT,
                on_hand_delta=-1,
                reserved_delta=-1,
                on_hand_after=47,
                reserved_after=5,
                order_id="o-2",
                reason="",
                reference="",
                actor="orders",
                create_time=NOON,
            ),
        ),
    )


async def test_a_level_is_told_with_all_that_makes_it(network: Network, client: Holdfast) -> None:
    answer = pb.ExplainStockResponse(product_id="LAMP", levels=[level(all_summed=False)])
    network.answer("ExplainStock", UNAVAILABLE, answer)

    found = await client.inventory.explain("LAMP")

    assert found == StockExplanation("LAMP", None, (told(all_summed=False),))
    assert network.requests == [pb.ExplainStockRequest(product_id="LAMP")] * 2


async def test_a_place_and_a_moment_can_be_named(network: Network, client: Holdfast) -> None:
    network.answer("ExplainStock", pb.ExplainStockResponse(product_id="LAMP"))
    at = NOON.astimezone(timezone(timedelta(hours=2)))

    found = await client.inventory.explain("LAMP", location="shop", as_of=at)

    assert found == StockExplanation("LAMP", NOON, ())
    assert network.requests == [
        pb.ExplainStockRequest(product_id="LAMP", location_id="shop", as_of=time_to_wire(NOON))
    ]


async def test_all_levels_come_however_many_pages_it_takes(
    network: Network, client: Holdfast
) -> None:
    network.answer(
        "ExplainStock",
        pb.ExplainStockResponse(levels=[level("main")], next_page_token="t-1"),
        pb.ExplainStockResponse(levels=[level("shop")]),
    )

    found = await client.inventory.explain("LAMP", as_of=NOON)

    assert found.levels == (told("main"), told("shop"))
    first, second = network.asked(pb.ExplainStockRequest)
    assert (first.page_token, second.page_token) == ("", "t-1")
    assert (second.product_id, second.as_of) == ("LAMP", time_to_wire(NOON))


async def test_what_is_no_moment_or_name_is_refused_before_it_is_sent(
    network: Network, client: Holdfast
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await client.inventory.explain(7, location=8, as_of=datetime(2026, 1, 1))  # type: ignore[arg-type] # noqa: DTZ001

    assert [one.field for one in refused.value.violations] == [
        *("product_id", "location_id", "as_of")
    ]
    assert network.requests == []


def test_programs_without_a_loop_can_ask_too(network: Network) -> None:
    network.answer("ExplainStock", pb.ExplainStockResponse(levels=[level()]))

    with HoldfastSync(network.address, network.address) as client:
        found = client.inventory.explain("LAMP", location="main")

    assert_type(found, StockExplanation)
    assert found.levels == (told(),)
