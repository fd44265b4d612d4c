"""Bytes of HTTP/2 by hand: a client that sends what no library would, and tells what came back."""

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import hpack

from testbed.keys import KEY

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0,
    1,
    3,
    4,
    6,
    7,
    8,
    9,
)
END_STREAM, END_HEADERS, ACK = 1, 4, 1

Header = tuple[str, str]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame; nothing about it is checked."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def message(body: bytes, *, compressed: int = 0, length: int | None = None) -> bytes:
    """A message as gRPC puts it into DATA frames; `length` is what its prefix says."""
    return struct.pack(">BI", compressed, len(body) if length is None else length) + body


def request_headers(path: str, *more: Header, **instead: str | None) -> list[Header]:
    """What a gRPC call begins with; `instead` replaces one, or leaves it out (None)."""
    usual = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "holdfast",
        "te": "trailers",
        "content-type": "application/grpc",
        "authorization": f"Bearer {KEY}",
    }
    names = {"method": ":method", "scheme": ":scheme", "content_type": "content-type"}
    changed = usual | {names.get(name, name): value for name, value in instead.items()}
    return [(name, value) for name, value in changed.items() if value is not None] + [*more]


@dataclass(slots=True)
class Heard:
    """What came back: headers and trailers of one stream, and how it and the connection ended."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: int | None = None
    goaway: int | None = None
    hung_up: bool = False
    over: bool = False

    @property
    def told(self) -> str:
        """The end in a word: a gRPC status's number, else how HTTP/2 ended it, else nothing."""
        if "grpc-status" in self.headers:
            return f"grpc {self.headers['grpc-status']}"
        if self.goaway:
            return f"goaway {self.goaway}"
        if self.reset is not None:
            return f"reset {self.reset}"
        if self.headers.get(":status", "200") != "200":
            return f"http {self.headers[':status']}"
        return "hung up" if self.hung_up or self.goaway == 0 else "silence"


class RawConnection:
    """A connection on which anything can be said."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._encoder, self._decoder = hpack.Encoder(), hpack.Decoder()

    @classmethod
    async def open(cls, address: str, *, greet: bool = True) -> Self:
        host, _, port = address.rpartition(":")
        connection = cls(*await asyncio.open_connection(host, int(port)))
        if greet:
            await connection.send(PREFACE + frame(SETTINGS, 0, 0))
        return connection

    async def send(self, *parts: bytes) -> None:
        """Send bytes as they are; the other end may have hung up."""
        with suppress(OSError):
            self._writer.write(b"".join(parts))
            await self._writer.drain()

    def begin(self, stream: int, headers: Sequence[Header], *, flags: int = END_HEADERS) -> bytes:
        """The frame that opens a stream."""
        return frame(HEADERS, flags, stream, self._encoder.encode(headers))

    async def hear(self, stream: int, *, within_s: float = 30.0) -> Heard:
        """Listen until the stream or the connection ends, or the time is over."""
        heard = Heard()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not heard.over:
                    await self._hear_frame(stream, heard)
        return heard

    async def _hear_frame(self, stream: int, heard: Heard) -> None:
        try:
            head = await self._reader.readexactly(9)
            payload = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
        except (OSError, asyncio.IncompleteReadError):
            heard.hung_up = heard.over = True
            return
        kind, flags, on = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == SETTINGS and not flags & ACK:
            await self.send(frame(SETTINGS, ACK, 0))
        elif kind == GOAWAY:
            heard.goaway = int.from_bytes(payload[4:8], "big")
        elif kind == HEADERS:
            decoded = {str(name): str(value) for name, value in self._decoder.decode(payload)}
            if on == stream:
                heard.headers |= decoded
                heard.over = bool(flags & END_STREAM)
        elif on == stream and kind == DATA:
            heard.body += payload
            heard.over = bool(flags & END_STREAM)
        elif on == stream and kind == RST_STREAM:
            heard.reset, heard.over = int.from_bytes(payload, "big"), True

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
