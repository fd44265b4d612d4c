"""Sends to receivers: over HTTPS, to allowed addresses only, within bounds of time and size."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from types import TracebackType

import httpcore2

from holdfast.chassis.clock import Clock
from holdfast.notifier.domain.delivery import EXCERPT_MAX, Answer, UrlRefused
from holdfast.notifier.infrastructure.guarded_network import (
    CONNECT_S_MAX,
    Guard,
    GuardedNetwork,
    Unreachable,
    tls_context,
)
from holdfast.notifier.infrastructure.name_resolution import Resolver, SystemResolver
from holdfast.notifier.infrastructure.pools import Pools
from holdfast.notifier.infrastructure.public_addresses import AddressRule
from holdfast.notifier.infrastructure.receiver_urls import ReceiverUrl, parse
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings

ATTEMPT_S_MAX = 15.0
CONNECTIONS_MAX = 500
IDLE_CONNECTIONS_MAX = 16  # to one host
IDLE_S_MAX = 4.0  # below the 5 s after which common servers hang up

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # nothing to unpack, so no bomb either
    "Content-Type": "application/json",
    "User-Agent": f"Holdfast/{version('holdfast')} (webhooks)",
}
_SECONDS = re.compile(r"\d{1,18}", re.ASCII)
_TIMEOUTS = {"connect": CONNECT_S_MAX}


class Sender:
    """Posts to receivers; an async context manager.

    What the far side does never raises: it is told as an `Answer`. Redirects are not followed, no
    proxy of the environment is used, and no cookie is kept.
    """

    def __init__(
        self, settings: WebhookSettings, clock: Clock, resolver: Resolver | None = None
    ) -> None:
        self._clock, self._resolver = clock, resolver or SystemResolver()
        rule = AddressRule(settings.webhook_networks, loopback=settings.webhook_loopback)
        self._guards = {
            scheme: Guard(rule, settings.webhook_ports, self._resolver, public=scheme == "https")
            for scheme in ("https", "http")
        }
        self._context = tls_context(settings.webhook_ca)
        self._pools = Pools(self._pool, IDLE_S_MAX)
        # Waiting for a free connection is not the receiver's fault, so it is no part of its time.
        self._free = asyncio.Semaphore(CONNECTIONS_MAX)

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._pools.aclose()
        self._resolver.close()

    def _pool(self, scheme: str) -> httpcore2.AsyncConnectionPool:
        return httpcore2.AsyncConnectionPool(
            ssl_context=self._context,
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=IDLE_CONNECTIONS_MAX,
            keepalive_expiry=IDLE_S_MAX,
            network_backend=GuardedNetwork(self._guards[scheme]),
        )

    async def require_allowed(self, url: str) -> None:
        """See that something could be sent to a URL as things are now.

        Of use for a friendly answer when somebody enters one: names are given other addresses
        later, so `post` looks anew.

        :raises UrlRefused: it has another form, or its host no address, or one that is not allowed;
            the message says which.
        """
        target = parse(url)
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await self._guards[target.scheme].addresses(target.host, target.port)
        except Unreachable as error:
            raise UrlRefused(str(error)) from error
        except TimeoutError as error:
            raise UrlRefused(
                f"the name {target.host} could not be looked up within {CONNECT_S_MAX:g} s"
            ) from error

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send once, and return what came of it, within 15 s of a connection being free.

        What the answer's status line says counts: a body that never ends, or is cut off, takes
        nothing from it. At most 64 KiB of an answer are read.
        """
        try:
            target = parse(url)
        except UrlRefused as refused:
            return Answer(0, str(refused))
        async with self._free:
            attempt = _Attempt()
            try:
                async with asyncio.timeout(ATTEMPT_S_MAX):
                    await self._exchange(target, body, headers, attempt)
            except TimeoutError:
                attempt.problem = f"no answer within {ATTEMPT_S_MAX:g} s"
        return self._answer(attempt)

    async def _exchange(
        self, target: ReceiverUrl, body: bytes, headers: Mapping[str, str], attempt: "_Attempt"
    ) -> None:
        """Fill in an attempt, so far as it comes."""
        request = httpcore2.Request(
            "POST",
            httpcore2.URL(
                scheme=target.scheme, host=target.host, port=target.port, target=target.target
            ),
            headers=[
                ("Host", target.host_header),
                ("Content-Length", str(len(body))),
                *_HEADERS.items(),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": _TIMEOUTS},
        )
        try:
            async with self._pools.of((target.scheme, target.host, target.port)) as pool:
                response = await pool.handle_async_request(request)
                try:
                    attempt.head(response)
                    await attempt.read(response)
                finally:
                    await response.aclose()
        except Unreachable as error:
            attempt.problem = str(error)
        except httpcore2.RemoteProtocolError:
            attempt.problem = "it closed the connection, or answered what is not HTTP/1.1"
        except (httpcore2.NetworkError, OSError):
            attempt.problem = "it closed the connection without an answer"

    def _answer(self, attempt: "_Attempt") -> Answer:
        if not attempt.status:
            return Answer(0, attempt.problem)
        return Answer(
            attempt.status,
            _why_no_success(attempt.status),
            attempt.excerpt,
            self._retry_after_s(attempt.retry_after),
        )

    def _retry_after_s(self, text: str) -> float | None:
        """Seconds, or a date (RFC 9110, 10.2.3); what is neither is none."""
        if _SECONDS.fullmatch(text):
            return float(text)
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - self._clock.now()).total_seconds())


class _Attempt:
    """What is known of an answer so far."""

    def __init__(self) -> None:
        self.status, self.problem, self.retry_after = 0, "", ""
        self._body = bytearray()

    @property
    def excerpt(self) -> str:
        """What is printable of the body's beginning, on one line."""
        text = " ".join(self._body.decode(errors="replace").split())
        return "".join(filter(str.isprintable, text))[:EXCERPT_MAX]

    def head(self, response: httpcore2.Response) -> None:
        self.status = response.status
        for name, value in response.headers:
            if name.lower() == b"retry-after":
                self.retry_after = value.decode("latin-1").strip()

    async def read(self, response: httpcore2.Response) -> None:
        async with aclosing(response.aiter_stream()) as chunks:
            async for chunk in chunks:
                self._body += chunk


def _why_no_success(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it redirects ({status}), which is not followed: register the URL it leads to"
    return f"it answered {status} {_PHRASES.get(status, '')}".rstrip()


_PHRASES = {status.value: status.phrase for status in HTTPStatus}
