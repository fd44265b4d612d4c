"""Damage to what is on its way between locations, and the promise that it breaks."""

from typing import Any

import pytest

from proof.checker import check
from proof.places import Location
from proof.snapshot import Movement, ObservedEvent
from proof.transfers import Transfer, TransferLine, TransferReceipt
from tests.proof.small_world import Damage, Damages, World, lamps

SEND = {"request_id": "s-1", "origin": "main", "target": "east", "units": [["LAMP", 4]]}
RECEIVE = {"transfer_id": "t-1", "request_id": "c-1", "units": [["LAMP", 2]]}
CLOSE = {"transfer_id": "t-1"}
CAME, ENDED = TransferReceipt("c-1", (("LAMP", 2),), False), TransferLine("LAMP", 4, 2, 2)
damages = Damages()
breaks = damages.breaks


def transferred() -> World:
    """A world in which four lamps left main for east: two came, two had not when it was closed; and
    of three others one came, of all that was still to come.
    """
    world = World()
    world.transfers = {
        "t-1": Transfer("t-1", "s-1", "main", "east", True, (ENDED,), (CAME,)),
        "t-2": Transfer(
            *("t-2", "s-2", "main", "east", False),
            (TransferLine("LAMP", 3, 1, 0),),
            (TransferReceipt("c-2", (("LAMP", 1),), False),),
        ),
    }
    world.locations["east"] = Location("east")
    world.ledger += [
        moved("main", "TRANSFER_OUT", -4),
        moved("east", "TRANSFER_IN", 2),
        moved("main", "TRANSFER_OUT", -3, "t-2"),
        moved("east", "TRANSFER_IN", 1, "t-2"),
        moved("east", "TRANSFER_IN", 2),
        moved("east", "TRANSFER_LOSS", -2),
    ]
    world.recount()
    for place, version, units in (
        ("main", 6, 5),
        ("east", 1, 2),
        ("main", 7, 2),
        ("east", 2, 3),
        ("east", 4, 3),
    ):
        tell(world, place, version, units)
    second = {"transfer_id": "t-2", "request_id": "c-2", "units": [["LAMP", 1]]}
    for method, asked, answer in (
        ("CreateTransfer", SEND, told("t-1", 4)),
        ("ReceiveTransfer", RECEIVE, told("t-1", 4, 2)),
        ("CreateTransfer", {**SEND, "request_id": "s-2", "units": [["LAMP", 3]]}, told("t-2", 3)),
        ("ReceiveTransfer", second, told("t-2", 3, 1)),
        ("CloseTransfer", CLOSE, told("t-1", 4, 2, 2)),
        ("GetTransfer", {"transfer_id": "t-2"}, told("t-2", 3, 1)),
    ):
        world.call("anna", method, asked, answer)
    look(world, 2)
    return world


def moved(place: str, kind: str, units: int, transfer_id: str = "t-1") -> Movement:
    return Movement(0, "LAMP", place, kind, units, 0, 0, 0, "", reference=transfer_id)


def told(transfer_id: str, sent: int, received: int = 0, missing: int = 0) -> dict[str, Any]:
    units = [["LAMP", sent, received, missing]]
    return {"transfer_id": transfer_id, "closed": bool(missing), "units": units}


def tell(world: World, place: str, version: int, units: int) -> None:
    type_ = "holdfast.inventory.v1.StockLevelChanged"
    parts = lamps(units, location=place)
    world.observed_events.append(ObservedEvent(f"{place}-{version}", type_, "LAMP", version, parts))


def look(world: World, coming: int) -> None:
    levels = [["main", 2, 2, 0, 7], ["east", 3, 0, 0, 4]]
    units = {"on_hand": 5, "reserved": 2, "quarantined": 0, "available": 3}
    seen = {**units, "levels": levels, "coming": [["east", coming]]}
    world.call("carl", "GetStockInfo", {"product_id": "LAMP"}, seen)


def switch_off(world: World, *, after: int) -> None:
    """East was made inactive after this movement, and nobody looked before all was over."""
    world.locations["east"] = Location("east", 0, 2, False, after)
    asked = {"location_id": "east", "version": 1, "active": False}
    world.call("shop", "UpdateLocation", asked, {"locations": [["east", False, 2]]})


def change(world: World, **values: Any) -> None:
    world.transfers["t-1"] = world.transfers["t-1"]._replace(**values)


def change_call(world: World, method: str, **values: Any) -> None:
    number = next(call.number for call in world.calls if call.method == method)
    world.change_call(number, **values)


@breaks()
def nothing_is_damaged(_: World) -> None:
    pass


# 1: conservation


@breaks(1, 10)
def units_are_on_hand_that_are_on_their_way(world: World) -> None:
    line = TransferLine("LAMP", 3, 0, 0)
    world.transfers["t-2"] = world.transfers["t-2"]._replace(lines=(line,))


@breaks(1, 7, 10, 11)
def units_are_at_both_ends(world: World) -> None:
    del world.ledger[7]
    world.recount()


@breaks(1, 10)
def what_came_is_written_down_twice(world: World) -> None:
    world.ledger.append(moved("east", "TRANSFER_IN", 1, "t-2"))
    world.recount()
    tell(world, "east", 5, 4)


# 3: nothing is lost


@breaks(1, 3, 10, 11)
def a_transfer_is_forgotten(world: World) -> None:
    del world.transfers["t-2"]


@breaks(3, 4)
def a_transfer_goes_elsewhere_than_was_asked_for(world: World) -> None:
    change_call(world, "CreateTransfer", request={**SEND, "target": "west"})


@breaks(3, 4)
def other_units_came_than_were_asked_for(world: World) -> None:
    change_call(world, "ReceiveTransfer", request={**RECEIVE, "units": [["LAMP", 1]]})


@breaks(3, 4)
def named_units_came_as_the_rest(world: World) -> None:
    change(world, receipts=(CAME._replace(is_rest=True),))


@breaks(3, 10)
def a_receipt_is_forgotten(world: World) -> None:
    change(world, receipts=())


@breaks(3, 10, 11)
def a_transfer_that_was_closed_is_open(world: World) -> None:
    change(world, is_closed=False)


# 4: nothing from nowhere


@breaks(4)
def every_call_for_a_transfer_was_refused(world: World) -> None:
    change_call(world, "CreateTransfer", outcome="fail", value=None, code="FAILED_PRECONDITION")


@breaks(4)
def every_call_for_a_receipt_was_refused(world: World) -> None:
    change_call(world, "ReceiveTransfer", outcome="fail", value=None, code="FAILED_PRECONDITION")


@breaks(4)
def nobody_closed_what_is_closed(world: World) -> None:
    change_call(world, "CloseTransfer", request={"transfer_id": "t-2"}, outcome="info", value=None)


@breaks()
def a_transfer_was_made_by_a_call_without_an_answer(world: World) -> None:
    for method in ("CreateTransfer", "ReceiveTransfer", "CloseTransfer"):
        change_call(world, method, outcome="info", value=None, code="UNAVAILABLE")


# 5: once


@breaks(1, 5, 10)
def a_repeat_was_sent_again(world: World) -> None:
    line = TransferLine("LAMP", 4, 0, 0)
    world.transfers["t-3"] = Transfer("t-3", "s-1", "main", "east", False, (line,))


@breaks(3, 5)
def a_transfer_was_answered_for_two_contents(world: World) -> None:
    world.call("anna", "CreateTransfer", {**SEND, "target": "west"}, told("t-1", 4, 2, 2))


@breaks(3, 5)
def a_repeat_was_answered_with_another_transfer(world: World) -> None:
    world.call("anna", "CreateTransfer", SEND, told("t-2", 3, 1))


@breaks(3, 5)
def a_receipt_was_answered_for_two_contents(world: World) -> None:
    world.call("anna", "ReceiveTransfer", {**RECEIVE, "units": []}, told("t-1", 4, 2, 2))


@breaks(5)
def a_repeat_is_refused(world: World) -> None:
    world.call("anna", "CreateTransfer", SEND, "ALREADY_EXISTS")


@breaks(5)
def closing_again_is_refused(world: World) -> None:
    world.call("anna", "CloseTransfer", CLOSE, "FAILED_PRECONDITION")


@breaks()
def a_repeat_is_told_what_became_of_it(world: World) -> None:
    world.call("anna", "CreateTransfer", SEND, told("t-1", 4, 2, 2))
    world.call("anna", "ReceiveTransfer", RECEIVE, told("t-1", 4, 2, 2))


@breaks()
def other_contents_under_a_request_id_are_refused(world: World) -> None:
    world.call("anna", "CreateTransfer", {**SEND, "target": "west"}, "ALREADY_EXISTS")


# 7: all is told


@breaks(7)
def what_left_is_not_told(world: World) -> None:
    world.unsee("main-6")


@breaks(7)
def units_that_did_not_come_are_told_to_be_on_hand(world: World) -> None:
    tell(world, "east", 3, 5)


# 10: the books


@breaks(1, 4, 10, 11)
def more_came_than_left(world: World) -> None:
    more = TransferReceipt("c-3", (("LAMP", 3),), False)
    change(world, lines=(TransferLine("LAMP", 4, 5, -1),), receipts=(CAME, more))


@breaks(10, 11)
def what_did_not_come_is_not_missing(world: World) -> None:
    change(world, lines=(ENDED._replace(missing=0),))


@breaks(10)
def units_are_missing_before_the_end(world: World) -> None:
    line = TransferLine("LAMP", 3, 1, 1)
    world.transfers["t-2"] = world.transfers["t-2"]._replace(lines=(line,))


@breaks(3, 4, 10)
def a_product_came_that_never_left(world: World) -> None:
    receipt = CAME._replace(units=(("LAMP", 2), ("DESK", 1)))
    change(world, receipts=(receipt,))


@breaks(3, 4, 10)
def units_left_from_another_place(world: World) -> None:
    change(world, origin="west")


@breaks(10, 11)
def a_movement_is_of_no_transfer(world: World) -> None:
    world.change_movement(6, reference="t-9")


@breaks(7, 10, 11)
def units_are_lost_that_never_came(world: World) -> None:
    world.ledger[9], world.ledger[10] = world.ledger[10], world.ledger[9]
    world.recount()


@breaks(10)
def a_transfer_took_units_of_an_order(world: World) -> None:
    world.change_movement(6, order_id="o-1")


@breaks(10)
def units_came_where_nothing_may(world: World) -> None:
    switch_off(world, after=8)


@breaks()
def what_did_not_come_is_given_up_where_nothing_may_come(world: World) -> None:
    switch_off(world, after=9)


# 11: what is told


@breaks(11)
def a_transfer_is_told_as_it_never_was(world: World) -> None:
    world.call("anna", "GetTransfer", {"transfer_id": "t-2"}, told("t-2", 3, 2))


@breaks(11)
def a_transfer_is_told_as_it_was_before(world: World) -> None:
    world.call("anna", "GetTransfer", {"transfer_id": "t-2"}, told("t-2", 3))


@breaks(11)
def a_transfer_is_told_open_after_its_end(world: World) -> None:
    world.call("anna", "GetTransfer", {"transfer_id": "t-1"}, told("t-1", 4, 2))


@breaks(11)
def a_transfer_was_not_found(world: World) -> None:
    world.call("anna", "GetTransfer", {"transfer_id": "t-1"}, "NOT_FOUND")


@breaks(11)
def more_is_told_to_come_than_ever_did(world: World) -> None:
    look(world, 9)


@breaks(11)
def what_had_come_is_told_to_come_again(world: World) -> None:
    for coming in (5, 4, 5):
        look(world, coming)


@breaks(11)
def nothing_is_told_to_come(world: World) -> None:
    look(world, 0)


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_its_promise_and_no_other(invariants: set[int], damage: Damage) -> None:
    world = transferred()

    damage(world)

    found = check(world.record())
    assert {violation.invariant for violation in found} == invariants, found
