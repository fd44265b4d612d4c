"""HTTP/1.1 as its callers speak it, down to the bytes; and Holdfast that is spoken to so."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, Ground, RunningHoldfast, running

ANSWER_S_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; of repeated headers the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def errors(self) -> list[str]:
        """Where a problem says that something is wrong."""
        assert self.headers["content-type"] == "application/problem+json"
        places = ("pointer", "parameter", "header")
        return [one[place] for one in self.json["errors"] for place in places if place in one]


async def raw(address: str, sent: bytes, *, then_end: bool = False) -> bytes:
    """Send bytes on a connection of their own, and return what comes until it is closed.

    :param then_end: say that nothing more is sent.
    """
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            try:
                writer.write(sent)
                await writer.drain()
                if then_end:
                    writer.write_eof()
                return await reader.read()
            except ConnectionError:
                return b""
    finally:
        writer.close()


def answer_of(received: bytes) -> Answer:
    head, _, rest = received.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
    }
    return Answer(int(line.split()[1]), headers, rest)


def request_bytes(
    verb: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A request whose connection ends with its answer; bytes of a body are JSON unless told."""
    given = {"host": "localhost", "connection": "close", "authorization": f"Bearer {KEY}"}
    if body:
        given |= {"content-type": "application/json", "content-length": str(len(body))}
    given |= headers or {}
    lines = [f"{verb} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in given.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Http:
    """Holdfast, spoken to over HTTP, and over gRPC beside it."""

    holdfast: RunningHoldfast

    @property
    def address(self) -> str:
        return self.holdfast.addresses.http

    async def ask(self, verb: str, path: str, content: object = None, **headers: str) -> Answer:
        """Ask with JSON; headers are written with _ for -."""
        body = b"" if content is None else json.dumps(content).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return answer_of(await raw(self.address, request_bytes(verb, path, body, named)))

    async def done(self, verb: str, path: str, content: object = None, **headers: str) -> Any:
        """What is answered to a request that must not fail."""
        answer = await self.ask(verb, path, content, **headers)
        assert answer.status in (200, 201), answer
        return answer.json

    async def product(self, product_id: str, stock: int = 0) -> None:
        await self.holdfast.product(product_id, stock)

    async def placed(self, product_id: str = "LAMP", quantity: int = 1, **more: object) -> str:
        """The id of a confirmed order."""
        lines = [{"product_id": product_id, "quantity": quantity}]
        wanted = {"customer_id": "c-1", "lines": lines, "wait": "15s"} | more
        order = await self.done("POST", "/v1/orders", wanted)
        assert order["status"] in ("CONFIRMED", "RESERVED"), order
        return str(order["order_id"])


@asynccontextmanager
async def http_on(ground: Ground) -> AsyncIterator[Http]:
    async with running(ground, http_at=ANYWHERE) as holdfast:
        yield Http(holdfast)


class Events:
    """A stream of Server-Sent Events, read one by one."""

    def __init__(self, reader: asyncio.StreamReader, head: Answer) -> None:
        self._reader, self.head = reader, head
        self._text = b""

    async def next(self) -> dict[str, str]:
        """The fields of the next event, comments and `retry` left out; {}: the stream has ended."""
        while True:
            while b"\n\n" not in self._text:
                size = int((await self._line()) or b"0", 16)
                if not size:
                    return {}
                self._text += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            event, _, self._text = self._text.partition(b"\n\n")
            pairs = (line.partition(": ") for line in event.decode().split("\n"))
            fields = {name: value for name, _, value in pairs if name not in ("", "retry")}
            if fields:
                return fields

    async def _line(self) -> bytes:
        async with asyncio.timeout(ANSWER_S_MAX):
            return (await self._reader.readline()).strip()


@asynccontextmanager
async def events(address: str, path: str, **headers: str) -> AsyncIterator[Events]:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request_bytes("GET", path, headers=named))
        async with asyncio.timeout(ANSWER_S_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
        yield Events(reader, answer_of(head))
    finally:
        writer.close()
