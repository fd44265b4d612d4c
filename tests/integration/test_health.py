"""The health service tells of the server and, apart from it, of the way to the broker."""

import asyncio
from contextlib import AbstractAsyncContextManager

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from structlog.testing import capture_logs

from holdfast.chassis.grpc import server as grpc_server
from holdfast.chassis.grpc.server import BUS, Listening, serving
from holdfast.chassis.messaging.broker import BrokerUnavailable

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class Bus:
    """A way to a broker that is there or away, with names that may be another's."""

    def __init__(self) -> None:
        self.is_there, self.problems = False, {"ours": "", "theirs": ""}
        self.declared = 0

    async def declare(self) -> None:
        self.declared += 1
        if not self.is_there:
            raise BrokerUnavailable("nobody there")

    def names(self) -> dict[str, str]:
        return self.problems

    def is_up(self) -> bool:
        return self.is_there


async def status(listening: Listening, name: str) -> int:
    async with grpc.aio.insecure_channel(listening.address) as channel:
        check = HealthStub(channel).Check  # type: ignore[attr-defined]  # not in its stubs
        return int((await check(HealthCheckRequest(service=name), timeout=5.0)).status)


async def becomes(listening: Listening, name: str, wanted: int) -> None:
    async with asyncio.timeout(10.0):
        while await status(listening, name) != wanted:
            await asyncio.sleep(0.1)


def served(bus: Bus) -> AbstractAsyncContextManager[Listening]:
    return serving("127.0.0.1:0", service="holdfast.test", register=lambda _: None, bus=bus)


async def test_a_service_serves_while_its_bus_is_away_and_says_when_it_is_back() -> None:
    bus = Bus()
    with capture_logs() as lines:
        async with served(bus) as listening:
            await asyncio.sleep(0.1)
            names = ("", "holdfast.test", BUS)
            assert [await status(listening, name) for name in names] == [
                SERVING,
                SERVING,
                NOT_SERVING,
            ]

            bus.is_there = True

            await becomes(listening, BUS, SERVING)
    assert [line["error"] for line in lines if "without the broker" in line["event"]] == [
        "nobody there"
    ]


async def test_a_service_waits_for_a_silent_bus_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Silent(Bus):
        async def declare(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(grpc_server, "DECLARE_S_MAX", 0.2)
    with capture_logs() as lines:
        async with asyncio.timeout(5.0), served(Silent()) as listening:
            assert await status(listening, "") == SERVING
    assert "no answer for 0.2 s" in [line.get("error") for line in lines]


async def test_everything_is_declared_before_anybody_is_served() -> None:
    bus = Bus()
    bus.is_there = True
    async with served(bus):
        assert bus.declared >= 1


async def test_a_name_that_is_anothers_is_named_in_health() -> None:
    bus = Bus()
    bus.is_there, bus.problems = True, {"ours": "", "theirs": "it is of another type"}
    async with served(bus) as listening:
        await becomes(listening, f"{BUS}/ours", SERVING)
        assert await status(listening, f"{BUS}/theirs") == NOT_SERVING
        assert await status(listening, BUS) == NOT_SERVING
        assert await status(listening, "") == SERVING

        bus.problems = {"ours": "", "theirs": ""}

        await becomes(listening, f"{BUS}/theirs", SERVING)
        await becomes(listening, BUS, SERVING)
