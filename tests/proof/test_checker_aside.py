"""Damage to what is put aside and to what is told of stock, and the promise that it breaks."""

import pytest

from proof.checker import check
from proof.snapshot import QUARANTINED, Movement, ObservedEvent, Part, StockRequest
from tests.proof.goods_world import ASIDE, change_last_call, shipped_and_returned
from tests.proof.small_world import Damage, Damages, World, lamps

damages = Damages()
breaks = damages.breaks


@breaks(1, 10)
def a_level_has_more_in_quarantine_than_its_movements(world: World) -> None:
    world.level = world.level._replace(quarantined=4)


@breaks(2)
def more_is_promised_and_put_aside_than_is_there(world: World) -> None:
    world.ledger.append(Movement(0, "LAMP", "main", "QUARANTINE", 0, 0, 0, 0, "", 9))
    asked = {**ASIDE, "request_id": "all", "quantity": 9}
    world.requests["all"] = StockRequest("all", "LAMP", "main", 0, 0, 9)
    world.recount()
    aside = (*lamps(9, location="main"), Part(QUARANTINED, "main", 12))
    told = "holdfast.inventory.v1.StockLevelChanged"
    world.observed_events.append(ObservedEvent("i-9", told, "LAMP", 9, aside))
    world.call("anna", "QuarantineStock", asked, world.units(9))
    world.change_call(15, value=world.units(8))


@breaks(10)
def a_quarantine_took_units_away(world: World) -> None:
    world.change_movement(8, kind="WRITE_OFF", order_id="")


@breaks(1, 5)
def nobody_asked_for_a_quarantine(world: World) -> None:
    del world.requests["aside"]
    world.calls = [call for call in world.calls if call.method != "QuarantineStock"]


@breaks(5)
def a_quarantine_was_answered_with_another_level(world: World) -> None:
    change_last_call(world, "QuarantineStock", value={**world.units(8), "quarantined": 9})


@breaks(11)
def quarantined_units_count_as_available(world: World) -> None:
    told = dict(world.units(8))
    world.call("carl", "GetStockInfo", {"product_id": "LAMP"}, {**told, "available": 8})


@breaks(11)
def locations_do_not_add_up(world: World) -> None:
    told = {**world.units(8), "levels": [["main", 8, 1, 3, 8]]}
    world.call("carl", "GetStockInfo", {"product_id": "LAMP"}, told)


@breaks(11)
def a_location_is_told_as_of_an_earlier_version(world: World) -> None:
    units = world.units(8)
    level = ["main", units["on_hand"], units["reserved"], units["quarantined"], 7]
    world.call("carl", "GetStockInfo", {"product_id": "LAMP"}, {**units, "levels": [level]})


@breaks()
def a_location_is_told_as_it_is(world: World) -> None:
    units = world.units(8)
    level = ["main", units["on_hand"], units["reserved"], units["quarantined"], 8]
    world.call("carl", "GetStockInfo", {"product_id": "LAMP"}, {**units, "levels": [level]})


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = shipped_and_returned()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found
