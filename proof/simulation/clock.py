"""The clocks of simulated machines: right, wrong, or jumping; and ids made of seeded chance."""

from datetime import UTC, datetime, timedelta
from random import Random

from holdfast.chassis.clock import uuid7
from proof.simulation.loop import SimulatedLoop

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """The clock of one machine.

    :param wrong_s: how far it is ahead of the true time; it may be set while it runs.
    """

    def __init__(self, loop: SimulatedLoop, chance: Random, wrong_s: float = 0.0) -> None:
        self._loop, self._chance = loop, chance
        self.wrong_s = wrong_s

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._loop.time() + self.wrong_s)

    def new_id(self) -> str:
        unix_ms = int(self.now().timestamp() * 1_000)
        return uuid7(unix_ms, self._chance.randbytes(10))
