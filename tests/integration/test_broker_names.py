"""Whoever shares the broker with Holdfast: who listens early, and who has taken our names."""

import asyncio
from dataclasses import replace
from typing import Any

import aiormq
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from structlog.testing import capture_logs

from holdfast.chassis.grpc import server as grpc_server
from holdfast.chassis.messaging.cloudevents import decode_batch
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from testbed.processes import free_port
from tests.integration.conftest import (
    CALL_S_MAX,
    Ground,
    RunningHoldfast,
    eventually,
    line,
    running,
)

pytestmark = pytest.mark.parametrize("ground", ["cluster"], indirect=True)

EXCHANGES = ("holdfast.orders", "holdfast.inventory")
QUEUES = ("holdfast.inventory.orders", "holdfast.orders.answers")
CONFIRMED = pb.ORDER_STATUS_CONFIRMED


async def is_serving(services: RunningHoldfast, name: str) -> bool:
    check = HealthStub(services.orders_channel).Check  # type: ignore[attr-defined]  # not in its stubs
    answer = await check(HealthCheckRequest(service=name), timeout=CALL_S_MAX)
    return bool(answer.status == HealthCheckResponse.SERVING)


async def test_whoever_listens_before_the_first_event_hears_it(ground: Ground) -> None:
    heard: set[str] = set()

    async def hear(message: aiormq.abc.DeliveredMessage) -> None:
        heard.update(event.type.rpartition(".")[2] for event in decode_batch(message.body))

    async with running(ground) as services, aiormq.connect(ground.broker_url) as connection:
        channel = await connection.channel()
        await channel.queue_declare("bookkeeping", exclusive=True)
        for exchange in EXCHANGES:
            await channel.queue_bind("bookkeeping", exchange, routing_key="#")
        await channel.basic_consume("bookkeeping", hear, no_ack=True)

        await services.product("LAMP", 5)
        order = await services.place(line("LAMP", 1))

        assert order.status == CONFIRMED
        wanted = {"OrderPlaced", "StockReserved", "OrderConfirmed"}
        await eventually(lambda: asyncio.sleep(0, heard), wanted.__le__, "hearing")


@pytest.mark.parametrize("how", [{"exchange_type": "fanout"}, {"internal": True}])
async def test_orders_are_settled_though_the_exchanges_of_the_world_are_anothers(
    ground: Ground, how: dict[str, Any]
) -> None:
    async with aiormq.connect(ground.broker_url) as connection:
        channel = await connection.channel()
        for exchange in (*EXCHANGES, "holdfast.dead"):
            settings = {"exchange_type": "topic", "durable": True, **how}
            await channel.exchange_declare(exchange, **settings)
    with capture_logs() as lines:
        async with running(ground) as services:
            await services.product("LAMP", 50)
            orders = [await services.place(line("LAMP", 1)) for _ in range(10)]
            assert {order.status for order in orders} == {CONFIRMED}
            await services.cancel(orders[0].order_id)
            await eventually(lambda: services.available("LAMP"), (41).__eq__, "releasing")

            assert not await is_serving(services, "bus")
            assert not await is_serving(services, f"bus/{EXCHANGES[0]}")
            assert await is_serving(services, f"bus/{QUEUES[0]}")
            assert await is_serving(services, "")
    told = [(one["name"], "delete it" in one["what_to_do"]) for one in lines if "problem" in one]
    names = (*EXCHANGES, "holdfast.dead")
    assert sorted(told) == sorted([(name, True) for name in names] * 2), "once by each service"


@pytest.mark.parametrize("name", QUEUES)
@pytest.mark.parametrize("how", [{"durable": True}, {"exclusive": True}])
async def test_orders_wait_for_a_queue_that_is_anothers_and_go_on_when_it_is_gone(
    ground: Ground, name: str, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_server, "DECLARE_AGAIN_S", 0.2)
    async with aiormq.connect(ground.broker_url) as connection:
        channel = await connection.channel()
        await channel.queue_declare(name, **how)
        with capture_logs() as lines:
            async with running(ground) as services:
                await services.product("LAMP", 5)
                request = pb.CreateOrderRequest(customer_id="c-1", lines=[line("LAMP", 1)])
                order = await services.create(request)
                await asyncio.sleep(0.8)
                assert order.status == pb.ORDER_STATUS_PENDING
                assert not await is_serving(services, f"bus/{name}")

                await channel.queue_delete(name)

                (settled,) = await services.settled()
                assert settled.status == CONFIRMED
    assert len([one for one in lines if one.get("name") == name and "problem" in one]) <= 4
    assert len([one for one in lines if one["log_level"] in ("warning", "error")]) <= 6


async def test_a_service_starts_without_its_broker_and_says_so_in_one_line(ground: Ground) -> None:
    nowhere = replace(ground, broker_url=f"amqp://127.0.0.1:{free_port()}/")
    with capture_logs() as lines:
        async with running(nowhere) as services:
            assert await is_serving(services, "")
            assert not await is_serving(services, "bus")
            await services.product("LAMP", 5)
            request = pb.CreateOrderRequest(customer_id="c-1", lines=[line("LAMP", 1)])
            order = await services.create(request)
            assert order.status == pb.ORDER_STATUS_PENDING
    starts = [one for one in lines if one["event"].startswith("serving without the broker")]
    assert len(starts) == 2, "one of each service"
    assert "Connect call failed" in starts[0]["error"]
