"""The channel to another service: it is found again quickly, and takes renewed certificates."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from grpc import aio

from holdfast.chassis.grpc.credentials import channel_credentials
from holdfast.chassis.tls import Certificates, TlsFiles, TlsMaterial

LEAVE_S = 10.0  # for calls under way on a channel whose certificate is old


class RenewingChannel:
    """As a channel, as far as generated stubs see one; gRPC's own keep the certificates they had.

    A call after a renewal goes over a new channel. Those under way end on the one they began on.

    :param connect: makes a channel with these certificates.
    """

    def __init__(self, files: TlsFiles, connect: Callable[[TlsMaterial], aio.Channel]) -> None:
        self._certificates = Certificates(files)
        self._connect = connect
        self._taken = self._certificates.current()
        self._channel = connect(self._taken)
        self._old: list[aio.Channel] = []

    def unary_unary(self, method: str, **how: Any) -> Callable[..., Any]:
        """Make what a stub calls; see `aio.Channel`."""
        return self._calling(lambda channel: channel.unary_unary(method, **how))

    def unary_stream(self, method: str, **how: Any) -> Callable[..., Any]:
        """Make what a stub calls; see `aio.Channel`."""
        return self._calling(lambda channel: channel.unary_stream(method, **how))

    def _calling(self, make: Callable[[aio.Channel], Any]) -> Callable[..., Any]:
        channel = self._channel
        made = make(channel)

        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal channel, made
            self._renew()
            if channel is not self._channel:
                channel = self._channel
                made = make(channel)
            return made(*arguments, **options)

        return call

    def _renew(self) -> None:
        material = self._certificates.current()
        if material is not self._taken:
            self._old.append(self._channel)
            self._channel, self._taken = self._connect(material), material

    async def close(self) -> None:
        """Let calls under way end, for at most LEAVE_S, and close."""
        for channel in [*self._old, self._channel]:
            await channel.close(LEAVE_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),  # also how long a connection may take
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 3_000),
)


def open_channel(address: str, tls: TlsFiles | None = None) -> aio.Channel | RenewingChannel:
    """Open the one long-lived channel to a service; it reconnects by itself, quickly, and goes from
    a process that is frozen to another one, where the address has several.

    :param tls: certificates, taken anew when they are renewed; None: without TLS.
    :raises CertificateUnusable: they are of no use.
    """

    def connect(material: TlsMaterial) -> aio.Channel:
        return aio.secure_channel(address, channel_credentials(material), options=_OPTIONS)

    if tls is None:
        return aio.insecure_channel(address, options=_OPTIONS)
    return RenewingChannel(tls, connect)
