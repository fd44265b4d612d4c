"""What a fault is: it strikes, it shows that it took effect, it lasts a while, and it heals."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random
from typing import ClassVar

from proof.chaos.testbed import Testbed

EFFECT_S_MAX = 15.0
LOOK_S = 0.1


class Ineffective(Exception):
    """A fault was struck and hit nothing: it must not be counted."""


class Fault(ABC):
    """One fault, drawn and not yet struck. Of one group, only one may be struck at a time: healing
    brings the whole group back.

    :param target: what it hits; where that is known only at the strike, it is "" before.
    :param lasts_s: how long to wait between strike and heal.
    :param kills: how many servers and services the strike killed.
    """

    name: ClassVar[str]
    group: ClassVar[str]  # services, brokers, databases, wires
    durations_s: ClassVar[tuple[float, ...]] = (0.0,)

    def __init__(self, testbed: Testbed, chance: Random) -> None:
        self.testbed, self.chance = testbed, chance
        self.lasts_s = chance.choice(self.durations_s)
        self.kills = 0
        self.choose()

    @classmethod
    def why_impossible(cls, testbed: Testbed) -> str:
        """Why it can't be made on this machine; empty if it can."""
        del testbed
        return ""

    def __repr__(self) -> str:
        return f"{self.name} ({self.target or 'whoever it is'}, {self.lasts_s:g} s)"

    def choose(self) -> None:
        """Choose the target by chance, unless only the strike can know it."""
        self.target = ""

    async def strike(self) -> None:
        """Do it, and see that it took effect.

        :raises Ineffective: it did not.
        """
        await asyncio.to_thread(self._strike)

    async def heal(self) -> None:
        """Make it good; return when what was struck serves again. A repeat changes nothing."""
        await asyncio.to_thread(self._heal)

    @abstractmethod
    def _strike(self) -> None: ...

    @abstractmethod
    def _heal(self) -> None: ...


def require(effect: bool, what_failed: str) -> None:
    """:raises Ineffective: there is no effect."""
    if not effect:
        raise Ineffective(what_failed)


def within(seconds: float, condition: Callable[[], bool], what_failed: str) -> None:
    """Look until there is an effect.

    :raises Ineffective: there was none for so long.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Ineffective(what_failed)
        time.sleep(LOOK_S)
