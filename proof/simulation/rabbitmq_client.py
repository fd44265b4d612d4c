"""The client library's face: `aiormq.Connection` and its channels, as far as Holdfast uses them.

What it does when things go wrong is taken from aiormq 7.2: which error comes when, what a cancelled
request does to its channel, and that a waiter may never hear of a connection's end.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from aiormq.abc import DeliveredMessage
from aiormq.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ChannelClosed,
    ChannelInvalidStateError,
    DeliveryError,
    PublishError,
)
from pamqp.commands import Basic
from pamqp.header import ContentHeader
from yarl import URL

from proof.simulation.rabbitmq_faults import Fate
from proof.simulation.rabbitmq_queues import Arguments, Letter
from proof.simulation.rabbitmq_sessions import ChannelSession, ConnectionSession, Request
from proof.simulation.rabbitmq_wire import Line

CLOSE_OK_S_MAX = 2.0  # the library's READER_CLOSE_TIMEOUT
LINGER_S_MAX = 33.0  # how long it may try to flush to a far end that doesn't read

Arrive = Callable[[DeliveredMessage], Coroutine[Any, Any, Any]]


class TransportFactory(Protocol):
    """How a connection gets its two ends: ours, or an adapter's around ours."""

    async def create(self, url: Any, **rest: Any) -> Any: ...


class Closable:
    """What ends once, and tells whoever waits."""

    def __init__(self) -> None:
        self._closing = self._future()

    @staticmethod
    def _future() -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_look_at)
        return future

    @property
    def is_closed(self) -> bool:
        return self._closing.done()

    @property
    def closing(self) -> "asyncio.Future[Any]":
        """An observer of one's own, which may be cancelled without harm."""
        if self._closing.done():
            return self._closing
        observer = self._future()

        def tell(source: "asyncio.Future[Any]") -> None:
            if not observer.done():
                _copy(source, observer)

        self._closing.add_done_callback(tell)
        observer.add_done_callback(lambda _: self._closing.remove_done_callback(tell))
        return observer


class Connection(Closable):
    """A connection as `aiormq.Connection` is one."""

    def __init__(self, url: str, *, transport_factory: TransportFactory) -> None:
        super().__init__()
        self.url, self._factory = URL(url), transport_factory
        self._session: ConnectionSession | None = None
        self._line: Line
        self.channels: dict[int, Channel] = {}
        self._numbers = 0

    async def connect(self) -> None:
        self._session, self._line = await self._factory.create(self.url, ssl_context_provider=None)
        self._line.client_loses = self.lose
        opened = self.closing  # one of our own, which we settle when the answer comes
        self._line.to_broker.put(lambda: self._line.to_client.put(lambda: settle(opened, None)))
        await opened

    async def channel(self, publisher_confirms: bool = True) -> "Channel":
        if self._session is None or self.is_closed:
            raise RuntimeError(f"{self!r} closed")
        self._numbers += 1
        channel = Channel(self, self._line, self._numbers)
        channel.publisher_confirms = publisher_confirms
        self.channels[self._numbers] = channel
        await channel.open(self._session, has_confirms=publisher_confirms)
        return channel

    async def close(self, exc: Exception | None = None) -> None:
        if self.is_closed:
            return
        if self._session is not None:
            await self._say_goodbye()
        self.lose(exc or AMQPConnectionError("connection closed"))

    async def _say_goodbye(self) -> None:
        line, heard = self._line, self.closing

        def hear() -> None:
            line.to_client.put(lambda: settle(heard, None))
            line.end_at_broker()

        line.to_broker.put(hear)
        if line.fate.strikes("slow_goodbyes"):
            await _linger(line.fate)
        with suppress(TimeoutError, AMQPError):
            async with asyncio.timeout(CLOSE_OK_S_MAX):
                await heard
        line.abort()

    def lose(self, error: Exception) -> None:
        """Learn that the connection has ended."""
        if self.is_closed:
            return
        fate: Fate | None = self._line.fate if self._session is not None else None
        is_deaf = fate is not None and fate.strikes("deaf_waiters")
        self._closing.set_exception(error)
        for channel in self.channels.values():
            channel.lose(error, is_deaf=is_deaf)


class Channel(Closable):
    """A channel as `aiormq.Channel` is one."""

    def __init__(self, connection: Connection, line: Line, number: int) -> None:
        super().__init__()
        self.connection, self.number = connection, number
        self.publisher_confirms = True
        self.on_consumer_cancel_callbacks: set[Callable[[Basic.Cancel], object]] = set()
        self._line = line
        self._session: ChannelSession
        self._lock = asyncio.Lock()
        self._is_ending = False  # nothing more is sent
        self._answers: dict[asyncio.Future[Any], None] = {}
        self._confirmations: dict[int, asyncio.Future[Any]] = {}
        self._arrive: dict[str, Arrive] = {}
        self._published = 0

    async def open(self, connection: ConnectionSession, *, has_confirms: bool) -> None:
        self._session = connection.open_channel(self, has_confirms=has_confirms)
        await self._ask(lambda _: None)  # Channel.Open
        if has_confirms:
            await self._ask(lambda _: None)  # Confirm.Select

    async def close(self) -> None:
        if self.is_closed:
            return
        closing = self.closing
        self._say_goodbye()
        await asyncio.wait([closing])

    def _say_goodbye(self) -> None:
        if not self._is_ending:
            self._is_ending = True
            self._line.to_broker.put(self._session.close)

    async def _ask(self, request: Request) -> Any:
        """Send a request and wait for its answer; one at a time."""
        self._assert_open()
        async with self._lock:
            self._assert_open()
            answer = self._future()
            self._answers[answer] = None
            self._line.to_broker.put(lambda: self._session.answer(request, answer))
            try:
                return await answer
            except asyncio.CancelledError:
                # Its answer would be taken for that of the next one.
                if not self.is_closed:
                    self._say_goodbye()
                raise
            finally:
                self._answers.pop(answer, None)

    def _assert_open(self) -> None:
        if self.is_closed or self._is_ending:
            raise ChannelInvalidStateError(f"{self!r} closed")

    async def exchange_declare(
        self,
        exchange: str,
        *,
        exchange_type: str = "direct",
        passive: bool = False,
        durable: bool = False,
    ) -> None:
        if passive:
            await self._ask(lambda session: session.exchange(exchange))
        else:
            assert durable, "nothing of ours is lost in a restart"
            await self._ask(lambda session: session.declare_exchange(exchange, exchange_type))

    async def queue_declare(
        self,
        queue: str,
        *,
        passive: bool = False,
        durable: bool = False,
        arguments: Arguments | None = None,
    ) -> None:
        if passive:
            await self._ask(lambda session: session.queue(queue))
        else:
            assert durable, "nothing of ours is lost in a restart"
            await self._ask(lambda session: session.declare_queue(queue, arguments or {}))

    async def queue_bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        await self._ask(lambda session: session.bind(queue, exchange, routing_key))

    async def queue_delete(self, queue: str) -> None:
        await self._ask(lambda session: session.delete_queue(queue))

    async def basic_qos(self, *, prefetch_count: int) -> None:
        await self._ask(lambda session: session.limit(prefetch_count))

    async def basic_consume(self, queue: str, consumer_callback: Arrive) -> None:
        tag = f"ctag{self.number}.{len(self._arrive) + 1}"
        self._arrive[tag] = consumer_callback
        await self._ask(lambda session: session.consume(queue, tag))

    async def basic_get(self, queue: str, *, no_ack: bool) -> DeliveredMessage:
        assert no_ack, "only an operator takes messages one by one"
        letter: Letter | None = await self._ask(lambda session: session.get(queue))
        if letter is None:
            return DeliveredMessage(Basic.GetEmpty(), ContentHeader(), b"", self)  # type: ignore[arg-type] # ours is one for all they ask
        found = Basic.GetOk(0, False, letter.exchange, letter.routing_key, 0)
        return self._delivered(found, letter)

    async def basic_publish(
        self,
        body: bytes,
        *,
        exchange: str = "",
        routing_key: str = "",
        properties: Basic.Properties | None = None,
        mandatory: bool = False,
    ) -> None:
        letter = Letter(exchange, routing_key, body, properties or Basic.Properties())
        self._assert_open()
        async with self._lock:
            self._assert_open()
            self._published += 1
            number, confirmation = self._published, self._future()
            self._confirmations[number] = confirmation
            self._line.to_broker.put(
                lambda: self._session.publish(number, letter, is_mandatory=mandatory)
            )
        await confirmation

    async def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        self._assert_open()
        self._line.to_broker.put(
            lambda: self._session.acknowledge(delivery_tag, is_multiple=multiple)
        )

    # What the broker says.

    def fulfil(self, answer: "asyncio.Future[Any]", result: object) -> None:
        settle(answer, result)

    def confirm(self, number: int, *, is_held: bool) -> None:
        confirmation = self._confirmations.pop(number, None)
        if confirmation is None or confirmation.done():
            return  # it was returned, or nobody waits any more
        if is_held:
            confirmation.set_result(None)
        else:
            confirmation.set_exception(DeliveryError(None, Basic.Nack(number)))

    def take_back(self, number: int, letter: Letter) -> None:
        confirmation = self._confirmations.pop(number, None)
        if confirmation is not None and not confirmation.done():
            returned = Basic.Return(312, "NO_ROUTE", letter.exchange, letter.routing_key)
            error = PublishError(self._delivered(returned, letter), returned)
            confirmation.set_exception(error)

    def deliver(self, consumer: str, tag: int, letter: Letter, *, is_redelivered: bool) -> None:
        arrive = self._arrive.get(consumer)
        if arrive is None or self._is_ending:
            return
        delivery = Basic.Deliver(consumer, tag, is_redelivered, letter.exchange, letter.routing_key)
        # The library makes a task of it. What never waits can as well be done with at once.
        try:
            arrive(self._delivered(delivery, letter)).send(None)
        except StopIteration:
            return
        raise AssertionError("a consumer's callback must not wait")

    def end_consumer(self, consumer: str) -> None:
        if self._arrive.pop(consumer, None) is not None:
            assert len(self.on_consumer_cancel_callbacks) < 2, "a set has no order"
            for callback in self.on_consumer_cancel_callbacks:
                callback(Basic.Cancel(consumer))

    def end(self, error: Exception | None) -> None:
        self.connection.channels.pop(self.number, None)
        self.lose(error or ChannelClosed(None, None), is_deaf=False)

    def lose(self, error: Exception, *, is_deaf: bool) -> None:
        """Tell everybody that the channel is no more; the deaf ones wait on."""
        if self.is_closed:
            return
        self._is_ending = True
        if not is_deaf:
            for waiter in [*self._answers, *self._confirmations.values()]:
                if not waiter.done():
                    waiter.set_exception(error)
        self._closing.set_exception(error)

    def _delivered(self, frame: Any, letter: Letter) -> DeliveredMessage:
        header = ContentHeader(properties=letter.properties, body_size=len(letter.body))
        return DeliveredMessage(frame, header, letter.body, self)  # type: ignore[arg-type] # ours is one for all they ask


async def _linger(fate: Fate) -> None:
    """Take long, and take no notice of being cancelled."""
    end = fate.now() + fate.rng.uniform(0, LINGER_S_MAX)
    while (left_s := end - fate.now()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(left_s)


def settle(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _copy(source: "asyncio.Future[Any]", target: "asyncio.Future[Any]") -> None:
    error = source.exception()
    if error is None:
        target.set_result(source.result())
    else:
        target.set_exception(error)


def _look_at(future: "asyncio.Future[Any]") -> None:
    """Take note of an error that nobody minds, so that asyncio doesn't complain."""
    if not future.cancelled():
        future.exception()
