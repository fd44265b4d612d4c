"""A RabbitMQ in memory behind the client library's own face: the real adapter runs on it unchanged.

What is durable there is durable here; what may go wrong there goes wrong here, by the dice. Only
what the operator deletes is lost, and whoever publishes it can know.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from unittest import mock

import aiormq
from aiormq.exceptions import ConnectionClosed

from holdfast.chassis.messaging import rabbitmq_link
from proof.simulation.rabbitmq_client import Channel, Connection
from proof.simulation.rabbitmq_faults import Fate, Faults, Tell
from proof.simulation.rabbitmq_queues import Arguments, Consumer, Exchange, Letter, QuorumQueue
from proof.simulation.rabbitmq_sessions import ConnectionSession
from proof.simulation.rabbitmq_wire import Line

URL = "amqp://simulated/"


@dataclass(frozen=True, slots=True)
class Heard:
    """A letter as an audit queue bound to everything has it."""

    at: float
    letter: Letter


class SimulatedRabbitMQ:
    """The broker, with one vhost.

    :param owner: whose connection one is that is being opened, such as a simulated process.
    :param tell: is told of every blow.
    :param may_be_lost: types of the messages that an operator may purge.
    """

    def __init__(
        self,
        rng: Random,
        faults: Faults | None = None,
        *,
        owner: Callable[[], Hashable] = lambda: None,
        tell: Tell = lambda _: None,
        may_be_lost: Collection[str] = (),
    ) -> None:
        self.fate = Fate(rng, faults or Faults(), tell)
        self.exchanges: dict[str, Exchange] = {}
        self.queues: dict[str, QuorumQueue] = {}
        self.heard: list[Heard] = []
        self.lost: list[Letter] = []  # by purges
        self._may_be_lost = may_be_lost
        self.refusals = 0  # messages that came and were not taken, whatever the reason
        self.is_short_of_memory = False
        self._owner = owner
        self._connected = 0
        self._sessions: dict[int, ConnectionSession] = {}  # by line
        self._refusals = 0
        self._frozen_owners: list[Hashable] = []

    @contextmanager
    def in_place_of_the_real_one(self) -> Iterator[None]:
        """Let the adapter's links end here, whatever address they are given."""
        with (
            mock.patch.object(aiormq, "Connection", Connection),
            mock.patch.object(rabbitmq_link, "TCPTransportFactory", partial(Factory, self)),
        ):
            yield

    def heal(self) -> None:
        """End what goes wrong, for good. What was lost stays lost."""
        self.fate.faults = Faults()
        self._refusals = 0
        self._frozen_owners.clear()
        self.end_shortage()
        for line in self.lines:
            line.thaw()
        for queue in list(self.queues.values()):
            queue.lead()

    @property
    def lines(self) -> list[Line]:
        """The connections that the broker believes in, the oldest first."""
        return [session.line for session in self._sessions.values()]

    @property
    def consumers(self) -> list[Consumer]:
        return [consumer for queue in self.queues.values() for consumer in queue.consumers]

    @property
    def depths(self) -> dict[str, int]:
        """How many messages each queue keeps."""
        return {name: queue.length for name, queue in self.queues.items()}

    # What sessions ask for.

    async def open_line(self) -> Line:
        """Connect, as TCP does.

        :raises ConnectionRefusedError: nobody listens.
        """
        if delay_s := self.fate.frame_s():
            await asyncio.sleep(delay_s)
        if self._refusals:
            raise ConnectionRefusedError(111, "Connection refused")
        owner = self._owner()
        self._connected += 1
        line = Line(self._connected, owner, self.fate)
        session = self._sessions[line.number] = ConnectionSession(self, line)

        def lose() -> None:
            self._sessions.pop(line.number, None)
            session.end()

        line.broker_loses = lose
        if owner in self._frozen_owners:
            line.freeze()
        return line

    def session_of(self, line: Line) -> ConnectionSession:
        return self._sessions[line.number]

    def declare_exchange(self, name: str, kind: str) -> None:
        self.exchanges.setdefault(name, Exchange(name, kind))

    def declare_queue(self, name: str, arguments: Arguments) -> QuorumQueue:
        if name not in self.queues:
            self.queues[name] = QuorumQueue(name, arguments, lambda one: self._bury(one, arguments))
        return self.queues[name]

    def delete_queue(self, name: str) -> int:
        """Delete a queue with all it has; return how many messages that were."""
        queue = self.queues.pop(name, None)
        if queue is None:
            return 0
        length = queue.length
        for exchange in self.exchanges.values():
            exchange.forget(name)
        for consumer in queue.delete():
            self.cancel(consumer)
        return length

    def route(self, exchange: str, routing_key: str) -> list[QuorumQueue]:
        # On the default exchange every queue is bound by its name.
        names = self.exchanges[exchange].queues_for(routing_key) if exchange else [routing_key]
        return [self.queues[name] for name in names if name in self.queues]

    def hold(self, letter: Letter, queues: list[QuorumQueue]) -> bool:
        """Put a letter into all of the queues; return whether all of them took it."""
        answers = [queue.put(letter) for queue in queues]
        if letter.exchange and (any(answers) or not answers):
            self.heard.append(Heard(self.fate.now(), letter))
        return all(answers)

    def _bury(self, letter: Letter, arguments: Arguments) -> bool:
        """Move a dead letter on, at least once: False if no queue has taken it."""
        exchange = arguments.get("x-dead-letter-exchange")
        if exchange is None:
            return True  # nobody wants to know
        if exchange not in self.exchanges:
            return False
        key = arguments.get("x-dead-letter-routing-key", letter.routing_key)
        queues = self.route(exchange, key)
        answers = [queue.put(letter) for queue in queues]
        return bool(answers) and all(answers)

    # What may happen to it.

    def lose(self, owner: Hashable) -> None:
        """The owner's process was killed: its machine closes its connections."""
        for line in self._lines_of(owner):
            line.abort()

    def freeze(self, owner: Hashable) -> None:
        """The owner's process stands still, or no packet comes through."""
        self._frozen_owners.append(owner)
        for line in self._lines_of(owner):
            line.freeze()

    def thaw(self, owner: Hashable) -> None:
        self._frozen_owners = [one for one in self._frozen_owners if one != owner]
        for line in self._lines_of(owner):
            line.thaw()

    def _lines_of(self, owner: Hashable) -> list[Line]:
        return [line for line in self.lines if line.owner == owner]

    def refuse(self) -> None:
        """Accept no connection until `accept`, which is to come as often."""
        self._refusals += 1

    def accept(self) -> None:
        self._refusals = max(0, self._refusals - 1)

    def stop(self) -> None:
        """Be away until `accept`; what is durable is there afterwards."""
        self.refuse()
        is_polite = self.fate.rng.random() < 0.5  # killed, it says nothing
        text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
        for line in self.lines:
            line.cut(ConnectionClosed(320, text) if is_polite else None)
        self.end_shortage()

    def run_short(self) -> None:
        """Read no more from whoever publishes."""
        self.is_short_of_memory = True

    def end_shortage(self) -> None:
        self.is_short_of_memory = False
        for line in self.lines:
            line.unblock()

    def purge(self, queue: QuorumQueue) -> int:
        """Lose what waits in a queue, as far as it may be lost; return how many messages."""
        lost = queue.purge(
            # What bears no application's name was put there by hand.
            lambda one: (
                one.properties.message_type in self._may_be_lost and bool(one.properties.app_id)
            )
        )
        self.lost += lost
        return len(lost)

    def cancel(self, consumer: Consumer) -> None:
        """Send a consumer nothing more, and tell it."""
        for session in list(self._sessions.values()):
            for channel in session.channels:
                if channel.has(consumer):
                    channel.cancel(consumer)


class Factory:
    """What stands for aiormq's way to make a TCP connection."""

    def __init__(self, broker: SimulatedRabbitMQ) -> None:
        self._broker = broker

    async def create(self, url: Any, **_: Any) -> tuple[ConnectionSession, Line]:
        """Return what asyncio calls a reader and a writer: who answers, and what can be hung up."""
        try:
            line = await self._broker.open_line()
        except OSError as error:
            raise aiormq.AMQPConnectionError(*error.args) from error
        return self._broker.session_of(line), line


async def by_hand(broker: SimulatedRabbitMQ) -> tuple[Connection, Channel]:
    """Open a connection and a channel as an operator does."""
    connection = Connection(URL, transport_factory=Factory(broker))
    await connection.connect()
    return connection, await connection.channel()
