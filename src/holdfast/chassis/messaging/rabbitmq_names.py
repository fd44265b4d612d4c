"""What is declared at RabbitMQ under our names, and what is wrong with a name that others have.

A name that is refused costs the channel that it was declared on and nothing else: the others are
declared all the same.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

import structlog
from aiormq.abc import AbstractChannel
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelLockedResource,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)

from holdfast.chassis.clock import new_name
from holdfast.chassis.messaging.broker import Subscription, exchange_of

DEAD_EXCHANGE = "holdfast.dead"
LAST = "holdfast.last."  # with a name that is new every time
# RabbitMQ 4 drops what exceeds its default of 20, and from a dead queue there is nowhere to go.
DEAD_DELIVERY_LIMIT = 1_000_000

# What ends a channel and won't get better by trying again at once: somebody has to act.
REFUSALS = (ChannelAccessRefused, ChannelLockedResource, ChannelPreconditionFailed)

DELETE_IT = (
    "somebody else has declared it with other properties: have them use another name, and delete "
    "it once it is empty; Holdfast declares it again within seconds"
)
LET_IT_GO = "another program keeps it for itself: end that program, or have it use another name"
PERMIT_IT = (
    "give the user of the broker's URL permission to configure, write and read 'holdfast.*' and "
    "to write 'amq.default' in this vhost (rabbitmqctl set_permissions)"
)

DECLARE, BIND, READ, WRITE = "declare", "bind", "read", "write"  # what is done with a name

log = structlog.get_logger()

Ask = Callable[[AbstractChannel], Awaitable[object]]


class Names:
    """What is known of our names at the broker; whatever is wrong is told once, and so its end."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, str], str] = {}
        self._since: dict[tuple[str, str], float] = {}  # by the event loop's clock

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by name."""
        return {name: problem for (name, _), problem in self._problems.items()}

    def is_refused(self, name: str, act: str) -> bool:
        """Whether this could not be done with the name when it was last tried."""
        return (name, act) in self._problems

    def refused_for_s(self, name: str, act: str) -> float:
        """For how long this could not be done with the name; 0: it can be, as far as is known.

        Infinite where others have the name: a permission may be back in a moment, that may not.
        """
        now = asyncio.get_running_loop().time()
        return now - self._since.get((name, act), now)

    def note(self, name: str, act: str, refusal: Exception | None = None) -> None:
        """Take note of how it went to do this with a name: refused, or not."""
        before = self._problems.get((name, act))
        if refusal is None:
            if before is not None:
                del self._problems[name, act], self._since[name, act]
                log.info("a name at the broker is all right again", name=name)
            return
        passes = isinstance(refusal, ChannelAccessRefused)
        self._since.setdefault((name, act), asyncio.get_running_loop().time() if passes else -inf)
        problem = re.sub(rf"{re.escape(LAST)}\w+", f"{LAST}*", str(refusal))
        if problem != before:
            self._problems[name, act] = problem
            log.error(
                "a name at the broker can't be used as Holdfast needs it",
                name=name,
                problem=problem,
                what_to_do=remedy(refusal),
            )


def remedy(refusal: Exception) -> str:
    """Say what a person has to do so that the broker no longer refuses this."""
    match refusal:
        case ChannelPreconditionFailed():
            return DELETE_IT
        case ChannelAccessRefused() if "exclusive" not in str(refusal):
            return PERMIT_IT
        case _:
            return LET_IT_GO


@dataclass(frozen=True, slots=True)
class Topology:
    """Exchanges and queues, declared alike by both services: nobody has to start first."""

    subscriptions: tuple[Subscription, ...]
    delivery_limit: int
    queue_messages_max: int
    names: Names = field(default_factory=Names, compare=False)

    @property
    def kept_exchange(self) -> str:
        """An exchange whose being there says that `keep` was done."""
        return f"holdfast.kept.{'+'.join(sorted(one.queue for one in self.subscriptions))}"

    @property
    def world_exchanges(self) -> list[str]:
        """Where whoever wants to may listen to what the services tell each other."""
        return sorted({exchange_of(one) for each in self.subscriptions for one in each.types})

    @property
    def all_names(self) -> list[str]:
        """Every name that is declared, and whatever else something is wrong with."""
        queues = [name for one in self.subscriptions for name in (one.queue, dead_queue(one.queue))]
        mine = [DEAD_EXCHANGE, self.kept_exchange, *self.world_exchanges, *queues]
        return list(dict.fromkeys([*mine, *self.names.problems]))

    def must_hear(self, event_type: str) -> list[str]:
        """Queues that have to take every event of a type; others may listen at its exchange."""
        return [one.queue for one in self.subscriptions if event_type in one.types]

    def is_kept_waiting(self, event_type: str) -> bool:
        """Whether a queue that must hear the type isn't ours: what it took might be lost."""
        return any(self.names.is_refused(one, DECLARE) for one in self.must_hear(event_type))

    async def declare(self, channel: AbstractChannel) -> AbstractChannel:
        """Declare everything, and return a channel to go on with: each refusal has cost one."""
        channel = await self.declare_exchange(channel, DEAD_EXCHANGE, kind="direct")
        for exchange in self.world_exchanges:
            channel = await self.declare_exchange(channel, exchange)
        for one in self.subscriptions:
            dead = dead_queue(one.queue)
            ask = partial(_declare_queue, dead, self._settings(DEAD_DELIVERY_LIMIT))
            channel = await self._attempt(channel, dead, ask)
            if not self.names.is_refused(dead, DECLARE):
                # Until it is bound, dead letters stay where they are.
                channel = await self._attempt(channel, dead, partial(_bind_dead, dead), act=BIND)
            ask = partial(_declare_queue, one.queue, self._queue_settings(dead))
            channel = await self._attempt(channel, one.queue, ask)
        return channel

    async def declare_exchange(
        self, channel: AbstractChannel, name: str, kind: str = "topic"
    ) -> AbstractChannel:
        """Declare a durable exchange; return a channel to go on with."""
        return await self._attempt(channel, name, partial(_declare_exchange, name, kind))

    async def keep_once(self, channel: AbstractChannel) -> AbstractChannel:
        """Have the queues' names written to disk, once in the life of a broker.

        RabbitMQ 3.10 writes the name of a quorum queue when another one is registered, or about a
        second later. Killed before, it loses what the queue has confirmed, and the queue never
        works again. So another one is registered, under a name that no other service has used.
        """
        try:
            await channel.exchange_declare(self.kept_exchange, passive=True)
        except ChannelNotFoundEntity:  # which closed the channel
            channel = await _next_to(channel)
            return await self._attempt(channel, self.kept_exchange, self._keep)
        return await self.declare_exchange(channel, self.kept_exchange, kind="fanout")

    async def _keep(self, channel: AbstractChannel) -> None:
        last = f"{LAST}{new_name()}"
        await channel.queue_declare(last, durable=True, arguments={"x-queue-type": "quorum"})
        await channel.queue_delete(last)
        await channel.exchange_declare(self.kept_exchange, exchange_type="fanout", durable=True)

    async def _attempt(
        self, channel: AbstractChannel, name: str, ask: Ask, *, act: str = DECLARE
    ) -> AbstractChannel:
        refusals: tuple[type[Exception], ...] = REFUSALS
        if self.names.is_refused(DEAD_EXCHANGE, DECLARE):
            refusals += (ChannelNotFoundEntity,)  # then there may be nothing to bind to
        try:
            await ask(channel)
        except refusals as refusal:
            self.names.note(name, act, refusal)
            return await _next_to(channel)
        self.names.note(name, act)
        return channel

    def _queue_settings(self, dead: str) -> dict[str, Any]:
        return self._settings(self.delivery_limit) | {
            "x-dead-letter-exchange": DEAD_EXCHANGE,
            "x-dead-letter-routing-key": dead,
            # Without reject-publish RabbitMQ would fall back to at-most-once, and not say so.
            "x-dead-letter-strategy": "at-least-once",
        }

    def _settings(self, delivery_limit: int) -> dict[str, Any]:
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": delivery_limit,
            "x-max-length": self.queue_messages_max,
            "x-overflow": "reject-publish",
        }


async def _declare_exchange(name: str, kind: str, channel: AbstractChannel) -> None:
    await channel.exchange_declare(name, exchange_type=kind, durable=True)


async def _declare_queue(name: str, settings: dict[str, Any], channel: AbstractChannel) -> None:
    await channel.queue_declare(name, durable=True, arguments=settings)


async def _bind_dead(dead: str, channel: AbstractChannel) -> None:
    await channel.queue_bind(dead, DEAD_EXCHANGE, routing_key=dead)


async def _next_to(channel: AbstractChannel) -> AbstractChannel:
    """Open another channel like this one, which was closed."""
    confirms = getattr(channel, "publisher_confirms", True)
    return await channel.connection.channel(publisher_confirms=confirms)


def dead_queue(queue: str) -> str:
    return f"{queue}.dead"
