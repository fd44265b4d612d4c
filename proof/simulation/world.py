"""One run: a world drawn from a seed suffers its faults, heals, comes to rest and is judged."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from holdfast.chassis import failpoints
from holdfast.chassis.database.sqlite import Sqlite
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.process.lifecycle import end_all
from proof.checker import RunRecord, check
from proof.history import History
from proof.observed_events import observed_event
from proof.sampling import sample_of
from proof.simulation.brokers import Brokers, LocalBrokers, RabbitmqBrokers
from proof.simulation.callers import SimulatedCaller
from proof.simulation.clock import SimulatedClock
from proof.simulation.database import DatabaseServer
from proof.simulation.fault_rates import FaultRates
from proof.simulation.follower import Follower
from proof.simulation.instance import Instance
from proof.simulation.loop import Process, SimulatedLoop, current_process
from proof.simulation.nemesis import Nemesis
from proof.simulation.network import Network
from proof.simulation.partners import Partner, Partners, made_up
from proof.simulation.poison import Poison
from proof.simulation.programs import NOTIFIER, SERVICES, Machine
from proof.simulation.swarm import Swarm
from proof.snapshot import Sample, Snapshot
from proof.snapshot_reading import snapshot_of
from proof.workload import HOLD_S, MIX, UNLIMITED, Caller, Shop

SUPPLY_TRIES_MAX = 50
REST_S_MAX = 90.0  # from the healing until nothing waits any more
ASKING_MAX = 8  # times the time after which an answer is late
QUIET_LOOKS = 3
WAITS_MAX = (UNLIMITED, 6, 0)  # units of the scarce products that orders may wait for, in turn
DISPLACING = 0.5
BUSY = {"UpdateStock": 20, "QuarantineStock": 4, "ListBackorders": 5}
SAMPLE_EVERY_S = 1.0
TASKS_AT_REST_MAX = 44  # embedded mode has 39 or 40; and some may be about to end
NOTIFIER_TASKS_MAX = 16
DELIVERIES_MAX = 16 * 3  # to all partners: what happens as holds end is still on its way

# What partners want, in turn; the first wants everything. The second has missed something.
TYPES: Sequence[tuple[str, ...]] = (
    (),
    ("OrderConfirmed", "OrderCancelled", "OrderExpired"),
    ("StockReserved", "OrderRejected"),
)
HEAD = "SELECT last FROM feed_head"
LEFT = {
    "orders": "SELECT (SELECT count(*) FROM unanswered), (SELECT count(*) FROM outbox)",
    "inventory": (
        "SELECT (SELECT count(*) FROM to_serve WHERE served < ticket),"
        " (SELECT count(*) FROM outbox)"
    ),
}


class Moment(NamedTuple):
    """A line of the timeline."""

    at_s: float
    who: str
    what: str


class World:
    """All that exists in one run.

    :param folder: holds `orders.db` and `inventory.db`, migrated and empty.
    """

    def __init__(self, swarm: Swarm, folder: Path) -> None:
        self._swarm = swarm
        self.timeline: list[Moment] = []
        self.loop = SimulatedLoop(self._dice("turns"), swarm.policy, swarm.step_s)
        self._fault_rates = FaultRates(
            self._dice("weather"),
            disk_s=swarm.disk_s,
            network_s=swarm.network_s,
            tell=lambda what: self.tell(str(current_process() or "world"), what),
        )
        self._network = Network(self.loop, self._fault_rates, self._dice("network"))
        self._databases = {
            name: DatabaseServer(
                name,
                folder / f"{name}.db",
                self.loop,
                self._fault_rates,
                self._dice(f"{name} server"),
                is_sole=swarm.topology == "embedded",
            )
            for name in (*SERVICES, *([NOTIFIER] if swarm.notifiers else []))
        }
        self._partners = Partners(
            self.loop, self._network, self._fault_rates, self._dice("partners")
        )
        self.history = History(self.loop.time)
        self._shop = Shop(
            holds_s=(1, 5, 30, HOLD_S),
            products=swarm.products,
            scarce=1 + swarm.products // 4,
            units=swarm.units,
            waits_max=WAITS_MAX,
            displacing=DISPLACING,
        )
        self._poison = Poison(self._dice("poison"))
        self._brokers: Brokers = LocalBrokers(self._fault_rates)
        if swarm.topology == "cluster":
            self._brokers = RabbitmqBrokers(
                self._dice("rabbitmq"),
                lambda what: self.tell("rabbitmq", what),
                swarm.prefetch_messages,
            )
        self._samples: list[Sample] = []
        self._instances = [self._instance(*place) for place in places(swarm)]
        self._nemesis = Nemesis(
            self.loop,
            self._dice("mischief"),
            self._fault_rates,
            self._instances,
            self._databases,
            self._brokers,
            self._poison,
            self.tell,
        )

    def tell(self, who: str, what: str) -> None:
        """Note what happened."""
        self.timeline.append(Moment(self.loop.time(), who, what))
        self.loop.note(who + what)

    def _dice(self, what: str) -> Random:
        """Chance for one part of the world: what it draws disturbs no other part."""
        return Random(f"{self._swarm.seed} {what}")

    def _instance(self, name: str, services: Sequence[str]) -> Instance:
        machine = Machine(
            self._databases,
            self._network,
            SimulatedClock(self.loop, self._dice(f"{name} clock")),
            self._swarm.limits,
            self._brokers.open,
            self._partners,
        )
        return Instance(name, services, self.loop, machine, self.tell, self)

    def process_died(self, process: Process) -> None:
        """Let everybody learn of a death, each in their time."""
        self._network.process_died(process)
        self._brokers.process_died(process)
        for database in self._databases.values():
            database.process_died(process)

    def process_froze(self, process: Process) -> None:
        self._brokers.process_froze(process)

    def process_thawed(self, process: Process) -> None:
        self._brokers.process_thawed(process)

    @property
    def struck(self) -> Mapping[str, int]:
        """How often what went wrong, by kind."""
        return {**self._fault_rates.struck, **self._brokers.struck}

    async def live(self) -> list[str]:
        """Go through all phases; return what was wrong in the end."""
        with self._brokers.in_place_of_the_real_one():
            return await self._live()

    async def _live(self) -> list[str]:
        random.seed(f"{self._swarm.seed} library")
        views = {name: Sqlite(self._databases[name].path) for name in SERVICES}
        for instance in self._instances:
            instance.start()
        followers = {name: Follower(self._network, name) for name in SERVICES}
        following = [asyncio.ensure_future(one.follow()) for one in followers.values()]
        joining = await self._join_partners(views)
        await self._supply()
        sampling = asyncio.ensure_future(self._sample(views["inventory"]))
        await self._suffer()
        waiting, last = await self._last_state(views, followers, following)
        snapshot = last.snapshot
        if sampling.done():
            sampling.result()  # it goes on for ever, and ends by a mistake of its own only
        sampling.cancel()
        followed = {
            name: [follower.refused] if follower.refused else follower.got
            for name, follower in followers.items()
            if self._keeps_feeds
        }
        violations = check(
            RunRecord(
                self.history.calls,
                snapshot,
                [
                    observed_event(event)
                    for event in last.heard
                    if event.event_id not in self._poison.ids
                ],
                followed=followed,
                samples=self._samples,
                poison=self._poison.ids,
                parked=self._brokers.parked,
                queues=last.depths,
                lost=self._brokers.lost,
                refusals_possible=self._brokers.has_refused,
                forgetful=any("clock" in kind for kind in self._swarm.deeds),
            )
        )
        await joining  # from here on time goes by again, and holds may end
        whole = self._keeps_feeds
        untold = await self._partners.missing(snapshot.feeds) if whole else []
        arrived = self._partners.arrived()  # what comes while the feeds are read may be in none
        later = await snapshot_of(views["orders"], views["inventory"])
        untold += self._partners.violations(later.feeds)
        untold += made_up(arrived, later.feeds) if whole else []
        problems = [problem for instance in self._instances for problem in instance.problems]
        notifies = NOTIFIER_TASKS_MAX + DELIVERIES_MAX
        problems += [
            f"14: {instance.name} has {instance.tasks} tasks at rest"
            for instance in self._instances
            if instance.tasks > TASKS_AT_REST_MAX + notifies * (NOTIFIER in instance.services)
        ]
        told = [f"{one.invariant}: {one.subject}: {one.text}" for one in violations]
        return [waiting] * bool(waiting) + problems + told + untold

    @property
    def _keeps_feeds(self) -> bool:
        """Only a clock that jumps by a month may cut off what a follower has still to read."""
        return not any("clock" in kind for kind in self._swarm.deeds)

    async def _join_partners(self, views: Mapping[str, Sqlite]) -> "asyncio.Future[None]":
        """Make the first partner's webhook before anything happens; the others come later."""
        first, *others = [
            Partner(f"https://partner-{number}.example/", TYPES[number], in_order, number == 1)
            for number, in_order in enumerate(self._swarm.partners)
        ]

        async def join(partner: Partner) -> None:
            await self._partners.join(partner)
            heads = {name: (await _left(view, HEAD))[0] for name, view in views.items()}
            partner.heads = heads

        async def join_later() -> None:
            for partner in others if self._swarm.notifiers else ():
                await asyncio.sleep(self._swarm.faults_s / 4)
                await join(partner)

        if self._swarm.notifiers:
            await join(first)
        return asyncio.ensure_future(join_later())

    async def _supply(self) -> None:
        supplier = self._caller("supplier", wait_s=0.0)
        for wanted in (*self._shop.creation(), *self._shop.supply()):
            assert await supplier.insist(wanted, SUPPLY_TRIES_MAX), "nothing is broken yet"

    def _caller(self, name: str, *, wait_s: float) -> SimulatedCaller:
        wishes = Caller(name, self._swarm.seed, self._shop, mix=MIX | BUSY)
        dice = self._dice(name)
        return SimulatedCaller(
            wishes, self._network, self.history, self._fault_rates, dice, self.tell, wait_s=wait_s
        )

    async def _suffer(self) -> None:
        """Let callers call while everything goes wrong; then heal, and let them finish."""
        swarm = self._swarm
        self.tell("world", f"faults begin, for {swarm.faults_s} s")
        self._fault_rates.rates.update(swarm.rates)
        failpoints.arm(self._nemesis.reach_failpoint)
        self._brokers.begin(swarm.rabbitmq)
        calls = swarm.calls // swarm.clients
        async with asyncio.TaskGroup() as group:
            for number in range(swarm.clients):
                caller = self._caller(f"c-{number}", wait_s=0.3 if number % 4 == 3 else 0.0)
                group.create_task(
                    caller.run(calls, swarm.faults_s / calls, burst=swarm.burst, batch=swarm.batch)
                )
            await self._nemesis.do(swarm.deeds, swarm.faults_s)
            failpoints.arm(None)
            self._brokers.heal()
            self._nemesis.heal()
            self.tell("world", "everything is healed")

    async def _sample(self, inventory: Sqlite) -> None:
        while True:
            sample = await sample_of(inventory)
            if sample.contradictions:
                self._samples.append(sample)
            await asyncio.sleep(SAMPLE_EVERY_S)

    async def _last_state(
        self,
        views: dict[str, Sqlite],
        followers: Mapping[str, Follower],
        following: Sequence["asyncio.Future[None]"],
    ) -> tuple[str, "_LastState"]:
        """Rest, let followers read to the end, and read everything, until all of it reads alike on
        both sides of that: what is judged with it is of the same moment.

        A hold may end at any time, also between the last look of a rest and the reading, or while
        that goes on: only what the broker had before it began can be asked to be there.
        """
        waiting, seen = await self._rest(views), None
        await end_all(following)
        while True:
            heard, depths = list(self._brokers.heard), dict(self._brokers.depths)
            snapshot = await snapshot_of(views["orders"], views["inventory"])
            last = _LastState(heard, depths, snapshot)
            if snapshot == seen:
                return waiting, last
            for name, follower in followers.items():
                await follower.catch_up(len(snapshot.feeds[name].entries))
            if waiting:
                return waiting, last
            seen, waiting = snapshot, await self._rest(views)

    async def _rest(self, views: dict[str, Sqlite]) -> str:
        """Wait until nothing waits any more; return what still does after REST_S_MAX.

        What was lost is asked for again, after twice the time that it was waited for until then.
        """
        rest_s = REST_S_MAX + (ASKING_MAX * self._swarm.limits.late_s if self._brokers.lost else 0)
        healed_at, quiet = self.loop.time(), 0
        while quiet < QUIET_LOOKS:
            await asyncio.sleep(0.5)
            left = {name: await _left(view, LEFT[name]) for name, view in views.items()}
            left["queues"] = tuple(self._brokers.depths.values())
            quiet = 0 if any(map(any, left.values())) else quiet + 1
            if not quiet and self.loop.time() - healed_at > rest_s:
                return f"13: after {rest_s} s of health there wait still {left}"
        self.tell("world", "everything has come to rest")
        return ""


class _LastState(NamedTuple):
    """What is judged: events heard and messages in queues, and then what is in the databases."""

    heard: list[Event]
    depths: Mapping[str, int]
    snapshot: Snapshot


def places(swarm: Swarm) -> list[tuple[str, Sequence[str]]]:
    """The processes of a topology: their names and what they run."""
    if swarm.topology == "embedded":
        return [("embedded", (*SERVICES, *([NOTIFIER] if swarm.notifiers else [])))]
    return [
        *((f"inventory-{number}", ("inventory",)) for number in range(1, swarm.inventories + 1)),
        *((f"orders-{number}", ("orders",)) for number in range(1, swarm.orders + 1)),
        *((f"notifier-{number}", (NOTIFIER,)) for number in range(1, swarm.notifiers + 1)),
    ]


async def _left(view: Sqlite, sql: str) -> Sequence[int]:
    """How many orders or queues wait, and how many events are unpublished."""
    async with view.read() as reading:
        (row,) = await reading.fetch(sql)
    return tuple(row)  # type: ignore[arg-type]
