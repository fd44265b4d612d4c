"""Who leads among the instances of a service: a right that dies late, and can be lost unnoticed."""

import asyncio
from collections.abc import Awaitable, Callable

from holdfast.chassis.database.postgres import LEADERSHIP_CHECK_S
from holdfast.chassis.database.seam import DatabaseUnavailable
from proof.simulation.fault_rates import FaultRates
from proof.simulation.loop import Process, SimulatedLoop, current_process

Reached = Callable[[], Awaitable[None]]


class LeadershipTable:
    """What the database server knows: who holds which right."""

    def __init__(self, loop: SimulatedLoop, fault_rates: FaultRates) -> None:
        self.loop, self.fault_rates = loop, fault_rates
        self.holders: dict[str, SimulatedLeadership] = {}

    def process_died(self, process: Process, notices_s: float) -> None:
        for holder in list(self.holders.values()):
            if holder.process is process:
                self.loop.outside(notices_s, self.give_up, holder)

    def give_up(self, holder: "SimulatedLeadership") -> None:
        if self.holders.get(holder.name) is holder:
            del self.holders[holder.name]

    def forget(self) -> None:
        """Let nobody hold anything; those who did find out when they ask."""
        self.holders.clear()


class SimulatedLeadership:
    """One process's side, as `PostgresLeadership` behaves: what it knows is half a second old."""

    def __init__(
        self,
        table: LeadershipTable,
        name: str,
        told: Callable[[], None] | None,
        reached: Reached,
    ) -> None:
        process = current_process()
        assert process is not None
        self.process, self.name, self._told = process, name, told
        self._table, self._reached = table, reached
        self._believes = False
        self._seen_at = 0.0

    async def held(self) -> bool:
        loop = self._table.loop
        if self._believes and loop.time() - self._seen_at < LEADERSHIP_CHECK_S:
            return True
        await self._round_trip()
        holder = self._table.holders.setdefault(self.name, self)
        self._believes, self._seen_at = holder is self, loop.time()
        return self._believes

    async def tell(self) -> None:
        await self._round_trip()
        holder = self._table.holders.get(self.name)
        if holder is not None and holder._told and not self._table.fault_rates.strikes("tell lost"):
            self._table.loop.call_soon(holder._told, context=holder.process.context())

    async def release(self) -> None:
        self._believes = False
        self._table.give_up(self)

    async def _round_trip(self) -> None:
        try:
            await self._reached()
            await asyncio.sleep(self._table.fault_rates.disk_wait_s())
        except DatabaseUnavailable:
            self._believes = False
            self._table.give_up(self)
            raise
