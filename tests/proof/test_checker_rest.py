"""Damage to an order whose rest was cancelled after a part had left, and the promise it breaks."""

import pytest

from proof.checker import check
from proof.snapshot import REVISION, Change, Edition, Line, Movement, ObservedEvent, Part
from tests.proof.goods_world import shipped_and_returned
from tests.proof.small_world import PRICE, START, Damage, Damages, World

REST = Edition(2, 0, "APPLIED", 9, 9, (Line("LAMP", 1, PRICE),), 0, PRICE)
damages = Damages()
breaks = damages.breaks


def rest_cancelled() -> World:
    """A world in which one of two lamps of o-1 left, and the other one was not wanted any more."""
    world = shipped_and_returned()
    order = world.orders["o-1"]
    world.change_order(
        "o-1",
        placed=order.first,
        status="SHIPPED",
        version=9,
        history=(*order.history, Change(9, "SHIPPED", START)),
        lines=REST.lines,
        total_minor=REST.total_minor,
        edition=2,
        edition_newest=2,
        edits=(REST,),
        asked=4,
        answered=4,
        sequence=4,
        revision=4,
        stock=(),
        reasons=(),
    )
    over = {"state": "OVER", "version": 4, "revision": 4, "stock": (), "reasons": ()}
    world.change_reservation("o-1", **over)
    world.ledger.append(Movement(0, "LAMP", "main", "RELEASE", 0, -1, 0, 0, "o-1"))
    world.recount()
    over_now, total = Part(REVISION, "", 4), Part("total", "", PRICE)
    asked, released = "holdfast.orders.v1.OrderRestCancelled", "ReservationReleased"
    world.observed_events += [
        ObservedEvent("g-9", asked, "o-1", 9, (over_now, total)),
        ObservedEvent("a-9", f"holdfast.inventory.v1.{released}", "o-1", 4, (over_now,)),
    ]
    world.inboxes["inventory"].add("g-9")
    world.inboxes["orders"].add("a-9")
    told = {"order_id": "o-1", "status": "SHIPPED"}
    world.call("dora", "CancelOrder", {"order_id": "o-1"}, told)
    return world


@breaks()
def nothing_is_damaged(_: World) -> None:
    pass


@breaks(4)
def nobody_asked_to_cancel_the_rest(world: World) -> None:
    world.calls = [
        call
        for call in world.calls
        if (call.method, call.request.get("order_id")) != ("CancelOrder", "o-1")
    ]


@breaks(4, 7, 10)
def the_rest_leaves_more_than_has_left(world: World) -> None:
    lines = (Line("LAMP", 2, PRICE),)
    more = REST._replace(lines=lines, total_minor=2 * PRICE)
    world.change_order("o-1", lines=lines, total_minor=2 * PRICE, edits=(more,))


@breaks(3, 11)
def a_caller_was_told_that_all_of_it_is_cancelled(world: World) -> None:
    told = {"order_id": "o-1", "status": "CANCELLED"}
    world.call("dora", "CancelOrder", {"order_id": "o-1"}, told)


@breaks(7)
def the_end_was_told_as_a_shipment(world: World) -> None:
    world.see("g-9", type="holdfast.orders.v1.OrderShipped")


@breaks(7)
def the_end_was_told_with_what_is_still_wanted(world: World) -> None:
    over = Part(REVISION, "", 4), Part("total", "", PRICE)
    world.see("g-9", content=(*over, Part("LAMP", "", 1)))


@breaks(1, 6)
def the_rest_is_still_promised(world: World) -> None:
    world.ledger.pop()
    world.recount()


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = rest_cancelled()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found
