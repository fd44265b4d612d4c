"""Damage to an order that was edited, and the promises that it breaks."""

from dataclasses import replace
from typing import Any

import pytest

from proof.checker import check
from proof.snapshot import (
    MISSING,
    Change,
    Edition,
    Level,
    Line,
    Missing,
    Movement,
    ObservedEvent,
    Part,
)
from tests.proof.small_world import PRICE, START, Damage, Damages, World, about, lamps

TOLD = {"order_id": "o-1", "status": "CONFIRMED"}
SHORT = (Missing("LAMP", 50, 9),)
FIRST = Edition(1, 1, "APPLIED", 1, 1, (Line("LAMP", 2, PRICE),), 0, 2 * PRICE)
MORE = Edition(2, 2, "APPLIED", 4, 5, (Line("LAMP", 3, PRICE),), 0, 3 * PRICE)
CHEAPER = Edition(3, 0, "APPLIED", 6, 6, (Line("LAMP", 3, 300),), 0, 900)
REFUSED = Edition(4, 3, "REFUSED", 7, 8, (Line("LAMP", 50, 300),), 0, 15_000, SHORT)
ORDERS, INVENTORY = "holdfast.orders.v1.", "holdfast.inventory.v1."

damages = Damages()
breaks = damages.breaks


def edited() -> World:
    """A world in which o-1 got a third lamp, then another price, and was refused fifty."""
    world = World()
    actions = "EDIT_ASKED EDITED EDITED EDIT_ASKED EDIT_REFUSED".split()
    more = [Change(n, "CONFIRMED", START, done) for n, done in enumerate(actions, 4)]
    world.change_order(
        "o-1",
        version=8,
        history=(*world.orders["o-1"].history, *more),
        lines=CHEAPER.lines,
        total_minor=CHEAPER.total_minor,
        asked=3,
        answered=3,
        sequence=3,
        revision=3,
        stock=lamps(3, location="main"),
        edition=3,
        edition_newest=4,
        placed=FIRST,
        edits=(MORE, CHEAPER, REFUSED),
    )
    world.ledger.append(Movement(6, "LAMP", "main", "RESERVATION", 0, 1, 9, 3, "o-1"))
    world.level = Level("LAMP", "main", 9, 3, 6)
    world.change_reservation(
        "o-1", version=3, revision=3, stock=lamps(3, location="main"), missing=SHORT
    )
    for version, line in ((3, [1, "LAMP", 3, None]), (5, [1, "LAMP", 3, 300])):
        world.call("anna", "EditOrder", asks(version, line), TOLD)
    world.call("anna", "EditOrder", asks(6, [1, "LAMP", 50, None]), "DEADLINE_EXCEEDED")
    world.observed_events += [
        ObservedEvent("e-4", ORDERS + "OrderEditRequested", "o-1", 4, about(2, 3)),
        ObservedEvent("s-4", INVENTORY + "StockReserved", "o-1", 2, about(2, 3, location="main")),
        ObservedEvent("e-5", ORDERS + "OrderEdited", "o-1", 5, ()),
        ObservedEvent("e-6", ORDERS + "OrderEdited", "o-1", 6, ()),
        ObservedEvent("e-7", ORDERS + "OrderEditRequested", "o-1", 7, about(3, 50)),
        ObservedEvent("s-7", INVENTORY + "StockRejected", "o-1", 3, SHORT_ANSWER),
        ObservedEvent("e-8", ORDERS + "OrderEditRefused", "o-1", 8, lamps(50)),
    ]
    world.inboxes["inventory"] |= {"e-4", "e-7"}
    world.inboxes["orders"] |= {"s-4", "s-7"}
    return world


SHORT_ANSWER = (*about(3, 3, location="main"), Part("LAMP", MISSING, 50))


def asks(version: int, *lines: list[Any]) -> dict[str, Any]:
    return {"order_id": "o-1", "version": version, "lines": list(lines)}


def change_edit(world: World, number: int, **values: Any) -> None:
    edits = [
        edit._replace(**values) if edit.number == number else edit
        for edit in world.orders["o-1"].edits
    ]
    world.change_order("o-1", edits=tuple(edits))


@breaks()
def a_known_question_is_asked_again(world: World) -> None:
    again = ObservedEvent("e-4b", ORDERS + "StockAskedAgain", "o-1", 4, about(2, 3))
    world.observed_events.append(again)
    world.inboxes["inventory"].add("e-4b")


@breaks()
def units_are_cancelled(world: World) -> None:
    world.calls[20] = replace(
        world.calls[20],
        method="CancelUnits",
        request={"order_id": "o-1", "version": 3, "units": [[1, 1]]},
        outcome="fail",
        code="ABORTED",
    )
    world.call("bob", "EditOrder", asks(3, [1, "LAMP", 3, None]), "UNAVAILABLE")


@breaks(3)
def an_edit_that_was_told_of_is_not_there(world: World) -> None:
    world.call("anna", "EditOrder", asks(7, [1, "LAMP", 9, None]), TOLD)


@breaks(3)
def cancelled_units_that_were_told_of_are_there(world: World) -> None:
    request = {"order_id": "o-1", "version": 7, "units": [[1, 1]]}
    world.call("anna", "CancelUnits", request, TOLD)


@breaks(4)
def nobody_asked_for_an_edition(world: World) -> None:
    world.calls[22] = replace(world.calls[22], request=asks(6, [1, "LAMP", 49, None]))


@breaks(4)
def an_edition_was_refused_by_every_call(world: World) -> None:
    world.calls[22] = replace(world.calls[22], outcome="fail", code="ABORTED")


@breaks(4)
def a_price_was_changed_that_nobody_named(world: World) -> None:
    lines = (Line("LAMP", 50, 299),)
    change_edit(world, 4, lines=lines, total_minor=50 * 299)


@breaks(3, 4)
def a_line_lost_its_number(world: World) -> None:
    change_edit(world, 2, lines=(Line("LAMP", 3, PRICE, 2),))


@breaks(6)
def the_stock_that_an_edit_asked_for_is_not_held(world: World) -> None:
    world.change_order("o-1", stock=lamps(2, location="main"))


@breaks(6)
def the_same_stock_was_moved_for_no_question(world: World) -> None:
    for delta in (1, -1, 1, -1, 1, -1):
        kind = "RESERVATION" if delta > 0 else "RELEASE"
        world.ledger.append(Movement(0, "LAMP", "main", kind, 0, delta, 0, 0, "o-1"))
    world.recount()


@breaks(6)
def a_refused_edit_lacks_something_else(world: World) -> None:
    world.change_reservation("o-1", missing=(Missing("LAMP", 50, 8),))


@breaks(7, 8)
def nobody_heard_of_an_edit(world: World) -> None:
    world.unsee("e-4")


@breaks(7)
def an_edit_asked_for_other_units(world: World) -> None:
    world.see("e-4", content=about(2, 4))


@breaks(7)
def an_answer_to_an_edit_holds_other_units(world: World) -> None:
    world.see("s-4", content=about(2, 2, location="main"))


@breaks(7)
def a_refusal_names_other_units(world: World) -> None:
    world.see("e-8", content=lamps(49))


@breaks(7)
def a_question_is_asked_again_with_other_units(world: World) -> None:
    again = ObservedEvent("e-4b", ORDERS + "StockAskedAgain", "o-1", 4, about(2, 2))
    world.observed_events.append(again)
    world.inboxes["inventory"].add("e-4b")


@breaks(10)
def an_edition_is_missing(world: World) -> None:
    world.change_order("o-1", edition_newest=5)


@breaks(10)
def an_older_edition_counts(world: World) -> None:
    world.change_order("o-1", edition=2)


@breaks(10)
def an_edit_is_under_way_that_is_none(world: World) -> None:
    world.change_order("o-1", edit_revision=3)


@breaks(10)
def an_edition_totals_something_else(world: World) -> None:
    change_edit(world, 4, total_minor=1)


@breaks(10)
def a_refused_edition_lacks_nothing(world: World) -> None:
    change_edit(world, 4, missing=())
    world.see("e-8", content=())
    world.see("s-7", content=about(3, 3, location="main"))
    world.change_reservation("o-1", missing=())


@breaks(10)
def an_edit_was_dropped_by_no_end(world: World) -> None:
    history = world.orders["o-1"].history[:-1]
    last = Change(8, "CONFIRMED", START, "CUSTOMER_UPDATED")
    world.change_order("o-1", history=(*history, last))
    change_edit(world, 4, state="DROPPED", missing=())
    world.change_reservation("o-1", missing=())
    world.see("e-8", type=ORDERS + "OrderUpdated", content=())


@breaks(11)
def what_was_read_is_another_edition(world: World) -> None:
    read = {**TOLD, "version": 5, "lines": [["LAMP", 2]]}
    world.call("anna", "GetOrderDetails", {"order_id": "o-1"}, read)


def test_an_order_that_was_edited_breaks_no_promise() -> None:
    assert check(edited().record()) == []


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = edited()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found


def test_no_edit_is_under_way_in_an_order_that_is_over() -> None:
    world = edited()
    change_edit(world, 4, state="ASKED", missing=())
    world.change_order("o-1", status="CANCELLED", edit_revision=3)

    texts = [violation.text for violation in check(world.record())]

    assert "it is CANCELLED, and its edit by question 3 is under way" in texts
