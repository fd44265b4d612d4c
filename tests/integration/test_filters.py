"""What a filter of a list means: periods to the nanosecond, and statuses that there are."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from holdfast.client import OrderStatus
from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.infrastructure.ordering import reader
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, line, refusal
from tests.integration.wire_bytes import varint

LATEST, EARLIEST = 253_402_300_799, -62_135_596_800


async def test_a_status_that_no_order_has_is_refused_with_those_that_there_are(
    holdfast: RunningHoldfast,
) -> None:
    request = pb.ListOrdersRequest()
    request.MergeFromString(b"\x10" + varint(99))

    found = await refusal(holdfast.orders.ListOrders(request, timeout=CALL_S_MAX))

    assert found.message == (
        "status: 99 is no order status; there are "
        "1 PENDING, 2 CONFIRMED, 3 REJECTED, 4 CANCELLED, 5 EXPIRED, 6 RESERVED, "
        "7 PARTIALLY_SHIPPED, 8 SHIPPED"
    )


async def test_a_nanosecond_means_what_it_says_at_both_ends_of_a_period(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    placed = (await holdfast.place(line("LAMP"))).create_time
    (moved,) = {m.create_time.ToNanoseconds() for m in await holdfast.movements() if not m.order_id}
    seen: list[tuple[int, bool, bool]] = []

    for nanos in (-1, 0, 1, 999, 1_000):
        stamps = Timestamp(), Timestamp()
        stamps[0].FromNanoseconds(placed.ToNanoseconds() + nanos)
        stamps[1].FromNanoseconds(moved + nanos)
        since = pb.ListOrdersRequest(created_from=stamps[0])
        before = pb.ListOrdersRequest(created_before=stamps[0])
        moved_since = inventory_pb.ListMovementsRequest(created_from=stamps[1])
        moved_before = inventory_pb.ListMovementsRequest(created_before=stamps[1])
        orders, stock = holdfast.orders, holdfast.inventory
        is_from = bool((await orders.ListOrders(since, timeout=CALL_S_MAX)).orders)
        is_before = bool((await orders.ListOrders(before, timeout=CALL_S_MAX)).orders)
        found = (await stock.ListMovements(moved_since, timeout=CALL_S_MAX)).movements
        assert any(not m.order_id for m in found) == is_from
        found = (await stock.ListMovements(moved_before, timeout=CALL_S_MAX)).movements
        assert any(not m.order_id for m in found) == is_before
        seen.append((nanos, is_from, is_before))

    assert seen == [
        (-1, True, False),
        (0, True, False),
        (1, False, True),
        (999, False, True),
        (1_000, False, True),
    ]


async def test_a_page_with_nothing_on_it_has_a_token_by_which_the_list_goes_on(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "STRETCH", 2)
    monkeypatch.setattr(reader, "LOOKS_MAX", 1)
    await holdfast.product("LAMP", 9)
    first = await holdfast.place(line("LAMP"))
    for _ in range(4):
        await holdfast.cancel((await holdfast.place(line("LAMP"))).order_id)
    await holdfast.settled()
    confirmed = pb.ListOrdersRequest(status=pb.ORDER_STATUS_CONFIRMED)
    pages: list[list[str]] = []

    while confirmed.page_token or not pages:
        page = await holdfast.orders.ListOrders(confirmed, timeout=CALL_S_MAX)
        pages.append([order.order_id for order in page.orders])
        confirmed.page_token = page.next_page_token

    assert pages[:3] == [[], [], [first.order_id]]
    walked = holdfast.client.orders.list(status=OrderStatus.CONFIRMED, limit=1)
    assert [order.order_id async for order in walked] == [first.order_id]


async def test_the_ends_of_time_are_times(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    order = await holdfast.place(line("LAMP"))
    first, last = Timestamp(seconds=EARLIEST), Timestamp(seconds=LATEST, nanos=999_999_999)

    for start, end, found in ((first, last, True), (first, first, False), (last, last, False)):
        orders = await holdfast.orders.ListOrders(
            pb.ListOrdersRequest(created_from=start, created_before=end), timeout=CALL_S_MAX
        )
        moves = await holdfast.inventory.ListMovements(
            inventory_pb.ListMovementsRequest(created_from=start, created_before=end),
            timeout=CALL_S_MAX,
        )
        assert [one.order_id for one in orders.orders] == [order.order_id] * found
        assert bool(moves.movements) == found
