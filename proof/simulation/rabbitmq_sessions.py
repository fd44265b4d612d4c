"""The broker's end of connections and channels: what clients ask for, and what they are told."""

from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiormq import exceptions as amqp

from proof.simulation.rabbitmq_faults import Fate
from proof.simulation.rabbitmq_queues import (
    Arguments,
    Consumer,
    Exchange,
    Held,
    Letter,
    QuorumQueue,
)
from proof.simulation.rabbitmq_wire import Line

Request = Callable[["ChannelSession"], object]
Confirmed = Callable[[], object]


class Refusal(Exception):
    """What was asked for ends the channel; the error is what the client library makes of it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Ears(Protocol):
    """The client's end of a channel: what it may be told."""

    def fulfil(self, answer: "Future[Any]", result: object) -> None: ...

    def confirm(self, number: int, *, is_held: bool) -> None: ...

    def take_back(self, number: int, letter: Letter) -> None: ...

    def deliver(self, consumer: str, tag: int, letter: Letter, *, is_redelivered: bool) -> None: ...

    def end_consumer(self, consumer: str) -> None: ...

    def end(self, error: Exception | None) -> None: ...


class House(Protocol):
    """The broker as its sessions need it."""

    exchanges: dict[str, Exchange]
    queues: dict[str, QuorumQueue]
    fate: Fate
    is_short_of_memory: bool
    refusals: int

    def declare_exchange(self, name: str, kind: str) -> None: ...

    def declare_queue(self, name: str, arguments: Arguments) -> QuorumQueue: ...

    def delete_queue(self, name: str) -> int: ...

    def route(self, exchange: str, routing_key: str) -> list[QuorumQueue]: ...

    def hold(self, letter: Letter, queues: list[QuorumQueue]) -> bool: ...


@dataclass(slots=True, eq=False)
class Unacked:
    """A message on its way through a client."""

    queue: QuorumQueue
    consumer: Consumer
    held: Held


class ChannelSession:
    """One channel. Tags, prefetch and acknowledgements belong to it alone."""

    def __init__(self, house: House, line: Line, ears: Ears, *, has_confirms: bool) -> None:
        self._house, self._line, self._ears = house, line, ears
        self._has_confirms = has_confirms
        self._unacked: dict[int, Unacked] = {}
        self._tags = 0
        self._prefetch = 0
        self._is_stubborn: bool | None = None  # not known before something is published
        self.consumers: dict[str, tuple[QuorumQueue, Consumer]] = {}
        self.is_open = True

    # Frames from the client.

    def answer(self, request: Request, answer: "Future[Any]") -> None:
        if not self.is_open:
            return
        try:
            result = request(self)
        except Refusal as refusal:
            self._fail(refusal.error)
        else:
            self._line.to_client.put(lambda: self._ears.fulfil(answer, result))

    def close(self) -> None:
        if self.is_open:
            self.end()
        self._line.to_client.put(lambda: self._ears.end(None))

    def declare_exchange(self, name: str, kind: str) -> None:
        there = self._house.exchanges.get(name)
        if there is not None and there.kind != kind:
            text = f"inequivalent arg 'type' for exchange '{name}'"
            raise Refusal(amqp.ChannelPreconditionFailed(text))
        self._house.declare_exchange(name, kind)

    def declare_queue(self, name: str, arguments: Arguments) -> None:
        there = self._house.queues.get(name)
        if there is not None and there.arguments != arguments:
            text = f"inequivalent arg for queue '{name}'"
            raise Refusal(amqp.ChannelPreconditionFailed(text))
        self._house.declare_queue(name, arguments)

    def bind(self, queue: str, exchange: str, key: str) -> None:
        self.queue(queue)
        self.exchange(exchange).bind(queue, key)
        for other in list(self._house.queues.values()):
            other.bury_dead()

    def queue(self, name: str) -> QuorumQueue:
        """Find a queue: all that a passive declaration does."""
        if name not in self._house.queues:
            raise Refusal(amqp.ChannelNotFoundEntity(f"no queue '{name}' in vhost '/'"))
        return self._house.queues[name]

    def exchange(self, name: str) -> Exchange:
        if name not in self._house.exchanges:
            raise Refusal(amqp.ChannelNotFoundEntity(f"no exchange '{name}' in vhost '/'"))
        return self._house.exchanges[name]

    def delete_queue(self, name: str) -> int:
        return self._house.delete_queue(name)

    def limit(self, prefetch: int) -> None:
        self._prefetch = prefetch

    def consume(self, name: str, tag: str) -> None:
        queue = self.queue(name)
        consumer = Consumer(tag, self._prefetch, hand_out=self._hand_out)
        self.consumers[tag] = queue, consumer
        queue.consumers.append(consumer)
        queue.serve()

    def get(self, name: str) -> Letter | None:
        """Take one message without acknowledgement."""
        queue = self.queue(name)
        held = queue.take()
        if held is None:
            return None
        queue.settle(held)
        return held.letter

    def publish(self, number: int, letter: Letter, *, is_mandatory: bool) -> None:
        if not self.is_open:
            return
        if self._house.is_short_of_memory:
            self._line.block(lambda: self.publish(number, letter, is_mandatory=is_mandatory))
            return
        if letter.exchange and letter.exchange not in self._house.exchanges:
            self._house.refusals += 1
            self._fail(amqp.ChannelNotFoundEntity(f"no exchange '{letter.exchange}' in vhost '/'"))
            return
        queues = self._house.route(letter.exchange, letter.routing_key)
        if is_mandatory and not queues:
            self._house.refusals += 1
            self._line.to_client.put(lambda: self._ears.take_back(number, letter))
            self._confirm(number, is_held=True)  # it says that the broker is done with it
            return
        self._take(number, letter, queues)

    def _take(self, number: int, letter: Letter, queues: list[QuorumQueue]) -> None:
        fate = self._house.fate
        if self._is_stubborn is None:
            self._is_stubborn = fate.strikes("stubborn_channels")
        if self._is_stubborn:
            self._house.refusals += 1
            self._confirm(number, is_held=False)
            return
        if fate.strikes("nacks"):
            self._house.refusals += 1
            if fate.rng.random() < 0.5:
                self._house.hold(letter, queues)
            self._confirm(number, is_held=False)
            return
        is_held = self._house.hold(letter, queues)
        self._house.refusals += not is_held
        if fate.strikes("lost_confirms"):
            self._line.cut()
        elif fate.strikes("late_confirms"):
            delay_s = fate.rng.uniform(0, fate.faults.confirm_s_max)
            fate.later(delay_s, lambda: self._confirm_if_led(number, queues, is_held=is_held))
        else:
            self._confirm_if_led(number, queues, is_held=is_held)

    def _confirm_if_led(self, number: int, queues: list[QuorumQueue], *, is_held: bool) -> None:
        """Without a leader a queue confirms nothing; what it has got it keeps."""
        if any(queue.is_stalled for queue in queues):
            self._house.fate.later(
                0.5, lambda: self._confirm_if_led(number, queues, is_held=is_held)
            )
        else:
            self._confirm(number, is_held=is_held)

    def _confirm(self, number: int, *, is_held: bool) -> None:
        if self.is_open and self._has_confirms:
            self._line.to_client.put(lambda: self._ears.confirm(number, is_held=is_held))

    def acknowledge(self, tag: int, *, is_multiple: bool) -> None:
        if not self.is_open:
            return
        if tag not in self._unacked:
            self._fail(amqp.ChannelPreconditionFailed(f"unknown delivery tag {tag}"))
            return
        tags = [one for one in self._unacked if one <= tag] if is_multiple else [tag]
        settled = [self._unacked.pop(one) for one in tags]
        for unacked in settled:
            unacked.consumer.outstanding -= 1
            unacked.queue.settle(unacked.held)
            self._repeat_perhaps(unacked)
        for queue in dict.fromkeys(unacked.queue for unacked in settled):
            queue.serve()

    def _repeat_perhaps(self, unacked: Unacked) -> None:
        fate, queue = self._house.fate, unacked.queue
        if fate.strikes("duplicates") and not queue.is_deleted:
            fate.later(
                fate.rng.uniform(0, fate.faults.blow_s_max), queue.repeat, unacked.held.letter
            )

    # What the broker does by itself.

    def _hand_out(self, consumer: Consumer, held: Held) -> None:
        self._tags += 1
        tag, queue = self._tags, self.consumers[consumer.tag][0]
        self._unacked[tag] = Unacked(queue, consumer, held)
        letter, is_redelivered = held.letter, held.is_redelivered
        self._line.to_client.put(
            lambda: self._ears.deliver(consumer.tag, tag, letter, is_redelivered=is_redelivered)
        )

    def has(self, consumer: Consumer) -> bool:
        return any(one is consumer for _, one in self.consumers.values())

    def cancel(self, consumer: Consumer) -> None:
        """Send a consumer nothing more, and tell it; what it has it may still acknowledge."""
        queue, _ = self.consumers.pop(consumer.tag)
        queue.remove(consumer)
        self._line.to_client.put(lambda: self._ears.end_consumer(consumer.tag))

    def _fail(self, error: Exception) -> None:
        self.end()
        self._line.to_client.put(lambda: self._ears.end(error))

    def end(self) -> None:
        """Take everything back that was not acknowledged."""
        self.is_open = False
        for queue, consumer in self.consumers.values():
            queue.remove(consumer)
        self.consumers.clear()
        returned: dict[QuorumQueue, list[Held]] = {}
        for unacked in self._unacked.values():
            returned.setdefault(unacked.queue, []).append(unacked.held)
        self._unacked.clear()
        fate = self._house.fate
        for queue, all_held in returned.items():
            if fate.strikes("shuffled_returns"):
                fate.rng.shuffle(all_held)
            queue.give_back(all_held)


class ConnectionSession:
    """One connection: its channels live and die with it."""

    def __init__(self, house: House, line: Line) -> None:
        self._house, self.line = house, line
        self.channels: list[ChannelSession] = []
        self.is_open = True

    def open_channel(self, ears: Ears, *, has_confirms: bool) -> ChannelSession:
        session = ChannelSession(self._house, self.line, ears, has_confirms=has_confirms)
        self.channels.append(session)
        return session

    def end(self) -> None:
        self.is_open = False
        for channel in self.channels:
            if channel.is_open:
                channel.end()
