"""The admin port: what a process tells those who operate it, by HTTP; nothing can be done there.

`/metrics` is what Prometheus reads, `/healthz` answers while the event loop runs, and `/readyz`
says whether calls are taken. It is served by the same event loop, so that one that hangs is seen.
Whoever reaches it reads figures, and no data: it is for an inner network, without a password.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus

import structlog
from prometheus_client.exposition import choose_encoder

from holdfast.chassis.metrics import LOOP_LAG_SECONDS, REGISTRY, tell_build
from holdfast.chassis.process.addresses import AddressInUse, split
from holdfast.chassis.process.lifecycle import background

HEAD_BYTES_MAX = 8 * 1024
CONNECTION_S_MAX = 5.0
CONNECTIONS_MAX = 32
LAG_LOOK_S = 0.25
PLAIN = "text/plain; charset=utf-8"

log = structlog.get_logger()


class Admin:
    """What the admin port tells."""

    def __init__(self) -> None:
        self.address = ""  # where it listens; "": nowhere
        self._is_ready = False
        self._connections = 0

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Be ready while the block runs."""
        self._is_ready = True
        if self.address:
            log.info("ready, as the admin port tells", address=self.address)
        try:
            yield
        finally:
            self._is_ready = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        self._connections += 1
        try:
            async with asyncio.timeout(CONNECTION_S_MAX):
                await self._answer(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # no request, or nobody who waits for the answer
        finally:
            self._connections -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections > CONNECTIONS_MAX:
            return
        head = await reader.readuntil(b"\r\n\r\n")
        status, content_type, body = self._answer_to(head.decode("latin-1"))
        allow = "Allow: GET, HEAD\r\n" if status == HTTPStatus.METHOD_NOT_ALLOWED else ""
        told = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n{allow}Cache-Control: no-store\r\n"
            "Connection: close\r\n\r\n"
        )
        writer.write(told.encode() + (b"" if head.startswith(b"HEAD ") else body))
        await writer.drain()

    def _answer_to(self, head: str) -> tuple[HTTPStatus, str, bytes]:
        request, *lines = head.split("\r\n")
        match request.split(" "):
            case [method, path, version] if version.startswith("HTTP/1."):
                pass
            case _:
                return HTTPStatus.BAD_REQUEST, PLAIN, b"this is no request of HTTP/1\n"
        if method not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, PLAIN, b"nothing can be done here, only read\n"
        match path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(_header(lines, "accept"))
                return HTTPStatus.OK, content_type, encode(REGISTRY)
            case "/healthz":
                return HTTPStatus.OK, PLAIN, b"ok\n"
            case "/readyz" if self._is_ready:
                return HTTPStatus.OK, PLAIN, b"ready\n"
            case "/readyz":
                return HTTPStatus.SERVICE_UNAVAILABLE, PLAIN, b"starting, or stopping\n"
            case _:
                known = b"there are /metrics, /healthz and /readyz\n"
                return HTTPStatus.NOT_FOUND, PLAIN, known


def _header(lines: list[str], name: str) -> str:
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""


@asynccontextmanager
async def admin(listen: str, *, worker: int = 1) -> AsyncIterator[Admin]:
    """Serve the admin port while the block runs.

    :param listen: HOST:PORT, and port 0 picks a free one; "": there is no admin port.
    :param worker: the second of several workers of a process listens at the next port, and so on.
    :raises AddressInUse: the address is taken.
    """
    told = Admin()
    if not listen:
        yield told
        return
    tell_build()
    host, port = split(listen)
    try:
        server = await asyncio.start_server(
            told.serve, host, port and port + worker - 1, limit=HEAD_BYTES_MAX
        )
    except OSError as error:
        raise AddressInUse(listen) from error
    told.address = f"{listen.rpartition(':')[0]}:{server.sockets[0].getsockname()[1]}"
    async with server, background({"admin lag": _measure_lag}):
        yield told


async def _measure_lag() -> None:
    while True:
        due = time.perf_counter() + LAG_LOOK_S
        await asyncio.sleep(LAG_LOOK_S)
        LOOP_LAG_SECONDS.observe(max(0.0, time.perf_counter() - due))
