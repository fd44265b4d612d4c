"""The promises themselves: nothing is oversold, nothing is done twice, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from grpc import StatusCode, aio

from holdfast.chassis.database.engines import connect
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from holdfast.inventory import service as inventory_service
from holdfast.orders import service as orders_service
from holdfast.orders.presentation.subscriptions import ORDERS_TO_INVENTORY
from holdfast.orders.settings import Limits
from testbed.keys import BESIDE, BESIDE_KEY, keyed
from tests.integration.conftest import (
    CALL_S_MAX,
    EMBEDDED_ON_POSTGRES,
    Ground,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
    running,
)

ALSO = [EMBEDDED_ON_POSTGRES]

CONFIRMED, REJECTED = pb.ORDER_STATUS_CONFIRMED, pb.ORDER_STATUS_REJECTED
CANCELLED = pb.ORDER_STATUS_CANCELLED

ROUNDS = 20
CLIENTS = 200
LAST_UNITS = 50


async def try_to_buy(
    holdfast: RunningHoldfast, request: pb.CreateOrderRequest
) -> pb.CreateOrderResponse | None:
    """The outcome, or None when the stock check refused."""
    try:
        return await holdfast.create(request)
    except aio.AioRpcError as error:
        if error.code() != StatusCode.FAILED_PRECONDITION:
            raise
        return None


@pytest.mark.proof  # tests of races do it to real processes on every change
@pytest.mark.timeout(300)
async def test_two_hundred_clients_race_for_the_last_fifty_units(holdfast: RunningHoldfast) -> None:
    for lap in range(ROUNDS):
        hot = await holdfast.product(f"HOT-{lap}", LAST_UNITS)
        calm = [await holdfast.product(f"CALM-{lap}-{n}", 10 * CLIENTS) for n in range(2)]
        requests = [
            create(line(calm[0]), line(hot), line(calm[1], 2), customer_id=f"c-{n}")
            for n in range(CLIENTS)
        ]

        answers = await asyncio.gather(*(try_to_buy(holdfast, one) for one in requests))
        orders = await holdfast.settled(hot)

        recorded = {answer.order_id for answer in answers if answer}
        assert {order.order_id for order in orders} == recorded
        won = [order for order in orders if order.status == CONFIRMED]
        assert len(won) == LAST_UNITS
        assert {order.status for order in orders} <= {CONFIRMED, REJECTED}
        levels = [await holdfast.stock(product_id) for product_id in (hot, *calm)]
        assert [(one.reserved, one.available) for one in levels] == [
            (50, 0),
            (50, 10 * CLIENTS - 50),
            (100, 10 * CLIENTS - 100),
        ]


async def test_without_a_stock_check_to_stop_them_orders_still_never_oversell(
    holdfast: RunningHoldfast,
) -> None:
    """One check answers for the whole batch, so that every order of it passes the check."""
    await holdfast.product("LAMP", {"main": 30, "shop": 20})
    requests = [
        create(line("LAMP", 1 + n % 3), line("LAMP"), customer_id=f"c-{n}") for n in range(200)
    ]

    await asyncio.gather(
        *(
            holdfast.orders.BatchCreateOrders(
                pb.BatchCreateOrdersRequest(requests=requests[start : start + 50]),
                timeout=CALL_S_MAX,
            )
            for start in range(0, 200, 50)
        )
    )
    orders = await holdfast.settled()

    sold = sum(one.quantity for order in orders if order.status == CONFIRMED for one in order.lines)
    stock = await holdfast.stock("LAMP")
    assert len(orders) >= 50, "the check let pass more than there was stock for"
    assert 48 <= sold <= 50
    assert (stock.reserved, stock.available) == (sold, 50 - sold)


async def test_stock_taken_away_while_orders_rush_in_is_not_sold(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 100)

    async def shrink() -> None:
        for quantity in range(95, 40, -5):
            with suppress(aio.AioRpcError):  # below what was promised meanwhile
                await holdfast.set_stock("LAMP", quantity)

    requests = [create(line("LAMP"), customer_id=f"c-{n}") for n in range(150)]
    await asyncio.gather(shrink(), *(try_to_buy(holdfast, one) for one in requests))
    orders = await holdfast.settled()

    stock = await holdfast.stock("LAMP")
    confirmed = sum(order.status == CONFIRMED for order in orders)
    assert confirmed == stock.reserved <= stock.on_hand
    for movement in await holdfast.movements("LAMP"):
        assert 0 <= movement.reserved_after <= movement.on_hand_after


async def test_the_same_request_sent_fifty_times_at_once_makes_one_order(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 99)
    requests = [
        create(line("LAMP", 2), customer_id=customer, request_id="r-1")
        for customer in ("ada", "bob")
    ]

    answers = await asyncio.gather(*(holdfast.create(one) for one in requests * 50))
    orders = await holdfast.settled()

    assert len(orders) == 2
    by_customer = {order.customer_id: order.order_id for order in orders}
    assert [answer.order_id for answer in answers] == [by_customer["ada"], by_customer["bob"]] * 50
    assert (await holdfast.stock("LAMP")).reserved == 4


async def test_a_request_id_with_other_contents_is_refused(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 99)
    await holdfast.product("BULB", 99)
    order = await holdfast.place(line("LAMP", 2), request_id="r-1")
    before = await holdfast.everything()
    named = create(line("LAMP", 2), request_id="r-1")
    named.customer.name = "Ada"

    for other in (
        create(line("LAMP", 3), request_id="r-1"),
        create(line("BULB", 2), request_id="r-1"),
        create(line("LAMP"), line("LAMP"), request_id="r-1"),
        create(line("LAMP", 2, price(10)), request_id="r-1"),
        named,
    ):
        found = await refusal(holdfast.create(other))
        assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")

    assert await holdfast.everything() == before
    repeat = await holdfast.create(create(line("LAMP", 2), request_id="r-1"))
    assert repeat.order_id == order.order_id


async def test_a_repeat_returns_the_recorded_order_whatever_became_of_it(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 2)
    order = await holdfast.place(line("LAMP", 2), request_id="r-1")
    sold_out = await holdfast.create(create(line("LAMP", 2), request_id="r-1"))
    await holdfast.cancel(order.order_id)
    cancelled = await holdfast.create(create(line("LAMP", 2), request_id="r-1", wait_s=20))

    assert (sold_out.order_id, sold_out.status) == (order.order_id, CONFIRMED)
    assert (cancelled.order_id, cancelled.status) == (order.order_id, CANCELLED)
    assert len(await holdfast.all_orders()) == 1


async def test_a_request_without_an_id_makes_an_order_every_time(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)

    first, second = [await holdfast.place(line("LAMP")) for _ in range(2)]

    assert first.order_id != second.order_id
    assert first.request_id != second.request_id


async def test_accepted_orders_are_settled_after_a_restart(ground: Ground) -> None:
    async with running(ground) as holdfast:
        await holdfast.product("LAMP", 300)
        requests = [create(line("LAMP"), customer_id=f"c-{n}") for n in range(300)]
        batch = pb.BatchCreateOrdersRequest(requests=requests)
        await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)

    async with running(ground) as holdfast:
        orders = await holdfast.settled()

        assert [order.status for order in orders] == [CONFIRMED] * 300
        assert await holdfast.available("LAMP") == 0


@asynccontextmanager
async def without_events(ground: Ground, *, inventory: str = "") -> AsyncIterator[aio.Channel]:
    """Both services, in front of brokers that take nothing; a channel to Orders."""
    async with (
        connect(ground.databases["inventory"]) as stock,
        connect(ground.databases["orders"]) as orders,
        inventory_service.running(stock, LocalBroker([]), **BESIDE) as real,
        orders_service.running(
            orders,
            LocalBroker([ORDERS_TO_INVENTORY]),
            inventory=inventory or real.address,
            limits=Limits(outbox_age_s_max=0.3),
            **BESIDE,
        ) as listening,
        keyed(aio.insecure_channel(listening.address), BESIDE_KEY) as channel,
    ):
        yield channel


async def test_no_order_is_taken_while_inventory_is_away(ground: Ground) -> None:
    async with running(ground) as holdfast:
        await holdfast.product("LAMP", 9)
    async with without_events(ground, inventory="127.0.0.1:1") as channel:
        orders = OrderServiceStub(channel)
        found = await refusal(orders.CreateOrder(create(line("LAMP")), timeout=CALL_S_MAX))
        listed = await orders.ListOrders(pb.ListOrdersRequest(), timeout=CALL_S_MAX)

    assert (found.code, found.reason) == (StatusCode.UNAVAILABLE, "INVENTORY_UNAVAILABLE")
    assert found.retry_delay.ToSeconds() >= 1
    assert list(listed.orders) == []


async def test_orders_are_refused_while_too_many_wait_and_none_of_those_is_lost(
    ground: Ground,
) -> None:
    async with running(ground) as holdfast:
        await holdfast.product("LAMP", 10_000)
    accepted = set()
    async with without_events(ground) as channel, asyncio.timeout(CALL_S_MAX):
        orders = OrderServiceStub(channel)
        with suppress(aio.AioRpcError):
            while True:  # until the first refusal
                answer = await orders.CreateOrder(create(line("LAMP")), timeout=CALL_S_MAX)
                accepted.add(answer.order_id)
        found = await refusal(orders.CreateOrder(create(line("LAMP")), timeout=CALL_S_MAX))

    assert (found.code, found.reason) == (StatusCode.RESOURCE_EXHAUSTED, "OUTBOX_TOO_LONG")
    assert found.retry_delay.ToSeconds() >= 1
    async with running(ground) as holdfast:
        settled = await holdfast.settled()
    assert {order.order_id for order in settled} == accepted
    assert {order.status for order in settled} == {CONFIRMED}
