"""What may go wrong at this moment, and how often: one object that all parts of the world ask."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

# Every kind of fault that happens by itself, as a share of the occasions for it.
CHANCES = (
    "begin refused",  # DatabaseUnavailable before a transaction or statement
    "statement broken",  # the session ends at a statement; the transaction is rolled back
    "conflict",
    "commit lost before",  # the reply to COMMIT is lost, and so is the commit
    "commit lost after",  # the reply to COMMIT is lost, the commit stands
    "disk slow",
    "request dropped",
    "reply dropped",
    "network slow",
    "call doubled",  # a caller who calls again and does not wait for the first answer
    "publish refused",  # by the broker of embedded mode
    "confirm lost",  # likewise
    "tell lost",  # which only wakes the leader sooner
    "failpoint kills",
    "failpoint raises",
    "failpoint waits",
)
PARTNERS_FAIL = "partner fails"  # a receiver of webhooks answers that something is wrong there


@dataclass
class FaultRates:
    """Rates by kind of fault; everything is at 0 after the healing.

    :param disk_s, network_s: the usual time for one way.
    :param tell: is told of everything that strikes, but not of what is only slow.
    """

    chance: Random
    rates: dict[str, float] = field(default_factory=dict)
    disk_s: float = 0.000_3
    network_s: float = 0.000_5
    tell: Callable[[str], None] = lambda _: None
    struck: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        assert self.rates.keys() <= {*CHANCES, PARTNERS_FAIL}, "a kind that nobody asks for"

    def strikes(self, kind: str) -> bool:
        """Whether this fault happens now."""
        rate = self.rates.get(kind, 0.0)
        if rate == 0 or self.chance.random() >= rate:
            return False
        self.struck[kind] += 1
        if not kind.endswith("slow"):
            self.tell(kind)
        return True

    def heal(self) -> None:
        """Let nothing go wrong by itself any more."""
        self.rates.clear()

    def disk_wait_s(self) -> float:
        """How long a request or an answer of a database takes."""
        slow = 200 * self.chance.random() if self.strikes("disk slow") else 1.0
        return self.chance.expovariate(1 / self.disk_s) * slow

    def network_wait_s(self) -> float:
        """How long a message between processes takes."""
        slow = 2_000 * self.chance.random() ** 2 if self.strikes("network slow") else 1.0
        return self.chance.expovariate(1 / self.network_s) * slow
