"""The witness of a chaos run hears everything, and the nemesis does what it is there for."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from holdfast.chassis.messaging.broker import BrokerUnavailable, DeadLetter, Event
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from proof.chaos import nemesis as of_nemesis
from proof.chaos.audit_queue import Audit
from proof.chaos.nemesis import Nemesis
from testbed.servers import RabbitmqServer
from tests.contract.conftest import START

PLACED, UPDATED = "holdfast.orders.v1.OrderPlaced", "holdfast.orders.v1.OrderUpdated"
HEARD_S_MAX = 30.0


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[RabbitMQ]:
    broker = RabbitMQ(rabbitmq_url, subscriptions=[ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS])
    yield broker
    await broker.close()


class Inbox:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.event_ids: list[str] = []
        self.letter_ids: set[str] = set()

    async def receive(self, events: Sequence[Event]) -> None:
        self.event_ids += [event.event_id for event in events]

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        self.letter_ids |= {letter.letter_id for letter in letters}


def event(number: int, event_type: str = PLACED) -> Event:
    return Event(f"e-{number}", event_type, f"o-{number % 10}", number // 10 + 1, START, b"")


async def publish(broker: RabbitMQ, events: list[Event]) -> None:
    """As a relay does: again, until all is taken."""
    while events:
        try:
            taken = await broker.publish(events)
        except BrokerUnavailable:
            await asyncio.sleep(0.1)
        else:
            events = [one for one in events if one.event_id not in taken]


@asynccontextmanager
async def consuming(broker: RabbitMQ, queue: str, inbox: Inbox) -> AsyncIterator[None]:
    consumer = asyncio.create_task(broker.consume(queue, inbox))
    try:
        yield
    finally:
        consumer.cancel()
        await asyncio.wait([consumer])


async def heard(audit: Audit, count: int) -> list[str]:
    """The ids of what was heard, once there are so many different ones."""
    async with asyncio.timeout(HEARD_S_MAX):
        while True:
            ids = [seen.event_id for seen in audit.observed_events()]
            if len(set(ids)) == count:
                return ids
            await asyncio.sleep(0.05)


async def test_the_audit_hears_every_event_of_both_services_whoever_else_does(
    broker: RabbitMQ, rabbitmq_url: str, tmp_path: Path
) -> None:
    audit = Audit(rabbitmq_url, tmp_path / "events")
    sent = [event(number, (PLACED, UPDATED)[number % 2]) for number in range(100)]
    async with audit.listening():
        await publish(broker, sent)
        ids = await heard(audit, len(sent))

    assert ids == [one.event_id for one in sent]
    assert audit.unreadable == []


@pytest.mark.timeout(120)
async def test_the_audit_hears_every_event_although_the_broker_is_killed(
    broker: RabbitMQ, rabbitmq_url: str, rabbitmq_server: RabbitmqServer, tmp_path: Path
) -> None:
    audit = Audit(rabbitmq_url, tmp_path / "events")
    sent = [event(number) for number in range(600)]

    def kill_and_start() -> None:
        rabbitmq_server.kill()
        rabbitmq_server.start()

    async with audit.listening():
        await publish(broker, sent[:200])
        outage = asyncio.create_task(asyncio.to_thread(kill_and_start))
        await publish(broker, sent[200:400])
        await outage
        await publish(broker, sent[400:])
        ids = await heard(audit, len(sent))

    assert list(dict.fromkeys(ids)) == [one.event_id for one in sent], (
        "first observed_events in order"
    )
    assert audit.losses > 0


async def test_the_nemesis_repeats_what_was_heard_and_its_nonsense_arrives(
    broker: RabbitMQ, rabbitmq_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_nemesis, "PAUSE_S", 0.01)
    monkeypatch.setattr(of_nemesis, "NONSENSE_SHARE", 0.5)
    nemesis, inbox = Nemesis(rabbitmq_url, seed=1), Inbox()
    audit = Audit(rabbitmq_url, tmp_path / "events", nemesis.overhear)
    sent = [event(number) for number in range(20)]
    async with (
        consuming(broker, ORDERS_TO_INVENTORY.queue, inbox),
        consuming(broker, INVENTORY_TO_ORDERS.queue, inbox),
        audit.listening(),
        nemesis.at_work(),
    ):
        await publish(broker, sent)
        async with asyncio.timeout(HEARD_S_MAX):
            while not (len(nemesis.parked) > 10 and nemesis.repeated > 10):
                await asyncio.sleep(0.05)
            while not nemesis.parked <= inbox.letter_ids | set(inbox.event_ids):
                await asyncio.sleep(0.05)

    assert nemesis.parked <= nemesis.poison
    assert inbox.letter_ids <= nemesis.poison
    assert len(inbox.letter_ids - nemesis.parked) <= 1, "the last one's confirm may not have come"
    assert len(inbox.event_ids) > len(set(inbox.event_ids)), "some came again"
    assert {seen.event_id for seen in audit.observed_events()} == {one.event_id for one in sent}
