"""Whoever does in a run what does not happen by itself: kills, freezes, breaks and sets clocks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random

from proof.simulation.brokers import Brokers
from proof.simulation.database import DatabaseServer
from proof.simulation.fault_rates import FaultRates
from proof.simulation.instance import Instance, Tell
from proof.simulation.loop import SimulatedLoop, current_process
from proof.simulation.poison import Poison

CRASHES = (5, 30)
CLOCK_JUMPS_S = (-3_600.0, -60.0, -2.0, 0.5, 30.0, 3_600.0, 31 * 86_400.0)
CLOCK_WRONG_S = (-30.0, -0.5, 0.5, 30.0)

# An event whose handling fails thrice in a row for no reason that passes is parked, rightly.
RAISES_EVERY_S = 5.0


class PlannedError(Exception):
    """What an armed failpoint raises."""


class Nemesis:
    """Does the deeds of a plan, each at a moment drawn by chance."""

    def __init__(
        self,
        loop: SimulatedLoop,
        chance: Random,
        fault_rates: FaultRates,
        instances: Sequence[Instance],
        databases: Mapping[str, DatabaseServer],
        brokers: Brokers,
        poison: Poison,
        tell: Tell,
    ) -> None:
        self._loop, self._chance, self._fault_rates = loop, chance, fault_rates
        self._instances, self._databases, self._tell = instances, databases, tell
        self._brokers, self._poison = brokers, poison
        self._acts: dict[str, Callable[[], object]] = {
            "kill": lambda: self._anyone().kill(self._back_s()),
            "stop": lambda: self._anyone().stop(self._back_s()),
            "freeze": lambda: self._anyone().freeze(15 * self._chance.random() ** 2),
            "crash loop": self._begin_crash_loop,
            "outage": self._outage,
            "session broken": self._break_session,
            "leadership lost": self._lose_leadership,
            "clock jump": self._jump,
            "clock wrong": self._set_clock_wrong,
            "poison": self._send_poison,
            "events again": self._repeat,
            "queue deleted": lambda: brokers.lose_queue(self._chance),
        }
        self._crash_loops: list[asyncio.Task[None]] = []
        self._raises_from = 0.0

    async def do(self, deeds: Mapping[str, int], within_s: float) -> None:
        """Do them all within this time."""
        plan = sorted(
            (self._chance.uniform(0, within_s), number, kind)
            for number, kind in enumerate(
                kind for kind, times in deeds.items() for _ in range(times)
            )
        )
        began = self._loop.time()
        for at_s, _, kind in plan:
            await asyncio.sleep(max(0.0, began + at_s - self._loop.time()))
            self._fault_rates.struck[kind] += 1
            self._acts[kind]()
        await asyncio.sleep(max(0.0, began + within_s - self._loop.time()))

    def heal(self) -> None:
        """Undo everything that lasts."""
        for crash_loop in self._crash_loops:
            crash_loop.cancel()
        self._fault_rates.heal()
        for database in self._databases.values():
            database.come_up()
        for instance in self._instances:
            instance.machine.clock.wrong_s = 0.0
            instance.restore()

    async def reach_failpoint(self, name: str) -> None:
        """What a failpoint does while it is armed."""
        process = current_process()
        mine = [one for one in self._instances if one.runs(process)]
        if self._fault_rates.strikes("failpoint waits"):
            await asyncio.sleep(self._chance.random() * 2)
        if self._loop.time() > self._raises_from and self._fault_rates.strikes("failpoint raises"):
            self._raises_from = self._loop.time() + RAISES_EVERY_S
            self._tell(str(process), f"raises at {name}")
            raise PlannedError(name)
        if self._fault_rates.strikes("failpoint kills") and mine:
            mine[0].kill(self._back_s())
            await self._loop.create_future()  # nothing of a dead process goes on

    def _anyone(self) -> Instance:
        return self._chance.choice(self._instances)

    def _back_s(self) -> float:
        return 10 * self._chance.random() ** 3

    def _begin_crash_loop(self) -> None:
        self._crash_loops.append(self._loop.create_task(self._crash(self._anyone())))

    async def _crash(self, instance: Instance) -> None:
        longest_s = self._chance.choice((0.02, 0.2, 2.0))
        for _ in range(self._chance.randint(*CRASHES)):
            while not instance.is_up:
                await asyncio.sleep(0.01)
            await asyncio.sleep(self._chance.random() * longest_s)
            instance.kill(0.05)

    def _outage(self) -> None:
        name = self._chance.choice(sorted(self._databases))
        for_s = 15 * self._chance.random() ** 2
        self._tell(name, f"database is down for {for_s:.2f} s")
        self._databases[name].go_down()
        self._loop.outside(for_s, self._databases[name].come_up)

    def _break_session(self) -> None:
        for name, database in self._databases.items():
            self._tell(name, "the open transaction is broken off")
            database.break_off_writer()

    def _lose_leadership(self) -> None:
        for database in self._databases.values():
            database.leaderships.forget()

    def _send_poison(self) -> None:
        self._tell("world", "somebody sends poison")
        self._brokers.poison(self._poison, self._chance)

    def _repeat(self) -> None:
        self._tell("world", "old events come again")
        self._brokers.repeat(self._chance)

    def _jump(self) -> None:
        instance, by_s = self._anyone(), self._chance.choice(CLOCK_JUMPS_S)
        instance.machine.clock.wrong_s += by_s
        self._tell(instance.name, f"the clock jumps by {by_s} s")

    def _set_clock_wrong(self) -> None:
        for instance in self._instances:
            instance.machine.clock.wrong_s = self._chance.choice(CLOCK_WRONG_S)
            self._tell(instance.name, f"the clock is wrong by {instance.machine.clock.wrong_s} s")
