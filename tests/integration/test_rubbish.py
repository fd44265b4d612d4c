"""Rubbish, repeats and strangers' answers in the queues: each has its one effect, or none."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
import pytest
from google.protobuf.message import Message

from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.cloudevents import encode_batch
from holdfast.contracts.inventory.v1 import events_pb2 as stock_events
from holdfast.contracts.orders.v1 import events_pb2 as order_events
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from tests.integration.conftest import (
    RunningHoldfast,
    eventually,
    line,
)

CONFIRMED = pb.ORDER_STATUS_CONFIRMED
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
