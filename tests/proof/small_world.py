"""A small sound world made by hand, to be damaged: two promises kept, one refused, two withdrawn.

Four orders for lamps: o-1 is confirmed, o-2 rejected, o-3 confirmed and then cancelled, o-4 expired
before Inventory heard of it. Ten lamps came in, one was taken out, two are promised.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proof.checker import RunRecord
from proof.customers import Profile
from proof.history import Call
from proof.places import Location
from proof.snapshot import (
    MISSING,
    REVISION,
    Change,
    Feed,
    Letter,
    Level,
    Line,
    Missing,
    Movement,
    ObservedEvent,
    Order,
    Part,
    Product,
    Reservation,
    Sample,
    Snapshot,
    StockRequest,
)
from proof.transfers import Transfer

START = datetime(2026, 11, 5, tzinfo=UTC)
PRICE = 350


Told = Mapping[str, Any] | str  # an answer, or a code


def order(
    order_id: str,
    customer: str,
    request: str,
    units: int,
    statuses: str,
    *missing: Missing,
    asked: int = 1,
    sequence: int = 1,
    held: int = 0,
) -> Order:
    history: tuple[Change, ...] = ()
    for version, status in enumerate(statuses.split(), 1):
        same = bool(history) and history[-1].status == status
        at, action = START + timedelta(seconds=version), "CUSTOMER_UPDATED" if same else ""
        history += (Change(version, status, at, action),)
    now = history[-1]
    total, lines = units * PRICE, (Line("LAMP", units, PRICE),)
    keys = order_id, customer, request
    stock = lamps(held, location="main") if held else ()
    return Order(
        *keys,
        now.status,
        now.version,
        total,
        missing,
        lines,
        history,
        asked,
        answered=asked,
        sequence=sequence,
        revision=asked,
        stock=stock,
    )


def lamps(*units: int, location: str = "") -> tuple[Part, ...]:
    return tuple(Part("LAMP", location, number) for number in units)


def about(revision: int, *units: int, location: str = "") -> tuple[Part, ...]:
    """What a question or an answer says: its revision, and lamps."""
    return (Part(REVISION, "", revision), *lamps(*units, location=location))


class World:
    """A run record in the making; each of its parts may be changed until `record` is called."""

    def __init__(self) -> None:
        self.calls = _calls()
        orders = [
            order("o-1", "anna", "r-1", 2, "PENDING CONFIRMED CONFIRMED", held=2),
            order("o-2", "bob", "r-2", 9, "PENDING REJECTED", Missing("LAMP", 9, 8)),
            order("o-3", "bob", "r-3", 1, "PENDING CONFIRMED CANCELLED", asked=2, sequence=2),
            order("o-4", "dora", "r-1", 1, "PENDING EXPIRED", asked=2),
        ]
        self.orders = {one.order_id: one for one in orders}
        self.strays = set[str]()
        self.unanswered = set[str]()
        self.level = Level("LAMP", "main", 9, 2, 5)
        self.elsewhere = list[Level]()
        self.locations = {"main": Location("main")}
        self.safety_stock = 0
        self.product_version = 1
        self.profiles = dict[str, Profile]()
        self.emails = dict[str, str]()
        self.ledger = [
            Movement(1, "LAMP", "main", "RECEIPT", 10, 0, 10, 0, ""),
            Movement(2, "LAMP", "main", "RESERVATION", 0, 2, 10, 2, "o-1"),
            Movement(3, "LAMP", "main", "RESERVATION", 0, 1, 10, 3, "o-3"),
            Movement(4, "LAMP", "main", "RELEASE", 0, -1, 10, 2, "o-3"),
            Movement(5, "LAMP", "main", "ADJUSTMENT", -1, 0, 9, 2, ""),
        ]
        self.reservations = {
            "o-1": Reservation("o-1", "HELD", 1, 1, lamps(2, location="main"), ()),
            "o-2": Reservation("o-2", "SHORT", 1, 1, (), (Missing("LAMP", 9, 8),)),
            "o-3": Reservation("o-3", "OVER", 2, 2, (), ()),
            "o-4": Reservation("o-4", "OVER", 1, 2, (), ()),
        }
        self.requests = {
            "supply": StockRequest("supply", "LAMP", "main", 10, 0, 1),
            "taken": StockRequest("taken", "LAMP", "main", 9, 2, 5),
        }
        self.observed_events = _observed_events()
        self.inboxes = {
            "inventory": set("p-1 p-1b p-2 p-3 x-3 p-4 x-4".split()),
            "orders": set("s-1 s-1b s-2 s-3 r-3 r-4".split()),
        }
        self.outboxes = {"orders": 0, "inventory": 0}
        self.feeds = dict[str, list[ObservedEvent]]()  # none are kept, before `keep_feeds`
        self.booked = set[tuple[str, str]]()
        self.transfers = dict[str, Transfer]()
        self.letters = [Letter("inventory", "bad", "", "not a CloudEvents batch in protobuf")]
        self.rest: dict[str, Any] = {
            "samples": [Sample(())],
            "poison": {"bad"},
            "parked": {"bad"},
            "queues": {"holdfast.inventory.orders": 0},
            "resources": {"RSS": [50.0, 80.0, 90.0, 91.0, 90.0, 92.0, 91.0, 92.0]},
        }

    def change_order(self, order_id: str, **values: Any) -> None:
        self.orders[order_id] = self.orders[order_id]._replace(**values)

    def change_call(self, number: int, **values: Any) -> None:
        self.calls[number] = replace(self.calls[number], **values)

    def answer(self, number: int, **values: Any) -> None:
        """Change some of what a call was told."""
        self.change_call(number, value={**(self.calls[number].value or {}), **values})

    def change_movement(self, movement_id: int, **values: Any) -> None:
        self.ledger[movement_id - 1] = self.ledger[movement_id - 1]._replace(**values)

    def change_reservation(self, order_id: str, **values: Any) -> None:
        self.reservations[order_id] = self.reservations[order_id]._replace(**values)

    def change_request(self, request_id: str, **values: Any) -> None:
        self.requests[request_id] = self.requests[request_id]._replace(**values)

    def call(self, client: str, method: str, request: Mapping[str, Any], told: Told) -> None:
        """Make one more call, after all others."""
        self.calls.append(_call(len(self.calls), client, method, request, told))

    def recount(self) -> None:
        """Make everything that follows from the ledger follow from it as it is now."""
        places = dict.fromkeys(("main", *(movement.location_id for movement in self.ledger)))
        now = {place: Level("LAMP", place, 0, 0, 0) for place in places}
        for index, movement in enumerate(self.ledger):
            level = now[movement.location_id]
            level = now[movement.location_id] = level._replace(
                on_hand=level.on_hand + movement.on_hand_delta,
                reserved=level.reserved + movement.reserved_delta,
                version=level.version + 1,
                quarantined=level.quarantined + movement.quarantined_delta,
            )
            self.ledger[index] = movement._replace(
                movement_id=index + 1,
                on_hand_after=level.on_hand,
                reserved_after=level.reserved,
                quarantined_after=level.quarantined,
            )
        self.level, *self.elsewhere = now.values()
        for request_id, request in self.requests.items():
            units = dict(self.units(request.version))
            del units["available"]
            self.change_request(request_id, **units)
        supply, taken = self.requests["supply"].version, self.requests["taken"].version
        for number, version in ((0, supply), (12, 4), (14, taken), (15, self.level.version)):
            self.calls[number] = replace(self.calls[number], value=self.units(version))
        for event_id, request_id in (("i-1", "supply"), ("i-5", "taken")):
            version = self.requests[request_id].version
            content = lamps(self.units(version)["on_hand"], location="main")
            self.see(event_id, sequence=version, content=content)

    def units(self, version: int) -> Mapping[str, int]:
        """What there was at main at some version, as a caller is told."""
        movement = [one for one in self.ledger if one.location_id == "main"][version - 1]
        return _stock(*movement[6:8], movement.quarantined_after)

    def see(self, event_id: str, /, **values: Any) -> None:
        """Change an event wherever it was seen."""
        self.observed_events = [
            seen._replace(**values) if seen.event_id == event_id else seen
            for seen in self.observed_events
        ]

    def unsee(self, *event_ids: str) -> None:
        """As if they had never been published."""
        self.observed_events = [
            seen for seen in self.observed_events if seen.event_id not in event_ids
        ]
        for inbox in self.inboxes.values():
            inbox.difference_update(event_ids)

    def keep_feeds(self) -> None:
        """Let what was seen until now stand in the feeds too, without what was told again."""
        told = dict[tuple[str, str, int], ObservedEvent]()
        for seen in self.observed_events:
            if not seen.type.endswith("StockAskedAgain"):
                told.setdefault((seen.type, seen.subject, seen.sequence), seen)
        for service in ("orders", "inventory"):
            self.feeds[service] = [seen for seen in told.values() if f".{service}." in seen.type]

    def overtake(self, event_id: str, other_id: str) -> None:
        """Let an event be seen just before another one."""
        places = [seen.event_id for seen in self.observed_events]
        overtaking = self.observed_events.pop(places.index(event_id))
        self.observed_events.insert(places.index(other_id), overtaking)

    def swap_answers(self, one: int, other: int) -> None:
        first, second = self.calls[one].value, self.calls[other].value
        self.change_call(one, value=second)
        self.change_call(other, value=first)

    def record(self) -> RunRecord:
        lamp = Product("LAMP", PRICE, True, 1, safety_stock=self.safety_stock)
        snapshot = Snapshot(
            orders=self.orders,
            strays=frozenset(self.strays),
            unanswered=frozenset(self.unanswered),
            products={"LAMP": lamp._replace(version=self.product_version)},
            profiles=self.profiles,
            emails=self.emails,
            levels=(self.level, *self.elsewhere),
            locations=self.locations,
            ledger=tuple(self.ledger),
            reservations=self.reservations,
            stock_requests=self.requests,
            inboxes={service: frozenset(ids) for service, ids in self.inboxes.items()},
            outboxes=self.outboxes,
            feeds={
                service: Feed(len(events), tuple(enumerate(events, 1)))
                for service, events in self.feeds.items()
            },
            letters=tuple(self.letters),
            booked=frozenset(self.booked),
            transfers=self.transfers,
        )
        return RunRecord(
            self.calls,
            snapshot,
            **{"observed_events": self.observed_events, **self.rest},
        )


Damage = Callable[[World], None]


class Damages:
    """Ways to damage a sound world, each with the promises that it breaks; none: it is harmless."""

    def __init__(self) -> None:
        self.cases = list[Any]()

    def breaks(self, *invariants: int) -> Callable[[Damage], Damage]:
        """Note a damage under the name of its function."""

        def note(damage: Damage) -> Damage:
            name = "-".join(map(str, invariants)) or "harmless"
            case = pytest.param(set(invariants), damage, id=f"{name}-{damage.__name__}")
            self.cases.append(case)
            return damage

        return note


def _calls() -> list[Call]:
    order_1 = {"customer_id": "anna", "request_id": "r-1", "lines": [["LAMP", 2]]}
    order_2 = {"customer_id": "bob", "request_id": "r-2", "lines": [["LAMP", 9]]}
    order_3 = {"customer_id": "bob", "request_id": "r-3", "lines": [["LAMP", 1]]}
    short = {"customer_id": "bob", "request_id": "r-4", "lines": [["LAMP", 99]]}
    order_4 = {"customer_id": "dora", "request_id": "r-1", "lines": [["LAMP", 1]]}
    supply = {"request_id": "supply", "product_id": "LAMP", "delta": 10}
    taken = {"request_id": "taken", "product_id": "LAMP", "delta": -1}
    too_many = {"request_id": "too many", "product_id": "LAMP", "delta": -50}
    o_1 = {"order_id": "o-1", "lines": [["LAMP", 2]], "total_minor": 2 * PRICE}
    told: list[tuple[str, str, Mapping[str, Any], Told]] = [
        ("shop", "UpdateStock", supply, _stock(10, 0)),
        ("anna", "CreateOrder", order_1, {"order_id": "o-1", "status": "PENDING"}),
        ("anna", "CreateOrder", order_1, "DEADLINE_EXCEEDED"),
        ("anna", "CreateOrder", {**order_1, "lines": [["LAMP", 1]]}, "ALREADY_EXISTS"),
        ("bob", "CreateOrder", order_2, {"order_id": "o-2", "status": "PENDING"}),
        ("bob", "CreateOrder", order_3, "UNAVAILABLE"),
        ("bob", "CreateOrder", order_3, {"order_id": "o-3", "status": "CONFIRMED"}),
        ("bob", "CreateOrder", short, "FAILED_PRECONDITION"),
        (
            "anna",
            "GetOrderDetails",
            {"order_id": "o-1"},
            {**o_1, "status": "PENDING", "version": 1},
        ),
        (
            "anna",
            "GetOrderDetails",
            {"order_id": "o-1"},
            {**o_1, "status": "CONFIRMED", "version": 2},
        ),
        ("bob", "CancelOrder", {"order_id": "o-3"}, {"order_id": "o-3", "status": "CANCELLED"}),
        ("bob", "CancelOrder", {"order_id": "o-2"}, "FAILED_PRECONDITION"),
        ("carl", "GetStockInfo", {"product_id": "LAMP"}, _stock(10, 2)),
        ("shop", "UpdateStock", taken, "UNKNOWN"),
        ("shop", "UpdateStock", taken, _stock(9, 2)),
        ("carl", "GetStockInfo", {"product_id": "LAMP"}, _stock(9, 2)),
        ("carl", "GetOrderDetails", {"order_id": "o-9"}, "NOT_FOUND"),
        (
            "anna",
            "UpdateOrder",
            {"order_id": "o-1"},
            {"order_id": "o-1", "status": "CONFIRMED", "version": 3},
        ),
        ("shop", "UpdateStock", too_many, "FAILED_PRECONDITION"),
        ("dora", "CreateOrder", order_4, "CANCELLED"),
    ]
    return [_call(number, *one) for number, one in enumerate(told)]


def _stock(on_hand: int, reserved: int, quarantined: int = 0) -> Mapping[str, int]:
    free = on_hand - reserved - quarantined
    told = {"on_hand": on_hand, "reserved": reserved, "quarantined": quarantined}
    return {**told, "available": free}


NOT_DONE = ("ALREADY_EXISTS", "FAILED_PRECONDITION", "NOT_FOUND")


def _call(
    number: int,
    client: str,
    method: str,
    request: Mapping[str, Any],
    told: Told,
) -> Call:
    """One call after the other, ten seconds apart; what is told is an answer or a code."""
    call = Call(number, client, method, request, 10.0 * number, 10.0 * number + 5)
    if isinstance(told, str):
        return replace(call, outcome="fail" if told in NOT_DONE else "info", code=told)
    return replace(call, outcome="ok", value=told)


def _observed_events() -> list[ObservedEvent]:
    orders, inventory = "holdfast.orders.v1.", "holdfast.inventory.v1."
    return [
        ObservedEvent(
            "i-1", inventory + "StockLevelChanged", "LAMP", 1, lamps(10, location="main")
        ),
        ObservedEvent("p-1", orders + "OrderPlaced", "o-1", 1, about(1, 2)),
        ObservedEvent("p-1", orders + "OrderPlaced", "o-1", 1, about(1, 2)),
        ObservedEvent("p-1b", orders + "StockAskedAgain", "o-1", 1, about(1, 2)),
        ObservedEvent("s-1", inventory + "StockReserved", "o-1", 1, about(1, 2, location="main")),
        ObservedEvent("s-1b", inventory + "StockReserved", "o-1", 1, about(1, 2, location="main")),
        ObservedEvent("c-1", orders + "OrderConfirmed", "o-1", 2, ()),
        ObservedEvent("u-1", orders + "OrderUpdated", "o-1", 3, ()),
        ObservedEvent("p-2", orders + "OrderPlaced", "o-2", 1, about(1, 9)),
        ObservedEvent("s-2", inventory + "StockRejected", "o-2", 1, about(1, 9, location=MISSING)),
        ObservedEvent("c-2", orders + "OrderRejected", "o-2", 2, lamps(9)),
        ObservedEvent("p-3", orders + "OrderPlaced", "o-3", 1, about(1, 1)),
        ObservedEvent("s-3", inventory + "StockReserved", "o-3", 1, about(1, 1, location="main")),
        ObservedEvent("c-3", orders + "OrderConfirmed", "o-3", 2, ()),
        ObservedEvent("x-3", orders + "OrderCancelled", "o-3", 3, about(2)),
        ObservedEvent("r-3", inventory + "ReservationReleased", "o-3", 2, about(2)),
        ObservedEvent("p-4", orders + "OrderPlaced", "o-4", 1, about(1, 1)),
        ObservedEvent("x-4", orders + "OrderExpired", "o-4", 2, about(2)),
        ObservedEvent("r-4", inventory + "ReservationReleased", "o-4", 1, about(2)),
        ObservedEvent("i-5", inventory + "StockLevelChanged", "LAMP", 5, lamps(9, location="main")),
    ]
