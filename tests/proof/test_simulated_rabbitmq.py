"""The simulated RabbitMQ in virtual time: each fault strikes, and the real adapter gets through."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from holdfast.chassis.messaging.broker import BrokerUnavailable, DeadLetter, Event, Subscription
from holdfast.chassis.messaging.cloudevents import decode_batch
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from proof.simulation.isolation import isolated
from proof.simulation.loop import Process, SimulatedLoop, current_process
from proof.simulation.rabbitmq import URL, SimulatedRabbitMQ, by_hand
from proof.simulation.rabbitmq_blows import Blows
from proof.simulation.rabbitmq_faults import RATES, Faults
from proof.simulation.rabbitmq_queues import matches
from proof.simulation.rabbitmq_wire import BROKER_PATIENCE_S, CLIENT_PATIENCE_S

pytestmark = pytest.mark.forks

PLACED = "holdfast.orders.v1.OrderPlaced"
QUEUE = "inventory.orders"
CANCELLED = "holdfast.orders.v1.OrderCancelled"
SUBSCRIPTIONS = [Subscription(QUEUE, (PLACED, CANCELLED))]
START = datetime(2026, 11, 5, tzinfo=UTC)
EVENTS = [  # of types in turn, so that no two travel in one message
    Event(f"e-{n}", (PLACED, CANCELLED)[n % 2], f"o-{n}", 1, START, b"data") for n in range(1, 301)
]
CONVERGE_S_MAX = 180.0


class Inbox:
    """Keeps what it receives, after a moment."""

    def __init__(self, takes_s: float = 0.01) -> None:
        self.takes_s = takes_s
        self.received: list[str] = []

    async def receive(self, events: Sequence[Event]) -> None:
        await asyncio.sleep(self.takes_s)
        self.received += [event.event_id for event in events]

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        self.received += [letter.letter_id for letter in letters]

    async def has_all(self, events: Sequence[Event] = EVENTS) -> None:
        async with asyncio.timeout(CONVERGE_S_MAX):
            while not {event.event_id for event in events} <= set(self.received):
                await asyncio.sleep(0.1)


class World:
    """A broker, and processes that speak with it through the real adapter."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.loop = SimulatedLoop(Random(f"turns {seed}"), "lottery")
        self.rabbitmq = SimulatedRabbitMQ(
            Random(f"broker {seed}"), faults, owner=current_process, tell=self.loop.note
        )
        self.blows = Blows(self.rabbitmq)

    def run(self, story: "Story") -> "Outcome":
        async def whole() -> Any:
            with self.rabbitmq.in_place_of_the_real_one():
                return await story(self)

        random.seed("the adapter's own jitter")
        told = self.loop.run_until_complete(whole())
        heard = [
            event.event_id for one in self.rabbitmq.heard for event in decode_batch(one.letter.body)
        ]
        return Outcome(
            told,
            self.rabbitmq.fate.struck,
            (self.loop.fingerprint, self.loop.steps),
            heard,
            self.rabbitmq.depths,
        )

    def start(self, name: str, work: Callable[[RabbitMQ], Awaitable[None]]) -> Process:
        """Run something in a process of its own."""

        async def live() -> None:
            broker = RabbitMQ(URL, subscriptions=SUBSCRIPTIONS, prefetch_messages=5)
            try:
                await work(broker)
            finally:
                await broker.close()

        process = Process(self.loop, name)
        process.start(live(), name)
        return process

    def kill(self, process: Process) -> None:
        process.kill()
        self.rabbitmq.lose(process)


Story = Callable[[World], Awaitable[Any]]


@dataclass
class Outcome:
    """What is left of a world when its process has gone."""

    told: Any  # by the story
    struck: Counter[str]
    trace: tuple[int, int]
    heard: list[str]
    depths: dict[str, int]


def run(story: Story, *, seed: int = 1, faults: Faults | None = None) -> Outcome:
    return isolated(lambda: World(seed, faults or Faults()).run(story)).result()


async def relay(broker: RabbitMQ, events: Sequence[Event] = EVENTS) -> None:
    """Publish in windows, and again what was not taken, as the outbox does."""
    for start in range(0, len(events), 10):
        left = list(events[start : start + 10])
        while left:
            with suppress(BrokerUnavailable):
                taken = await broker.publish(left)
                left = [event for event in left if event.event_id not in taken]
            await asyncio.sleep(0.2)


def consume(inbox: Inbox) -> Callable[[RabbitMQ], Awaitable[None]]:
    return lambda broker: broker.consume(QUEUE, inbox)


async def everything(world: World) -> None:
    """A relay and two consumers live through the faults, which end after a while."""
    inbox = Inbox(takes_s=0.2)
    world.start("relay", relay)
    for name in "ab":
        world.start(name, consume(inbox))
    world.blows.start()
    await asyncio.sleep(40)
    world.blows.heal()
    # What a deleted queue had is lost: a service would ask again.
    world.start("again", relay)
    await inbox.has_all()
    async with asyncio.timeout(CONVERGE_S_MAX):
        while any(world.rabbitmq.depths.values()):
            await asyncio.sleep(1)


@pytest.mark.parametrize("kind", RATES)
def test_every_fault_strikes_and_everything_arrives_all_the_same(kind: str) -> None:
    rate = 12.0 if kind.endswith("_per_min") else 0.5
    rate = 1.0 if kind == "stubborn_channels" else rate  # of which there are few
    rates = {"slow_frames": 0.1, "cuts_per_min": 12.0, "cancels_per_min": 6.0, kind: rate}

    outcome = run(everything, faults=Faults(**rates, frame_s_max=0.2))

    assert outcome.struck[kind] > 0


def test_without_faults_everything_comes_once_and_in_order() -> None:
    async def story(world: World) -> list[str]:
        inbox = Inbox()
        world.start("relay", relay)
        world.start("consumer", consume(inbox))
        await inbox.has_all()
        await asyncio.sleep(60)
        return inbox.received

    outcome = run(story)

    assert outcome.told == outcome.heard == [event.event_id for event in EVENTS]
    assert outcome.depths == {QUEUE: 0, f"{QUEUE}.dead": 0}


def test_the_audit_hears_whatever_was_taken_and_nothing_else() -> None:
    async def story(world: World) -> tuple[set[str], list[str]]:
        taken: set[str] = set()

        async def publish(broker: RabbitMQ) -> None:
            for event in EVENTS:
                with suppress(BrokerUnavailable):
                    taken.update(await broker.publish([event]))
                await asyncio.sleep(0.2)

        world.start("publisher", publish)
        world.blows.start()
        await asyncio.sleep(200)
        waiting = world.rabbitmq.queues[QUEUE]._waiting
        return taken, [decode_batch(held.letter.body)[0].event_id for held in waiting]

    outcome = run(story, faults=Faults(nacks=0.3, lost_confirms=0.1, lost_bindings_per_min=6))

    taken, kept = outcome.told
    # Of what was not confirmed, some is held.
    assert taken < set(outcome.heard)
    assert taken < set(kept)
    assert len(kept) < len(EVENTS)


@pytest.mark.parametrize("seed", range(1, 4))
def test_one_seed_is_one_run(seed: int) -> None:
    faults = Faults.drawn(Random(seed))

    first, second = (run(everything, seed=seed, faults=faults) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("seed", range(1, 31))
def test_any_faults_together_are_lived_through(seed: int) -> None:
    run(everything, seed=seed, faults=Faults.drawn(Random(seed)))


def test_what_a_killed_process_had_comes_again_to_another() -> None:
    async def story(world: World) -> None:
        deaf, inbox = Inbox(takes_s=1_000), Inbox()
        killed = world.start("killed", consume(deaf))
        world.start("relay", relay)
        await asyncio.sleep(60)
        assert inbox.received == []
        world.start("next", consume(inbox))
        await asyncio.sleep(1)
        assert "e-1" not in inbox.received
        world.kill(killed)
        await inbox.has_all()
        assert deaf.received == []

    run(story)


def test_a_frozen_process_keeps_its_messages_until_the_broker_loses_patience() -> None:
    async def story(world: World) -> None:
        first, second = Inbox(takes_s=5), Inbox()
        frozen = world.start("frozen", consume(first))
        world.start("relay", lambda broker: relay(broker, EVENTS[:1]))
        await asyncio.sleep(1)
        frozen.freeze()
        world.rabbitmq.freeze(frozen)
        began = world.loop.time()
        world.start("other", consume(second))
        await second.has_all(EVENTS[:1])
        assert BROKER_PATIENCE_S < world.loop.time() - began < BROKER_PATIENCE_S + 1
        frozen.thaw()
        world.rabbitmq.thaw(frozen)
        await first.has_all(EVENTS[:1])
        await asyncio.sleep(30)  # its ack comes too late, and harms nobody
        assert world.rabbitmq.depths[QUEUE] == 0
        assert first.received == second.received == ["e-1"]

    run(story)


def test_a_client_gives_up_a_broker_that_is_silent() -> None:
    async def story(world: World) -> None:
        connection, _ = await by_hand(world.rabbitmq)
        world.rabbitmq.freeze(None)
        began = world.loop.time()
        await asyncio.wait([connection.closing])
        assert world.loop.time() - began == pytest.approx(CLIENT_PATIENCE_S)

    run(story)


def test_what_a_blocked_publisher_sent_is_taken_late_even_if_it_has_gone() -> None:
    async def story(world: World) -> None:
        broker = RabbitMQ(URL, subscriptions=SUBSCRIPTIONS, confirm_timeout_s=5)
        await broker.publish(EVENTS[:1])
        world.rabbitmq.run_short()
        with pytest.raises(BrokerUnavailable):
            await broker.publish(EVENTS[1:2])
        await broker.close()
        assert world.rabbitmq.depths[QUEUE] == 1
        world.rabbitmq.end_shortage()
        await asyncio.sleep(0.1)
        assert world.rabbitmq.depths[QUEUE] == 2
        assert world.rabbitmq.lines == []

    run(story)


def test_a_dead_letter_waits_for_a_queue_to_go_to() -> None:
    async def story(world: World) -> None:
        rabbitmq = world.rabbitmq
        await publish(EVENTS[0])
        rabbitmq.exchanges["holdfast.dead"].forget(f"{QUEUE}.dead")
        queue = rabbitmq.queues[QUEUE]
        for _ in range(2):
            held = queue.take()
            assert held is not None
            queue.give_back([held])
        assert rabbitmq.depths == {QUEUE: 1, f"{QUEUE}.dead": 0}
        assert queue.take() is None
        await publish(EVENTS[1]._replace(type="holdfast.orders.v1.OrderUpdated"))
        assert rabbitmq.depths == {QUEUE: 0, f"{QUEUE}.dead": 1}

    async def publish(event: Event) -> None:
        broker = RabbitMQ(URL, subscriptions=SUBSCRIPTIONS, delivery_limit=1)
        await broker.publish([event])  # and declare everything again
        await broker.close()

    run(story)


def test_a_forgotten_consumer_is_served_again_when_it_starts_anew() -> None:
    async def story(world: World) -> None:
        inbox = Inbox()
        world.start("consumer", consume(inbox))
        await asyncio.sleep(1)
        for consumer in world.rabbitmq.consumers:
            consumer.is_forgotten = True
        began = world.loop.time()
        world.start("relay", lambda broker: relay(broker, EVENTS[:1]))
        await inbox.has_all(EVENTS[:1])
        assert 5 < world.loop.time() - began < 11

    run(story)


def test_a_channel_that_refuses_whatever_it_is_given_is_left_for_another() -> None:
    async def story(world: World) -> None:
        inbox = Inbox()
        world.start("relay", relay)
        world.start("consumer", consume(inbox))
        await inbox.has_all()

    outcome = run(story, faults=Faults(stubborn_channels=0.8))

    assert outcome.struck["stubborn_channels"] > 0


def test_drawn_faults_differ_and_name_nothing_twice() -> None:
    drawn = [Faults.drawn(Random(seed)) for seed in range(100)]

    assert len({repr(faults) for faults in drawn}) == 100
    for kind in RATES:
        shares = [getattr(faults, kind) for faults in drawn]
        assert 0 in shares
        assert max(shares) > 0
    assert replace(Faults(), nacks=0.5).nacks == 0.5


@pytest.mark.parametrize(
    ("pattern", "key", "is_meant"),
    [
        ("#", "a.b.c", True),
        ("a.#", "a", True),
        ("a.#.d", "a.b.c.d", True),
        ("a.*.c", "a.b.c", True),
        ("a.*", "a.b.c", False),
        ("a.#.d", "a.b.c", False),
    ],
)
def test_a_topic_binding_means_words(pattern: str, key: str, is_meant: bool) -> None:
    assert matches(pattern.split("."), key.split(".")) is is_meant
