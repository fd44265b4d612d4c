"""WatchOrder: first the order as it is, then every version once and in order, to a final one."""

import asyncio

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode, aio

from holdfast.chassis.database.engines import connect
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from holdfast.orders import service as orders_service
from holdfast.orders.presentation.subscriptions import ORDERS_TO_INVENTORY
from holdfast.orders.settings import Limits
from testbed.keys import BESIDE, BESIDE_KEY, keyed
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    line,
    refusal,
)

PENDING, CONFIRMED = pb.ORDER_STATUS_PENDING, pb.ORDER_STATUS_CONFIRMED
REJECTED, CANCELLED = pb.ORDER_STATUS_REJECTED, pb.ORDER_STATUS_CANCELLED


async def watch(holdfast: RunningHoldfast, order_id: str) -> list[pb.Order]:
    """Everything that is told until the service ends the stream."""
    request = pb.WatchOrderRequest(order_id=order_id)
    return [order async for order in holdfast.orders.WatchOrder(request, timeout=CALL_S_MAX)]


def renaming(order: pb.Order, name: str) -> pb.UpdateOrderRequest:
    return pb.UpdateOrderRequest(
        order_id=order.order_id,
        version=order.version,
        customer=pb.Customer(name=name),
        update_mask=FieldMask(paths=["customer.name"]),
    )


async def test_a_watch_tells_every_version_once_and_ends_after_a_final_one(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    placed = await holdfast.create(create(line("LAMP")))

    watchers = [asyncio.create_task(watch(holdfast, placed.order_id)) for _ in range(10)]
    order = await holdfast.order(placed.order_id)
    while order.status == PENDING:
        order = await holdfast.order(placed.order_id)
    for number in range(10):
        request = renaming(order, f"Ada {number}")
        order = await holdfast.orders.UpdateOrder(request, timeout=CALL_S_MAX)
    last = await holdfast.cancel(placed.order_id)

    for told in await asyncio.gather(*watchers):
        first = told[0].version
        assert [one.version for one in told] == list(range(first, 14))
        assert told[-1] == last
        assert [one.history[-1].version for one in told] == [one.version for one in told]
        assert all(one.update_time == one.history[-1].change_time for one in told)
        statuses = [one.status for one in told if one.version > 1]
        assert set(statuses[:-1]) == {CONFIRMED}


async def test_a_watch_leaves_out_no_version_that_another_process_made(
    holdfast: RunningHoldfast,
) -> None:
    """What others change is found by looking from time to time, several versions at once."""
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP"))
    told = asyncio.create_task(watch(holdfast, order.order_id))
    async with (
        connect(holdfast.databases["orders"]) as database,
        orders_service.running(
            database,
            LocalBroker([ORDERS_TO_INVENTORY]),
            inventory=holdfast.addresses.inventory,
            limits=Limits(),
            **BESIDE,
        ) as other,
        keyed(aio.insecure_channel(other.address), BESIDE_KEY) as channel,
    ):
        stub = OrderServiceStub(channel)

        for number in range(5):
            order = await stub.UpdateOrder(renaming(order, f"Ada {number}"), timeout=CALL_S_MAX)
        cancel = pb.CancelOrderRequest(order_id=order.order_id)
        last = await stub.CancelOrder(cancel, timeout=CALL_S_MAX)
        orders = await told

    versions = [one.version for one in orders]
    assert versions == list(range(versions[0], 9))
    assert orders[-1] == last


async def test_a_watch_of_a_final_order_tells_it_and_ends(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    batch = pb.BatchCreateOrdersRequest(requests=[create(line("LAMP", 5)), create(line("LAMP", 5))])
    await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)
    (loser,) = [order for order in await holdfast.settled() if order.status == REJECTED]

    told = await watch(holdfast, loser.order_id.upper())

    assert told == [await holdfast.order(loser.order_id)]
    assert told[0].shortages


async def test_a_confirmed_order_is_watched_until_the_caller_s_deadline(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP"))
    stream = holdfast.orders.WatchOrder(pb.WatchOrderRequest(order_id=order.order_id), timeout=1.0)
    told = aiter(stream)

    first = await anext(told)
    found = await refusal(anext(told))

    assert first == order
    assert found.code == StatusCode.DEADLINE_EXCEEDED


async def test_waiting_for_the_outcome_tells_it_or_that_it_is_still_open(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)

    answers = await asyncio.gather(
        *(
            holdfast.create(create(line("LAMP", 2), customer_id=f"c-{n}", wait_s=20))
            for n in range(5)
        ),
        return_exceptions=True,
    )

    recorded = [one for one in answers if isinstance(one, pb.CreateOrderResponse)]
    assert [one.status for one in recorded].count(CONFIRMED) == 2
    for one in recorded:
        assert one.status in (CONFIRMED, REJECTED)
        assert bool(one.shortages) == (one.status == REJECTED)


async def test_a_watcher_that_leaves_is_forgotten(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP"))
    streams = [
        holdfast.orders.WatchOrder(pb.WatchOrderRequest(order_id=order.order_id), timeout=60.0)
        for _ in range(50)
    ]
    for stream in streams:
        await anext(aiter(stream))

    for stream in streams:
        stream.cancel()

    assert (await holdfast.cancel(order.order_id)).status == CANCELLED
