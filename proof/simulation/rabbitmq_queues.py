"""What the simulated broker keeps: exchanges, bindings, and quorum queues as in RabbitMQ 3.10.

A queue hands its messages round the consumers that have room. What is lost with a consumer comes
again before anything that waits, until it has come too often.
"""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from pamqp.commands import Basic

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it was published."""

    exchange: str
    routing_key: str
    body: bytes
    properties: Basic.Properties


@dataclass(slots=True, eq=False)
class Held:
    """A letter in one queue."""

    number: int  # in the order of arrival
    letter: Letter
    returns: int = 0

    @property
    def is_redelivered(self) -> bool:
        return self.returns > 0


@dataclass(slots=True, eq=False)
class Exchange:
    """Where letters are published to, and which queues are bound by which routing keys."""

    name: str
    kind: str
    bindings: dict[str, dict[str, None]] = field(default_factory=dict)  # key, queue; in order

    def bind(self, queue: str, key: str) -> None:
        self.bindings.setdefault(key, {})[queue] = None

    def unbind(self, queue: str, key: str) -> None:
        queues = self.bindings.get(key, {})
        queues.pop(queue, None)
        if not queues:
            self.bindings.pop(key, None)

    def forget(self, queue: str) -> None:
        for key in list(self.bindings):
            self.unbind(queue, key)

    def queues_for(self, routing_key: str) -> list[str]:
        found: dict[str, None] = {}
        for key, queues in self.bindings.items():
            if self._matches(key, routing_key):
                found |= queues
        return list(found)

    def _matches(self, key: str, routing_key: str) -> bool:
        if key == routing_key:
            return True
        return self.kind == "topic" and matches(key.split("."), routing_key.split("."))


def matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether a topic binding means the words: `*` is any one, `#` any number of them."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(matches(pattern[1:], words[n:]) for n in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and matches(pattern[1:], words[1:])


@dataclass(slots=True, eq=False)
class Consumer:
    """Who gets a queue's messages, as many at a time as it has room for."""

    tag: str
    prefetch: int  # 0: any number
    hand_out: Callable[["Consumer", Held], None]
    outstanding: int = 0
    is_forgotten: bool = False

    @property
    def has_room(self) -> bool:
        is_full = self.prefetch and self.outstanding >= self.prefetch
        return not is_full and not self.is_forgotten


class QuorumQueue:
    """A durable queue. `bury` finds a place for what came too often, and tells whether it did."""

    def __init__(self, name: str, arguments: Arguments, bury: Callable[[Letter], bool]) -> None:
        self.name, self.arguments = name, arguments
        self.limit: int = arguments.get("x-delivery-limit", -1)
        self._length_max: int | None = arguments.get("x-max-length")
        self._bury = bury
        self._numbers = 0
        self._waiting: deque[Held] = deque()
        self._returned: deque[Held] = deque()
        self._dead: deque[Letter] = deque()
        self._out: dict[int, Held] = {}  # with consumers, by number
        self.consumers: list[Consumer] = []  # whose turn it is comes first
        self.is_stalled = False
        self.is_deleted = False

    @property
    def length(self) -> int:
        """How many messages it keeps, wherever they are."""
        return len(self._waiting) + len(self._returned) + len(self._out) + len(self._dead)

    def put(self, letter: Letter) -> bool:
        """Take a letter; return False if the queue is full."""
        if self._length_max is not None and self.length >= self._length_max:
            return False
        self._numbers += 1
        self._waiting.append(Held(self._numbers, letter))
        self.serve()
        return True

    def serve(self) -> None:
        """Hand out what waits to whoever has room, one message each in turn."""
        while not self.is_stalled and (self._returned or self._waiting):
            consumer = self._next_consumer()
            if consumer is None:
                return
            held = self.take()
            assert held is not None, "something waits"
            consumer.outstanding += 1
            consumer.hand_out(consumer, held)

    def lead(self) -> None:
        """Go on after a time without leader."""
        self.is_stalled = False
        self.serve()

    def _next_consumer(self) -> Consumer | None:
        for _ in range(len(self.consumers)):
            consumer = self.consumers.pop(0)
            self.consumers.append(consumer)
            if consumer.has_room:
                return consumer
        return None

    def take(self) -> Held | None:
        """Give the next message out; it stays the queue's until it is settled."""
        if not self._returned and not self._waiting:
            return None
        held = (self._returned or self._waiting).popleft()
        self._out[held.number] = held
        return held

    def settle(self, held: Held) -> None:
        """Forget a message: it was acknowledged."""
        self._out.pop(held.number, None)

    def give_back(self, all_held: Sequence[Held]) -> None:
        """Take back what a consumer had, or bury what has come back too often."""
        for held in all_held:
            if self._out.pop(held.number, None) is None:
                continue
            held.returns += 1
            if held.returns > self.limit >= 0:
                self._dead.append(dead(held.letter, self.name))
            else:
                self._returned.append(held)
        self.bury_dead()
        self.serve()

    def repeat(self, letter: Letter) -> None:
        """Have a message come again that was settled before."""
        self._numbers += 1
        self._returned.append(Held(self._numbers, letter, returns=1))
        self.serve()

    def bury_dead(self) -> None:
        """Pass dead letters on; what finds no place is kept for the next try."""
        while self._dead and self._bury(self._dead[0]):
            self._dead.popleft()

    def purge(self, may_be_lost: Callable[[Letter], bool]) -> list[Letter]:
        """Forget some of what waits and was not handed out yet; return what."""
        lost = [held.letter for held in self._waiting if may_be_lost(held.letter)]
        self._waiting = deque(held for held in self._waiting if not may_be_lost(held.letter))
        return lost

    def delete(self) -> list[Consumer]:
        """Forget everything; return whom to tell."""
        self.is_deleted = True
        for messages in (self._waiting, self._returned, self._dead, self._out):
            messages.clear()
        consumers, self.consumers = self.consumers, []
        return consumers

    def remove(self, consumer: Consumer) -> None:
        if consumer in self.consumers:
            self.consumers.remove(consumer)


def dead(letter: Letter, queue: str) -> Letter:
    """Write on a letter why it died."""
    properties = copy(letter.properties)
    properties.headers = (letter.properties.headers or {}) | {
        "x-first-death-reason": "delivery_limit",
        "x-first-death-queue": queue,
        "x-first-death-exchange": letter.exchange,
    }
    return Letter(letter.exchange, letter.routing_key, letter.body, properties)
