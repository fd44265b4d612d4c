"""Damage to what is recorded of units and orders, and the promise that it breaks: 1 to 6, 10."""

from typing import Any

import pytest

from proof.checker import check
from proof.facts import Change, Line, Missing, Movement, Reservation, Sample
from tests.proof.small_world import PRICE, START, Damage, Damages, World

damages = Damages()
breaks = damages.breaks


# 1: conservation


@breaks(1)
def a_sample_on_the_way_did_not_add_up(world: World) -> None:
    world.rest["samples"] = [Sample(()), Sample(("LAMP at main: one too many",)), Sample(())]


@breaks(1)
def more_came_in_than_was_put_in(world: World) -> None:
    world.change_movement(1, on_hand_delta=11)
    world.recount()


@breaks(1)
def less_went_out_than_was_taken(world: World) -> None:
    for number in (13, 14):
        world.change_call(number, request={**world.calls[number].request, "delta": -2})


@breaks(1, 6)
def released_stock_is_still_reserved(world: World) -> None:
    del world.ledger[3]
    world.change_request("taken", version=4)
    world.recount()


# 2: no oversell


@breaks(2)
def more_was_promised_than_there_was_for_a_moment(world: World) -> None:
    world.ledger[0:2] = [world.ledger[1], world.ledger[0]]
    world.change_request("supply", version=2)
    world.recount()


@breaks(2)
def a_level_was_below_zero_for_a_moment(world: World) -> None:
    supply, *others, taken = world.ledger
    world.ledger = [taken, supply, *others]
    world.change_request("taken", version=1)
    world.change_request("supply", version=2)
    world.sightings.insert(0, world.sightings.pop())
    world.recount()


@breaks(1, 2, 10)
def a_level_promises_more_than_it_has(world: World) -> None:
    world.level = world.level._replace(on_hand=1)


@breaks(1, 2)
def more_is_confirmed_than_callers_put_in(world: World) -> None:
    world.change_call(0, request={**world.calls[0].request, "delta": 1})


# 3: no lost order


@breaks(3)
def a_caller_was_told_of_an_order_that_is_not_there(world: World) -> None:
    world.change_call(19, outcome="ok", value={"order_id": "o-9", "status": "PENDING"})


@breaks(3, 4, 7, 11)
def an_order_has_other_lines_than_asked_for(world: World) -> None:
    world.change_order("o-1", lines=(Line("LAMP", 1, PRICE), Line("LAMP", 1, PRICE)))


@breaks(3)
def an_order_did_not_begin_as_pending(world: World) -> None:
    _, expired = world.orders["o-4"].history
    world.change_order("o-4", history=(Change(1, "CONFIRMED", START), expired))


@breaks(3, 7)
def an_order_ended_twice(world: World) -> None:
    placed, expired = world.orders["o-4"].history
    history = (placed, expired, Change(3, "CONFIRMED", START), expired._replace(version=4))
    world.change_order("o-4", version=4, history=history)
    world.notify("o-4", 3, "CONFIRMED")
    world.notify("o-4", 4, "EXPIRED")


@breaks(3, 7)
def a_version_is_missing_in_a_history(world: World) -> None:
    placed, expired = world.orders["o-4"].history
    world.change_order("o-4", version=3, history=(placed, expired._replace(version=3)))
    world.notices = [notice for notice in world.notices if notice.order_id != "o-4"]
    world.attempts = [attempt for attempt in world.attempts if attempt.order_id != "o-4"]
    world.notify("o-4", 3, "EXPIRED")


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
    world.change_call(10, outcome="fail", code="FAILED_PRECONDITION", value=None)


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


# 6: agreement of the services


@breaks(6)
def a_cancelled_order_keeps_its_stock(world: World) -> None:
    del world.ledger[3]
    world.change_reservation("o-3", state="RESERVED", version=1)
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
def a_reservation_has_one_version_too_many(world: World) -> None:
    world.change_reservation("o-1", version=2)


@breaks(6)
def an_order_was_refused_although_there_was_enough(world: World) -> None:
    enough = (Missing("LAMP", 9, 9),)
    world.change_order("o-2", shortages=enough)
    world.change_reservation("o-2", shortages=enough)


@breaks(6, 7)
def an_order_was_refused_for_nothing(world: World) -> None:
    world.change_reservation("o-2", shortages=())


@breaks(6)
def the_services_say_different_things_of_a_shortage(world: World) -> None:
    world.change_order("o-2", shortages=(Missing("LAMP", 9, 7),))


@breaks(6)
def inventory_decided_an_order_that_orders_does_not_know(world: World) -> None:
    world.reservations["o-9"] = Reservation("o-9", "TOMBSTONE", 1, ())


@breaks()
def poison_made_inventory_remember_an_order_that_never_was(world: World) -> None:
    world.reservations["o-9"] = Reservation("o-9", "TOMBSTONE", 1, ())
    world.rest["poison"].add("o-9")


@breaks(6)
def stock_was_moved_for_an_order_without_a_reservation(world: World) -> None:
    for delta, kind in ((1, "RESERVATION"), (-1, "RELEASE")):
        world.ledger.append(Movement(0, "LAMP", "main", kind, 0, delta, 0, 0, "o-9"))
    world.recount()


# 10: ledger = level, totals, money


@breaks(10)
def a_level_has_a_version_without_a_movement(world: World) -> None:
    world.level = world.level._replace(version=6)


@breaks(1, 10)
def a_level_is_not_the_sum_of_its_movements(world: World) -> None:
    world.level = world.level._replace(on_hand=8)


@breaks(10)
def a_movement_does_not_state_the_sum_so_far(world: World) -> None:
    world.change_movement(3, reserved_after=2)


@breaks(10)
def a_movement_is_none_of_its_kind(world: World) -> None:
    world.change_movement(5, kind="RECEIPT")


@breaks(10)
def movements_are_where_there_is_no_level(world: World) -> None:
    world.level = world.level._replace(location_id="shop")


@breaks(10)
def a_total_is_not_the_sum_of_the_lines(world: World) -> None:
    world.change_order("o-4", total_minor=PRICE - 1)


@breaks(10)
def money_is_a_fraction(world: World) -> None:
    half: Any = 0.5
    world.change_order("o-4", total_minor=half, lines=(Line("LAMP", 1, half),))


@breaks(7, 10)
def an_order_has_no_lines(world: World) -> None:
    world.change_order("o-4", total_minor=0, lines=())


@breaks(10)
def an_order_is_ahead_of_its_history(world: World) -> None:
    world.change_order("o-4", version=3)


@breaks(10)
def a_decided_order_is_among_the_pending_ones(world: World) -> None:
    world.pending.add("o-4")


@breaks(10)
def lines_belong_to_no_order(world: World) -> None:
    world.strays.add("o-9")


@breaks(10)
def an_order_that_was_not_rejected_is_short(world: World) -> None:
    world.change_order("o-4", shortages=(Missing("LAMP", 1, 0),))


def test_a_sound_world_breaks_no_promise() -> None:
    assert check(World().evidence()) == []


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = World()

    damage(world)

    found = check(world.evidence())
    assert {violation.invariant for violation in found} == invariants, found
