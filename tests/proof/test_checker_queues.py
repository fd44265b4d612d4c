"""Damage to what orders wait for, and the promise that it breaks."""

from collections.abc import Callable, Iterator

import pytest

from proof.checker import check
from proof.goods import Sourcing
from proof.places import Location
from proof.rules import stock, waiting
from proof.run_record import RunRecord, Violation
from proof.snapshot import Gate, ObservedEvent, Part, Waiting, since_1970_us
from tests.proof.queue_world import ORDERS, QueueWorld, at, desks

Damage = Callable[[QueueWorld], None]
CASES = list[object]()


def breaks(*invariants: int) -> Callable[[Damage], Damage]:
    def note(damage: Damage) -> Damage:
        CASES.append(pytest.param(set(invariants), damage, id=damage.__name__))
        return damage

    return note


@breaks()
def nothing_is_damaged(_: QueueWorld) -> None:
    pass


@breaks(6)
def the_gate_counts_others_than_wait(world: QueueWorld) -> None:
    world.gate = Gate(3, 5)


@breaks(6)
def the_gate_has_another_policy(world: QueueWorld) -> None:
    world.gate = Gate(2, 6)


@breaks(6)
def a_row_of_the_queue_is_nobodys(world: QueueWorld) -> None:
    world.queues["o-9"] = (Waiting("DESK", 1, at(3)),)


@breaks(6)
def a_row_of_the_queue_has_another_place(world: QueueWorld) -> None:
    world.queues["o-7"] = (Waiting("DESK", 2, at(4)),)


@breaks(6)
def who_waits_stands_in_no_queue(world: QueueWorld) -> None:
    world.queues.clear()


@breaks(6)
def orders_does_not_know_what_waits(world: QueueWorld) -> None:
    world.change_order("o-7", queued=())


@breaks(6)
def orders_knows_to_wait_what_came(world: QueueWorld) -> None:
    world.change_order("o-6", queued=(Part("DESK", "", 1),))


@breaks(1, 2, 6, 7)
def fewer_wait_than_are_wanted_and_not_held(world: QueueWorld) -> None:
    world.change_order("o-7", queued=(Part("DESK", "", 1),))
    world.change_reservation("o-7", queued=(Waiting("DESK", 1, at(3)),))
    world.queues["o-7"] = (Waiting("DESK", 1, at(3)),)
    world.gate = Gate(1, 5)


@breaks(13)
def a_queue_is_to_be_served_for_ever(world: QueueWorld) -> None:
    world.gate = Gate(2, 5, is_due=True)


@breaks(13)
def a_unit_is_free_that_somebody_waits_for(world: QueueWorld) -> None:
    world.move("RECEIPT", 1, 0, 7, "", "counted", (4, 3))
    world.change_stock("one more", 1, 8, (4, 3))
    world.desks = world.desks._replace(on_hand=4, version=8)


def serve_the_younger(world: QueueWorld) -> None:
    """One unit goes to o-7 instead of o-6."""
    world.change_movement(12, order_id="o-7")
    for order_id, held, left, version, since in (("o-6", 0, 1, 1, 2), ("o-7", 1, 1, 2, 3)):
        parts = tuple(part for part in desks(held) if part.location_id)
        reasons, rows = ("PRIORITY",) * held, (Waiting("DESK", left, at(since)),)
        queued = (Part("DESK", "", left),)
        world.change_order(order_id, stock=parts, reasons=reasons, queued=queued, sequence=version)
        world.change_reservation(
            order_id, stock=parts, reasons=reasons, queued=rows, version=version
        )
        world.queues[order_id] = rows
    world.see("g-6", subject="o-7", content=desks(1, 1))


@breaks(2)
def a_younger_order_is_served_first(world: QueueWorld) -> None:
    serve_the_younger(world)


@breaks()
def in_which_order_they_were_served_is_not_known(world: QueueWorld) -> None:
    serve_the_younger(world)
    world.rest["refusals_possible"] = True


@breaks(2)
def a_new_order_takes_what_the_queue_is_owed(world: QueueWorld) -> None:
    world.place(8, 1, 1, 0, 1)
    world.change_movement(12, order_id="o-8", reason="placed", moved_at_us=since_1970_us(at(7)))
    world.tell("s-8", "StockReserved", "o-8", 1, desks(1), 7)
    world.unsee("g-6")
    rows = (Waiting("DESK", 1, at(2)),)
    world.change_order("o-6", stock=(), reasons=(), queued=(Part("DESK", "", 1),), sequence=1)
    world.change_reservation("o-6", stock=(), reasons=(), queued=rows, version=1)
    world.queues["o-6"], world.gate = rows, Gate(3, 5)


@breaks(2)
def more_wait_than_may(world: QueueWorld) -> None:
    world.waits_max, world.gate = 2, Gate(2, 2)


@breaks(2, 6)
def somebody_waits_for_what_nobody_may(world: QueueWorld) -> None:
    world.waits_max, world.gate = 0, Gate(2, 0)


@breaks(7)
def a_change_is_never_told(world: QueueWorld) -> None:
    world.unsee("g-6")


@breaks(8)
def a_change_is_not_heard(world: QueueWorld) -> None:
    world.inboxes["orders"].discard("g-6")


@breaks(7)
def a_change_is_told_under_two_ids(world: QueueWorld) -> None:
    world.tell("g-6b", "ReservationChanged", "o-6", 2, desks(1), 6)


@breaks(7)
def a_change_tells_that_nobody_waits(world: QueueWorld) -> None:
    world.see("g-5", content=desks(1))


@breaks(7)
def a_change_tells_of_a_later_question(world: QueueWorld) -> None:
    world.see("g-5", content=desks(1, 1, revision=2))


def ask_again(world: QueueWorld) -> None:
    wanted = Part("the revision", "", 1), Part("DESK", "", 2)
    again = ObservedEvent("p-5b", ORDERS + "StockAskedAgain", "o-5", 2, wanted)
    world.observed_events.append(again)
    world.inboxes["inventory"].add("p-5b")


@breaks()
def what_is_asked_again_is_answered_as_it_stands(world: QueueWorld) -> None:
    ask_again(world)
    world.tell("s-5b", "StockReserved", "o-5", 3, desks(2), 6)


@breaks(7)
def what_is_asked_again_is_answered_as_it_never_stood(world: QueueWorld) -> None:
    ask_again(world)
    world.tell("s-5b", "StockReserved", "o-5", 3, desks(1, 1), 6)


@breaks(8)
def a_question_is_answered_twice(world: QueueWorld) -> None:
    world.tell("s-5b", "StockReserved", "o-5", 3, desks(2), 6)


@breaks(11)
def a_queue_is_told_with_wrong_places(world: QueueWorld) -> None:
    rows = [["o-5", 1, 0, 1], ["o-7", 2, 0, 2]]
    world.call("carl", "ListBackorders", {"product_id": "DESK"}, {"rows": rows})


@breaks(11)
def what_is_owed_is_told_to_be_available(world: QueueWorld) -> None:
    told = {"on_hand": 3, "reserved": 1, "quarantined": 0, "available": 2, "queued": 4}
    world.call("carl", "GetStockInfo", {"product_id": "DESK"}, told)


@pytest.mark.parametrize(("invariants", "damage"), CASES)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = QueueWorld()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found


def more_gives_way_than_is_missing(world: QueueWorld) -> None:
    world.change_movement(8, reserved_delta=-2)


def less_gives_way_than_is_missing(world: QueueWorld) -> None:
    world.change_movement(9, on_hand_delta=-2)


def another_gives_way_than_the_youngest(world: QueueWorld) -> None:
    younger = world.ledger[6]._replace(order_id="o-6", reserved_delta=1)
    world.change_movement(7, reserved_delta=1)
    world.ledger.insert(7, younger)
    world.ledger = [one._replace(movement_id=n) for n, one in enumerate(world.ledger, 1)]


def who_wants_what_is_there_waits(world: QueueWorld) -> None:
    wish = world.orders["o-7"].first._replace(sourcing=Sourcing(in_stock_only=True))
    world.change_order("o-7", placed=wish)


def what_never_gave_way_leaves_unpromised(world: QueueWorld) -> None:
    world.move("SHIPMENT", -1, 0, 7, "o-6", "shipped", (2, 3))


Rule = Callable[[RunRecord], Iterator[Violation]]
BY_ONE_RULE: dict[Damage, tuple[Rule, str]] = {
    more_gives_way_than_is_missing: (waiting.gave_way, "gave way"),
    less_gives_way_than_is_missing: (waiting.gave_way, "gave way"),
    another_gives_way_than_the_youngest: (waiting.gave_way, "gave way"),
    who_wants_what_is_there_waits: (waiting.queues_agree, "must not wait"),
    what_never_gave_way_leaves_unpromised: (stock.ledger_is_level, "no movement of its kind"),
}


@pytest.mark.parametrize("damage", BY_ONE_RULE, ids=lambda damage: damage.__name__)
def test_a_rule_says_what_is_wrong(damage: Damage) -> None:
    world, (rule, text) = QueueWorld(), BY_ONE_RULE[damage]
    sound = [one.text for one in rule(world.record())]

    damage(world)

    assert not sound
    assert any(text in one.text for one in rule(world.record()))


def test_who_ships_what_gave_way_meanwhile_finds_it_and_leaves_unpromised() -> None:
    world = QueueWorld()
    found = world.ledger[5]._replace(order_id="o-5", reason="the book was wrong")
    left = found._replace(kind="SHIPMENT", on_hand_delta=-1, on_hand_after=4)
    found = found._replace(kind="ADJUSTMENT", on_hand_delta=1)

    shapes = {
        movement.kind: [
            one
            for one in stock.ledger_is_level(with_last(world, movement))
            if "no movement of its kind" in one.text
        ]
        for movement in (found, left)
    }

    assert shapes == {"ADJUSTMENT": [], "SHIPMENT": []}


def with_last(world: QueueWorld, movement: object) -> RunRecord:
    record = world.record()
    object.__setattr__(record.snapshot, "ledger", (*record.snapshot.ledger, movement))
    return record


UNSPLIT = Sourcing(may_split=False)
EAST = (Part("DESK", "east", 1),)
# A unit is free at main: how o-7, which waits for two, wants its stock, and what it holds already;
# and whether it may have it.
FOR_WHOM: dict[str, tuple[Sourcing, tuple[Part, ...], bool]] = {
    "whoever takes it from anywhere": (Sourcing("NEAREST", ("east",)), (), True),
    "who is pinned to it": (Sourcing("PINNED", ("east", "main")), (), True),
    "who is pinned elsewhere": (Sourcing("PINNED", ("east",)), (), False),
    "who must not be split and holds nothing": (UNSPLIT, (), True),
    "who must not be split and holds others there": (UNSPLIT, desks(1)[1:], True),
    "who must not be split and holds others elsewhere": (UNSPLIT, EAST, False),
}


@pytest.mark.parametrize("who", FOR_WHOM)
def test_a_unit_is_free_for_who_may_have_it_from_there(who: str) -> None:
    world, (sourcing, stock, may_have) = QueueWorld(), FOR_WHOM[who]
    world.desks = world.desks._replace(on_hand=4)
    world.change_reservation("o-7", sourcing=sourcing, stock=stock)

    said = [(one.invariant, one.subject) for one in waiting.nothing_idle(world.record())]

    assert said == [(13, "o-7")] * may_have


# o-6 asked before, o-7 is served from main: how o-6 wants its stock, and whether that is wrong.
OVERTAKEN = {
    "whoever takes it from anywhere": (Sourcing("NEAREST", ("east",)), True),
    "who is pinned to it": (Sourcing("PINNED", ("east", "main")), True),
    "who is pinned elsewhere": (Sourcing("PINNED", ("east",)), False),
    "who must not be split": (UNSPLIT, False),
}


@pytest.mark.parametrize("who", OVERTAKEN)
def test_nobody_is_overtaken_where_it_takes_units_from(who: str) -> None:
    world, (sourcing, is_wrong) = QueueWorld(), OVERTAKEN[who]
    serve_the_younger(world)
    world.change_order("o-6", placed=world.orders["o-6"].first._replace(sourcing=sourcing))

    said = [(one.invariant, one.subject) for one in waiting.nobody_overtakes(world.record())]

    assert said == [(2, "o-7")] * is_wrong


def put_aside(world: QueueWorld) -> None:
    world.desks = world.desks._replace(quarantined=1)


def keep_back(world: QueueWorld) -> None:
    world.kept_back = 1


def close_the_place(world: QueueWorld) -> None:
    world.locations["main"] = Location("main", active=False, inactive_after=99)


@pytest.mark.parametrize("harmless", [put_aside, keep_back, close_the_place])
def test_a_unit_that_nobody_may_be_promised_is_not_free(harmless: Damage) -> None:
    world = QueueWorld()
    world.desks = world.desks._replace(on_hand=4)
    found = list(waiting.nothing_idle(world.record()))

    harmless(world)

    assert [one.invariant for one in found] == [13]
    assert not list(waiting.nothing_idle(world.record()))
