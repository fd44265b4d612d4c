"""Strike faults by a schedule, wait as long as each lasts, heal them; tell what happened when."""

import asyncio
import http.client
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proof.chaos.database_pair import DATABASE_TROUBLES
from proof.chaos.fault import Fault, Ineffective
from proof.chaos.schedule import Strike
from proof.chaos.testbed import Testbed
from testbed.processes import ProgramFailed

AT_ONCE_MAX = 2
HEAL_S_MAX = 120.0

# What a fault may end in while other faults are there.
TROUBLES = (
    *(Ineffective, ProgramFailed, OSError, http.client.HTTPException),
    *DATABASE_TROUBLES,
)

Kinds = Mapping[str, Callable[[Testbed, random.Random], Fault]]
Say = Callable[[str], None]


@dataclass
class Damage:
    """What was done to the system so far."""

    strikes: Counter[str] = field(default_factory=Counter)  # that took effect, by kind
    missed: Counter[str] = field(default_factory=Counter)  # that did not
    kills: Counter[str] = field(default_factory=Counter)  # servers and services, by kind of fault
    unhealed: list[str] = field(default_factory=list)
    struck: list[Fault] = field(default_factory=list)


class Striking:
    """Strikes what the schedule says: two faults at once at most, and never two of one group.

    :param say: told of everything as it happens.
    :param lasts_s_max: no fault lasts longer, whatever it was drawn for.
    """

    def __init__(
        self, testbed: Testbed, kinds: Kinds, say: Say, *, lasts_s_max: float = math.inf
    ) -> None:
        self._testbed = testbed
        self._kinds = kinds
        self._say = say
        self._lasts_s_max = lasts_s_max
        self._hands = asyncio.Semaphore(AT_ONCE_MAX)
        self._groups: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.damage = Damage()

    async def strike_all(
        self,
        strikes: Sequence[Strike],
        *,
        until_s: float,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Return when all is struck and healed that began in time.

        :param until_s: no strike begins later, even if it had to wait for others.
        :param enough: no strike begins when this is so.
        """
        clock = asyncio.get_running_loop().time
        began = clock()

        def is_over() -> bool:
            return clock() - began > until_s or enough()

        async with asyncio.TaskGroup() as group:
            for strike in strikes:
                await asyncio.sleep(began + strike.at_s - clock())
                if is_over():
                    return
                group.create_task(self._take_turn(strike, is_over))

    async def _take_turn(self, strike: Strike, is_over: Callable[[], bool]) -> None:
        fault = self._kinds[strike.kind](self._testbed, random.Random(strike.dice))
        async with self._groups[fault.group], self._hands:
            if is_over():
                return
            if await self._hit(fault):
                await asyncio.sleep(min(fault.lasts_s, self._lasts_s_max))
            await self._heal(fault)

    async def _hit(self, fault: Fault) -> bool:
        try:
            try:
                await fault.strike()
            finally:
                if fault.kills:  # also if it then failed to do the rest
                    self.damage.kills[fault.name] += fault.kills
        except TROUBLES as error:
            self.damage.missed[fault.name] += 1
            self._say(f"{fault.name}, {fault.target}: missed: {_first_line(error)}")
            return False
        self.damage.strikes[fault.name] += 1
        self.damage.struck.append(fault)
        lasts_s = min(fault.lasts_s, self._lasts_s_max)
        self._say(f"{fault.name}, {fault.target}" + (f", for {lasts_s:g} s" if lasts_s else ""))
        return True

    async def _heal(self, fault: Fault) -> None:
        try:
            async with asyncio.timeout(HEAL_S_MAX):
                await fault.heal()
        except TROUBLES as error:
            # Another fault may stand in its way: the last word is the testbed's own healing.
            self.damage.unhealed.append(f"{fault.name}, {fault.target}")
            self._say(f"{fault.name}, {fault.target}: not healed yet: {_first_line(error)}")
        else:
            self._say(f"{fault.name}, {fault.target}: healed")


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).partition("\n")[0]
