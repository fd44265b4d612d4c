"""Strike faults by a schedule, wait as long as each lasts, heal them; tell what happened when."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proof.chaos.faults import Fault, Ineffective
from proof.chaos.ground import Ground
from proof.chaos.schedule import Strike
from tests.processes import ProgramFailed

AT_ONCE_MAX = 2
HEAL_S_MAX = 90.0

Kinds = Mapping[str, Callable[[Ground, random.Random], Fault]]
Say = Callable[[str], None]


@dataclass
class Damage:
    """What was done to the system so far."""

    strikes: Counter[str] = field(default_factory=Counter)  # that took effect, by kind
    missed: Counter[str] = field(default_factory=Counter)  # that did not
    kills: Counter[str] = field(default_factory=Counter)  # processes, by target
    unhealed: list[str] = field(default_factory=list)


class Striking:
    """Strikes what the schedule says, some of it at the same time.

    :param say: told of everything as it happens.
    """

    def __init__(self, ground: Ground, kinds: Kinds, say: Say) -> None:
        self._ground = ground
        self._kinds = kinds
        self._say = say
        self._hands = asyncio.Semaphore(AT_ONCE_MAX)
        self.damage = Damage()

    async def strike_all(self, strikes: Sequence[Strike], *, until_s: float) -> None:
        """Return when all is struck and healed that began in time.

        :param until_s: no strike begins later, even if the schedule has slipped.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.TaskGroup() as group:
            for strike in strikes:
                await asyncio.sleep(began + strike.at_s - clock())
                await self._hands.acquire()
                if clock() - began > until_s:
                    self._hands.release()
                    return
                group.create_task(self._strike(strike))

    async def _strike(self, strike: Strike) -> None:
        try:
            fault = self._kinds[strike.kind](self._ground, random.Random(strike.dice))
            if await self._hit(fault):
                await asyncio.sleep(fault.lasts_s)
            await self._heal(fault)
        finally:
            self._hands.release()

    async def _hit(self, fault: Fault) -> bool:
        try:
            await fault.strike()
        except (Ineffective, ProgramFailed) as error:
            self.damage.missed[fault.name] += 1
            self._say(f"{fault.name} {fault.target}: missed: {_first_line(error)}")
            return False
        self.damage.strikes[fault.name] += 1
        if fault.kills:
            self.damage.kills[fault.target] += fault.kills
        lasts = f" for {fault.lasts_s:.1f} s" if fault.lasts_s else ""
        self._say(f"{fault.name} {fault.target}{lasts}")
        return True

    async def _heal(self, fault: Fault) -> None:
        try:
            async with asyncio.timeout(HEAL_S_MAX):
                await fault.heal()
        except (Ineffective, ProgramFailed, TimeoutError) as error:
            # Another fault may stand in its way: the last word is the ground's own healing.
            self.damage.unhealed.append(f"{fault.name} {fault.target}")
            self._say(f"{fault.name} {fault.target}: not healed yet: {_first_line(error)}")
        else:
            self._say(f"{fault.name} {fault.target}: healed")


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).partition("\n")[0]
