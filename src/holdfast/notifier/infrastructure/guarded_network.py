"""The network that receivers are reached over: each connection goes to the very address that was
looked at, and nothing is read without an end.

To check a name and then let a client resolve it again can be got round: the second answer may be
another one (DNS rebinding).
"""

import asyncio
import errno
import ssl
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore2

from holdfast.notifier.infrastructure.name_resolution import NameUnknown, Resolver
from holdfast.notifier.infrastructure.public_addresses import AddressRule, is_loopback

CONNECT_S_MAX = 5.0  # to look up the name and connect; TLS may take as long again
ADDRESSES_TRIED_MAX = 4
BYTES_READ_MAX = 65_536  # of one answer, its headers and interim answers included

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
        for address in found:
            self._require_allowed(address, port)
        return found

    def _require_allowed(self, address: str, port: int) -> None:
        if not self._rule.allows(address):
            raise Unreachable(f"address {address} is not public")
        if not self._public and not self._rule.opens(address):
            raise Unreachable("it begins with http://, and only https:// is sent to public hosts")
        if port not in self._ports and not is_loopback(address):
            allowed = ", ".join(map(str, sorted(self._ports)))
            raise Unreachable(f"port {port} is not allowed: use one of {allowed}")


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Makes the connections of a pool."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._network = guard, httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to a host that is allowed.

        :raises Unreachable: it is not, or nobody is there.
        """
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                addresses = await self._guard.addresses(host, port)
                return await self._first(addresses[:ADDRESSES_TRIED_MAX], port)
        except TimeoutError as error:
            raise Unreachable(f"no connection to {host} within {CONNECT_S_MAX:g} s") from error

    async def _first(self, addresses: Sequence[str], port: int) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that takes it; each has an equal part of the time."""
        *others, last = addresses
        for address in others:
            try:
                return await self._connect(address, port, CONNECT_S_MAX / len(addresses))
            except Unreachable:
                continue  # what is told is what the last one did
        return await self._connect(last, port, CONNECT_S_MAX)

    async def _connect(self, address: str, port: int, s_max: float) -> httpcore2.AsyncNetworkStream:
        try:
            return _GuardedStream(await self._network.connect_tcp(address, port, timeout=s_max))
        except httpcore2.ConnectTimeout as error:
            raise Unreachable(f"{address} did not answer within {s_max:g} s") from error
        except httpcore2.ConnectError as error:
            raise Unreachable(f"{address} {_why(error)}") from error


class _GuardedStream(httpcore2.AsyncNetworkStream):
    """A connection that reads no answer without an end."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream, self._read = stream, 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        self._read += len(data)
        if self._read > BYTES_READ_MAX:
            raise Unreachable(f"it answered more than {BYTES_READ_MAX // 1024} KiB of headers")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._read = 0  # what follows is another answer
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """Begin TLS with a host whose certificate is for this name and from an authority.

        :raises Unreachable: it is not, or there is no TLS.
        """
        try:
            return _GuardedStream(
                await self._stream.start_tls(ssl_context, server_hostname, timeout)
            )
        except httpcore2.ConnectTimeout as error:
            raise Unreachable(f"TLS: no handshake within {CONNECT_S_MAX:g} s") from error
        except (httpcore2.ConnectError, OSError) as error:
            raise Unreachable(f"TLS: {_why_no_tls(error)}") from error
        except asyncio.CancelledError:
            await self.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


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


def _why(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _WHY:
            return _WHY[cause.errno]
    return "cannot be connected to"


def _why_no_tls(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return cause.reason.lower().replace("_", " ")
    return "it closed the connection"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it; libraries wrap what the system said."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
