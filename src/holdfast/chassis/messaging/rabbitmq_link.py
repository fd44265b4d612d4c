"""One connection to RabbitMQ and what is declared on it: never mended, only replaced."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self, TypeVar

import aiormq
import structlog
from aiormq.abc import AbstractChannel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory
from aiormq.exceptions import (
    ChannelClosed,
    ConnectionClosed,
    IncompatibleProtocolError,
    InvalidFrameError,
    ProbableAuthenticationError,
    ProtocolSyntaxError,
)

from holdfast.chassis.clock import shuffled
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.rabbitmq_names import DECLARE, REFUSALS, WRITE, Topology, remedy
from holdfast.chassis.messaging.rabbitmq_url import host_of, urls_by_host

ANSWER_TIMEOUT_S = 10.0  # of a connect, of the next confirm of a publish
CLOSE_TIMEOUT_S = 1.0
HEARTBEAT_S = 10
WORLD_REFUSED_S = 10.0  # how long a refused exchange is left alone
WAITED_OUT_S = 30.0  # of refusals until they are for good; new orders are refused after 60 s

# RuntimeError is what client library and event loop say of a connection that is closed already.
LINK_ERRORS = (aiormq.AMQPError, EOFError, OSError, RuntimeError)

VHOST_HELP = (
    "the vhost is what follows the last / of the broker's URL, none means '/': correct it, or "
    "create it and give this user permission there (rabbitmqctl add_vhost, set_permissions)"
)
PORT_HELP = "the port is usually 5672 for amqp://, 5671 for amqps://"
CA_HELP = "the authority to trust is named in the broker's URL, as in ?cafile=/etc/ca.pem"
_HELPS = {
    "unexpectedly closed": PORT_HELP,
    "connection reset": PORT_HELP,
    "WRONG_VERSION_NUMBER": PORT_HELP,
    "CERTIFICATE_VERIFY_FAILED": CA_HELP,
}

log = structlog.get_logger()

T = TypeVar("T")


class Link(aiormq.TransportFactory):
    """One connection with channels to publish on. It dies only once.

    What must be heard goes over `channel`; what is for the world over one of its own, so that an
    exchange that refuses it takes nothing else along.
    """

    def __init__(self, url: str, purpose: str, topology: Topology) -> None:
        self.topology = topology
        settings = f"{'&' if '?' in url else '?'}heartbeat={HEARTBEAT_S}&name=holdfast-{purpose}"
        self.connection = aiormq.Connection(url + settings, transport_factory=self)
        self.channel: AbstractChannel
        self.world: AbstractChannel | None = None
        self._writer: asyncio.StreamWriter | None = None
        # Something was refused. If a queue is missing, the next link declares it. And RabbitMQ 3.10
        # refuses all that comes on a channel whose first message found the leader's node just lost.
        self.is_doubtful = False
        self._exchanges = set(topology.world_exchanges)
        self._has_given_up = False
        self._opened_at = asyncio.get_running_loop().time()

    @classmethod
    async def open(cls, url: str, purpose: str, topology: Topology) -> Self:
        """Connect to one of the hosts and declare the topology; a host that doesn't answer in its
        share of the time is passed over.

        :raises BrokerUnavailable: none answers.
        """
        hosts, refusals = shuffled(urls_by_host(url)), []
        for host in hosts:
            link = cls(host, purpose, topology)
            try:
                return await link._opened(ANSWER_TIMEOUT_S / len(hosts))
            except BrokerUnavailable as refusal:
                refusals.append(f"{host_of(host)}: {refusal}{_help(str(refusal))}")
        raise BrokerUnavailable("; ".join(refusals))

    async def _opened(self, timeout_s: float) -> Self:
        try:
            await in_time(self._open(), timeout_s)
        except BaseException:
            await self.close(politely=False)
            raise
        return self

    async def _open(self) -> None:
        await self.connection.connect()
        channel = await self.topology.declare(await self.connection.channel())
        self.channel = await self.topology.keep_once(channel)

    async def declare_again(self) -> None:
        """Declare everything once more, beside what is being published."""
        channel = await self.connection.channel(publisher_confirms=False)
        channel = await self.topology.keep_once(await self.topology.declare(channel))
        await channel.close()

    async def create(self, url: Any, **kwargs: Any) -> Any:
        """Connect for the library, keeping the socket: it can't leave a far end that is frozen."""
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self._writer = await factory.create(url, **kwargs)
        return reader, self._writer

    @property
    def is_spent(self) -> bool:
        if self.is_doubtful or self.connection.is_closed or self.channel.is_closed:
            return True
        is_mute = self.world is not None and self.world.is_closed
        return is_mute and asyncio.get_running_loop().time() - self._opened_at > WORLD_REFUSED_S

    async def declare_exchanges(self, exchanges: set[str]) -> None:
        """Declare what no subscription names: to publish to nothing would close the channel."""
        if self.world is None:
            self.world = await self.connection.channel()
        for exchange in sorted(exchanges - self._exchanges):
            self.channel = await self.topology.declare_exchange(self.channel, exchange)
            self._exchanges.add(exchange)

    def refuses_world(self, exchange: str) -> bool:
        """Whether the world's copies are refused for good, and not by chance: see decision 0015.

        Until they have been for WAITED_OUT_S, what is wrong with the exchange may pass: then they
        are to be sent again.
        """
        if self.connection.is_closed or self.world is None or not self.world.is_closed:
            return False
        names, reason = self.topology.names, self.world.closing.exception()
        is_known = names.is_refused(exchange, DECLARE)
        if isinstance(reason, REFUSALS) and f"'{exchange}'" in str(reason) and not is_known:
            names.note(exchange, WRITE, reason)
        return any(
            names.is_refused(exchange, act) and names.refused_for_s(exchange, act) >= WAITED_OUT_S
            for act in (DECLARE, WRITE)
        )

    def give_up(self, exchange: str) -> None:
        """Tell, once, that the world's copies are not sent: waiting, they would hold up all."""
        if not self._has_given_up:
            self._has_given_up = True
            log.error("events are not told to others: their exchange refuses", exchange=exchange)

    async def do(
        self,
        work: Awaitable[T],
        timeout_s: float = ANSWER_TIMEOUT_S,
        *,
        progress: Callable[[], int] = lambda: 0,
    ) -> T:
        """Await what the library does on this link, for so long and while the link lives.

        :param progress: while it grows, the time begins anew.
        :raises BrokerUnavailable: the link is lost or silent; whether it was done is unknown.
        """
        lost = self.channel.closing
        try:
            return await in_time(work, timeout_s, lost, progress=progress)
        finally:
            lost.cancel()  # the library's name for: we no longer observe

    async def close(self, *, politely: bool = True) -> None:
        """Say goodbye if the broker listens, and hang up in any case."""
        if not politely:
            self._hang_up()
        # Without an error of ours, whoever waits for a confirm would look cancelled.
        error = aiormq.AMQPConnectionError("connection closed")
        try:
            with suppress(BrokerUnavailable):
                await in_time(self.connection.close(error), CLOSE_TIMEOUT_S)
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


async def in_time(
    work: Awaitable[T],
    timeout_s: float,
    *ends: "asyncio.Future[Any]",
    progress: Callable[[], int] = lambda: 0,
) -> T:
    """Await the library's work until it is done, or nothing comes, or one of the ends has come.

    In a task of its own, which is left to itself when it is late: the library takes no notice of
    some cancellations, for ever. It also cancels its own waiters when a connection is lost; a
    CancelledError that comes out of here was meant for us.

    :raises BrokerUnavailable: there is no result; whether it was done is unknown.
    """
    task, so_far = asyncio.ensure_future(work), -1
    task.add_done_callback(_look_at)
    come: set[asyncio.Future[Any]] = set()
    try:
        while not come and progress() > so_far:
            so_far = progress()
            come, _ = await asyncio.wait(
                [task, *ends], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
    finally:
        task.cancel()
    if not task.done():
        raise BrokerUnavailable(_end(come) if come else f"no answer for {timeout_s:g} s")
    if task.cancelled():
        raise BrokerUnavailable("connection closed")
    try:
        return task.result()
    except Exception as error:
        # A plain Exception is what the library tells its waiters when the far end hung up politely.
        if isinstance(error, LINK_ERRORS) or type(error) is Exception:
            raise BrokerUnavailable(explained(error)) from error
        raise


def _end(come: "set[asyncio.Future[Any]]") -> str:
    """Say why the link ended, if its end has left a word."""
    errors = [one.exception() for one in come if one.done() and not one.cancelled()]
    refusals = [error for error in errors if isinstance(error, REFUSALS)]
    return explained(refusals[0]) if refusals else "connection lost"


def _help(refusal: str) -> str:
    return "".join(f"; {what}" for word, what in _HELPS.items() if word in refusal)


def _look_at(left_alone: "asyncio.Future[Any]") -> None:
    """Take note of how it ended, which nobody minds any more, so that asyncio doesn't complain."""
    if not left_alone.cancelled():
        left_alone.exception()


def explained(error: BaseException) -> str:
    """Say what the far end has against us, and what to do about it."""
    text = str(error) or repr(error)
    match error:
        case ChannelClosed():
            return f"{text}; {remedy(error)}" if isinstance(error, REFUSALS) else text
        case ProbableAuthenticationError():
            return f"{text} - check user and password in the broker's URL"
        case ConnectionClosed(args=(_, str(said))):
            return f"{said} - {VHOST_HELP}" if "vhost" in said else said
        case InvalidFrameError() if "OpenOk" in text:
            # The library has read the broker's reason, and keeps it to itself.
            return f"the broker refuses the vhost - {VHOST_HELP}"
        case IncompatibleProtocolError() | ProtocolSyntaxError() | EOFError():
            return f"what answers there speaks no AMQP ({text}); {PORT_HELP}"
        case _:
            return text
