"""An HTTP server in the service's own loop: uvicorn, with the limits that it has not by itself."""

import asyncio
import logging
import socket
from asyncio import TimerHandle, Transport
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from httptools import HttpParserError
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.grpc.server import STOP_GRACE_S
from holdfast.chassis.http.application import HttpApplication
from holdfast.chassis.http.hosts import hosts_of
from holdfast.chassis.http.problems import CONTENT_TYPE, problem
from holdfast.chassis.http.service import HttpService, Mounted
from holdfast.chassis.process.addresses import AddressInUse
from holdfast.chassis.process.lifecycle import end_all
from holdfast.chassis.process.ports import PortSettings
from holdfast.chassis.tls import ReloadingContext

HEAD_S_MAX = 10.0  # for a request's line and headers to arrive
HEAD_BYTES_MAX = 64 * 1024
UNREAD_S_MAX = 1.0  # at the end, for a client to read some of what it was sent
IDLE_S_MAX = 75  # a connection is kept so long for the next request
BACKLOG = 2_048  # connections that are not yet picked up

log = structlog.get_logger()


@asynccontextmanager
async def serving_http(
    listen: str,
    services: Iterable[HttpService],
    port: PortSettings | None = None,
    *,
    share_port: bool = False,
    mounted: Iterable[Mounted] = (),
) -> AsyncIterator[str]:
    """Serve while the block runs; then end streams, and give requests STOP_GRACE_S to be answered.

    :param listen: HOST:PORT; port 0 picks a free one. The block is given the address. "": nothing
        is served.
    :param port: certificates, and by which further names it may be spoken to; None: without.
    :param share_port: let other processes that share it too listen on the same port.
    :param mounted: applications of their own, beside the services.
    :raises AddressInUse: the address is taken.
    """
    if not listen:
        yield ""
        return
    port = port or PortSettings()
    is_ours = hosts_of(listen, port.http_hosts)
    names = port.tls_client_names
    application = HttpApplication(services, SystemClock(), is_ours, mounted, names)
    listener = _listener(listen, share_port=share_port)
    host, number = listen.rpartition(":")[0], listener.getsockname()[1]
    # What it would log, we say ourselves, or is a caller's fault that the caller is told.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = Config(
        application,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_S_MAX,
        timeout_graceful_shutdown=round(STOP_GRACE_S),
    )
    config.load()
    if port.tls is not None:
        # After loading, which would take files for good.
        config.ssl = ReloadingContext(port.tls).context
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield f"{host}:{number}"
    finally:
        application.stop()
        server.should_exit = True
        await ticking
        await server.shutdown(sockets=[listener])
        await end_all(list(server.server_state.tasks))


def _listener(listen: str, *, share_port: bool) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(share_port))
        listener.bind((host, int(port)))
        listener.listen(BACKLOG)
    except (OSError, ValueError, OverflowError) as error:
        listener.close()
        raise AddressInUse(listen) from error
    listener.setblocking(False)
    return listener


class _Protocol(HttpToolsProtocol):
    """A connection whose requests begin within HEAD_S_MAX and have heads of HEAD_BYTES_MAX, as has
    what stands between chunks and behind the last one. Trailers are nobody's (RFC 9110, 6.5.1).
    """

    _head_timer: TimerHandle | None = None
    # Read since the last of a body, or since a head or a request was whole; what came in one piece
    # with that is not counted.
    _loose_bytes = 0
    _in_head = True
    _answered: Any = None  # the cycle of uvicorn's that is under way, or was the last
    _is_broken = False  # what still comes is nobody's; what came whole is answered

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        found = (transport.get_extra_info("peercert") or {}).get("subjectAltName", ())
        self.app_state = {"names": tuple(name for _, name in found)}  # goes with each scope
        self._await_head()

    def shutdown(self) -> None:
        super().shutdown()
        unread_bytes = self.transport.get_write_buffer_size()
        if unread_bytes:
            self.loop.call_later(UNREAD_S_MAX, self._end_if_unread, unread_bytes)

    def _end_if_unread(self, before_bytes: int) -> None:
        """Hang up on a client that reads nothing: its stream has no other end, nor has ours."""
        if self.transport.get_write_buffer_size() >= before_bytes:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._loose_bytes = False, 0
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_BYTES_MAX:  # all of it came at once
            self._refuse_head()
            raise HttpParserError("what follows is not read")
        hosts = [name for name, _ in self.headers if name == b"host"]
        if self.parser.get_http_version() == "1.1" and len(hosts) != 1:  # RFC 9112, 3.2
            raise HttpParserError("it has no Host, or two")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose_bytes = 0
        super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        if self._is_broken:
            return
        self._loose_bytes += len(data)
        super().data_received(data)
        if self._loose_bytes > HEAD_BYTES_MAX:
            self._refuse_head()

    def _refuse_head(self) -> None:
        self._refuse(431, f"line and headers may have {HEAD_BYTES_MAX:,} bytes")

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "this is no HTTP/1.1 request")

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S_MAX, self._too_slow)

    def _too_slow(self) -> None:
        self._head_timer = None
        self._refuse(408, f"line and headers did not come within {HEAD_S_MAX:g} s")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: int, detail: str) -> None:
        """Answer what never became a whole request, and hang up; where whole ones came before it
        that are not answered yet, they alone are, and then the connection ends.
        """
        if self.transport.is_closing() or self._are_others_answered_first():
            return
        found = problem(status, detail)
        body = found.body()
        head = [
            f"HTTP/1.1 {status} {found.content['title']}",
            f"content-type: {CONTENT_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        if self._is_unanswered():
            self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()

    def _are_others_answered_first(self) -> bool:
        """Whether whole requests are under way; then the last of them ends the connection."""
        if self.pipeline and self.cycle.more_body:  # that one is what is broken
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else self._answered
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            return False
        self._is_broken = True
        self.cycle.keep_alive = False
        self._stop_timer()
        return True

    def _is_unanswered(self) -> bool:
        """Whether an answer would be taken for one to what is refused, and is the only one."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        # The request under way is refused itself: it is the one whose body still comes.
        if self.cycle.response_started:
            return False
        self.cycle.disconnected = True  # whoever handles it answers nobody
        return True
