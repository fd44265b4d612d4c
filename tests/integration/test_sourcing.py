"""Where stock comes from: by which rule, why from there, and what moves when the rule changes."""

import asyncio
from collections.abc import Iterable

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    eventually,
    line,
    refusal,
)

ALIKE = True
FEWEST = pb.SOURCING_STRATEGY_FEWEST_SHIPMENTS
NEAREST, PINNED = pb.SOURCING_STRATEGY_NEAREST, pb.SOURCING_STRATEGY_PINNED
CONFIRMED, REJECTED = orders_pb2.ORDER_STATUS_CONFIRMED, orders_pb2.ORDER_STATUS_REJECTED
Held = list[tuple[str, str, int, str]]


async def stocked(holdfast: RunningHoldfast) -> None:
    """Two products at four locations, of which `main` is the first."""
    for rank, location_id in enumerate(("berlin", "madrid", "paris"), 1):
        await holdfast.location(location_id, priority=rank)
    await holdfast.product("LAMP")
    await holdfast.product("MUG")
    for product_id, units in (
        ("LAMP", {"main": 1, "berlin": 2, "madrid": 5}),
        ("MUG", {"main": 1, "berlin": 9, "paris": 9}),
    ):
        for location_id, quantity in units.items():
            await holdfast.set_stock(product_id, quantity, location_id)


def wishing(
    strategy: pb.SourcingStrategy.ValueType, *location_ids: str, may_split: bool | None = None
) -> pb.Sourcing:
    return pb.Sourcing(strategy=strategy, location_ids=location_ids, may_split=may_split)


def asked(
    sourcing: pb.Sourcing | None, *lines: orders_pb2.OrderLine
) -> orders_pb2.CreateOrderRequest:
    request = create(*lines, wait_s=20)
    if sourcing:
        request.sourcing.CopyFrom(sourcing)
    return request


async def placed(
    holdfast: RunningHoldfast, sourcing: pb.Sourcing | None, *lines: orders_pb2.OrderLine
) -> orders_pb2.Order:
    answer = await holdfast.create(asked(sourcing, *lines))
    return await holdfast.order(answer.order_id)


def held(parts: Iterable[orders_pb2.HeldStock | pb.AvailableStock]) -> Held:
    return [
        (
            one.product_id,
            one.location_id,
            one.quantity,
            pb.SourcingReason.Name(one.reason).removeprefix("SOURCING_REASON_"),
        )
        for one in parts
    ]


ROWS: dict[str, tuple[pb.Sourcing | None, tuple[int, int], Held]] = {
    "by priority each location gives what it has": (
        None,
        (4, 2),
        [
            ("LAMP", "berlin", 2, "PRIORITY"),
            ("LAMP", "madrid", 1, "PRIORITY"),
            ("LAMP", "main", 1, "PRIORITY"),
            ("MUG", "berlin", 1, "PRIORITY"),
            ("MUG", "main", 1, "PRIORITY"),
        ],
    ),
    "one location that has all": (
        wishing(FEWEST),
        (2, 3),
        [("LAMP", "berlin", 2, "HAS_ALL"), ("MUG", "berlin", 3, "HAS_ALL")],
    ),
    "the fewest that have all together": (
        wishing(FEWEST),
        (5, 3),
        [
            ("LAMP", "berlin", 2, "FEWEST"),
            ("LAMP", "madrid", 3, "FEWEST"),
            ("MUG", "berlin", 3, "FEWEST"),
        ],
    ),
    "nearest first, then by priority": (
        wishing(NEAREST, "madrid", "paris"),
        (6, 1),
        [
            ("LAMP", "madrid", 5, "NEAREST"),
            ("LAMP", "main", 1, "PRIORITY"),
            ("MUG", "paris", 1, "NEAREST"),
        ],
    ),
    "nothing but what it is pinned to": (
        wishing(PINNED, "madrid", "berlin"),
        (6, 1),
        [
            ("LAMP", "berlin", 1, "PINNED"),
            ("LAMP", "madrid", 5, "PINNED"),
            ("MUG", "berlin", 1, "PINNED"),
        ],
    ),
    "all from one location, by priority": (
        wishing(pb.SOURCING_STRATEGY_PRIORITY, may_split=False),
        (1, 2),
        [("LAMP", "berlin", 1, "HAS_ALL"), ("MUG", "berlin", 2, "HAS_ALL")],
    ),
}


@pytest.mark.parametrize(("sourcing", "units", "expected"), ROWS.values(), ids=ROWS)
async def test_an_order_gets_its_stock_from_where_it_says_and_is_told_why(
    holdfast: RunningHoldfast,
    sourcing: pb.Sourcing | None,
    units: tuple[int, int],
    expected: Held,
) -> None:
    await stocked(holdfast)
    lamps, mugs = units
    basket = pb.CheckAvailabilityRequest(
        lines=[pb.BasketLine(product_id="LAMP", quantity=lamps)]
        + [pb.BasketLine(product_id="MUG", quantity=1)] * mugs,
        sourcing=sourcing,
    )

    before = await holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX)
    order = await placed(holdfast, sourcing, line("LAMP", lamps), line("MUG", mugs))

    assert before.available
    assert not before.missing
    assert held(before.stock) == expected, "what is promised is what was said"
    assert before.shipments == len({at for _, at, _, _ in expected})
    assert order.status == CONFIRMED
    assert held(order.stock) == expected
    assert order.HasField("sourcing") == (sourcing is not None)
    if sourcing and not sourcing.HasField("may_split"):
        assert order.sourcing.strategy == sourcing.strategy
        assert list(order.sourcing.location_ids) == list(sourcing.location_ids)
    movements = [m for m in await holdfast.movements() if m.order_id == order.order_id]
    assert sorted((m.product_id, m.location_id, m.reserved_delta) for m in movements) == [
        one[:3] for one in expected
    ]


SHORT = {
    "pinned": (wishing(PINNED, "paris"), [("LAMP", 1, 0)]),
    "not split": (wishing(FEWEST, may_split=False), [("LAMP", 6, 5)]),
    "not split, pinned": (wishing(PINNED, "berlin", "madrid", may_split=False), [("LAMP", 6, 5)]),
}


@pytest.mark.parametrize(("sourcing", "missing"), SHORT.values(), ids=SHORT)
async def test_one_that_its_locations_cant_fill_is_rejected_whole(
    holdfast: RunningHoldfast, sourcing: pb.Sourcing, missing: list[tuple[str, int, int]]
) -> None:
    await stocked(holdfast)
    lamps = missing[0][1]
    basket = pb.CheckAvailabilityRequest(
        lines=[pb.BasketLine(product_id="LAMP", quantity=lamps)], sourcing=sourcing
    )

    found = await holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX)
    order = await placed(holdfast, sourcing, line("LAMP", lamps))

    assert not found.available
    assert [(one.product_id, one.wanted, one.available) for one in found.missing] == missing
    assert order.status == REJECTED
    assert [(s.product_id, s.wanted, s.available) for s in order.shortages] == missing
    assert not order.stock
    assert (await holdfast.stock("LAMP")).reserved == 0


async def test_a_location_that_is_not_active_promises_and_receives_nothing(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    first = await placed(holdfast, None, line("LAMP", 3))

    await deactivated(holdfast, "berlin")
    second = await placed(holdfast, None, line("LAMP", 2))

    assert held(first.stock) == [
        ("LAMP", "berlin", 2, "PRIORITY"),
        ("LAMP", "main", 1, "PRIORITY"),
    ], "what is promised there stays"
    assert held(second.stock) == [("LAMP", "madrid", 2, "PRIORITY")]
    levels = {one.location_id: one for one in (await holdfast.stock("MUG")).levels}
    assert (levels["berlin"].on_hand, levels["berlin"].available) == (9, 0)
    assert (await holdfast.stock("MUG")).available == 10
    for request in (
        pb.UpdateStockRequest(product_id="LAMP", quantity=3, location_id="berlin"),
        pb.UpdateStockRequest(product_id="DESK", quantity=1, location_id="berlin"),
    ):
        if request.product_id == "DESK":
            await holdfast.product("DESK")
        found = await refusal(holdfast.inventory.UpdateStock(request, timeout=CALL_S_MAX))
        assert (found.code, found.reason) == (
            StatusCode.FAILED_PRECONDITION,
            "LOCATION_INACTIVE",
        )
        assert found.facts == {"location_id": "berlin"}
    await holdfast.set_stock("MUG", 4, "berlin")  # units may still be taken away


async def test_a_location_that_an_order_names_must_be_there_and_active(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    await deactivated(holdfast, "paris")
    order = await placed(holdfast, None, line("LAMP"))
    before = await holdfast.everything()

    for location_id, code, reason in (
        ("atlantis", StatusCode.NOT_FOUND, ""),
        ("paris", StatusCode.FAILED_PRECONDITION, "LOCATION_INACTIVE"),
        ("Madrid", StatusCode.FAILED_PRECONDITION, "LOCATION_SPELLED_OTHERWISE"),
    ):
        sourcing = wishing(PINNED, "main", location_id)
        basket = pb.CheckAvailabilityRequest(
            lines=[pb.BasketLine(product_id="LAMP", quantity=1)], sourcing=sourcing
        )
        for call in (
            holdfast.create(asked(sourcing, line("LAMP"))),
            holdfast.orders.UpdateOrder(resourcing(order, sourcing), timeout=CALL_S_MAX),
            holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX),
        ):
            found = await refusal(call)
            assert found.code == code
            if not reason:
                assert found.missing == [("location", location_id)]
                continue
            assert found.reason == reason
            if reason == "LOCATION_SPELLED_OTHERWISE":
                assert found.facts == {"location_id": "madrid"}

    assert await holdfast.everything() == before


@pytest.mark.parametrize(
    ("sourcing", "field"),
    [
        (wishing(PINNED), "sourcing.location_ids"),
        (wishing(NEAREST, "main", "main"), "sourcing.location_ids"),
        (wishing(FEWEST, "main"), "sourcing.location_ids"),
        (wishing(PINNED, ""), "sourcing.location_ids[0]"),
        (wishing(PINNED, *(f"at {n}" for n in range(101))), "sourcing.location_ids"),
        (wishing(9), "sourcing.strategy"),  # type: ignore[arg-type]
    ],
)
async def test_a_sourcing_that_makes_no_sense_is_refused_by_name(
    holdfast: RunningHoldfast, sourcing: pb.Sourcing, field: str
) -> None:
    await holdfast.product("LAMP", 5)
    edit = resourcing(await placed(holdfast, None, line("LAMP")), sourcing)
    preview = orders_pb2.UpdateOrderRequest(validate_only=True)
    preview.MergeFrom(edit)
    basket = pb.CheckAvailabilityRequest(
        lines=[pb.BasketLine(product_id="LAMP", quantity=1)], sourcing=sourcing
    )
    before = await holdfast.everything()

    for call in (
        holdfast.create(asked(sourcing, line("LAMP"))),
        holdfast.orders.UpdateOrder(edit, timeout=CALL_S_MAX),
        holdfast.orders.UpdateOrder(preview, timeout=CALL_S_MAX),
        holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX),
    ):
        found = await refusal(call)
        assert found.code is StatusCode.INVALID_ARGUMENT
        assert field in found.message

    assert await holdfast.everything() == before


async def test_another_sourcing_moves_what_is_held_whole_or_not_at_all(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    order = await placed(holdfast, None, line("LAMP", 2))
    assert held(order.stock) == [
        ("LAMP", "berlin", 1, "PRIORITY"),
        ("LAMP", "main", 1, "PRIORITY"),
    ]

    moved = await edited(holdfast, resourcing(order, wishing(PINNED, "berlin", "madrid")))
    refused = await edited(holdfast, resourcing(moved, wishing(PINNED, "paris")))
    back = await edited(holdfast, resourcing(refused, None))

    assert moved.edit.state == orders_pb2.EDIT_STATE_APPLIED
    assert held(moved.stock) == [("LAMP", "berlin", 2, "PINNED")]
    assert refused.edit.state == orders_pb2.EDIT_STATE_REFUSED
    assert [(s.product_id, s.available) for s in refused.edit.missing] == [("LAMP", 0)]
    assert held(refused.stock) == held(moved.stock)
    assert list(refused.sourcing.location_ids) == ["berlin", "madrid"]
    assert held(back.stock) == held(order.stock)
    assert not back.HasField("sourcing")
    assert (await holdfast.stock("LAMP")).reserved == 2


async def test_more_lines_are_taken_from_where_the_order_is_already(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    order = await placed(holdfast, wishing(FEWEST), line("LAMP", 3))
    alone = await placed(holdfast, wishing(FEWEST, may_split=False), line("MUG", 2))
    assert held(order.stock) == [("LAMP", "madrid", 3, "HAS_ALL")]
    assert held(alone.stock) == [("MUG", "berlin", 2, "HAS_ALL")]

    more = await edited(holdfast, relining(order, line("LAMP", 5, line_no=1)))
    elsewhere = await edited(holdfast, relining(alone, line("MUG", 8, line_no=1)))

    assert held(more.stock) == [("LAMP", "madrid", 5, "HAS_ALL")]
    assert held(elsewhere.stock) == [("MUG", "berlin", 8, "HAS_ALL")]
    await holdfast.set_stock("MUG", 8, "berlin")
    moved = await edited(holdfast, relining(elsewhere, line("MUG", 9, line_no=1)))
    assert held(moved.stock) == [("MUG", "paris", 9, "HAS_ALL")], "all of it, where all of it is"
    levels = {one.location_id: one.reserved for one in (await holdfast.stock("MUG")).levels}
    assert levels == {"main": 0, "berlin": 0, "paris": 9}


async def test_stock_check_and_reservation_agree_when_many_want_it(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    wishes = [wishing(FEWEST), wishing(PINNED, "madrid"), wishing(NEAREST, "madrid"), None]

    orders = await asyncio.gather(
        *(placed(holdfast, wishes[number % 4], line("LAMP")) for number in range(12)),
        return_exceptions=True,
    )

    promised = [one for one in orders if isinstance(one, orders_pb2.Order) and one.stock]
    assert len(promised) <= 8
    assert (await holdfast.stock("LAMP")).reserved == len(promised)
    for order in promised:
        if order.sourcing.strategy == PINNED:
            assert {one.location_id for one in order.stock} == {"madrid"}


async def deactivated(holdfast: RunningHoldfast, location_id: str) -> None:
    request = pb.UpdateLocationRequest(
        location=pb.Location(location_id=location_id, version=1, active=False),
        update_mask=FieldMask(paths=["active"]),
    )
    await holdfast.inventory.UpdateLocation(request, timeout=CALL_S_MAX)


def resourcing(
    order: orders_pb2.Order, sourcing: pb.Sourcing | None
) -> orders_pb2.UpdateOrderRequest:
    return orders_pb2.UpdateOrderRequest(
        order_id=order.order_id,
        version=order.version,
        sourcing=sourcing,
        update_mask=FieldMask(paths=["sourcing"]),
        wait=Duration(seconds=20),
    )


def relining(
    order: orders_pb2.Order, *lines: orders_pb2.OrderLine
) -> orders_pb2.UpdateOrderRequest:
    return orders_pb2.UpdateOrderRequest(
        order_id=order.order_id,
        version=order.version,
        lines=lines,
        update_mask=FieldMask(paths=["lines"]),
        wait=Duration(seconds=20),
    )


async def edited(
    holdfast: RunningHoldfast, request: orders_pb2.UpdateOrderRequest
) -> orders_pb2.Order:
    """The order once the edit has ended, as both services know it."""
    answer = await holdfast.orders.UpdateOrder(request, timeout=CALL_S_MAX)
    return await eventually(
        lambda: holdfast.order(answer.order_id), lambda order: order.edit.end_version > 0
    )
