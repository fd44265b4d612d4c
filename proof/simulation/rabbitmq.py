"""A RabbitMQ in memory behind the client library's own face: the real adapter runs on it unchanged.

What is durable there is durable here; what may go wrong there goes wrong here, by the dice. Only
what the operator deletes is lost, and whoever publishes it can know.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from unittest import mock

import aiormq
from aiormq.exceptions import ConnectionClosed

from holdfast.chassis import rabbitmq_link
from proof.simulation.rabbitmq_client import Channel, Connection
from proof.simulation.rabbitmq_faults import Blows, Faults, Weather
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
    """

    def __init__(
        self,
        rng: Random,
        faults: Faults | None = None,
        *,
        owner: Callable[[], Hashable] = lambda: None,
    ) -> None:
        self.weather = Weather(rng, faults or Faults())
        self.exchanges: dict[str, Exchange] = {}
        self.queues: dict[str, QuorumQueue] = {}
        self.heard: list[Heard] = []
        self.is_short_of_memory = False
        self._owner = owner
        self._lines = 0
        self._sessions: dict[int, ConnectionSession] = {}  # by line
        self._refusals = 0
        self._frozen_owners: list[Hashable] = []
        lasting = self.weather.blow_s
        self._blows = Blows(
            self.weather,
            {
                "cuts_per_min": self.cut,
                "freezes_per_min": lambda: self.freeze_one(lasting()),
                "refusals_per_min": lambda: self.refuse(lasting()),
                "restarts_per_min": lambda: self.restart(lasting()),
                "alarms_per_min": lambda: self.run_short_of_memory(lasting()),
                "elections_per_min": lambda: self.stall(lasting()),
                "cancels_per_min": self.cancel_consumer,
                "forgotten_per_min": self.forget_consumer,
                "lost_bindings_per_min": self.lose_binding,
                "lost_queues_per_min": self.lose_queue,
            },
        )

    @contextmanager
    def in_place_of_the_real_one(self) -> Iterator[None]:
        """Let the adapter's links end here, whatever address they are given."""
        with (
            mock.patch.object(aiormq, "Connection", Connection),
            mock.patch.object(rabbitmq_link, "TCPTransportFactory", partial(Factory, self)),
        ):
            yield

    def start_faults(self) -> None:
        """Let the blows fall from now on; shares are always in force."""
        self._blows.start()

    def heal(self) -> None:
        """End what goes wrong, for good. What was lost stays lost."""
        self._blows.stop()
        self.weather.faults = Faults()
        self._refusals = 0
        self._frozen_owners.clear()
        self.end_shortage()
        for session in self._all_sessions():
            session.line.thaw()
        for queue in list(self.queues.values()):
            queue.lead()

    @property
    def depths(self) -> dict[str, int]:
        """How many messages each queue keeps."""
        return {name: queue.length for name, queue in self.queues.items()}

    # What sessions ask for.

    async def open_line(self) -> Line:
        """Connect, as TCP does.

        :raises ConnectionRefusedError: nobody listens.
        """
        if delay_s := self.weather.frame_s():
            await asyncio.sleep(delay_s)
        if self._refusals:
            raise ConnectionRefusedError(111, "Connection refused")
        owner = self._owner()
        self._lines += 1
        line = Line(self._lines, owner, self.weather)
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
            self._cancel(consumer)
        return length

    def route(self, exchange: str, routing_key: str) -> list[QuorumQueue]:
        # On the default exchange every queue is bound by its name.
        names = self.exchanges[exchange].queues_for(routing_key) if exchange else [routing_key]
        return [self.queues[name] for name in names if name in self.queues]

    def hold(self, letter: Letter, queues: list[QuorumQueue]) -> bool:
        """Put a letter into all of the queues; return whether all of them took it."""
        answers = [queue.put(letter) for queue in queues]
        if letter.exchange and (any(answers) or not answers):
            self.heard.append(Heard(self.weather.now(), letter))
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

    # What may happen to it. Sessions are in the order in which they began.

    def lose(self, owner: Hashable) -> None:
        """The owner's process was killed: its machine closes its connections."""
        for session in self._all_sessions():
            if session.line.owner == owner:
                session.line.abort()

    def freeze(self, owner: Hashable) -> None:
        """The owner's process stands still, or no packet comes through."""
        self._frozen_owners.append(owner)
        for session in self._all_sessions():
            if session.line.owner == owner:
                session.line.freeze()

    def thaw(self, owner: Hashable) -> None:
        self._frozen_owners = [one for one in self._frozen_owners if one != owner]
        for session in self._all_sessions():
            if session.line.owner == owner:
                session.line.thaw()

    def cut(self) -> None:
        """End a connection."""
        if self._sessions:
            self.weather.rng.choice(self._all_sessions()).line.cut()

    def cut_all(self) -> None:
        for session in self._all_sessions():
            session.line.cut()

    def freeze_one(self, seconds: float) -> None:
        """Let a connection carry nothing for a while."""
        if self._sessions:
            line = self.weather.rng.choice(self._all_sessions()).line
            line.freeze()
            self.weather.later(seconds, line.thaw)

    def refuse(self, seconds: float) -> None:
        """Accept no connection for a while."""
        self._refusals += 1
        self.weather.later(seconds, self.start)

    def start(self) -> None:
        """Accept connections again, unless there is another reason not to."""
        self._refusals = max(0, self._refusals - 1)

    def restart(self, seconds: float) -> None:
        """Be away for a while; what is durable is there afterwards."""
        self.stop()
        self.weather.later(seconds, self.start)

    def stop(self) -> None:
        self._refusals += 1
        goodbye = self.weather.strikes(0.5)  # killed, it says none
        for session in self._all_sessions():
            text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
            session.line.cut(ConnectionClosed(320, text) if goodbye else None)
        self.end_shortage()

    def run_short_of_memory(self, seconds: float) -> None:
        self.is_short_of_memory = True
        self.weather.later(seconds, self.end_shortage)

    def end_shortage(self) -> None:
        self.is_short_of_memory = False
        for session in self._all_sessions():
            session.line.unblock()

    def stall(self, seconds: float) -> None:
        """Let a queue be without leader for a while."""
        if self.queues:
            queue = self.weather.rng.choice(list(self.queues.values()))
            queue.is_stalled = True
            self.weather.later(seconds, queue.lead)

    def cancel_consumer(self) -> None:
        if consumers := self._all_consumers():
            self._cancel(self.weather.rng.choice(consumers))

    def forget_consumer(self) -> None:
        """Send a consumer nothing more, and don't tell it, as RabbitMQ 3.10 does at times."""
        if consumers := self._all_consumers():
            self.weather.rng.choice(consumers).is_forgotten = True

    def lose_binding(self) -> None:
        bound = [
            (exchange, queue, key)
            for exchange in self.exchanges.values()
            for key, queues in exchange.bindings.items()
            for queue in queues
        ]
        if bound:
            exchange, queue, key = self.weather.rng.choice(bound)
            exchange.unbind(queue, key)

    def lose_queue(self) -> None:
        if self.queues:
            self.delete_queue(self.weather.rng.choice(list(self.queues)))

    def _cancel(self, consumer: Consumer) -> None:
        for session in self._all_sessions():
            for channel in session.channels:
                if channel.has(consumer):
                    channel.cancel(consumer)

    def _all_consumers(self) -> list[Consumer]:
        return [consumer for queue in self.queues.values() for consumer in queue.consumers]

    def _all_sessions(self) -> list[ConnectionSession]:
        return list(self._sessions.values())


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
