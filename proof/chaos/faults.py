"""Every fault of a campaign: what it does, that it took effect, and how it is healed."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Protocol

from proof.chaos.ground import Ground


class Ineffective(Exception):
    """A fault was struck and nothing was hit: the campaign would count what never happened."""


class Fault(Protocol):
    """One fault, drawn and not yet struck."""

    @property
    def name(self) -> str:
        """Its kind, a key of KINDS."""

    @property
    def target(self) -> str:
        """What it hits, such as "orders-1"; known when it has struck, at the latest."""

    @property
    def lasts_s(self) -> float:
        """How long to wait between strike and heal."""

    @property
    def kills(self) -> int:
        """How many processes the strike killed."""

    async def strike(self) -> None:
        """:raises Ineffective: it did not take effect."""

    async def heal(self) -> None:
        """Make it good; return when what was struck serves again. Repeating it changes nothing."""


KINDS: Mapping[str, Callable[[Ground, Random], Fault]] = {}


def draw(ground: Ground, chance: Random, *, kinds: frozenset[str] | None = None) -> Fault:
    """Choose a kind, and let it choose its target and how long it lasts."""
    name = chance.choice(sorted(kinds if kinds is not None else KINDS))
    return KINDS[name](ground, chance)
