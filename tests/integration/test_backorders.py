"""Back-orders and pre-orders: who is promised what, who is served first, and what never waits."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import date

import pytest

from holdfast.client import (
    AwaitedUnits,
    Backorder,
    BackorderMode,
    EditState,
    Money,
    NotFound,
    Order,
    OrderLine,
    OrderStatus,
    Placed,
    QueuedUnits,
    Refused,
    ShipmentItem,
    Shortage,
    ShortOfStock,
    Sourcing,
)
from holdfast.verification import verify
from tests.integration.conftest import SETTLE_S_MAX, RunningHoldfast, eventually

CONFIRMED, REJECTED = OrderStatus.CONFIRMED, OrderStatus.REJECTED
ANY = Backorder(BackorderMode.UNLIMITED)
IN_STOCK, UNSPLIT = Sourcing(in_stock_only=True), Sourcing(may_split=False)
FIFTEENTH = date(2027, 1, 15)


async def stocked(holdfast: RunningHoldfast, units: int, policy: Backorder = ANY) -> None:
    """So many lamps, which orders may wait for."""
    inventory = holdfast.client.inventory
    await inventory.create_product("LAMP", unit_price=Money("GBP", 100), backorder=policy)
    if units:
        await inventory.set_stock("LAMP", units)


async def place(holdfast: RunningHoldfast, units: int, sourcing: Sourcing | None = None) -> Placed:
    lines = [OrderLine("LAMP", units)]
    return await holdfast.client.orders.create("c-1", lines, wait_s=20, sourcing=sourcing)


async def ordered(holdfast: RunningHoldfast, units: int) -> str:
    """An order that is promised so many lamps, whether they are there or not."""
    placed = await place(holdfast, units)
    assert placed.status is CONFIRMED
    return placed.order_id


async def order_of(holdfast: RunningHoldfast, order_id: str) -> Order:
    return await holdfast.client.orders.get(order_id)


async def promise(holdfast: RunningHoldfast, order_id: str) -> tuple[int, int]:
    """How many lamps an order holds, and how many it waits for, as far as it knows."""
    order = await order_of(holdfast, order_id)
    return sum(one.quantity for one in order.stock), sum(one.quantity for one in order.queued)


async def comes_to(holdfast: RunningHoldfast, order_id: str, held: int, waits: int) -> None:
    await eventually(lambda: promise(holdfast, order_id), (held, waits).__eq__, "serving")


async def queue(holdfast: RunningHoldfast) -> list[tuple[str, int]]:
    listed = holdfast.client.inventory.list_backorders("LAMP")
    found = [one async for one in listed]
    assert [one.position for one in found] == list(range(1, len(found) + 1))
    assert [one.units_ahead for one in found] == [
        sum(one.quantity for one in found[:place]) for place in range(len(found))
    ]
    return [(one.order_id, one.quantity) for one in found]


async def queue_comes_to(holdfast: RunningHoldfast, *rows: tuple[str, int]) -> None:
    await eventually(lambda: queue(holdfast), list(rows).__eq__, "the queue")


async def totals(holdfast: RunningHoldfast) -> tuple[int, int, int]:
    """Lamps that are reserved, that are free to promise, and that are waited for."""
    info = await holdfast.client.inventory.get_stock("LAMP")
    return info.reserved, info.available, info.queued


async def sound(holdfast: RunningHoldfast) -> None:
    async def contradictions() -> list[str]:
        report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
        return report.contradictions

    await eventually(contradictions, [].__eq__, "agreement")


async def test_an_order_takes_what_is_there_and_waits_for_the_rest(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 2)

    order = await order_of(holdfast, await ordered(holdfast, 5))

    assert [(one.location_id, one.quantity) for one in order.stock] == [("main", 2)]
    assert order.queued == (QueuedUnits("LAMP", 3),)
    assert await totals(holdfast) == (2, 0, 3)
    assert await queue(holdfast) == [(order.order_id, 3)]
    await sound(holdfast)


async def test_a_receipt_serves_the_head_of_the_queue_unit_by_unit(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 0)
    first, second, third = [await ordered(holdfast, units) for units in (3, 2, 1)]

    await holdfast.client.inventory.adjust_stock("LAMP", 4, reason="delivery")

    await comes_to(holdfast, first, 3, 0)
    await comes_to(holdfast, second, 1, 1)
    assert await promise(holdfast, third) == (0, 1)
    assert await queue(holdfast) == [(second, 1), (third, 1)]
    assert await totals(holdfast) == (4, 0, 2)
    await sound(holdfast)


async def test_a_location_that_becomes_active_serves_who_waits(holdfast: RunningHoldfast) -> None:
    inventory = holdfast.client.inventory
    await stocked(holdfast, 0)
    shop = await inventory.create_location("shop")
    await inventory.set_stock("LAMP", 2, location_id="shop")
    closed = await inventory.update_location("shop", version=shop.version, active=False)
    waiting = await ordered(holdfast, 2)
    assert await promise(holdfast, waiting) == (0, 2)

    await inventory.update_location("shop", version=closed.version, active=True)

    await comes_to(holdfast, waiting, 2, 0)
    await sound(holdfast)


async def test_what_comes_beyond_the_queue_is_free_at_once_and_nothing_before(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 0)
    waiting = await ordered(holdfast, 3)

    await holdfast.client.inventory.set_stock("LAMP", 2)
    with pytest.raises(ShortOfStock):
        await place(holdfast, 1, IN_STOCK)
    await holdfast.client.inventory.set_stock("LAMP", 4)
    passed = await place(holdfast, 1, IN_STOCK)

    assert passed.status is CONFIRMED
    await comes_to(holdfast, waiting, 3, 0)
    assert await totals(holdfast) == (4, 0, 0)
    await sound(holdfast)


async def test_many_new_orders_take_nothing_from_who_waits_while_stock_comes(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 0)
    waiting = await ordered(holdfast, 10)

    async def deliver() -> None:
        for _ in range(10):
            await holdfast.client.inventory.adjust_stock("LAMP", 1, reason="delivery")

    async with asyncio.TaskGroup() as group:
        group.create_task(deliver())
        later = [group.create_task(ordered(holdfast, 1)) for _ in range(10)]

    await comes_to(holdfast, waiting, 10, 0)
    assert [await promise(holdfast, one.result()) for one in later] == [(0, 1)] * 10
    assert await totals(holdfast) == (10, 0, 10)
    await sound(holdfast)


async def test_what_is_held_leaves_while_the_rest_waits(holdfast: RunningHoldfast) -> None:
    await stocked(holdfast, 2)
    order_id = await ordered(holdfast, 5)
    orders = holdfast.client.orders
    before = await holdfast.everything()

    with pytest.raises(Refused) as too_many:
        await orders.ship(order_id, [ShipmentItem(1, 3)])
    untouched = await holdfast.everything()
    part = await orders.ship(order_id)
    with pytest.raises(Refused) as nothing:
        await orders.ship(order_id)
    with pytest.raises(Refused) as waits:
        await orders.ship(order_id, [ShipmentItem(1, 1)])
    with pytest.raises(Refused) as over:
        await orders.ship(order_id, [ShipmentItem(1, 4)])
    # Only then: who sets a level says what is there beside what Inventory knows to have left.
    await eventually(lambda: totals(holdfast), (0, 0, 3).__eq__, "leaving")
    await holdfast.client.inventory.set_stock("LAMP", 3)
    await comes_to(holdfast, order_id, 3, 0)
    whole = await orders.ship(order_id)

    assert (too_many.value.reason, too_many.value.details["queued"]) == ("STILL_QUEUED", "3")
    assert untouched == before
    assert (part.status, part.queued) == (OrderStatus.PARTIALLY_SHIPPED, (QueuedUnits("LAMP", 3),))
    assert nothing.value.reason == "NOTHING_TO_SHIP"
    assert (waits.value.reason, waits.value.details["queued"]) == ("STILL_QUEUED", "3")
    assert over.value.reason == "OVER_SHIPMENT"
    assert whole.status is OrderStatus.SHIPPED
    await sound(holdfast)


async def test_who_cancels_leaves_the_queue_and_gives_way_to_the_next(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 1)
    first, second = [await ordered(holdfast, units) for units in (3, 2)]

    cancelled = await holdfast.client.orders.cancel(first)

    assert (cancelled.status, cancelled.queued) == (OrderStatus.CANCELLED, ())
    await comes_to(holdfast, second, 1, 1)
    await queue_comes_to(holdfast, (second, 1))
    assert await totals(holdfast) == (1, 0, 1)
    await sound(holdfast)


async def test_units_that_are_cancelled_are_the_youngest_that_wait(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 2)
    order_id = await ordered(holdfast, 5)
    orders = holdfast.client.orders

    version = (await orders.get(order_id)).version
    edited = await orders.cancel(order_id, lines={1: 2}, version=version, wait_s=20)

    assert edited.lines[0].quantity == 3
    assert await promise(holdfast, order_id) == (2, 1)
    version = edited.version
    fewer = await orders.cancel(order_id, lines={1: 2}, version=version, wait_s=20)
    assert await promise(holdfast, order_id) == (1, 0)
    assert fewer.queued == ()
    assert await totals(holdfast) == (1, 1, 0)
    await sound(holdfast)


async def test_units_that_an_edit_adds_wait_since_the_edit(holdfast: RunningHoldfast) -> None:
    await stocked(holdfast, 0)
    first, second = [await ordered(holdfast, 1) for _ in range(2)]
    orders = holdfast.client.orders
    order = await orders.get(first)
    more = [OrderLine("LAMP", 3, line_no=1)]

    seen = await orders.preview_edit(first, version=order.version, lines=more)
    edited = await orders.edit(first, version=order.version, lines=more, wait_s=20)

    assert seen.lines[0].quantity == 3
    assert edited.edit is not None
    assert edited.edit.state is EditState.APPLIED
    assert await queue(holdfast) == [(first, 1), (second, 1), (first, 2)]
    await holdfast.client.inventory.set_stock("LAMP", 3)
    await comes_to(holdfast, second, 1, 0)
    await comes_to(holdfast, first, 2, 1)
    await sound(holdfast)


async def test_who_wants_what_is_there_or_from_one_place_never_waits(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 2, Backorder(BackorderMode.UNLIMITED, expected_date=FIFTEENTH))
    lines = [OrderLine("LAMP", 3)]
    check = holdfast.client.inventory.check_availability

    plain = await check(lines)
    strict = [await check(lines, sourcing=rule) for rule in (IN_STOCK, UNSPLIT)]

    assert plain.available
    assert [(one.location_id, one.quantity) for one in plain.stock] == [("main", 2)]
    assert plain.queued == (AwaitedUnits("LAMP", 1, FIFTEENTH),)
    assert [(one.available, one.missing) for one in strict] == [
        (False, (Shortage("LAMP", 3, 2, FIFTEENTH),))
    ] * 2
    for rule in (IN_STOCK, UNSPLIT):
        with pytest.raises(ShortOfStock) as short:
            await place(holdfast, 3, rule)
        assert short.value.shortages == (Shortage("LAMP", 3, 2),)
    for rule in (IN_STOCK, UNSPLIT):
        assert (await place(holdfast, 1, rule)).status is CONFIRMED
    assert await totals(holdfast) == (2, 0, 0)
    await sound(holdfast)


async def test_no_more_is_waited_for_than_the_product_allows_however_many_ask(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 2, Backorder(BackorderMode.LIMITED, 3))

    async def one() -> OrderStatus:
        try:
            return (await place(holdfast, 1)).status
        except ShortOfStock:
            return REJECTED

    statuses = Counter(await asyncio.gather(*(one() for _ in range(12))))

    assert statuses == {CONFIRMED: 5, REJECTED: 7}
    assert await totals(holdfast) == (2, 0, 3)
    info = await holdfast.client.inventory.get_stock("LAMP")
    assert info.backorder_room == 0
    await sound(holdfast)


async def test_a_lower_limit_sends_nobody_away(holdfast: RunningHoldfast) -> None:
    await stocked(holdfast, 0, Backorder(BackorderMode.LIMITED, 5))
    waiting = await ordered(holdfast, 4)
    inventory = holdfast.client.inventory

    await inventory.update_product("LAMP", version=1, backorder=Backorder())
    with pytest.raises(ShortOfStock):
        await place(holdfast, 1)
    assert await queue(holdfast) == [(waiting, 4)]
    await inventory.set_stock("LAMP", 5)

    await comes_to(holdfast, waiting, 4, 0)
    assert await totals(holdfast) == (4, 1, 0)
    await sound(holdfast)


async def test_an_order_that_is_held_waits_as_any_other_until_its_hold_ends(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 0)
    held = await holdfast.client.orders.create("c-1", [OrderLine("LAMP", 2)], wait_s=20, hold_s=1.0)
    assert held.status is OrderStatus.RESERVED
    assert await promise(holdfast, held.order_id) == (0, 2)
    other = await ordered(holdfast, 1)

    await queue_comes_to(holdfast, (other, 1))

    assert (await order_of(holdfast, held.order_id)).status is OrderStatus.EXPIRED
    await sound(holdfast)


async def test_units_that_turn_out_not_to_be_there_are_waited_for_by_the_youngest(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 4, Backorder())
    first, second = [await ordered(holdfast, 2) for _ in range(2)]
    inventory = holdfast.client.inventory

    with pytest.raises(Refused) as below:
        await inventory.adjust_stock("LAMP", -3, reason="lost")
    level = await inventory.adjust_stock("LAMP", -3, reason="lost", displace=True)

    assert below.value.reason == "BELOW_RESERVED"
    assert (level.on_hand, level.reserved) == (1, 1)
    await comes_to(holdfast, second, 0, 2)
    await comes_to(holdfast, first, 1, 1)
    assert await queue(holdfast) == [(first, 1), (second, 2)]
    await inventory.set_stock("LAMP", 4)
    await comes_to(holdfast, first, 2, 0)
    await comes_to(holdfast, second, 2, 0)
    await sound(holdfast)


async def test_the_queue_of_no_product_is_not_found(holdfast: RunningHoldfast) -> None:
    with pytest.raises(NotFound):
        await queue(holdfast)


async def test_whatever_happens_at_once_all_that_is_promised_is_held_or_waits(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast, 5)
    client = holdfast.client

    async def buy_and_cancel(number: int) -> None:
        order_id = await ordered(holdfast, 1 + number % 3)
        if number % 4 == 0:
            await client.orders.cancel(order_id)
        if number % 4 == 1:
            with suppress(Refused):  # nothing of it is held yet
                await client.orders.ship(order_id)

    async def deliver_and_lose(number: int) -> None:
        units = -2 if number % 3 == 0 else 3
        with suppress(Refused):  # there are fewer
            await client.inventory.adjust_stock("LAMP", units, reason="x", displace=True)

    async with asyncio.timeout(SETTLE_S_MAX * 2):
        results = await asyncio.gather(
            *(buy_and_cancel(number) for number in range(16)),
            *(deliver_and_lose(number) for number in range(12)),
            return_exceptions=True,
        )

    assert [one for one in results if isinstance(one, BaseException)] == []
    await sound(holdfast)
