"""The promises themselves: nothing is oversold, nothing is done twice, nothing is lost."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
import pytest
from google.protobuf.message import Message
from grpc import StatusCode, aio

from holdfast.chassis.broker import Event
from holdfast.chassis.engines import connect
from holdfast.chassis.event_codec import encode_batch
from holdfast.chassis.local_broker import LocalBroker
from holdfast.contracts.inventory.v1 import events_pb2 as stock_events
from holdfast.contracts.orders.v1 import events_pb2 as order_events
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from holdfast.inventory import service as inventory_service
from holdfast.orders import service as orders_service
from holdfast.orders.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.orders.settings import Limits
from tests.integration.conftest import (
    ANYWHERE,
    CALL_S_MAX,
    Ground,
    RunningHoldfast,
    create,
    eventually,
    line,
    price,
    refusal,
    running,
)

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
        inventory_service.running(stock, LocalBroker([]), listen=ANYWHERE) as real,
        orders_service.running(
            orders,
            LocalBroker([ORDERS_TO_INVENTORY]),
            inventory=inventory or real.address,
            listen=ANYWHERE,
            limits=Limits(outbox_age_s_max=0.3),
        ) as listening,
        aio.insecure_channel(listening.address) as channel,
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


ON_RABBITMQ = pytest.mark.parametrize("ground", ["cluster"], indirect=True)
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


def event(message: Message, *, order_id: str = "o", event_id: str = "", type: str = "") -> Event:
    return Event(
        event_id=event_id or str(uuid4()),
        type=type or message.DESCRIPTOR.full_name,
        subject=order_id,
        sequence=1,
        time=NOON,
        data=message.SerializeToString(),
    )


def placed(order_id: str, quantity: int = 1, product_id: str = "LAMP") -> order_events.OrderPlaced:
    product = order_events.WantedProduct(product_id=product_id, quantity=quantity)
    wanted = order_events.StockWanted(revision=1, products=[product])
    return order_events.OrderPlaced(order_id=order_id, customer_id="c-1", wanted=wanted)


def cancelled(order_id: str, reason: str = "") -> order_events.OrderCancelled:
    wanted = order_events.StockWanted(revision=2, over=True)
    return order_events.OrderCancelled(order_id=order_id, reason=reason, wanted=wanted)


def placed_twice(order_id: str) -> order_events.OrderPlaced:
    message = placed(order_id)
    message.wanted.products.append(message.wanted.products[0])
    return message


def at_revision(revision: int) -> order_events.OrderPlaced:
    message = placed(str(uuid4()))
    message.wanted.revision = revision
    return message


async def push(holdfast: RunningHoldfast, queue: str, bodies: Sequence[bytes]) -> None:
    """Put messages straight into a queue, past the service that owns the events."""
    async with await aio_pika.connect(holdfast.broker_url) as connection:
        channel = await connection.channel()
        for body in bodies:
            await channel.default_exchange.publish(aio_pika.Message(body), queue)


@ON_RABBITMQ
async def test_rubbish_in_a_queue_becomes_dead_letters_with_reasons(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    order = await holdfast.place(line("LAMP"))
    before = await holdfast.everything()
    dice = random.Random(4711)
    nobody = str(uuid4())
    no_batches = {
        b"": "0 events",
        json.dumps({"order_id": nobody}).encode(): "not a CloudEvents batch",
        dice.randbytes(1_000): "not a CloudEvents batch",
        encode_batch([event(placed(nobody))])[:-7]: "not a CloudEvents batch",
    }
    unreadable = {
        event(placed(nobody), type="holdfast.orders.v1.OrderLost"): "unknown type",
        event(stock_events.StockReserved(order_id=nobody)): "unknown type",
        event(pb.Customer(name="x"), type="holdfast.orders.v1.OrderPlaced"): "order_id",
        event(placed("no UUID")): "order_id: must be a UUID",
        event(placed(nobody, 0)): "quantity: is 0",
        event(placed(nobody, 2**62)): "quantity: is",
        event(placed(nobody, product_id="LA\0MP")): "U+0000 NULL, in place 3",
        event(placed(nobody, product_id="LA\u200bMP")): "U+200B ZERO WIDTH SPACE, in place 3",
        event(order_events.OrderPlaced(order_id=nobody)): "products: must be there",
        event(placed_twice(nobody)): "LAMP is there twice",
        event(at_revision(0)): "revision: is 0",
        event(cancelled("x")): "order_id: must be a UUID",
    }
    good = event(cancelled(order.order_id, reason="asked"))
    expected = [*no_batches.values(), *unreadable.values()]

    await push(
        holdfast,
        ORDERS_TO_INVENTORY.queue,
        [*no_batches, encode_batch([*unreadable, good]), *no_batches],
    )

    letters = await eventually(
        lambda: holdfast.dead_letters("inventory"), lambda found: len(found) >= len(expected)
    )
    assert len(letters) == len(expected)
    for reason in expected:
        assert any(reason in letter.reason for letter in letters), reason
    # The event among the rubbish had its effect, and the queue goes on.
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 9, "the return")
    assert (await holdfast.everything())[0] == before[0]
    assert (await holdfast.place(line("LAMP"))).status == CONFIRMED


@ON_RABBITMQ
async def test_answers_that_nobody_asked_for_change_no_order(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    confirmed = await holdfast.place(line("LAMP"))
    ended = await holdfast.cancel((await holdfast.place(line("LAMP"))).order_id)
    before = await holdfast.all_orders()
    missing = [stock_events.MissingStock(product_id="LAMP", wanted=1, available=0)]
    held, short = (
        stock_events.ReservationState(revision=1),
        stock_events.ReservationState(revision=1, missing=missing),
    )
    answers = [
        event(kind)
        for order_id in (confirmed.order_id, ended.order_id, str(uuid4()))
        for kind in (
            stock_events.StockRejected(order_id=order_id, state=short),
            stock_events.StockReserved(order_id=order_id, state=held),
        )
    ]
    rubbish = event(stock_events.StockRejected(order_id=confirmed.order_id, state=held))

    bodies = [encode_batch(answers)] * 3 + [b"", encode_batch([rubbish])]
    await push(holdfast, INVENTORY_TO_ORDERS.queue, bodies)

    letters = await eventually(
        lambda: holdfast.dead_letters("orders"), lambda found: len(found) == 2
    )
    assert any("missing: must be there" in letter.reason for letter in letters)
    assert await holdfast.all_orders() == before


@ON_RABBITMQ
async def test_events_three_times_and_in_any_order_have_one_effect(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 200)
    kept = [str(uuid4()) for _ in range(20)]
    dropped = [str(uuid4()) for _ in range(20)]
    events = [event(placed(order_id, 3)) for order_id in kept + dropped]
    events += [event(placed(order_id, 3)) for order_id in kept]  # asked again, under a new id
    events += [event(cancelled(order_id)) for order_id in dropped]
    bodies = [encode_batch([one]) for one in events * 3]
    random.Random(4711).shuffle(bodies)

    await push(holdfast, ORDERS_TO_INVENTORY.queue, bodies)
    last = await holdfast.place(line("LAMP"))  # stands behind all of them in the queue

    assert last.status == CONFIRMED
    assert (await holdfast.stock("LAMP")).reserved == 20 * 3 + 1
    moved = [m.reserved_delta for m in await holdfast.movements("LAMP") if m.order_id in kept]
    assert moved == [3] * 20
    assert await holdfast.dead_letters("inventory") == []
