"""The health service tells of the server and, apart from it, of the way to the broker."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from structlog.testing import capture_logs

from holdfast.chassis.grpc import server as grpc_server
from holdfast.chassis.grpc.for_anybody import Room
from holdfast.chassis.grpc.server import BUS, Listening, serving
from holdfast.chassis.messaging.broker import BrokerUnavailable
from testbed.http2 import (
    DATA,
    END_STREAM,
    SETTINGS,
    RawConnection,
    frame,
    message,
    request_headers,
)

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


WATCH = "/grpc.health.v1.Health/Watch"
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
NO_ROOM = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))  # for what is answered


async def test_a_watcher_that_reads_nothing_holds_up_no_report_and_no_stop() -> None:
    async with (
        asyncio.timeout(20.0),
        served(Bus()) as listening,
        await RawConnection.open(listening.address) as raw,
        watching(listening) as told,
    ):
        begin = raw.begin(1, request_headers(WATCH))
        await raw.send(NO_ROOM, begin, frame(DATA, END_STREAM, 1, message(b"")))
        assert await anext(told) == SERVING
        listening.health.report("", False)
        assert await anext(told) == NOT_SERVING


@asynccontextmanager
async def watching(listening: Listening) -> AsyncIterator[AsyncIterator[int]]:
    async with grpc.aio.insecure_channel(listening.address) as channel:
        call = HealthStub(channel).Watch(HealthCheckRequest())  # type: ignore[attr-defined]
        yield (int(response.status) async for response in call)
        call.cancel()


async def test_who_watches_is_told_once_of_each_change_and_at_last_that_all_ends() -> None:
    async with served(Bus()) as listening, watching(listening) as told:
        seen = [await anext(told)]
        for serving_now in (True, False, False, True):
            listening.health.report("", serving_now)
            await asyncio.sleep(0)
        seen.append(await anext(told))
    assert seen == [SERVING, NOT_SERVING]


@pytest.mark.parametrize(("method", "at_most"), [(WATCH, 3), (REFLECT, 2)])
async def test_those_without_a_key_have_a_few_calls_at_once(
    monkeypatch: pytest.MonkeyPatch, method: str, at_most: int
) -> None:
    monkeypatch.setattr(grpc_server, "HEALTH", Room(3, 9))
    monkeypatch.setattr(grpc_server, "REFLECTION", Room(9, 2))
    async with served(Bus()) as listening, await RawConnection.open(listening.address) as raw:
        for stream in range(1, 2 * at_most, 2):
            await raw.send(raw.begin(stream, request_headers(method)))
            await raw.send(frame(DATA, 0, stream, message(b"")))
            await raw.hear(stream, within_s=0.3)  # begun
        late = 2 * at_most + 1
        await raw.send(raw.begin(late, request_headers(method)))
        assert (await raw.hear(late)).told == "grpc 8"


@pytest.mark.parametrize("method", [WATCH, REFLECT, WATCH.replace("Watch", "Check")])
@pytest.mark.parametrize(
    "sent",
    [message(b"\xff" * 9), message(b"")[:3], message(bytes(10_000)), b""],
    ids=["rubbish", "half", "long", "nothing"],
)
async def test_bytes_that_are_no_request_are_refused_as_such(method: str, sent: bytes) -> None:
    async with served(Bus()) as listening, await RawConnection.open(listening.address) as raw:
        await raw.send(raw.begin(1, request_headers(method)))
        await raw.send(frame(DATA, END_STREAM, 1, sent))
        told = (await raw.hear(1)).told
    assert told == ("grpc 0" if method is REFLECT and len(sent) < 5 else "grpc 3")
