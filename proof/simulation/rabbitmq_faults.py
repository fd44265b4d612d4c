"""What goes wrong around the simulated RabbitMQ, and how often: shares of frames, blows by time."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, fields, replace
from random import Random

SHARE_MAX = 0.3
BLOWS_PER_MIN_MAX = 6.0


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates of everything that may go wrong; all zero is a broker on its best day.

    Shares are drawn for each frame, message, ack or lost connection; blows fall on the broker as a
    whole, at random moments, so many in a minute of virtual time on average.
    """

    slow_frames: float = 0.0  # the others take no time at all
    late_confirms: float = 0.0
    lost_confirms: float = 0.0  # the message is held, but the connection dies before the confirm
    nacks: float = 0.0  # one half of the messages refused is held all the same
    duplicates: float = 0.0  # of what was acknowledged: it comes again, as after a leader change
    shuffled_returns: float = 0.0  # what a lost consumer had comes back in any order
    resets: float = 0.0  # of connections lost: what was under way is lost too
    deaf_waiters: float = 0.0  # of connections lost: the client's waiters are not told
    slow_goodbyes: float = 0.0  # of connections closed: the client lingers, whatever is asked

    cuts_per_min: float = 0.0  # one connection
    freezes_per_min: float = 0.0  # one connection, with the line open
    refusals_per_min: float = 0.0  # no new connection for a while
    restarts_per_min: float = 0.0
    alarms_per_min: float = 0.0  # memory: whoever publishes is no longer read from
    elections_per_min: float = 0.0  # one queue has no leader for a while
    cancels_per_min: float = 0.0  # one consumer, which is told
    forgotten_per_min: float = 0.0  # one consumer, which is not told
    lost_bindings_per_min: float = 0.0
    lost_queues_per_min: float = 0.0
    purges_per_min: float = 0.0  # of what waits in one queue and may be lost

    # Of channels: all that is published on it is refused, for as long as it lives. RabbitMQ 3.10
    # does so where a channel's first message found the leader's node just lost.
    stubborn_channels: float = 0.0

    frame_s_max: float = 1.0
    confirm_s_max: float = 5.0
    blow_s_max: float = 20.0  # how long a restart, an alarm, a freeze, an election lasts

    @classmethod
    def drawn(cls, rng: Random) -> "Faults":
        """Return a subset of the faults at random rates: what rarely meets does so here and there.

        Most runs know few faults, since under all at once hardly anything gets through.
        """
        usual = rng.choice((0.2, 0.5, 0.8))
        rates = {}
        for name in RATES:
            most = BLOWS_PER_MIN_MAX if name.endswith("_per_min") else SHARE_MAX
            drawn = most * 10 ** rng.uniform(-2, 0)
            if rng.random() < usual:
                rates[name] = drawn
        return replace(
            cls(**rates),
            frame_s_max=10 ** rng.uniform(-3, 0.5),
            confirm_s_max=10 ** rng.uniform(-1, 1.3),
            blow_s_max=10 ** rng.uniform(-1, 1.5),
        )


RATES = tuple(field.name for field in fields(Faults) if not field.name.endswith("_s_max"))


class Fate:
    """The dice, the faults in force, and timers that outlive the process that happens to run.

    :param tell: is told of what happens.
    """

    def __init__(self, rng: Random, faults: Faults, tell: Tell) -> None:
        self.rng, self.faults, self.tell = rng, faults, tell
        self.struck: Counter[str] = Counter()
        self._context = copy_context()

    def strikes(self, kind: str) -> bool:
        """Whether this happens now to one of its share."""
        share = getattr(self.faults, kind)
        strikes: bool = share > 0 and self.rng.random() < share
        self.struck[kind] += strikes
        return strikes

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def later(
        self, delay_s: float, what: Callable[..., object], *arguments: object
    ) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(delay_s, what, *arguments, context=self._context)

    def frame_s(self) -> float:
        """How long the next frame takes."""
        if self.strikes("slow_frames"):
            return self.rng.uniform(0, self.faults.frame_s_max)
        return 0.0
