"""The health service tells of the server and, apart from it, of the way to the broker."""

import asyncio

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from holdfast.chassis.grpc_server import BUS, serving

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


async def test_a_service_serves_while_its_bus_is_away_and_says_when_it_is_back() -> None:
    bus_up = False
    async with (
        serving(
            "127.0.0.1:0",
            service="holdfast.test",
            register=lambda server: None,
            is_bus_up=lambda: bus_up,
        ) as listening,
        grpc.aio.insecure_channel(listening.address) as channel,
    ):
        check = HealthStub(channel).Check  # type: ignore[attr-defined]  # not in its stubs

        async def status(name: str) -> int:
            return int((await check(HealthCheckRequest(service=name), timeout=5.0)).status)

        await asyncio.sleep(0.1)
        assert [await status(name) for name in ("", "holdfast.test", BUS)] == [
            SERVING,
            SERVING,
            NOT_SERVING,
        ]

        bus_up = True

        async with asyncio.timeout(10.0):
            while await status(BUS) != SERVING:
                await asyncio.sleep(0.1)
