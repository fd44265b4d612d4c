"""Damage to what is recorded of units and money, and the promise that it breaks: 1, 2, 10."""

from typing import Any

import pytest

from proof.checker import check
from proof.snapshot import Line, Missing, Movement, Sample
from tests.proof.small_world import PRICE, Damage, Damages, World

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


@breaks(2, 11)
def what_is_kept_back_was_promised(world: World) -> None:
    world.safety_stock = 8


@breaks(11)
def what_is_kept_back_is_told_as_available(world: World) -> None:
    world.safety_stock = 7


@breaks()
def what_is_kept_back_is_not_told_as_available(world: World) -> None:
    world.safety_stock = 7
    world.answer(12, available=1)
    world.answer(15, available=0)


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
    world.observed_events.insert(0, world.observed_events.pop())
    world.recount()


@breaks(1, 2, 10)
def a_level_promises_more_than_it_has(world: World) -> None:
    world.level = world.level._replace(on_hand=1)


@breaks(1, 2)
def more_is_confirmed_than_callers_put_in(world: World) -> None:
    world.change_call(0, request={**world.calls[0].request, "delta": 1})


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


@breaks(5, 7, 10)
def goods_came_and_went_where_there_is_no_level(world: World) -> None:
    for delta, kind in ((1, "RECEIPT"), (-1, "ADJUSTMENT")):
        movement = Movement(0, "LAMP", "shop", kind, delta, 0, max(delta, 0), 0, "")
        world.ledger.append(movement)


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


@breaks(10, 13)
def an_order_waits_for_an_answer_that_it_has(world: World) -> None:
    world.unanswered.add("o-4")


@breaks(10)
def lines_belong_to_no_order(world: World) -> None:
    world.strays.add("o-9")


@breaks(10)
def an_order_that_was_not_rejected_is_short(world: World) -> None:
    world.change_order("o-4", shortages=(Missing("LAMP", 1, 0),))


def test_a_sound_world_breaks_no_promise() -> None:
    assert check(World().record()) == []


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = World()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found
