"""When things happened, as far as callers can tell: each step of a life between two times.

A step did not happen before the first call that can have caused it began, nor before a call that
was told of an older state began; it had happened when a call that was told of it, or of a later
one, ended. What nobody can tell is left open, so that who reasons from it accuses nobody wrongly.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import NamedTuple

from proof.history import Call
from proof.run_record import CHANGING_STOCK, RunRecord
from proof.snapshot import Movement

FOREVER = inf


class Life:
    """The steps of something, the first one is 1, and the times between which each happened.

    :param since: for each step, a time before which it can't have happened.
    :param until: for each step, a time by which it had.
    """

    def __init__(self, since: Iterable[float], until: Sequence[float]) -> None:
        self._since = list(accumulate(since, max))
        self._until = list(accumulate(reversed(until), min))[::-1]

    def between(self, step: int) -> tuple[float, float]:
        """The times between which a step happened."""
        return self._since[step - 1], self._until[step - 1]

    def seen(self, begun: float, ended: float) -> range:
        """The steps of which each may have been the newest at some moment between two times; 0:
        none had happened. Empty: what callers were told contradicts itself.
        """
        return range(bisect_left(self._until, begun), bisect_right(self._since, ended) + 1)


def span(call: Call) -> tuple[float, float]:
    """The times between which a call was answered."""
    return call.invoked_at, FOREVER if call.ended_at is None else call.ended_at


class Switches:
    """What became of a location: at which version it may have been active, and when.

    Locations are made active, and changed by nothing but UpdateLocation, in versions without a gap.
    """

    def __init__(self, record: RunRecord, location_id: str) -> None:
        location = record.snapshot.locations.get(location_id)
        self.newest = location.version if location else 1
        self._calls = defaultdict[int, list[Call]](list)  # that may have made a version
        for call in record.calls_of("UpdateLocation"):
            if call.request["location_id"] == location_id and call.outcome != "fail":
                self._calls[call.request["version"] + 1].append(call)
        made = range(2, self.newest + 1)
        since = [min((c.invoked_at for c in self.calls(one)), default=-inf) for one in made]
        known = [FOREVER] * len(since)
        for call, version, _ in told_of(record, location_id):
            if 2 <= version <= self.newest and call.ended_at is not None:
                known[version - 2] = min(known[version - 2], call.ended_at)
        self._life = Life(since, known)

    def calls(self, version: int) -> Sequence[Call]:
        """The calls that may have made a version; of those that were told so, only these."""
        calls = self._calls.get(version, [])
        return [call for call in calls if call.outcome == "ok"] or calls

    def states(self, version: int) -> set[bool]:
        """Whether it was active at a version; both, if nobody knows."""
        if version == 1:
            return {True}
        return {bool(call.request["active"]) for call in self.calls(version)} or {True, False}

    def versions(self, begun: float, ended: float) -> range:
        """The versions that it may have had at some moment between two times."""
        steps = self._life.seen(begun, ended)
        return range(steps.start + 1, steps.stop + 1)

    def active(self, begun: float, ended: float) -> set[bool]:
        """Whether it may have been active at some moment between two times, and inactive."""
        versions = self.versions(begun, ended) or range(1, self.newest + 1)
        return {state for version in versions for state in self.states(version)}


def told_of(record: RunRecord, location_id: str) -> Iterator[tuple[Call, int, bool]]:
    """What callers were told of a location: by which call, its version, and whether active."""
    for method in ("UpdateLocation", "ListLocations"):
        for call in record.calls_of(method):
            for name, active, version in (call.value or {}).get("locations", ()):
                if name == location_id:
                    yield call, version, active


class Look(NamedTuple):
    """A call that was told of a product: how many of its movements had happened.

    :param is_newest: there were no more by then; else what it was told may have been old.
    """

    call: Call
    movements: int
    is_newest: bool


class Shelf:
    """What became of a product's stock: all its movements, which its locks put into one order."""

    def __init__(
        self,
        movements: Sequence[Movement],
        since: Sequence[float],
        looks: list[Look],
        kept_back: int = 0,
    ) -> None:
        self.movements = movements
        begun, known = [*since], [FOREVER] * len(since)
        for call, steps, is_newest in looks:
            if is_newest and steps < len(begun):
                begun[steps] = max(begun[steps], call.invoked_at)
            if steps and call.ended_at is not None:
                known[steps - 1] = min(known[steps - 1], call.ended_at)
        self.life = Life(begun, known)
        self._free: list[Mapping[str, int]] = [{}]
        for one in movements:
            units = one.on_hand_after - one.reserved_after - one.quarantined_after
            self._free.append({**self._free[-1], one.location_id: max(0, units - kept_back)})

    def free(self, step: int) -> Mapping[str, int]:
        """Units by location that could be promised after so many movements, if it was active."""
        return self._free[step]


def shelves(record: RunRecord) -> Mapping[str, Shelf]:
    """What became of each product's stock."""
    movements = defaultdict[str, list[Movement]](list)
    for movement in record.snapshot.ledger:
        movements[movement.product_id].append(movement)
    since, at = _since(record), _places_of_versions(movements)
    looks = defaultdict[str, list[Look]](list)
    for call in record.calls_of("GetStockInfo"):
        if call.outcome == "ok" and call.value and "levels" in call.value:
            steps = sum(level[4] for level in call.value["levels"])
            product_id = call.request["product_id"]
            if steps <= len(movements[product_id]):
                looks[product_id].append(Look(call, steps, is_newest=True))
    for method in CHANGING_STOCK:
        for call in record.calls_of(method):
            recorded = record.snapshot.stock_requests.get(call.request["request_id"])
            if call.outcome == "ok" and recorded:
                key = recorded.product_id, recorded.location_id, recorded.version
                looks[recorded.product_id].append(Look(call, at.get(key, 0), is_newest=False))
    return {
        product_id: Shelf(
            its,
            [since.get(one.movement_id, -inf) for one in its],
            looks[product_id],
            record.kept_back(product_id),
        )
        for product_id, its in movements.items()
    }


Version = tuple[str, str, int]  # product, location, and the level's version


def _places_of_versions(movements: Mapping[str, Sequence[Movement]]) -> Mapping[Version, int]:
    """Which of a product's movements made a level's version."""
    found = dict[Version, int]()
    for product_id, its in movements.items():
        versions = Counter[str]()
        for step, movement in enumerate(its, 1):
            versions[movement.location_id] += 1
            found[product_id, movement.location_id, versions[movement.location_id]] = step
    return found


def _since(record: RunRecord) -> Mapping[int, float]:
    """When the first call began that can have caused a movement, by the movement's id."""
    found = dict[int, float]()
    for order_id, moved in record.moved.items():
        order = record.snapshot.orders.get(order_id)
        key = (order.customer_id, order.request_id) if order else ("", "")
        begun = min((call.invoked_at for call in record.placings.get(key, ())), default=-inf)
        found |= {movement.movement_id: begun for movement in moved}
    for movement in record.transferred:
        calls = record.transferrings.get((movement.reference, movement.kind), ())
        found[movement.movement_id] = min((call.invoked_at for call in calls), default=-inf)
    for request_id, request in record.snapshot.stock_requests.items():
        ledger = record.ledgers.get((request.product_id, request.location_id), [])
        calls = record.stock_changes.get(request_id, ())
        if record.set_by.get(request_id) == 0:
            continue  # its version is somebody else's
        if 0 < request.version <= len(ledger) and not ledger[request.version - 1].order_id:
            begun = min((call.invoked_at for call in calls), default=-inf)
            found[ledger[request.version - 1].movement_id] = begun
    return found
