"""One service's messages on a real database: outbox, relay, inbox, and effects to count."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from holdfast.chassis.database.seam import Database, retrying
from holdfast.chassis.messaging.broker import Broker, Event, Receiver, Subscription
from holdfast.chassis.messaging.inbox import Inbox, InboxReceiver, Unreadable
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.messaging.outbox import Outbox, Relay
from tests.contract.conftest import START, SteadyClock

PLACED = "holdfast.orders.v1.OrderPlaced"
UPDATED = "holdfast.orders.v1.OrderUpdated"
QUEUE = Subscription("queue", (PLACED,))
UPDATES = Subscription("updates", (UPDATED,))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def event(number: int, *, type: str = PLACED, data: bytes = b"\0\xff") -> Event:
    return Event(f"e-{number}", type, f"o-{number}", number, START, data, TRACE)


def events(*numbers: int) -> list[Event]:
    return [event(number) for number in numbers]


@dataclass
class PostOffice:
    """One database with its outbox, and an inbox that keeps what it handled in a table."""

    database: Database
    clock: SteadyClock
    broker: Broker = field(default_factory=lambda: LocalBroker([QUEUE, UPDATES]))
    poison: set[str] = field(default_factory=set)
    illness: type[Exception] = ValueError  # what poison makes of the handling
    trouble: list[Exception] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.database)
        self.inbox = Inbox(self.database, self.clock, "queue")
        self.leadership = self.database.leadership("relay")
        self.relay = self.make_relay()
        self.receiver = InboxReceiver(
            self.database,
            self.clock,
            queue=QUEUE.queue,
            read=self.read,
            handle=retrying(self.handle, tries_max=3),
        )

    def make_relay(self, *, events_max: int = 100, age_s_max: float = 600) -> Relay:
        return Relay(
            self.database,
            self.outbox,
            self.broker,
            self.clock,
            self.leadership,
            service="office",
            events_max=events_max,
            age_s_max=age_s_max,
        )

    async def append(self, new: Sequence[Event]) -> None:
        async with self.database.begin() as work:
            self.outbox.append(work, new)

    @staticmethod
    def read(event: Event) -> Event:
        if event.data == b"garbage":
            raise Unreadable("wrong bytes")
        return event

    async def handle(self, new: Sequence[Event]) -> None:
        self.batches.append([event.event_id for event in new])
        async with self.database.begin() as work:
            first = await self.inbox.first_seen(work, [event.event_id for event in new])
            await work.write(
                EFFECT[self.database.engine], [(event_id,) for event_id in sorted(first)]
            )
            if self.trouble:
                raise self.trouble.pop(0)
            if ill := self.poison & first:
                raise self.illness(f"{ill} is ill")

    async def waiting(self) -> list[str]:
        return await self._column("SELECT event_id AS x FROM outbox ORDER BY position")

    async def effects(self) -> list[str]:
        return await self._column("SELECT event_id AS x FROM effect ORDER BY n")

    async def _column(self, sql: str) -> list[str]:
        async with self.database.read() as reading:
            return [row["x"] for row in await reading.fetch(sql)]

    @asynccontextmanager
    async def consuming(
        self, subscription: Subscription = QUEUE, receiver: Receiver | None = None
    ) -> AsyncIterator[None]:
        consumer = self.broker.consume(subscription.queue, receiver or self.receiver)
        async with running(consumer):
            yield


EFFECTS = {
    "postgresql": "CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY, event_id text)",
    "sqlite": "CREATE TABLE effect (n INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT)",
}
EFFECT = {  # no unique key: nothing but the inbox keeps an effect from being had twice
    "postgresql": "INSERT INTO effect (event_id) SELECT * FROM unnest($1::text[])",
    "sqlite": "INSERT INTO effect (event_id) VALUES (?1)",
}


@asynccontextmanager
async def running(*loops: Awaitable[None]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def office(database: Database, clock: SteadyClock) -> AsyncIterator[PostOffice]:
    """Modules that ask for it take it under its name."""
    async with database.begin() as work:
        await work.fetch(EFFECTS[database.engine])
    office = PostOffice(database, clock)
    yield office
    await office.leadership.release()
