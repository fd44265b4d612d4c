"""Brokers that the RabbitMQ adapter talks to in tests: a real server, and the simulated one.

Both are put to the same troubles by the same tests, so that a simulation can be believed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from random import Random
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import aiormq
import pytest

from proof.simulation.rabbitmq import URL, SimulatedRabbitMQ, by_hand
from testbed.servers import RabbitmqServer

WATERMARK = "set_vm_memory_high_watermark"
COMMANDS = {
    "stopped": ("stop_app", "start_app"),
    "blocks publishers": (f"{WATERMARK} 0.0000001", f"{WATERMARK} 0.4"),
}
TROUBLES = ("frozen", *COMMANDS)


class Way(Protocol):
    """The way to a broker, which can be cut, or frozen with the line open."""

    @property
    def url(self) -> str: ...

    def cut(self) -> None: ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...


class FarBroker(Protocol):
    """A broker behind the adapter."""

    @property
    def url(self) -> str: ...

    def by_hand(self) -> Any:
        """An asynchronous context with a channel of the client library."""

    def way(self) -> Any:
        """An asynchronous context with a `Way` to it."""

    async def begin(self, trouble: str) -> None: ...

    async def end(self, trouble: str) -> None: ...


@contextmanager
def far_broker(name: str, request: pytest.FixtureRequest) -> Iterator[FarBroker]:
    if name == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
        yield RealBroker(url, request.getfixturevalue("rabbitmq_server"))
    else:
        with SimulatedBroker().in_place_of_the_real_one() as simulated:
            yield simulated


@asynccontextmanager
async def in_trouble(broker: FarBroker, name: str, way: Way) -> AsyncIterator[None]:
    try:
        if name == "frozen":
            way.freeze()
        else:
            await broker.begin(name)
        yield
    finally:
        if name == "frozen":
            way.thaw()
        else:
            await broker.end(name)


class RealBroker:
    """A RabbitMQ server."""

    def __init__(self, url: str, server: RabbitmqServer) -> None:
        self.url, self._server = url, server

    @asynccontextmanager
    async def by_hand(self) -> AsyncIterator[Any]:
        async with aiormq.connect(self.url) as connection:
            yield await connection.channel()

    def way(self) -> "Wire":
        return Wire(self.url)

    async def begin(self, trouble: str) -> None:
        await asyncio.to_thread(self._server.ctl, *COMMANDS[trouble][0].split())

    async def end(self, trouble: str) -> None:
        await asyncio.to_thread(self._server.ctl, *COMMANDS[trouble][1].split())


class Wire:
    """A way over TCP."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url)
        self._ends: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._there.geturl().replace(f":{self._there.port}/", f":{port}/")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.thaw()
        self.cut()

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._there.port)
            self._ends.add(far_writer)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                await self._flows.wait()
                target.write(data)
                await target.drain()
        target.transport.abort()


class SimulatedBroker:
    """The simulator's broker, here in real time and without faults of its own."""

    url = URL

    def __init__(self) -> None:
        self._broker = SimulatedRabbitMQ(Random(4711))

    @contextmanager
    def in_place_of_the_real_one(self) -> Iterator[Self]:
        with self._broker.in_place_of_the_real_one():
            yield self

    @asynccontextmanager
    async def by_hand(self) -> AsyncIterator[Any]:
        connection, channel = await by_hand(self._broker)
        yield channel
        await connection.close()

    @asynccontextmanager
    async def way(self) -> AsyncIterator[Way]:
        yield SimulatedWay(self._broker)

    async def begin(self, trouble: str) -> None:
        if trouble == "stopped":
            self._broker.stop()
        else:
            self._broker.run_short()

    async def end(self, trouble: str) -> None:
        if trouble == "stopped":
            self._broker.accept()
        else:
            self._broker.end_shortage()


class SimulatedWay:
    """All connections there are."""

    url = URL

    def __init__(self, broker: SimulatedRabbitMQ) -> None:
        self._broker = broker

    def freeze(self) -> None:
        self._broker.freeze(None)

    def thaw(self) -> None:
        self._broker.thaw(None)

    def cut(self) -> None:
        for line in self._broker.lines:
            line.cut()
