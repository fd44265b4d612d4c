"""A queue in lanes, one for each caller: whoever sends much holds up nobody but itself.

Alone, a caller may fill whole batches. While others are about, its part of a batch is no larger
than what all of them together want: a batch lasts at most about twice as long as theirs would.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

ABOUT_S = 1.0  # how long a caller is about after it was last heard of
PART_ITEMS_MIN = 32  # what anybody gets: much smaller batches take hardly less time


class Sized(Protocol):
    """What was put together, and stays together."""

    @property
    def items(self) -> Sequence[object]: ...


Group = TypeVar("Group", bound=Sized)


class _Lane(Generic[Group]):
    """What one caller has waiting, oldest first."""

    __slots__ = ("debt", "groups", "items", "part", "seen_at")

    def __init__(self) -> None:
        self.groups: deque[Group] = deque()
        self.items = 0
        self.part = 0  # items in its last batch
        self.debt = 0  # items that it had too many of, as groups stay together
        self.seen_at = 0.0

    @property
    def demand(self) -> int:
        """What it wants of a batch: callers who wait for an answer come back soon after it."""
        return max(self.items, self.part)

    def pop(self, allowed: int, room: int, *, any_size: bool) -> list[Group]:
        """Take the oldest groups while something is allowed and they find room."""
        popped: list[Group] = []
        while self.groups and allowed > 0:
            size = len(self.groups[0].items)
            if size > room and not (any_size and not popped):
                break
            popped.append(self.groups.popleft())
            self.items -= size
            allowed -= size
            room -= size
        return popped


class Lanes(Generic[Group]):
    """Groups of items, to be taken as batches: a caller's in their order, and callers by turns."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.items = 0
        self._now = now
        self._lanes: dict[str, _Lane[Group]] = {}  # whose turn is next stands first

    def __iter__(self) -> Iterator[Group]:
        for lane in self._lanes.values():
            yield from lane.groups

    @property
    def is_shared(self) -> bool:
        """Whether several callers are about."""
        return len(self._lanes) > 1

    def put(self, caller: str, group: Group) -> None:
        """Add what a caller has sent."""
        lane = self._lanes.get(caller)
        if lane is None:
            lane = self._lanes[caller] = _Lane()
        lane.groups.append(group)
        lane.items += len(group.items)
        lane.seen_at = self._now()
        self.items += len(group.items)

    def has_share(self, caller: str, items: int, whole: int) -> bool:
        """Whether a caller with so many more would still have no more than its share of `whole`."""
        lane = self._lanes.get(caller)
        others = len(self._lanes) if lane is None else len(self._lanes) - 1
        waiting = 0 if lane is None else lane.items
        return others > 0 and waiting + items <= whole // (others + 1)

    def take(self, items_max: int, but: Collection[str] = ()) -> list[Group]:
        """Take a batch of at most so many items, or one group that has more.

        :param but: callers of whom nothing is taken.
        """
        if len(self._lanes) > 1:
            self._forget_gone()
        if len(self._lanes) == 1 and not but:
            (lane,) = self._lanes.values()
            lane.debt = 0
            batch = lane.pop(items_max, items_max, any_size=True)
            lane.part = _size(batch)
        else:
            batch = self._take_parts(items_max, but)
        self.items -= _size(batch)
        return batch

    def _take_parts(self, items_max: int, but: Collection[str]) -> list[Group]:
        """Take of each caller's its part. Callers in debt are passed over while others wait."""
        wanted = sum(lane.demand for lane in self._lanes.values())
        waiting = {
            caller: lane
            for caller, lane in self._lanes.items()
            if lane.groups and caller not in but
        }
        turn = max(items_max // max(len(waiting), 1), 1)
        batch: list[Group] = []
        taken = dict.fromkeys(waiting, 0)
        allowed = {
            caller: max(wanted - lane.demand, PART_ITEMS_MIN) - lane.debt
            for caller, lane in waiting.items()
        }
        if waiting and max(allowed.values()) <= 0:  # nobody is there to be held up
            allowed = dict.fromkeys(waiting, PART_ITEMS_MIN)
        for most in (turn, items_max):
            for caller, lane in waiting.items():
                part = min(allowed[caller], most) - taken[caller]
                some = lane.pop(part, items_max - _size(batch), any_size=not batch)
                taken[caller] += _size(some)
                batch += some
        for caller, lane in waiting.items():
            lane.part = taken[caller]
            lane.debt = max(taken[caller] - allowed[caller], 0)
            if taken[caller]:
                self._lanes[caller] = self._lanes.pop(caller)  # behind those who got nothing
        return batch

    def _forget_gone(self) -> None:
        gone_at = self._now() - ABOUT_S
        gone = [
            caller
            for caller, lane in self._lanes.items()
            if not lane.groups and lane.seen_at < gone_at
        ]
        for caller in gone:
            del self._lanes[caller]


def _size(groups: Sequence[Group]) -> int:
    return sum(len(group.items) for group in groups)
