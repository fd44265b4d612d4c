"""Damage to where stock is and what is told of it, and the promises that it breaks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from proof.checker import check
from proof.goods import Sourcing
from proof.places import Location
from proof.snapshot import FROM, Level, Movement, ObservedEvent, Part, StockRequest
from tests.proof.small_world import World, about, lamps

BASKET = {"lines": [["LAMP", 5], ["LAMP", 3]]}
UNSPLIT = {"lines": [["LAMP", 3]], "sourcing": ["FEWEST_SHIPMENTS", [], False]}
PINNED = {"lines": [["LAMP", 1]], "sourcing": ["PINNED", ["main"], True]}
PINNED_EAST = {"lines": [["LAMP", 1]], "sourcing": ["PINNED", ["east"], True]}
SWITCH = {"location_id": "main", "version": 1, "active": False}
BACK = {"location_id": "main", "version": 2, "active": True}
READ = {"product_id": "LAMP"}
SUPPLY = {"request_id": "east", "product_id": "LAMP", "location_id": "east", "delta": 4}

Damage = Callable[[World], None]
cases = list[Any]()


def found(*stock: tuple[str, int]) -> dict[str, Any]:
    """All of it could be promised."""
    parts = [["LAMP", location_id, units] for location_id, units in stock]
    return {"available": True, "stock": parts, "shipments": len(stock), "missing": []}


def short(wanted: int, free: int) -> dict[str, Any]:
    missing = [["LAMP", wanted, free]]
    return {"available": False, "stock": [], "shipments": 0, "missing": missing}


def read(main: list[int], east: list[int], free: tuple[int, int]) -> dict[str, Any]:
    """What is told of lamps at two locations; of each units and version."""
    names = ("on_hand", "reserved", "quarantined")
    sums = {name: main[at] + east[at] for at, name in enumerate(names)}
    levels = [["main", *main], ["east", *east]]
    told = [["main", free[0]], ["east", free[1]]]
    return {**sums, "available": sum(free), "levels": levels, "free": told}


BOTH, SWITCHED, LISTED, LOOK, LITTLE, REFUSED, ONE_PLACE = range(21, 28)


def placed() -> World:
    """A world in which some lamps are at `east`, and `main` is made inactive in the end."""
    world = World()
    world.ledger.append(Movement(6, "LAMP", "east", "RECEIPT", 4, 0, 4, 0, ""))
    world.elsewhere = [Level("LAMP", "east", 4, 0, 1)]
    world.requests["east"] = StockRequest("east", "LAMP", "east", 4, 0, 1)
    level_changed = "holdfast.inventory.v1.StockLevelChanged"
    content = lamps(4, location="east")
    world.observed_events.append(ObservedEvent("i-6", level_changed, "LAMP", 1, content))
    locations = Location("main", 0, 2, False, 6), Location("east", 10)
    world.locations = {one.location_id: one for one in locations}
    listed = [["main", False, 2], ["east", True, 1]]
    level = {"on_hand": 4, "reserved": 0, "quarantined": 0, "available": 4}
    world.call("shop", "UpdateStock", SUPPLY, level)
    world.call("anna", "CheckAvailability", BASKET, found(("main", 7), ("east", 1)))
    world.call("shop", "UpdateLocation", SWITCH, {"locations": listed[:1]})
    world.call("shop", "ListLocations", {}, {"locations": listed})
    world.call("carl", "GetStockInfo", READ, read([9, 2, 0, 5], [4, 0, 0, 1], (0, 4)))
    world.call("anna", "CheckAvailability", BASKET, short(8, 4))
    world.call("anna", "CheckAvailability", PINNED, "FAILED_PRECONDITION")
    world.call("anna", "CheckAvailability", UNSPLIT, found(("east", 3)))
    return world


def breaks(*invariants: int, says: str = "") -> Callable[[Damage], Damage]:
    """Note a damage under the name of its function, with what is said of it; none: harmless."""

    def note(damage: Damage) -> Damage:
        name = "-".join(map(str, invariants)) or "harmless"
        cases.append(pytest.param(set(invariants), says, damage, id=f"{name}-{damage.__name__}"))
        return damage

    return note


def wish(world: World, sourcing: Sourcing) -> None:
    """As if o-3, which was cancelled, had wanted its stock so from the beginning."""
    world.change_order("o-3", placed=world.orders["o-3"].first._replace(sourcing=sourcing))
    for number in (5, 6):
        asked = {**world.calls[number].request, "sourcing": sourcing}
        world.change_call(number, request=asked)
    world.see("p-3", content=(*about(1, 1), Part(f"{FROM}{tuple(sourcing)}", "", 0)))


def at(world: World, number: int, begun: float, ended: float | None) -> None:
    """Let a call have been made at another time."""
    world.calls[number] = replace(world.calls[number], invoked_at=begun, ended_at=ended)


def active_again(world: World) -> None:
    """As if `main` had been made inactive before o-3 was placed, and active after it was read."""
    world.locations["main"] = Location("main", 0, 3, True)
    told = {"locations": [["main", True, 3]]}
    world.call("shop", "UpdateLocation", BACK, told)
    at(world, SWITCHED, 31, 32)
    at(world, len(world.calls) - 1, 100, 101)
    world.answer(LISTED, locations=[*told["locations"], ["east", True, 1]])
    world.change_call(LOOK, value=read([9, 2, 0, 5], [4, 0, 0, 1], (7, 4)))
    world.change_call(LITTLE, value=found(("main", 7), ("east", 1)))
    world.change_call(REFUSED, outcome="ok", code="", value=found(("main", 1)))


def look_at_three_movements(world: World) -> None:
    """Somebody is told that o-3's units are promised, while it is not known to be cancelled."""
    told = read([10, 3, 0, 3], [0, 0, 0, 0], (0, 0))
    world.call("carl", "GetStockInfo", READ, told)
    at(world, len(world.calls) - 1, 65, 66)


@breaks()
def nothing_is_damaged(_: World) -> None:
    pass


@breaks(3, 11, says="made it")
def a_location_is_as_it_was_before(world: World) -> None:
    world.locations["main"] = Location("main", 0, 1, True)


@breaks(3, says="made it")
def a_location_is_active_though_somebody_was_told_otherwise(world: World) -> None:
    world.locations["main"] = Location("main", 0, 2, True)


@breaks(3, says="was made by 2 calls")
def two_callers_switched_the_same_version(world: World) -> None:
    world.call("bob", "UpdateLocation", SWITCH, {})


@breaks(4, says="nobody asked for version 3")
def a_location_was_switched_by_nobody(world: World) -> None:
    world.locations["main"] = Location("main", 0, 3, False, 6)


@breaks(4, says="nobody asked for version 2")
def a_location_was_switched_though_every_call_was_refused(world: World) -> None:
    world.change_call(SWITCHED, outcome="fail", value=None, code="ABORTED")


@breaks(6, says="it is pinned to ['east'] and was promised stock at ['main']")
def what_was_pinned_was_elsewhere_until_it_was_cancelled(world: World) -> None:
    wish(world, Sourcing("PINNED", ("east",)))


@breaks()
def what_was_pinned_was_where_it_was_pinned_to(world: World) -> None:
    wish(world, Sourcing("PINNED", ("main",)))


@breaks(6, 7, 10, says="it must not be split and was promised stock at ['east', 'main']")
def what_must_not_be_split_was_split_until_it_was_cancelled(world: World) -> None:
    wish(world, Sourcing("PRIORITY", (), may_split=False))
    world.ledger.append(Movement(7, "LAMP", "east", "RESERVATION", 0, 1, 4, 1, "o-3"))


@breaks(10, says="it was inactive by then")
def stock_is_promised_at_an_inactive_location(world: World) -> None:
    world.locations["main"] = Location("main", 0, 2, False, 2)


@breaks(10, says="it was inactive by then")
def stock_was_promised_at_a_location_that_is_active_again(world: World) -> None:
    active_again(world)
    look_at_three_movements(world)


@breaks()
def stock_was_promised_perhaps_before_a_location_was_inactive(world: World) -> None:
    active_again(world)
    look_at_three_movements(world)
    at(world, SWITCHED, 31, 61)


@breaks(3, 10, says="it is no location")
def stock_is_where_there_is_no_location(world: World) -> None:
    del world.locations["main"]
    world.change_call(BOTH, outcome="info", value=None, code="UNKNOWN")
    world.change_call(REFUSED, outcome="info", value=None, code="UNKNOWN")


@breaks(10, says="active or not")
def a_location_is_active_and_inactive_since_a_movement(world: World) -> None:
    world.locations["east"] = Location("east", 10, 1, True, 6)


@breaks(11, says="told version 1")
def a_list_tells_what_was_before(world: World) -> None:
    world.answer(LISTED, locations=[["main", True, 1], ["east", True, 1]])


@breaks(11, says="told version 2, active: True")
def a_list_tells_another_state(world: World) -> None:
    world.answer(LISTED, locations=[["main", True, 2], ["east", True, 1]])


@breaks(11, says="told version 3")
def a_list_tells_what_never_was(world: World) -> None:
    world.answer(LISTED, locations=[["main", True, 3], ["east", True, 1]])


@breaks(11, says="told 7 free at main")
def units_at_an_inactive_location_are_told_as_free(world: World) -> None:
    world.change_call(LOOK, value=read([9, 2, 0, 5], [4, 0, 0, 1], (7, 4)))


@breaks(11, says="told 3 free at east")
def fewer_units_are_told_as_free_than_are(world: World) -> None:
    world.change_call(LOOK, value=read([9, 2, 0, 5], [4, 0, 0, 1], (0, 3)))


@breaks(11, says="told {")
def more_is_available_than_is_free_by_location(world: World) -> None:
    world.answer(LOOK, available=11)


@breaks(11, says="levels of several moments")
def one_level_is_older_than_the_other(world: World) -> None:
    at(world, LOOK, 141, None)
    world.change_call(LOOK, value=read([10, 2, 0, 4], [4, 0, 0, 1], (8, 4)))


@breaks()
def a_look_tells_what_was_as_it_began(world: World) -> None:
    at(world, LOOK, 141, None)
    world.change_call(LOOK, value=read([9, 2, 0, 5], [0, 0, 0, 0], (7, 0)))


@breaks(11, says="it found")
def less_than_the_basket_is_found(world: World) -> None:
    world.change_call(BOTH, value=found(("main", 7)))


@breaks(11, says="it found")
def more_shipments_are_told_than_locations(world: World) -> None:
    world.answer(BOTH, shipments=3)


@breaks(11, says="something is missing, and it told")
def nothing_is_missing_and_it_is_not_available(world: World) -> None:
    world.answer(LITTLE, missing=[])


@breaks(11, says="8 of 8 LAMP are missing")
def what_is_missing_is_there(world: World) -> None:
    world.change_call(LITTLE, value=short(8, 8))


@breaks(11, says="never so")
def less_is_there_than_is_told_of_what_is_missing(world: World) -> None:
    world.change_call(LITTLE, value=short(8, 5))


@breaks(11, says="never so")
def the_second_location_gives_what_the_first_one_has(world: World) -> None:
    world.change_call(BOTH, value=found(("main", 6), ("east", 2)))


@breaks(11, says="never so")
def a_basket_is_found_in_what_was_taken_before(world: World) -> None:
    world.change_call(BOTH, value=found(("main", 8)))


@breaks()
def a_basket_is_found_in_what_was_there_as_the_call_began(world: World) -> None:
    at(world, BOTH, 135, None)
    world.change_call(BOTH, value=found(("main", 8)))


@breaks(11, says="never so")
def a_basket_is_found_at_an_inactive_location(world: World) -> None:
    world.change_call(LITTLE, value=found(("main", 7), ("east", 1)))


@breaks()
def a_basket_is_found_where_it_is_being_made_inactive(world: World) -> None:
    at(world, SWITCHED, 220, 265)
    world.change_call(LITTLE, value=found(("main", 7), ("east", 1)))
    for number in (LISTED, LOOK):
        at(world, number, 266, 268)


@breaks(11, says="never so")
def more_is_found_at_one_location_than_it_has(world: World) -> None:
    world.change_call(ONE_PLACE, request={**UNSPLIT, "lines": [["LAMP", 5]]})
    world.change_call(ONE_PLACE, value=found(("east", 5)))


@breaks(11, says="it must not be split")
def what_must_not_be_split_is_found_at_two_locations(world: World) -> None:
    at(world, ONE_PLACE, 216, 217)
    world.change_call(ONE_PLACE, value=found(("main", 2), ("east", 1)))


@breaks(11, says="never so")
def a_pinned_basket_is_found_elsewhere(world: World) -> None:
    world.change_call(ONE_PLACE, request=PINNED_EAST, value=found(("main", 1)))


@breaks(11, says="were not all active")
def a_basket_is_pinned_to_an_inactive_location_and_is_not_refused(world: World) -> None:
    world.change_call(REFUSED, outcome="ok", code="", value=short(1, 0))


@breaks(11, says="was refused, all of it was active")
def a_basket_is_refused_though_its_location_is_active(world: World) -> None:
    world.change_call(REFUSED, request=PINNED_EAST)


@pytest.mark.parametrize(("invariants", "says", "damage"), cases)
def test_damage_breaks_its_promise_and_no_other(
    invariants: set[int], says: str, damage: Damage
) -> None:
    world = placed()

    damage(world)

    violations = check(world.record())
    assert {one.invariant for one in violations} == invariants, violations
    assert not says or any(says in one.text for one in violations), violations
