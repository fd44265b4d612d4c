"""Sends to receivers: over HTTPS, to allowed addresses only, within bounds of time and size."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from types import TracebackType

import aiohttp
from yarl import URL

from holdfast.chassis.clock import Clock
from holdfast.notifier.domain.delivery import EXCERPT_MAX, Answer, UrlRefused
from holdfast.notifier.infrastructure.guarded_network import (
    BYTES_READ_MAX,
    CONNECT_S_MAX,
    Guard,
    GuardedConnector,
    Unreachable,
    tls_context,
    why_not_connected,
)
from holdfast.notifier.infrastructure.name_resolution import Resolver, SystemResolver
from holdfast.notifier.infrastructure.public_addresses import AddressRule
from holdfast.notifier.infrastructure.receiver_urls import ReceiverUrl, parse
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings

ATTEMPT_S_MAX = 15.0
CONNECTIONS_MAX = 500  # in use at a time
IDLE_S_MAX = 4.0  # below the 5 s after which common servers hang up

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # nothing to unpack, so no bomb either
    "Content-Type": "application/json",
    "User-Agent": f"Holdfast/{version('holdfast')} (webhooks)",
}
_SECONDS = re.compile(r"\d{1,18}", re.ASCII)
_NO_HTTP = "it closed the connection, or answered what is not HTTP/1.1"


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
        self._sessions: dict[str, aiohttp.ClientSession] = {}  # by scheme
        self._opened = AsyncExitStack()
        # Waiting for a free connection is not the receiver's fault, so it is no part of its time.
        self._free = asyncio.Semaphore(CONNECTIONS_MAX)

    async def __aenter__(self) -> "Sender":
        for scheme, guard in self._guards.items():
            self._sessions[scheme] = await self._opened.enter_async_context(
                aiohttp.ClientSession(
                    connector=GuardedConnector(guard, self._context, IDLE_S_MAX),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S_MAX),
                    # What they bound is bounded by the connector, all of it together.
                    max_line_size=BYTES_READ_MAX,
                    max_field_size=BYTES_READ_MAX,
                    max_headers=BYTES_READ_MAX,
                )
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.aclose()
        self._resolver.close()

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
        try:
            async with self._sessions[target.scheme].post(
                URL(target.text, encoded=True),
                data=body,
                headers={"Host": target.host_header, **_HEADERS, **headers},
                allow_redirects=False,
            ) as response:
                attempt.head(response)
                async for some in response.content.iter_any():
                    attempt.body += some
        except Unreachable as error:
            attempt.problem = str(error)
        except aiohttp.ConnectionTimeoutError:
            attempt.problem = f"no connection to {target.host} within {CONNECT_S_MAX:g} s"
        except aiohttp.ClientConnectorError as error:
            attempt.problem = why_not_connected(error)
        except aiohttp.ClientOSError:
            attempt.problem = "it closed the connection without an answer"
        except aiohttp.ClientError:
            attempt.problem = _NO_HTTP

    def _answer(self, attempt: "_Attempt") -> Answer:
        if attempt.status < 200:
            return Answer(0, attempt.problem or _NO_HTTP)
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
        self.body = bytearray()

    @property
    def excerpt(self) -> str:
        """What is printable of the body's beginning, on one line."""
        text = " ".join(self.body.decode(errors="replace").split())
        return "".join(filter(str.isprintable, text))[:EXCERPT_MAX]

    def head(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.retry_after = response.headers.get("Retry-After", "").strip()


def _why_no_success(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it redirects ({status}), which is not followed: register the URL it leads to"
    return f"it answered {status} {_PHRASES.get(status, '')}".rstrip()


_PHRASES = {status.value: status.phrase for status in HTTPStatus}
