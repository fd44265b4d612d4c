"""What Inventory promises its callers: each method, each field, each refusal, in both modes."""

import asyncio

from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc.code_pb2 import ABORTED, FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from tests.integration.conftest import (
    CALL_S_MAX,
    Refusal,
    RunningHoldfast,
    eventually,
    line,
    price,
    refusal,
)

RECEIPT, ADJUSTMENT = pb.MOVEMENT_KIND_RECEIPT, pb.MOVEMENT_KIND_ADJUSTMENT
RESERVATION, RELEASE = pb.MOVEMENT_KIND_RESERVATION, pb.MOVEMENT_KIND_RELEASE


def level(on_hand: int, reserved: int = 0, *, version: int, at: str = "main") -> pb.StockLevel:
    return pb.StockLevel(
        location_id=at,
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        version=version,
    )


def setting(
    quantity: int, product_id: str = "LAMP", *, version: int | None = None, request_id: str = ""
) -> pb.UpdateStockRequest:
    return pb.UpdateStockRequest(
        product_id=product_id, quantity=quantity, expected_version=version, request_id=request_id
    )


def adjusting(
    delta: int, product_id: str = "LAMP", *, request_id: str = ""
) -> pb.AdjustStockRequest:
    return pb.AdjustStockRequest(
        product_id=product_id,
        delta=delta,
        reason="counted",
        reference="note 7",
        request_id=request_id,
    )


async def set_level(holdfast: RunningHoldfast, request: pb.UpdateStockRequest) -> pb.StockLevel:
    return (await holdfast.inventory.UpdateStock(request, timeout=CALL_S_MAX)).level


async def adjust(holdfast: RunningHoldfast, request: pb.AdjustStockRequest) -> pb.StockLevel:
    return (await holdfast.inventory.AdjustStock(request, timeout=CALL_S_MAX)).level


async def test_stock_is_told_in_total_and_by_location(holdfast: RunningHoldfast) -> None:
    await holdfast.product("BARE")
    await holdfast.product("LAMP", {"shop": 3, "main": 5, "attic": 1}, price(12, 50))
    await holdfast.place(line("LAMP", 6))

    info = await holdfast.stock("LAMP")

    assert info == pb.StockInfo(
        product=pb.Product(product_id="LAMP", unit_price=price(12, 50), active=True, version=1),
        on_hand=9,
        reserved=6,
        available=3,
        levels=[
            level(1, 1, version=2, at="attic"),
            level(5, 5, version=2),
            level(3, 0, version=1, at="shop"),
        ],
    )
    assert list((await holdfast.stock("BARE")).levels) == []


async def test_a_reservation_is_split_over_locations_and_given_back_as_it_was(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", {"attic": 2, "main": 5, "shop": 3})
    before = list((await holdfast.stock("LAMP")).levels)

    order = await holdfast.place(line("LAMP", 4), line("LAMP", 5))
    taken = [(one.location_id, one.reserved) for one in (await holdfast.stock("LAMP")).levels]
    await holdfast.cancel(order.order_id)
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 10, "the return")

    assert taken == [("attic", 2), ("main", 5), ("shop", 2)]  # main first, then by name
    after = (await holdfast.stock("LAMP")).levels
    assert [one.available for one in after] == [one.available for one in before]


async def test_every_level_is_the_sum_of_its_movements(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", {"main": 5, "shop": 3})
    first = await holdfast.place(line("LAMP", 6))
    second = await holdfast.place(line("LAMP", 1))
    await holdfast.cancel(first.order_id, "too late")
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 7, "the return")
    await adjust(holdfast, adjusting(-1))
    await set_level(holdfast, setting(9))

    movements = await holdfast.movements("LAMP")

    assert [(m.kind, m.location_id, m.on_hand_delta, m.reserved_delta) for m in movements] == [
        (RECEIPT, "main", 5, 0),
        (RECEIPT, "shop", 3, 0),
        (RESERVATION, "main", 0, 5),
        (RESERVATION, "shop", 0, 1),
        (RESERVATION, "shop", 0, 1),
        (RELEASE, "main", 0, -5),
        (RELEASE, "shop", 0, -1),
        (ADJUSTMENT, "main", -1, 0),
        (RECEIPT, "main", 5, 0),
    ]
    assert [m.order_id for m in movements[2:7]] == [first.order_id] * 2 + [
        second.order_id,
        *[first.order_id] * 2,
    ]
    adjusted = movements[7]
    assert (adjusted.reason, adjusted.reference) == ("counted", "note 7")
    assert [m.actor for m in movements[1:3]] == ["operator", "orders"]
    sums: dict[str, tuple[int, int]] = {}
    for m in movements:
        on_hand, reserved = sums.get(m.location_id, (0, 0))
        sums[m.location_id] = on_hand + m.on_hand_delta, reserved + m.reserved_delta
        assert sums[m.location_id] == (m.on_hand_after, m.reserved_after)
    levels = (await holdfast.stock("LAMP")).levels
    assert {one.location_id: (one.on_hand, one.reserved) for one in levels} == sums


async def test_movements_are_listed_newest_first_by_any_filter(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", {"main": 5, "shop": 3})
    await holdfast.product("BULB", 5)
    order = await holdfast.place(line("LAMP", 6), line("BULB"))
    everything = (await holdfast.movements())[::-1]
    start = everything[0].create_time
    filters = {
        "product": pb.ListMovementsRequest(product_id="LAMP"),
        "location": pb.ListMovementsRequest(location_id="shop"),
        "order": pb.ListMovementsRequest(order_id=order.order_id.upper()),
        "product and order": pb.ListMovementsRequest(product_id="BULB", order_id=order.order_id),
        "product and location": pb.ListMovementsRequest(product_id="LAMP", location_id="main"),
        "from": pb.ListMovementsRequest(created_from=start),
        "before": pb.ListMovementsRequest(created_before=start),
        "unknown": pb.ListMovementsRequest(product_id="GHOST"),
    }

    found: dict[str, list[int]] = {}
    for name, request in filters.items():
        pages: list[list[pb.Movement]] = []
        request.page_size = 2
        while not pages or request.page_token:
            answer = await holdfast.inventory.ListMovements(request, timeout=CALL_S_MAX)
            pages.append(list(answer.movements))
            request.page_token = answer.next_page_token
        found[name] = [everything.index(movement) for page in pages for movement in page]

    assert len(everything) == 6
    assert found == {
        "product": [1, 2, 4, 5] if everything[0].product_id == "BULB" else [0, 1, 4, 5],
        "location": [at for at, m in enumerate(everything) if m.location_id == "shop"],
        "order": [0, 1, 2],
        "product and order": [at for at in range(3) if everything[at].product_id == "BULB"],
        "product and location": [
            at
            for at, m in enumerate(everything)
            if (m.product_id, m.location_id) == ("LAMP", "main")
        ],
        "from": [0, 1, 2],
        "before": [3, 4, 5],
        "unknown": [],
    }


async def test_stock_never_falls_below_what_was_promised(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.place(line("LAMP", 3))
    before = await holdfast.everything()

    for call in (set_level(holdfast, setting(2)), adjust(holdfast, adjusting(-3))):
        found = await refusal(call)
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "BELOW_RESERVED")
        assert found.facts == {"wanted": "2", "reserved": "3"}

    assert await holdfast.everything() == before
    assert await set_level(holdfast, setting(3)) == level(3, 3, version=3)


async def test_stock_never_exceeds_what_a_level_may_hold(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 10**12)

    found = await refusal(adjust(holdfast, adjusting(1)))

    assert found.code == StatusCode.FAILED_PRECONDITION
    assert (await holdfast.stock("LAMP")).on_hand == 10**12


async def test_a_level_is_changed_only_from_the_expected_version(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP")
    assert await set_level(holdfast, setting(5, version=0)) == level(5, version=1)

    found = await refusal(set_level(holdfast, setting(9, version=0)))
    racing = [set_level(holdfast, setting(10 + n, version=1)) for n in range(10)]
    outcomes = await asyncio.gather(*racing, return_exceptions=True)

    assert (found.code, found.reason) == (StatusCode.ABORTED, "STALE_VERSION")
    assert found.facts == {"current_version": "1"}
    assert sum(isinstance(outcome, pb.StockLevel) for outcome in outcomes) == 1
    assert len(await holdfast.movements("LAMP")) == 2


async def test_a_repeated_request_returns_the_level_of_the_first_time(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP")

    set_to = await set_level(holdfast, setting(5, request_id="r-1"))
    added = await adjust(holdfast, adjusting(2, request_id="r-2"))
    await set_level(holdfast, setting(50))
    repeats = [
        *(set_level(holdfast, setting(5, request_id="r-1")) for _ in range(25)),
        *(adjust(holdfast, adjusting(2, request_id="r-2")) for _ in range(25)),
    ]

    assert (set_to, added) == (level(5, version=1), level(7, version=2))
    assert await asyncio.gather(*repeats) == [set_to] * 25 + [added] * 25
    assert [m.on_hand_delta for m in await holdfast.movements("LAMP")] == [5, 2, 43]


async def test_the_same_stock_request_sent_fifty_times_at_once_is_done_once(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP")

    levels = await asyncio.gather(
        *(adjust(holdfast, adjusting(3, request_id="r-1")) for _ in range(50))
    )

    assert levels == [level(3, version=1)] * 50
    assert (await holdfast.stock("LAMP")).on_hand == 3


async def test_a_request_id_with_other_contents_is_refused(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP")
    await holdfast.product("BULB")
    await set_level(holdfast, setting(5, request_id="r-1"))

    for call in (
        set_level(holdfast, setting(6, request_id="r-1")),
        set_level(holdfast, setting(5, "BULB", request_id="r-1")),
        set_level(holdfast, setting(5, version=1, request_id="r-1")),
        adjust(holdfast, adjusting(5, request_id="r-1")),
    ):
        found = await refusal(call)
        assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
        assert found.facts == {"product_id": "LAMP", "location_id": "main"}
        assert "product LAMP at main: look at its movements first" in found.message

    assert len(await holdfast.movements()) == 1


async def test_what_changes_nothing_leaves_no_movement(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)

    again = await set_level(holdfast, setting(5))

    assert again == level(5, version=1)
    assert len(await holdfast.movements("LAMP")) == 1


async def test_an_unknown_product_is_not_found_by_any_method(holdfast: RunningHoldfast) -> None:
    revision = pb.UpdateProductRequest(
        product=pb.Product(product_id="GHOST", version=1), update_mask=FieldMask(paths=["name"])
    )

    for call in (
        holdfast.stock("GHOST"),
        set_level(holdfast, setting(5, "GHOST")),
        adjust(holdfast, adjusting(5, "GHOST")),
        holdfast.inventory.UpdateProduct(revision, timeout=CALL_S_MAX),
    ):
        found = await refusal(call)
        assert (found.code, found.missing) == (StatusCode.NOT_FOUND, [("product", "GHOST")])


async def test_a_batch_of_lookups_answers_each_in_its_place(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.product("BULB", 2)
    request = pb.BatchGetStockInfoRequest(product_ids=["LAMP", "GHOST", "BULB", "LAMP"])

    answer = await holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX)

    assert [result.info.on_hand for result in answer.results] == [5, 0, 2, 5]
    ghost = Refusal.of(answer.results[1].error)
    assert (ghost.code, ghost.missing) == (StatusCode.NOT_FOUND, [("product", "GHOST")])


async def test_all_products_of_a_basket_that_are_not_sold_are_named(
    holdfast: RunningHoldfast,
) -> None:
    for name in ("OLD", "LAMP", "WORN"):
        product = pb.Product(product_id=name, unit_price=price(1), active=name == "LAMP")
        await holdfast.inventory.CreateProduct(
            pb.CreateProductRequest(product=product), timeout=CALL_S_MAX
        )
    basket = pb.CheckAvailabilityRequest(
        lines=[pb.BasketLine(product_id=name, quantity=1) for name in ("OLD", "LAMP", "WORN")]
    )

    found = await refusal(holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX))

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "PRODUCT_INACTIVE")
    assert [subject for _, subject, _ in found.unmet] == ["OLD", "WORN"]
    assert found.facts == {"product_id": "OLD"}


async def test_the_stock_over_all_locations_is_the_same_in_both_views(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    aside = pb.QuarantineStockRequest(product_id="LAMP", quantity=2, reason="wet")
    await holdfast.inventory.QuarantineStock(aside, timeout=CALL_S_MAX)
    await holdfast.place(line("LAMP", 3))

    for view in (pb.STOCK_INFO_VIEW_FULL, pb.STOCK_INFO_VIEW_BASIC):
        request = pb.BatchGetStockInfoRequest(product_ids=["LAMP"], view=view)
        answer = await holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX)
        info = answer.results[0].info
        assert (info.on_hand, info.reserved, info.quarantined, info.available) == (9, 3, 2, 4)


async def test_each_request_of_a_stock_batch_succeeds_or_fails_alone(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.place(line("LAMP", 3))
    requests = [
        setting(6, request_id="r-1"),
        setting(9, "GHOST"),
        setting(-1),
        setting(2),
        setting(8, version=1),
        setting(6, request_id="r-1"),
        setting(7),
    ]

    batch = pb.BatchUpdateStockRequest(requests=requests)
    answer = await holdfast.inventory.BatchUpdateStock(batch, timeout=CALL_S_MAX)

    assert [result.error.code for result in answer.results] == [
        0, NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION, ABORTED, 0, 0,
    ]  # fmt: skip
    assert Refusal.of(answer.results[2].error).fields == ["quantity"]
    assert [answer.results[at].updated.level for at in (0, 5, 6)] == [
        level(6, 3, version=3),
        level(6, 3, version=3),
        level(7, 3, version=4),
    ]
