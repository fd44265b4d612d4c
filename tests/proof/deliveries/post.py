"""The way between the services: every event travels three times, in any order and any company."""

import random
from collections.abc import Collection, Iterable, Sequence

from holdfast.chassis.messaging.broker import Event, Receiver
from holdfast.chassis.messaging.rabbitmq import EVENTS_PER_BATCH_MAX

COPIES = 3
# Mostly large batches: small ones cost a transaction each.
BATCH_EVENTS_MAX = (1, 30, EVENTS_PER_BATCH_MAX, EVENTS_PER_BATCH_MAX, EVENTS_PER_BATCH_MAX)


class Post:
    """What is under way to one service."""

    def __init__(self, receiver: Receiver, types: Collection[str], chance: random.Random) -> None:
        self._receiver = receiver
        self._types = types
        self._chance = chance
        self._under_way: list[Event] = []
        self.sent: list[Event] = []  # each once
        self.deliveries = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def take(self, events: Iterable[Event]) -> None:
        """Take the events that this service hears of."""
        self.sent += (heard := [event for event in events if event.type in self._types])
        self._under_way += heard * COPIES

    def take_again(self) -> None:
        """Take everything that was ever sent, once more."""
        self._under_way += self.sent * COPIES

    async def deliver(self) -> None:
        """Deliver a batch of what is under way: any events, as many as chance will have it."""
        if batch := self._draw():
            await self._receiver.receive(batch)
            self.deliveries += len(batch)

    def _draw(self) -> Sequence[Event]:
        under_way, chance = self._under_way, self._chance
        size = min(chance.randint(1, chance.choice(BATCH_EVENTS_MAX)), len(under_way))
        drawn: list[Event] = []
        for _ in range(size):
            at = chance.randrange(len(under_way))
            under_way[at], under_way[-1] = under_way[-1], under_way[at]
            drawn.append(under_way.pop())
        return drawn
