"""How often somebody may try to sign in: slower and slower work for who guesses, never a lock that
others could close.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from holdfast.chassis.grpc.admission import TooMuch

ACCOUNTS_MAX = 10_000  # before those that no longer matter are looked for


class Pace(NamedTuple):
    """So many at once, and then one in `every_s`."""

    at_once: int
    every_s: float


OF_DEVICE = Pace(10, 30.0)  # of a user, on a device where they signed in before
OF_PLACE = Pace(10, 30.0)  # of a name, from one address
OF_NAME = Pace(50, 10.0)  # from wherever
OF_ADDRESS = Pace(100, 1.0)  # of whatever name; a console or a proxy is one address

Account = tuple[Pace, tuple[str, ...]]


def accounts(name: str, address: str, device: str) -> list[Account]:
    """Return what a guess counts for.

    :param device: "" where nobody signed in by this name: else others' guesses don't count.
    """
    if device:
        return [(OF_DEVICE, ("device", name, device))]
    return [
        (OF_PLACE, ("place", name, address)),
        (OF_NAME, ("name", name)),
        (OF_ADDRESS, ("address", address)),
    ]


class Guesses:
    """Counts them, in this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._due_at: dict[tuple[str, ...], float] = {}  # when those so far would be well spread
        self._accounts_max = ACCOUNTS_MAX

    def take(self, of: list[Account]) -> None:
        """Count one, which has room in all accounts.

        :raises TooMuch: there is none, and nothing was counted.
        """
        now = self._now()
        if len(self._due_at) > self._accounts_max:
            self._due_at = {one: due_at for one, due_at in self._due_at.items() if due_at > now}
            self._accounts_max = max(ACCOUNTS_MAX, 2 * len(self._due_at))
        early_s = 0.0
        for pace, account in of:
            ahead_s = self._due_at.get(account, now) - now
            early_s = max(early_s, ahead_s - (pace.at_once - 1) * pace.every_s)
        if early_s > 0:
            raise TooMuch("TOO_MANY_GUESSES", "too many tried to sign in", early_s)
        for pace, account in of:
            self._due_at[account] = max(self._due_at.get(account, now), now) + pace.every_s
