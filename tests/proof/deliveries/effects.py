"""Count what events have caused, from the tables: each effect must be there exactly once."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import NamedTuple, TypeVar

from proof.rules.due import OF_STATUS
from proof.snapshot import Snapshot

Key = TypeVar("Key")
STATUSES = {event_type: status for status, event_type in OF_STATUS.items()}
MovementKey = tuple[str, str, str]  # order id, product id, kind


class Effects(NamedTuple):
    """Effects of one kind.

    :param due: how many must be there.
    :param times: how many of those are there how often.
    :param undue: how many are there that nothing can have caused.
    """

    name: str
    due: int
    times: Mapping[int, int]
    undue: int

    @property
    def are_single(self) -> bool:
        return self.times == {1: self.due} and self.undue == 0 < self.due

    def __str__(self) -> str:
        times = ", ".join(f"{number} are there {n} times" for n, number in self.times.items())
        return f"{self.name}: {self.due} due, {times}, {self.undue} undue"


def effects_of(snapshot: Snapshot) -> list[Effects]:
    """Count the decisions on orders, the movements that each decision makes, the steps that it
    makes an order take, and the events of these in the feed.
    """
    moved = Counter((one.order_id, one.product_id, one.kind) for one in snapshot.ledger)
    steps = Counter(
        (order.order_id, now.status)
        for order in snapshot.orders.values()
        for before, now in pairwise(order.history)
        if before.status != now.status
    )
    told = Counter(
        (event.subject, STATUSES[event.type])
        for _, event in snapshot.feeds["orders"].entries
        if event.type in STATUSES
    )
    return [
        _effects("decisions", snapshot.orders, Counter(snapshot.reservations.keys())),
        _effects("reservations", *_moved(snapshot, moved, "RESERVATION", {"HELD", "OVER"})),
        _effects("releases", *_moved(snapshot, moved, "RELEASE", {"OVER"})),
        _effects("status steps", steps, steps),
        _effects("steps told", steps, told),
    ]


def _moved(
    snapshot: Snapshot, moved: Counter[MovementKey], kind: str, states: Collection[str]
) -> tuple[Collection[MovementKey], Counter[MovementKey]]:
    """What movements of a kind are due, a line of an order each, and which there are.

    Of an order that is over, only the ledger knows whether it was ever held.
    """
    was_held = {order_id for order_id, _, of_kind in moved if of_kind == "RESERVATION"}
    due = {
        (order_id, line.product_id, kind)
        for order_id, reservation in snapshot.reservations.items()
        if reservation.state in states and order_id in snapshot.orders
        if reservation.state == "HELD" or order_id in was_held
        for line in snapshot.orders[order_id].lines
    }
    return due, Counter({key: number for key, number in moved.items() if key[2] == kind})


def _effects(name: str, due: Collection[Key], found: Mapping[Key, int]) -> Effects:
    times = Counter(found.get(one, 0) for one in due)
    return Effects(name, len(due), dict(sorted(times.items())), len(found.keys() - set(due)))


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """Name what differs; that inboxes forget and learn is no effect."""
    return [
        one.name
        for one in fields(Snapshot)
        if one.name != "inboxes" and getattr(before, one.name) != getattr(after, one.name)
    ]
