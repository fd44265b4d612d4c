"""The network that receivers are reached over: each connection goes to the very address that was
looked at, and nothing is read without an end.

To check a name and then let a client resolve it again can be got round: the second answer may be
another one (DNS rebinding).
"""

import asyncio
import errno
import re
import socket
import ssl
from collections.abc import Iterable, Sequence
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from holdfast.notifier.infrastructure.name_resolution import NameUnknown, Resolver
from holdfast.notifier.infrastructure.public_addresses import AddressRule, is_loopback

CONNECT_S_MAX = 5.0  # to look up the name, connect, and agree on TLS
ADDRESSES_TRIED_MAX = 2  # side by side, where the first does not answer at once
KEPT_MAX = 1_000  # with more connections than these, none is kept after its answer
BYTES_READ_MAX = 65_536  # of one answer, its headers and interim answers included

_HEADS = re.compile(rb"(?s).*?\r\n\r\n|.+")
_WHY = {
    errno.ECONNREFUSED: "refused the connection",
    errno.ECONNRESET: "closed the connection",
    errno.EHOSTUNREACH: "cannot be reached from here",
    errno.ENETUNREACH: "cannot be reached from here",
}


class Unreachable(Exception):
    """There is no connection, or no going on with it; the message says why in plain words."""


class Guard:
    """Says where one may connect to.

    :param rule: which addresses are allowed.
    :param ports: of addresses that are not loopback.
    :param public: whether public addresses may be connected to, or only what an operator opened.
    """

    def __init__(
        self, rule: AddressRule, ports: Iterable[int], resolver: Resolver, *, public: bool
    ) -> None:
        self._rule, self._ports = rule, frozenset(ports)
        self._resolver, self._public = resolver, public

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses to connect to, in the order to try them.

        :raises Unreachable: there are none, or one of them is not allowed: then none is tried.
        """
        try:
            found = [host] if _is_address(host) else await self._resolver.addresses(host)
        except NameUnknown as error:
            raise Unreachable(str(error)) from error
        if not found:
            raise Unreachable(f"the name {host} has no addresses")
        for address in found:
            self.require_allowed(address, port)
        return found

    def require_allowed(self, address: str, port: int) -> None:
        """See that an address may be connected to.

        :raises Unreachable: it may not.
        """
        if not self._rule.allows(address):
            raise Unreachable(f"address {address} is not public")
        if not self._public and not self._rule.opens(address):
            raise Unreachable("it begins with http://, and only https:// is sent to public hosts")
        if port not in self._ports and not is_loopback(address):
            allowed = ", ".join(map(str, sorted(self._ports)))
            raise Unreachable(f"port {port} is not allowed: use one of {allowed}")


class GuardedConnector(aiohttp.TCPConnector):
    """Makes and keeps connections, to what a guard allows: it says what a name leads to, and is
    asked once more for each socket. Nobody looks a name up a second time, or keeps what was found.

    :param idle_s_max: for so long a connection is kept that nobody uses.
    """

    opened = 0  # connections that are there now

    def __init__(self, guard: Guard, context: ssl.SSLContext, idle_s_max: float) -> None:
        super().__init__(
            resolver=_GuardedNames(guard),
            socket_factory=partial(_guarded_socket, guard),
            use_dns_cache=False,
            ssl=context,
            keepalive_timeout=idle_s_max,
            limit=0,
        )
        self._factory = partial(_BoundedAnswers, self, loop=self._loop)  # type: ignore[assignment]


class _GuardedNames(AbstractResolver):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._guard.addresses(host, port)
        return [_resolved(host, address, port) for address in found[:ADDRESSES_TRIED_MAX]]

    async def close(self) -> None:
        """The names are whoever's they were given by."""


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )


def _guarded_socket(guard: Guard, found: tuple[Any, ...]) -> socket.socket:
    """Open a socket for an address as `getaddrinfo` has them."""
    family, kind, protocol, _, address = found
    guard.require_allowed(*address[:2])
    return socket.socket(family, kind, protocol)


class _BoundedAnswers(ResponseHandler):
    """A connection that reads no answer without an end.

    aiohttp bounds a line and a header, but neither a body nor how often an interim answer comes.
    """

    def __init__(self, connector: GuardedConnector, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._connector, self._left = connector, BYTES_READ_MAX

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connector.opened += 1
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connector.opened -= 1
        super().connection_lost(exc)

    @property
    def should_close(self) -> bool:
        """Whether it is of no use after its answer, or there are too many."""
        return super().should_close or self._connector.opened > KEPT_MAX

    def close(self) -> None:
        """Wait for nobody: who is not heard any more must not keep a socket by saying nothing."""
        self.abort()

    def set_response_params(self, **how: Any) -> None:
        self._left = BYTES_READ_MAX  # what follows is another answer
        super().set_response_params(**how)

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            return
        # Heads by themselves: bytes that belong to nothing, behind a whole answer, take it with
        # them where both are read in one go.
        for piece in _HEADS.findall(data[: self._left]):
            super().data_received(piece)
        self._left -= len(data)
        if self._left < 0 and self.transport is not None:
            self.transport.abort()

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        if self._left < 0:  # whoever waits for an answer still is told why there is none
            exc = Unreachable(f"it answered more than {BYTES_READ_MAX // 1024} KiB of headers")
        super().set_exception(exc, *cause)
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(aiohttp.ClientPayloadError("it breaks off"))


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """Return what checks certificates and host names: TLS 1.2 or newer.

    :param ca: file in PEM with authorities beside those that the system knows.
    :raises ValueError: it can't be read.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"{ca} holds no certificates in PEM: {error}") from error
    return context


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def why_not_connected(error: aiohttp.ClientConnectorError) -> str:
    """Say in plain words why there is no connection."""
    why = error.__cause__
    if isinstance(why, ssl.SSLCertVerificationError):
        return f"TLS: its certificate is refused: {why.verify_message}"
    if isinstance(why, ssl.SSLError) and why.reason:
        return f"TLS: {why.reason.lower().replace('_', ' ')}"
    known = _WHY.get(why.errno or 0) if isinstance(why, OSError) else None
    return f"{error.host} {known or 'cannot be connected to'}"
