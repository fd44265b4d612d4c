"""Why is on hand 47? What ExplainStock tells, now and as of a moment, in both modes."""

import asyncio
from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from holdfast.client import (
    OrderLine,
)
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.stock import explain_stock
from tests.integration.conftest import (
    CALL_S_MAX,
    EMBEDDED_ON_POSTGRES,
    Refusal,
    RunningHoldfast,
    eventually,
    line,
    refusal,
)
from tests.integration.explaining import agrees_with_a_replay, explained, numbers, replayed

ALSO = [EMBEDDED_ON_POSTGRES]


def sums(level: pb.ExplainedLevel) -> dict[str, tuple[int, int, int, int]]:
    return {
        pb.MovementKind.Name(one.kind).removeprefix("MOVEMENT_KIND_"): (
            *(one.movements, one.on_hand, one.reserved),
            one.quarantined,
        )
        for one in level.sums
    }


async def test_a_level_is_explained_by_its_sums_holds_and_last_movements(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 60)
    shipped = await holdfast.place(line("LAMP", 10))
    kept = await holdfast.place(line("LAMP", 4))
    newest = await holdfast.place(line("LAMP", 2))
    await holdfast.client.orders.ship(shipped.order_id)
    await holdfast.client.inventory.adjust_stock("LAMP", -3, reason="broken")
    await holdfast.client.inventory.quarantine("LAMP", 5, reason="wet")

    async def look() -> pb.ExplainedLevel:
        (level,) = await explained(holdfast)
        return level

    level = await eventually(look, lambda found: found.level.on_hand == 47, "the shipment")

    assert list((await holdfast.stock("LAMP")).levels) == [level.level]
    assert sums(level) == {
        "RECEIPT": (1, 60, 0, 0),
        "ADJUSTMENT": (1, -3, 0, 0),
        "RESERVATION": (3, 0, 16, 0),
        "SHIPMENT": (1, -10, -10, 0),
        "QUARANTINE": (1, 0, 0, 5),
    }
    assert not level.HasField("summed_from")
    assert [(hold.order_id, hold.quantity) for hold in level.holds] == [
        (newest.order_id, 2),
        (kept.order_id, 4),
    ]
    assert (level.hold_orders, level.hold_units) == (2, 6)
    assert list(level.movements) == (await holdfast.movements("LAMP"))[::-1]


async def test_as_of_a_moment_tells_what_there_was_with_all_that_happened_then(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", {"main": 5, "shop": 3})
    order = await holdfast.place(line("LAMP", 6))
    await holdfast.cancel(order.order_id)
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 8, "the return")
    first, second, *_ = await holdfast.movements("LAMP")
    before = Timestamp()
    before.FromDatetime(first.create_time.ToDatetime() - timedelta(microseconds=1))

    assert await explained(holdfast, as_of=before) == []
    assert [numbers(one.level) for one in await explained(holdfast, as_of=first.create_time)] == [
        (5, 0, 0)
    ]
    assert [
        one.level.location_id for one in await explained(holdfast, as_of=second.create_time)
    ] == [*("main", "shop")]
    await agrees_with_a_replay(holdfast, "LAMP")


async def test_what_travelled_is_explained_at_both_places_and_what_is_kept_back_is_not_available(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", {"main": 10, "shop": 1})
    inventory = holdfast.client.inventory
    sent = await inventory.create_transfer({"LAMP": 4}, origin="main", target="shop")
    await inventory.receive_transfer(sent.transfer_id, {"LAMP": 3})
    await inventory.close_transfer(sent.transfer_id)
    await inventory.update_product("LAMP", safety_stock=5, version=1)

    main, shop = await explained(holdfast)

    assert sums(main) == {"RECEIPT": (1, 10, 0, 0), "TRANSFER_OUT": (1, -4, 0, 0)}
    assert (numbers(main.level), main.level.available) == ((6, 0, 0), 1)
    assert sum(one.on_hand for one in shop.sums) == shop.level.on_hand == 4
    assert {"RECEIPT", "TRANSFER_IN", "TRANSFER_LOSS"} == sums(shop).keys()
    assert shop.level.available == 0
    assert list((await holdfast.stock("LAMP")).levels) == [main.level, shop.level]


async def test_a_named_location_alone_is_explained_even_where_nothing_ever_was(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", {"shop": 3})
    await holdfast.location("attic")
    (moved,) = await holdfast.movements("LAMP")
    long_ago = Timestamp(seconds=1)

    (shop,) = await explained(holdfast, location_id="shop")

    assert numbers(shop.level) == (3, 0, 0)
    for location_id, at in (("attic", None), ("main", None), ("shop", long_ago)):
        (empty,) = await explained(holdfast, location_id=location_id, as_of=at)
        assert empty == pb.ExplainedLevel(
            level=pb.StockLevel(location_id=location_id), earlier=pb.StockLevel()
        )
    assert [one.level for one in await explained(holdfast, as_of=moved.create_time)] == [shop.level]


async def test_what_is_not_there_or_not_yet_is_refused(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", {"shop": 3})
    future = Timestamp()
    future.GetCurrentTime()
    future.seconds += 3_600

    async def ask(
        product_id: str = "LAMP",
        location_id: str = "",
        as_of: Timestamp | None = None,
        page_token: str = "",
    ) -> Refusal:
        request = pb.ExplainStockRequest(
            product_id=product_id, location_id=location_id, as_of=as_of, page_token=page_token
        )
        return await refusal(holdfast.inventory.ExplainStock(request, timeout=CALL_S_MAX))

    ghost, nowhere = await ask(product_id="GHOST"), await ask(location_id="nowhere")
    shouted, later = await ask(location_id="SHOP"), await ask(as_of=future)
    nameless, forged = await ask(product_id=""), await ask(page_token="forged")

    assert (ghost.code, ghost.missing) == (StatusCode.NOT_FOUND, [("product", "GHOST")])
    assert (nowhere.code, nowhere.missing) == (StatusCode.NOT_FOUND, [("location", "nowhere")])
    assert (shouted.reason, shouted.facts) == (
        "LOCATION_SPELLED_OTHERWISE",
        {"location_id": "shop"},
    )
    assert (later.code, later.fields) == (StatusCode.INVALID_ARGUMENT, ["as_of"])
    assert (nameless.code, nameless.fields) == (StatusCode.INVALID_ARGUMENT, ["product_id"])
    assert forged.fields == ["page_token"]


async def test_levels_come_page_by_page_and_holds_are_cut_but_counted(
    holdfast: RunningHoldfast,
) -> None:
    places = [f"shop-{number:02}" for number in range(23)]
    await holdfast.product("LAMP", {"main": 120} | dict.fromkeys(places, 1))
    await asyncio.gather(
        *(holdfast.place(line("LAMP"), request_id=f"r-{number}") for number in range(105))
    )

    request = pb.ExplainStockRequest(product_id="LAMP", page_size=1_000)
    first = await holdfast.inventory.ExplainStock(request, timeout=CALL_S_MAX)
    levels = await explained(holdfast)

    assert [one.level.location_id for one in levels] == ["main", *places]
    assert list(first.levels) == levels[:20]
    assert await explained(holdfast, page_size=7) == levels
    main = levels[0]
    assert (len(main.holds), main.hold_orders, main.hold_units) == (100, 105, 105)
    assert len(main.movements) == 20
    assert levels == replayed(await holdfast.movements("LAMP"), "LAMP")


async def test_of_a_level_with_too_many_movements_the_last_ones_are_added_to_what_was_before(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_stock, "STEPS_MAX", 3)
    await holdfast.product("LAMP", 9)
    unseen = await holdfast.place(line("LAMP", 1))
    seen = await holdfast.place(line("LAMP", 3))
    await holdfast.client.orders.edit(
        seen.order_id, version=seen.version, lines=[OrderLine("LAMP", 2)], wait_s=20
    )
    await holdfast.set_stock("LAMP", 20)
    await holdfast.set_stock("LAMP", 19)
    movements = await holdfast.movements("LAMP")

    (level,) = await explained(holdfast)
    (then,) = await explained(holdfast, as_of=movements[-2].create_time)
    (complete,) = await explained(holdfast, as_of=movements[2].create_time)

    assert [move.order_id for move in movements[1:4]] == [
        *(unseen.order_id, seen.order_id, seen.order_id)
    ]
    assert (numbers(level.earlier), level.summed_from) == ((9, 4, 0), movements[3].create_time)
    assert sums(level) == {
        "RECEIPT": (1, 11, 0, 0),
        "ADJUSTMENT": (1, -1, 0, 0),
        "RELEASE": (1, 0, -1, 0),
    }
    assert (numbers(level.level), level.level.version) == ((19, 3, 0), 6)
    assert [(hold.order_id, hold.quantity) for hold in level.holds] == [(seen.order_id, 2)]
    assert (level.hold_orders, level.hold_units) == (1, 2)
    assert (numbers(then.level), then.level.version) == ((20, 3, 0), 0)
    assert (complete.level.version, complete.HasField("summed_from")) == (3, False)


async def test_an_answer_is_of_one_moment_however_much_moves_meanwhile(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 1_000)
    found: list[pb.ExplainedLevel] = []

    async def move(number: int) -> None:
        for _ in range(15):
            await holdfast.client.inventory.adjust_stock("LAMP", -1, reason="sold at the door")
        await holdfast.place(line("LAMP"), request_id=f"r-{number}")

    async def look() -> None:
        while not moving.done():
            found.extend(await explained(holdfast))

    moving = asyncio.gather(*map(move, range(4)))
    await asyncio.gather(moving, *(look() for _ in range(4)))

    assert len({one.level.version for one in found}) > 3, "it moved meanwhile"
    for one in found:
        last = one.movements[0]
        after = last.on_hand_after, last.reserved_after, last.quarantined_after
        assert after == numbers(one.level)
        assert numbers(one.earlier) == (0, 0, 0)
        assert sum(kind.movements for kind in one.sums) == one.level.version
        assert one.hold_units == one.hold_orders == one.level.reserved
