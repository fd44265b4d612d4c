"""One run: make events and deliver them as badly as can be; then, a month later, once more."""

import random
from collections import Counter
from dataclasses import dataclass

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.inbox import REMEMBERED_DAYS, Inbox
from proof.checker import RunRecord, Violation, check
from proof.observed_events import observed_event
from proof.snapshot import Snapshot
from proof.snapshot_reading import snapshot_of
from tests.contract.conftest import SteadyClock
from tests.integration.two_services import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY, TwoServices
from tests.proof.deliveries.effects import Effects, changes, effects_of
from tests.proof.deliveries.post import Post
from tests.proof.deliveries.shop import Shop

BACKLOG_MAX = 3_000  # on the way to each service when the next orders are placed
A_DAY_S = 86_400.0
SHOWN_MAX = 20  # violations


@dataclass(frozen=True)
class Report:
    """What a run has shown.

    :param deliveries: in the first month, and after it.
    :param forgotten: ids that the inboxes had forgotten by then.
    :param again: which facts the second month has changed; there must be none.
    """

    seed: int
    engine: str
    orders: int
    statuses: dict[str, int]
    events: int
    answered_again: int
    deliveries: tuple[int, int]
    forgotten: int
    effects: list[Effects]
    again: list[str]
    violations: list[Violation]

    @property
    def is_proof(self) -> bool:
        """Everything was there once, and a variety of it."""
        return (
            all(effects.are_single for effects in self.effects)
            and not self.again
            and not self.violations
            and self.forgotten >= self.events
            and self.statuses.keys() == {"CONFIRMED", "REJECTED", "CANCELLED", "EXPIRED"}
        )

    def __str__(self) -> str:
        first, second = self.deliveries
        lines = [
            f"seed {self.seed}, {self.engine}: {self.orders} orders {self.statuses}",
            f"{self.events} events in {first} deliveries; the inboxes forgot {self.forgotten} ids; "
            f"{second} deliveries more, of {self.answered_again} answers given again too",
            *map(str, self.effects),
            f"changed by what came after a month: {', '.join(self.again) or 'nothing'}",
            *(f"{one.invariant}, {one.subject}: {one.text}" for one in self.violations[:SHOWN_MAX]),
            f"{len(self.violations)} violations",
        ]
        return "\n".join(lines)


class Run:
    """Two services on two databases of their own, and the post between them."""

    def __init__(self, orders: Database, inventory: Database, seed: int) -> None:
        self._chance = random.Random(seed)
        self._clock = SteadyClock()
        self._services = services = TwoServices(orders, inventory, self._clock, [])
        self._databases = {"orders": orders, "inventory": inventory}
        self._shop = Shop(services, self._chance)
        self._posts = {
            "inventory": Post(services.inventory_receiver, ORDERS_TO_INVENTORY.types, self._chance),
            "orders": Post(services.orders_receiver, INVENTORY_TO_ORDERS.types, self._chance),
        }
        self._seen: list[Event] = []
        self._seed = seed

    async def __call__(self, events: int) -> Report:
        """Run until so many events, or a few more, had been sent by the end of the first month."""
        await self._shop.open()
        while self._sent() < events:
            await self._shop.wave()
            await self._collect()
            await self._deliver(until=self._chance.randint(0, BACKLOG_MAX))
        await self._deliver(until=0)
        sent, first = self._sent(), self._deliveries()
        before, violations = await self._judge(forgetful=False)

        forgotten = await self._forget()
        for post in self._posts.values():
            post.take_again()
        await self._deliver(until=0)
        after, more = await self._judge(forgetful=True)
        return Report(
            seed=self._seed,
            engine=self._databases["orders"].engine,
            orders=len(after.orders),
            statuses=dict(sorted(Counter(one.status for one in after.orders.values()).items())),
            events=sent,
            answered_again=self._sent() - sent,
            deliveries=(first, self._deliveries() - first),
            forgotten=forgotten,
            effects=effects_of(after),
            again=changes(before, after),
            violations=violations + more,
        )

    def _sent(self) -> int:
        return sum(len(post.sent) for post in self._posts.values())

    def _deliveries(self) -> int:
        return sum(post.deliveries for post in self._posts.values())

    def _shuffled(self) -> list[Post]:
        return self._chance.sample(list(self._posts.values()), k=len(self._posts))

    async def _collect(self) -> None:
        """Relay what waits in the outboxes."""
        for database in self._databases.values():
            events = await self._services.waiting(database)
            if events:
                await self._services.forget_told(database)
                self._seen += events
                for post in self._posts.values():
                    post.take(events)

    async def _deliver(self, *, until: int) -> None:
        """Deliver to both in turns until so little is on its way to each."""
        while any(len(post) > until for post in self._posts.values()):
            for post in self._shuffled():
                await post.deliver()
                await self._collect()

    async def _forget(self) -> int:
        """Let a month go by, so that only business keys protect; return how much is forgotten."""
        self._clock.advance(REMEMBERED_DAYS * A_DAY_S + 1)
        forgotten = 0
        for database in self._databases.values():
            if database.engine == "postgresql":  # which has a clock of its own
                await database.execute("UPDATE inbox SET received_at = '2000-01-01Z'")
            inbox = Inbox(database, self._clock, "queue")
            while number := await inbox.forget_old():
                forgotten += number
        return forgotten

    async def _judge(self, *, forgetful: bool) -> tuple[Snapshot, list[Violation]]:
        snapshot = await snapshot_of(self._databases["orders"], self._databases["inventory"])
        record = RunRecord(
            calls=self._shop.history.calls,
            snapshot=snapshot,
            observed_events=[observed_event(event) for event in self._seen],
            queues={name: len(post) for name, post in self._posts.items()},
            forgetful=forgetful,
        )
        return snapshot, check(record)
