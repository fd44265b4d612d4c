"""Damage to what is explained of stock, now and as of a moment, and the promise that it breaks."""

from collections.abc import Mapping
from typing import Any

import pytest

from proof.checker import check
from proof.history import Call
from proof.rules.explaining import explanations
from proof.snapshot import Movement
from tests.proof.small_world import Damage, Damages, World

damages = Damages()
breaks = damages.breaks

NOW = {
    "location_id": "main",
    "units": [9, 2, 0],
    "version": 5,
    "earlier": [0, 0, 0],
    "sums": [
        ["ADJUSTMENT", 1, -1, 0, 0],
        ["RECEIPT", 1, 10, 0, 0],
        ["RELEASE", 1, 0, -1, 0],
        ["RESERVATION", 2, 0, 3, 0],
    ],
    "holds": [["o-1", 2]],
    "held": [1, 2],
    "movements": [5, 4, 3, 2, 1],
    "moved_at_us": 50,
}
AT_30 = {
    "location_id": "main",
    "units": [10, 3, 0],
    "version": 3,
    "earlier": [0, 0, 0],
    "sums": [["RECEIPT", 1, 10, 0, 0], ["RESERVATION", 2, 0, 3, 0]],
    "holds": [["o-3", 1], ["o-1", 2]],
    "held": [2, 3],
    "movements": [3, 2, 1],
    "moved_at_us": 30,
}


def explain(world: World, *levels: Mapping[str, Any], **asked: int) -> None:
    told = {"product_id": "LAMP", "explained": levels}
    world.call("carl", "ExplainStock", {"product_id": "LAMP", **asked}, told)


@breaks()
def all_is_explained_now_and_as_of_moments(world: World) -> None:
    explain(world, NOW)
    explain(world, AT_30, as_of_us=30, movement_id=3)
    explain(world, AT_30, as_of_us=39)
    explain(world, as_of_us=9)


@breaks()
def what_was_being_written_then_is_told_later_only(world: World) -> None:
    explain(world, AT_30, as_of_us=50)


@breaks(11)
def what_was_known_to_be_of_the_moment_is_not_told(world: World) -> None:
    explain(world, AT_30, as_of_us=40, movement_id=4)


@breaks(11)
def nothing_is_told_of_a_moment_that_had_something(world: World) -> None:
    explain(world, as_of_us=30, movement_id=3)


@breaks(11)
def what_came_after_the_moment_is_told(world: World) -> None:
    explain(world, AT_30, as_of_us=29)


@breaks(11)
def an_explanation_of_now_goes_back_behind_what_was_read(world: World) -> None:
    explain(world, AT_30)


@breaks(11)
def a_product_that_was_read_is_not_found_by_who_wants_an_explanation(world: World) -> None:
    world.call("carl", "ExplainStock", {"product_id": "LAMP"}, "NOT_FOUND")


@breaks(11)
def a_level_is_explained_where_nothing_ever_was(world: World) -> None:
    explain(world, NOW, {**NOW, "location_id": "attic"})


WRONG = {
    "units": [10, 2, 0],
    "version": 4,
    "earlier": [1, 0, 0],
    "sums": NOW["sums"][1:],  # type: ignore[index]
    "holds": [["o-1", 1]],
    "held": [2, 2],
    "movements": [5, 4, 2, 1],
}


@pytest.mark.parametrize("name", WRONG)
def test_each_part_of_an_explanation_is_held_against_the_ledger(name: str) -> None:
    world = dated()
    explain(world, {**NOW, name: WRONG[name]})

    found = check(world.record())

    assert found
    assert all(one.invariant == 11 for one in found)
    assert any(f"as {name} at main" in one.text for one in found)


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = dated()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found


def dated() -> World:
    """The small world, with a movement every ten microseconds."""
    world = World()
    for movement in tuple(world.ledger):
        world.change_movement(movement.movement_id, moved_at_us=10 * movement.movement_id)
    return world


def test_of_a_busy_level_the_last_thousand_movements_are_added_to_what_was_before() -> None:
    world = World()
    world.ledger = [
        Movement(number, "LAMP", "main", "RECEIPT", 1, 0, number, 0, "", moved_at_us=number)
        for number in range(1, 1_004)
    ]
    busy = {
        "location_id": "main",
        "units": [1_002, 0, 0],
        "version": 0,
        "earlier": [2, 0, 0],
        "sums": [["RECEIPT", 1_000, 1_000, 0, 0]],
        "holds": [],
        "held": [0, 0],
        "movements": list(range(1_002, 982, -1)),
        "moved_at_us": 1_002,
    }

    def wrong(level: Mapping[str, Any], **asked: int) -> list[str]:
        request = {"product_id": "LAMP", **asked}
        told = {"product_id": "LAMP", "explained": [level]}
        world.calls = [Call(0, "carl", "ExplainStock", request, 1.0, 2.0, "ok", told)]
        return [one.text for one in explanations(world.record())]

    assert wrong(busy, as_of_us=1_002) == wrong({**busy, "version": 1_002}) == []
    assert len(wrong(busy)) == 1
    assert len(wrong({**busy, "earlier": [0, 0, 0]}, as_of_us=1_002)) == 1
