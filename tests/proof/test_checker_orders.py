"""Damage to what is recorded of orders, and the promise that it breaks: 3 to 6."""

import pytest

from proof.checker import check
from proof.rules.orders import idempotency, no_lost_order
from proof.snapshot import Change, Line, Missing, Movement, Reservation
from tests.proof.small_world import PRICE, START, Damage, Damages, World, about, lamps

damages = Damages()
breaks = damages.breaks


# 3: no lost order


@breaks(3)
def a_caller_was_told_of_an_order_that_is_not_there(world: World) -> None:
    world.change_call(19, outcome="ok", value={"order_id": "o-9", "status": "PENDING"})


@breaks(3, 4, 11)
def an_order_has_other_lines_than_asked_for(world: World) -> None:
    world.change_order("o-1", lines=(Line("LAMP", 1, PRICE), Line("LAMP", 1, PRICE)))


@breaks(3)
def an_order_did_not_begin_as_pending(world: World) -> None:
    _, expired = world.orders["o-4"].history
    world.change_order("o-4", history=(Change(1, "CONFIRMED", START), expired))


@breaks(3)
def an_order_was_never_pending(world: World) -> None:
    placed, ended = world.orders["o-4"].history
    history = (placed._replace(status="CONFIRMED"), ended._replace(status="CANCELLED"))
    world.change_order("o-4", status="CANCELLED", history=history)
    world.see("x-4", type="holdfast.orders.v1.OrderCancelled")
    world.call("dora", "CancelOrder", {"order_id": "o-4"}, "UNAVAILABLE")


@breaks(3, 7, 10)
def an_order_ended_twice(world: World) -> None:
    placed, expired = world.orders["o-4"].history
    history = (placed, expired, Change(3, "CONFIRMED", START), expired._replace(version=4))
    world.change_order("o-4", version=4, history=history)


@breaks(3, 7)
def a_version_is_missing_in_a_history(world: World) -> None:
    placed, expired = world.orders["o-4"].history
    world.change_order("o-4", version=3, history=(placed, expired._replace(version=3)))


@breaks(3, 11)
def an_acknowledged_cancellation_is_gone(world: World) -> None:
    cancelled = {"order_id": "o-1", "status": "CANCELLED"}
    world.call("anna", "CancelOrder", {"order_id": "o-1"}, cancelled)


@breaks(3)
def an_acknowledged_change_of_stock_is_gone(world: World) -> None:
    facts = {"request_id": "lost", "product_id": "LAMP", "delta": -1}
    world.call("shop", "UpdateStock", facts, world.units(5))


# 4: no phantom


@breaks(4)
def nobody_asked_for_an_order(world: World) -> None:
    world.change_call(19, request={**world.calls[19].request, "customer_id": "eve"})


@breaks(4)
def nobody_asked_for_the_lines_of_an_order(world: World) -> None:
    world.change_call(19, request={**world.calls[19].request, "lines": [["LAMP", 2]]})


@breaks(4)
def every_call_for_an_order_was_refused(world: World) -> None:
    world.change_call(19, outcome="fail", code="FAILED_PRECONDITION")


@breaks(4)
def nobody_cancelled_a_cancelled_order(world: World) -> None:
    world.change_call(10, request={"order_id": "o-9"}, outcome="info")


@breaks(4)
def every_cancellation_of_a_cancelled_order_was_refused(world: World) -> None:
    world.change_call(10, outcome="fail", code="RESOURCE_EXHAUSTED", value=None)


@breaks(4)
def nobody_updated_an_updated_order(world: World) -> None:
    world.change_call(17, request={"order_id": "o-3"})


@breaks(4)
def every_call_for_a_change_of_stock_was_refused(world: World) -> None:
    for number in (13, 14):
        world.change_call(number, outcome="fail", code="FAILED_PRECONDITION", value=None)


@breaks(1, 3, 4, 5)
def nobody_asked_for_a_change_of_stock(world: World) -> None:
    world.requests["other"] = world.requests.pop("taken")._replace(request_id="other")


# 5: idempotency


@breaks(5)
def one_request_became_two_orders(world: World) -> None:
    world.change_order("o-4", customer_id="bob", request_id="r-3")


@breaks(3, 5)
def one_request_was_answered_with_two_orders(world: World) -> None:
    world.change_call(2, outcome="ok", value={"order_id": "o-9", "status": "PENDING"})


@breaks(5)
def a_request_was_answered_with_the_order_of_another(world: World) -> None:
    world.change_call(19, outcome="ok", value={"order_id": "o-3", "status": "CANCELLED"})


@breaks(3, 5)
def other_contents_were_accepted_under_the_same_request(world: World) -> None:
    world.change_call(3, outcome="ok", value={"order_id": "o-1", "status": "PENDING"})


@breaks(5)
def a_repeat_was_refused_although_its_first_try_was_answered(world: World) -> None:
    world.change_call(2, outcome="fail", code="FAILED_PRECONDITION")


@breaks(5)
def a_repeated_change_of_stock_was_refused(world: World) -> None:
    world.call("shop", "UpdateStock", world.calls[14].request, "FAILED_PRECONDITION")


@breaks(1, 5, 7)
def a_change_of_stock_happened_twice(world: World) -> None:
    world.ledger.append(world.ledger[-1])
    world.recount()


@breaks(5)
def a_repeated_change_of_stock_was_answered_differently(world: World) -> None:
    world.answer(14, on_hand=8, available=6)


@breaks(5)
def a_change_of_stock_has_no_movement_of_its_own(world: World) -> None:
    world.change_request("taken", version=4)


@breaks(1, 5)
def a_change_of_stock_is_recorded_and_moved_nothing(world: World) -> None:
    facts = {"request_id": "extra", "product_id": "LAMP", "delta": 1}
    world.call("shop", "UpdateStock", facts, "UNAVAILABLE")
    world.requests["extra"] = world.requests["taken"]._replace(request_id="extra", version=6)


@breaks(5)
def a_change_of_stock_is_recorded_with_another_level(world: World) -> None:
    world.change_request("taken", on_hand=8)
    world.change_call(14, outcome="info", value=None)


@breaks(5)
def other_contents_of_a_change_of_stock_were_accepted(world: World) -> None:
    world.call("shop", "UpdateStock", {**world.calls[0].request, "delta": 5}, world.units(1))


# 6: agreement of the services


@breaks(6, 7)
def a_cancelled_order_keeps_its_stock(world: World) -> None:
    del world.ledger[3]
    world.change_reservation("o-3", state="HELD", version=1, stock=lamps(1, location="main"))
    world.change_request("taken", version=4)
    world.unsee("r-3")
    world.recount()


@breaks(1, 6, 7)
def a_confirmed_order_has_no_reservation(world: World) -> None:
    del world.reservations["o-1"]


@breaks(1, 6, 7)
def a_confirmed_order_has_less_than_it_asked_for(world: World) -> None:
    world.change_movement(2, reserved_delta=1)
    world.recount()


@breaks(6, 7)
def stock_was_reserved_and_released_twice(world: World) -> None:
    world.ledger += [world.ledger[2], world.ledger[3]]
    world.recount()


@breaks(6)
def an_order_reserved_the_same_stock_in_two_movements(world: World) -> None:
    half = world.ledger[1]._replace(reserved_delta=1)
    world.ledger[1:2] = [half, half]
    world.change_request("taken", version=6)
    world.recount()
    for event_id in ("s-1", "s-1b"):
        world.see(event_id, content=about(1, 1, 1, location="main"))


@breaks(6, 7)
def a_reservation_has_one_version_too_many(world: World) -> None:
    world.change_reservation("o-1", version=2)


@breaks(6)
def an_order_was_refused_although_there_was_enough(world: World) -> None:
    enough = (Missing("LAMP", 9, 9),)
    world.change_order("o-2", shortages=enough)
    world.change_reservation("o-2", missing=enough)


@breaks(6, 7)
def an_order_was_refused_for_nothing(world: World) -> None:
    world.change_reservation("o-2", missing=())


@breaks(6)
def the_services_say_different_things_of_a_shortage(world: World) -> None:
    world.change_order("o-2", shortages=(Missing("LAMP", 9, 7),))


@breaks(6, 7)
def inventory_decided_an_order_that_orders_does_not_know(world: World) -> None:
    world.reservations["o-9"] = Reservation("o-9", "OVER", 1, 2, (), ())


@breaks()
def poison_made_inventory_remember_an_order_that_never_was(world: World) -> None:
    world.reservations["o-9"] = Reservation("o-9", "OVER", 1, 2, (), ())
    world.rest["poison"].add("o-9")


@breaks(6)
def the_document_is_not_what_the_movements_make(world: World) -> None:
    world.change_reservation("o-1", stock=lamps(2, location="shop"))
    world.change_order("o-1", stock=lamps(2, location="shop"))


@breaks(6)
def orders_knows_something_else_than_inventory_holds(world: World) -> None:
    world.change_order("o-1", stock=lamps(1, location="main"))


@breaks(6)
def orders_knows_an_older_answer(world: World) -> None:
    world.change_order("o-3", sequence=1)


@breaks(6, 10)
def the_newest_question_was_never_decided(world: World) -> None:
    world.change_order("o-1", asked=2, answered=2)


@breaks(6, 7)
def inventory_decided_what_was_never_asked(world: World) -> None:
    world.change_reservation("o-1", revision=2)


@breaks(6, 10)
def a_question_has_no_answer_and_nobody_waits(world: World) -> None:
    world.change_order("o-3", answered=1)


@breaks(6)
def stock_was_moved_for_an_order_without_a_reservation(world: World) -> None:
    for delta, kind in ((1, "RESERVATION"), (-1, "RELEASE")):
        world.ledger.append(Movement(0, "LAMP", "main", kind, 0, delta, 0, 0, "o-9"))
    world.recount()


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = World()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found


def test_what_was_asked_for_is_not_compared_once_the_order_is_erased() -> None:
    other = {"customer_id": "anna", "request_id": "r-1", "lines": [["LAMP", 1]]}
    answers = dict[bool, set[int]]()
    for is_erased in (True, False):
        world = World()
        if is_erased:
            world.call("anna", "EraseCustomer", {"email": "anna@example.org"}, {"orders": 1})
            world.change_order("o-1", is_erased=True)
        world.call("anna", "CreateOrder", other, {"order_id": "o-1", "status": "CONFIRMED"})
        found = {*idempotency(world.record()), *no_lost_order(world.record())}
        answers[is_erased] = {violation.invariant for violation in found}

    assert answers == {True: set(), False: {3, 5}}
