"""Damage to what left and what came back, and the promise that it breaks, by the whole checker."""

import pytest

from proof.checker import check
from proof.goods import Sourcing
from proof.questions import CAME
from proof.snapshot import (
    REVISION,
    Change,
    Movement,
    Part,
)
from tests.proof.goods_world import (
    CLOSE,
    ENDED,
    ITEMS,
    LAMP,
    OPEN,
    READ,
    RECEIVE,
    SHIP,
    TRACK,
    change_last_call,
    change_receipt,
    change_return,
    change_shipment,
    shipped_and_returned,
    sourced,
)
from tests.proof.small_world import START, Damage, Damages, World, lamps

damages = Damages()
breaks = damages.breaks


@breaks()
def nothing_is_damaged(_: World) -> None:
    pass


@breaks(1, 3, 6, 7, 10, 11)
def a_shipment_is_forgotten(world: World) -> None:
    world.change_order("o-1", shipments=())


@breaks(3, 4)
def more_was_asked_for_than_left(world: World) -> None:
    change_last_call(world, "ShipOrder", request={**SHIP, "items": [[1, 2, ""]]})


@breaks(3, 4)
def a_shipment_left_elsewhere_than_was_asked_for(world: World) -> None:
    change_last_call(world, "ShipOrder", request={**SHIP, "items": [], "location_id": "east"})


@breaks(4)
def every_call_for_a_shipment_was_refused(world: World) -> None:
    change_last_call(world, "ShipOrder", outcome="fail", value=None, code="FAILED_PRECONDITION")


@breaks(4)
def nobody_told_of_a_delivery(world: World) -> None:
    change_last_call(world, "UpdateShipment", request={**TRACK, "delivered": False})


@breaks(3)
def a_delivery_that_was_told_of_is_not_there(world: World) -> None:
    change_shipment(world, is_delivered=False)


@breaks(3, 5)
def a_shipment_was_answered_for_two_contents(world: World) -> None:
    world.call("anna", "ShipOrder", {**SHIP, "items": [[1, 2, ""]]}, READ)


@breaks(5)
def a_repeat_of_a_shipment_is_refused(world: World) -> None:
    world.call("anna", "ShipOrder", SHIP, "FAILED_PRECONDITION")


@breaks()
def other_contents_under_a_shipment_are_refused(world: World) -> None:
    world.call("anna", "ShipOrder", {**SHIP, "items": [[1, 2, ""]]}, "ALREADY_EXISTS")


@breaks(11)
def a_read_shows_a_shipment_that_was_not_there_yet(world: World) -> None:
    read = {**READ, "version": 3, "status": "CONFIRMED", "shipments": [["s-1", ITEMS]]}
    (number,) = (call.number for call in world.calls if call.method == "UpdateOrder")
    world.change_call(number, method="GetOrderDetails", value=read)
    world.call("anna", "UpdateOrder", {"order_id": "o-1"}, "DEADLINE_EXCEEDED")


@breaks(6)
def a_shipment_was_booked_twice(world: World) -> None:
    world.change_movement(6, reference="s-2")


@breaks(1, 5, 6, 7)
def what_left_is_still_on_hand(world: World) -> None:
    del world.ledger[5]
    world.ledger.insert(5, Movement(0, "LAMP", "main", "RELEASE", 0, -1, 0, 0, "o-1"))
    world.recount()


@breaks(10)
def what_left_was_promised_to_nobody(world: World) -> None:
    world.change_movement(6, reserved_delta=0)
    release = Movement(0, "LAMP", "main", "RELEASE", 0, -1, 0, 0, "o-1")
    world.ledger.insert(5, release)
    world.requests["aside"] = world.requests["aside"]._replace(version=9)
    world.recount()
    world.see("i-8", sequence=9)


@breaks(6)
def a_shipment_counts_as_not_booked(world: World) -> None:
    world.booked.remove(("o-1", "s-1"))


@breaks(6)
def a_shipment_is_booked_that_orders_does_not_know(world: World) -> None:
    world.booked.add(("o-1", "s-9"))


@breaks(1, 5, 6, 7)
def what_came_back_is_not_booked(world: World) -> None:
    world.change_movement(7, kind="RECEIPT", order_id="", on_hand_delta=2, quarantined_delta=0)
    world.recount()


@breaks(1, 3, 6, 7, 10, 11)
def a_return_is_forgotten(world: World) -> None:
    world.change_order("o-1", returns=())


@breaks(3, 4, 10, 11)
def more_came_than_was_to_come(world: World) -> None:
    change_return(world, lines=((1, "LAMP", 0),))


@breaks(3, 4, 7, 10, 11)
def more_may_come_back_than_left(world: World) -> None:
    change_return(world, lines=((1, "LAMP", 2),), is_closed=False)


@breaks(3, 7, 10, 11)
def a_return_is_still_open(world: World) -> None:
    change_return(world, is_closed=False)


@breaks(4)
def nobody_closed_a_return(world: World) -> None:
    change_last_call(world, "CloseReturn", outcome="fail", value=None, code="NOT_FOUND")


@breaks(4)
def every_call_for_a_return_was_refused(world: World) -> None:
    change_last_call(world, "OpenReturn", outcome="fail", value=None, code="FAILED_PRECONDITION")


@breaks(4)
def every_call_for_a_receipt_was_refused(world: World) -> None:
    change_last_call(world, "ReceiveReturn", outcome="fail", value=None, code="ABORTED")


@breaks(1, 3, 4, 6, 7)
def goods_that_came_are_said_to_be_gone(world: World) -> None:
    change_receipt(world, items=(LAMP._replace(disposition="WRITE_OFF"),))


@breaks(5)
def a_repeat_of_a_receipt_is_refused(world: World) -> None:
    world.call("anna", "ReceiveReturn", RECEIVE, "FAILED_PRECONDITION")


@breaks(3, 5, 11)
def one_request_was_answered_with_two_returns(world: World) -> None:
    told = {**ENDED, "return_id": "other", "closed": False, "receipts": []}
    world.call("anna", "OpenReturn", OPEN, told)


@breaks(11)
def a_return_was_told_with_other_units(world: World) -> None:
    world.call("anna", "CloseReturn", CLOSE, {**ENDED, "units": [[1, 1, 0]], "closed": True})


@breaks(7, 10)
def a_shipment_names_another_question(world: World) -> None:
    change_shipment(world, revision=3)


@breaks(1, 3, 4, 6, 7, 10, 11)
def more_left_than_the_line_has(world: World) -> None:
    change_shipment(world, items=(LAMP._replace(units=3),))


@breaks(6, 10, 11)
def the_status_does_not_follow_from_what_left(world: World) -> None:
    history = [now._replace(status="SHIPPED") for now in world.orders["o-1"].history[3:]]
    whole = (*world.orders["o-1"].history[:3], *history)
    world.change_order("o-1", status="SHIPPED", history=whole)


@breaks(3, 7, 10)
def it_went_back_from_shipped_in_part(world: World) -> None:
    history = world.orders["o-1"].history
    back = Change(9, "CONFIRMED", START)
    world.change_order("o-1", version=9, status="CONFIRMED", history=(*history, back))


@breaks(7)
def a_question_does_not_tell_what_left(world: World) -> None:
    world.see("g-1", content=(Part(REVISION, "", 2), *lamps(1), Part("shipment s-1", "", 1)))


@breaks(7)
def a_question_tells_again_what_is_not_its_own(world: World) -> None:
    (seen,) = (one for one in world.observed_events if one.event_id == "g-3")
    world.see("g-3", content=[part for part in seen.content or () if CAME not in part.product_id])


@breaks(7)
def an_answer_leaves_out_what_is_held(world: World) -> None:
    world.see("a-2", content=(Part(REVISION, "", 3),))


@breaks(7)
def an_answer_names_a_place_where_nothing_was_held(world: World) -> None:
    world.see("a-2", content=(Part(REVISION, "", 3), *lamps(1, location="east")))


@breaks(7)
def a_question_was_decided_and_never_answered(world: World) -> None:
    world.unsee("a-1")


@breaks(7)
def the_wrong_return_was_told_of(world: World) -> None:
    world.see("g-4", content=(Part("return other", "", 0),))


@breaks(6)
def a_copy_does_not_know_what_left(world: World) -> None:
    world.change_order("o-1", stock=lamps(2, location="main"))


@breaks()
def a_copy_is_of_before_a_shipment(world: World) -> None:
    """What left since then is taken off it; that it is old is for the sequence to say."""
    change_shipment(world, revision=2)


@breaks(6)
def the_reasons_differ(world: World) -> None:
    world.change_order("o-1", reasons=("NEAREST",))


@breaks(6)
def the_reason_is_of_another_rule(world: World) -> None:
    world.change_order("o-1", reasons=("PINNED",))
    world.change_reservation("o-1", reasons=("PINNED",))


@breaks(3, 6, 7, 10)
def a_pinned_order_holds_stock_and_left_elsewhere(world: World) -> None:
    sourced(world, Sourcing("PINNED", ("east",)))


@breaks(6)
def the_services_know_another_rule(world: World) -> None:
    world.change_reservation("o-1", sourcing=Sourcing("NEAREST", ("main",)))


@breaks(3)
def an_order_forgot_where_its_stock_was_to_come_from(world: World) -> None:
    asked = {**world.calls[1].request, "sourcing": ["PINNED", ["main"], True]}
    world.change_call(1, request=asked)


@breaks(3)
def a_rest_that_was_told_to_be_cancelled_is_not(world: World) -> None:
    world.call("anna", "CancelOrder", {"order_id": "o-1"}, READ)


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = shipped_and_returned()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found


def ship_one_lamp_from_the_east_too(world: World) -> None:
    change_shipment(world, items=(LAMP, LAMP._replace(location_id="east")))


def leave_at_two_places_what_must_not_be_split(world: World) -> None:
    sourced(world, Sourcing("PRIORITY", (), may_split=False))
    ship_one_lamp_from_the_east_too(world)


def hold_at_two_places_what_must_not_be_split(world: World) -> None:
    sourced(world, Sourcing("PRIORITY", (), may_split=False))
    stock = (*lamps(1, location="east"), *lamps(1, location="main"))
    world.change_reservation("o-1", stock=stock)


def let_a_line_come_back_that_is_none(world: World) -> None:
    change_receipt(world, items=(LAMP._replace(line_no=7, disposition="QUARANTINE"),))


TEXTS = {
    more_left_than_the_line_has: "3 units of line 1 left, it has 2",
    more_came_than_was_to_come: "more came than was to come",
    more_may_come_back_than_left: "may come back or came",
    let_a_line_come_back_that_is_none: "it has no line of",
    the_status_does_not_follow_from_what_left: "by what left it is PARTIALLY_SHIPPED",
    a_return_is_still_open: "other ends of returns",
    a_shipment_names_another_question: "question 2 told of",
    a_pinned_order_holds_stock_and_left_elsewhere: "it is pinned to ('east',), and left",
    leave_at_two_places_what_must_not_be_split: "it must not be split, and left",
    hold_at_two_places_what_must_not_be_split: "it must not be split and holds",
}


@pytest.mark.parametrize("damage", TEXTS, ids=lambda damage: damage.__name__)
def test_a_rule_says_what_is_wrong(damage: Damage) -> None:
    world = shipped_and_returned()

    damage(world)

    assert any(TEXTS[damage] in one.text for one in check(world.record()))
