"""Damage to customers, products, levels that are set and pages, and the promises it breaks."""

from typing import Any

import pytest

from proof.checker import check
from proof.customers import Profile
from proof.snapshot import Movement, ObservedEvent, StockRequest
from tests.proof.small_world import Damage, Damages, World, lamps

ANNA = ("anna", "anna@example.com", "", "")
SET = {"request_id": "set", "product_id": "LAMP", "location_id": "main", "quantity": 7}
damages = Damages()
breaks = damages.breaks


def listed() -> World:
    """The small world in which anna is known, bob was erased, and a level was set."""
    world = World()
    world.ledger.append(Movement(6, "LAMP", "main", "ADJUSTMENT", -2, 0, 0, 0, ""))
    world.requests["set"] = StockRequest("set", "LAMP", "main", 7, 2, 6)
    world.requests["again"] = StockRequest("again", "LAMP", "main", 7, 2, 6)
    world.recount()
    parts = lamps(7, location="main")
    event = "holdfast.inventory.v1.StockLevelChanged"
    world.observed_events.append(ObservedEvent("i-6", event, "LAMP", 6, parts))
    world.product_version = 2
    world.profiles = {
        "anna": Profile("anna", 1, ANNA, False),
        "bob": Profile("bob", 2, ("", "", "", ""), True),
    }
    world.emails = {"o-1": "anna@example.com"}
    level = {"on_hand": 7, "reserved": 2, "quarantined": 0, "available": 5}
    at_o_1 = {"order_id_prefix": "o-1"}
    moved = [[6, "main", -2, 0], [5, "main", -1, 0]]
    for client, method, asked, answer in (
        ("anna", "UpdateCustomer", customer("anna", 0), profile("anna", 1)),
        ("anna", "EraseCustomer", {"customer_id": "bob", "force": True}, {"orders": 1}),
        ("anna", "ListCustomers", {}, {"customers": [["anna", 1], ["bob", 2]]}),
        ("anna", "ExportCustomer", {"customer_id": "anna"}, exported("o-1")),
        ("anna", "GetCustomer", {"customer_id": "bob"}, profile("bob", 2, "")),
        ("shop", "CreateProduct", {"product_id": "LAMP"}, {"product_id": "LAMP"}),
        ("shop", "UpdateProduct", {"product_id": "LAMP", "version": 1}, products(2)),
        ("shop", "ListProducts", {}, products(2)),
        ("shop", "SetStock", SET, level),
        ("shop", "SetStock", {**SET, "request_id": "again"}, level),
        ("anna", "ListOrders", {"customer_id": "anna"}, orders(["o-1", "CONFIRMED", 3])),
        ("anna", "SearchOrders", at_o_1, orders(["o-1", "CONFIRMED", 3])),
        ("shop", "ListMovements", {"product_id": "LAMP"}, {"movements": moved}),
        ("shop", "ListTransfers", {}, {"transfers": [], "is_whole": True}),
    ):
        world.call(client, method, asked, answer)
    return world


def customer(customer_id: str, version: int) -> dict[str, Any]:
    email = f"{customer_id}@example.com"
    return {"customer_id": customer_id, "version": version, "name": customer_id, "email": email}


def profile(customer_id: str, version: int, name: str = "anna") -> dict[str, Any]:
    known = [name, f"{name}@example.com" if name else "", "", ""]
    return {"customers": [[customer_id, version]], "known": known, "erased": not name}


def exported(*order_ids: str) -> dict[str, Any]:
    return {**profile("anna", 1), "order_ids": [*order_ids]}


def products(version: int) -> dict[str, Any]:
    return {"products": [["LAMP", version]]}


def orders(*rows: list[Any]) -> dict[str, Any]:
    return {"orders": [*rows], "is_whole": True}


def tell(world: World, method: str, **values: Any) -> None:
    world.answer(number_of(world, method), **values)


def number_of(world: World, method: str) -> int:
    return next(call.number for call in world.calls if call.method == method)


def refuse(world: World, method: str) -> None:
    world.change_call(
        number_of(world, method), outcome="fail", value=None, code="FAILED_PRECONDITION"
    )


@breaks()
def nothing_is_damaged(_: World) -> None:
    pass


# 1 and 5: a level that is set


@breaks(1, 5)
def a_level_was_set_twice_under_one_request(world: World) -> None:
    world.ledger.append(Movement(7, "LAMP", "main", "ADJUSTMENT", -2, 0, 0, 0, ""))
    world.recount()
    event = "holdfast.inventory.v1.StockLevelChanged"
    parts = lamps(5, location="main")
    world.observed_events.append(ObservedEvent("i-7", event, "LAMP", 7, parts))


@breaks(5)
def a_level_was_set_to_something_else(world: World) -> None:
    world.change_call(number_of(world, "SetStock"), request={**SET, "quantity": 8})


@breaks(4)
def a_level_was_set_though_every_call_was_refused(world: World) -> None:
    refuse(world, "SetStock")


# 3: what somebody was told


@breaks(3, 11)
def a_profile_is_lost(world: World) -> None:
    del world.profiles["anna"]


@breaks(3, 4)
def a_profile_is_not_as_it_was_told(world: World) -> None:
    world.profiles["anna"] = Profile("anna", 1, ("bob", "bob@example.com", "", ""), False)


@breaks(3)
def a_version_of_a_profile_was_made_twice(world: World) -> None:
    world.profiles["anna"] = Profile("anna", 2, ANNA, False)
    for _ in range(2):
        world.call("anna", "UpdateCustomer", customer("anna", 1), profile("anna", 2))


@breaks(3)
def who_was_erased_is_there_still(world: World) -> None:
    world.profiles["bob"] = world.profiles["bob"]._replace(is_erased=False)


@breaks(3)
def an_order_of_who_was_erased_keeps_the_address(world: World) -> None:
    world.emails["o-3"] = "bob@example.com"


@breaks(3, 11)
def a_version_of_a_product_is_lost(world: World) -> None:
    world.product_version = 1


@breaks(3)
def a_version_of_a_product_was_made_twice(world: World) -> None:
    world.call("shop", "UpdateProduct", {"product_id": "LAMP", "version": 1}, products(2))


@breaks(3)
def a_product_that_was_made_is_not_there(world: World) -> None:
    world.call("shop", "CreateProduct", {"product_id": "VASE"}, {"product_id": "VASE"})


@breaks(3)
def a_location_that_was_made_is_not_there(world: World) -> None:
    world.call("shop", "CreateLocation", {"location_id": "attic"}, {"location_id": "attic"})


# 4: what nobody asked for


@breaks(4)
def somebody_was_erased_without_a_call_for_it(world: World) -> None:
    refuse(world, "EraseCustomer")


@breaks(4)
def an_order_has_the_address_of_somebody_else(world: World) -> None:
    world.emails["o-1"] = "bob@example.com"


@breaks(4)
def a_product_has_a_version_that_nobody_made(world: World) -> None:
    refuse(world, "UpdateProduct")


# 11: what was told


@breaks(11)
def a_profile_is_told_as_it_never_was(world: World) -> None:
    tell(world, "GetCustomer", customers=[["bob", 3]])


@breaks(11)
def who_was_erased_is_told_as_known(world: World) -> None:
    tell(world, "GetCustomer", known=["bob", "", "", ""])


@breaks(11)
def a_list_leaves_out_a_customer(world: World) -> None:
    tell(world, "ListCustomers", customers=[["bob", 2]])


@breaks(11)
def an_export_leaves_out_an_order(world: World) -> None:
    tell(world, "ExportCustomer", order_ids=[])


@breaks(11)
def a_product_is_told_as_it_was_before(world: World) -> None:
    tell(world, "ListProducts", products=[["LAMP", 1]])


@breaks(11)
def a_list_leaves_out_a_product(world: World) -> None:
    tell(world, "ListProducts", products=[])


@breaks(11)
def a_page_leaves_out_an_order(world: World) -> None:
    tell(world, "ListOrders", orders=[])


@breaks(11)
def a_page_tells_of_an_order_as_it_was_before(world: World) -> None:
    tell(world, "ListOrders", orders=[["o-1", "CONFIRMED", 2]])


@breaks(11)
def a_page_tells_of_an_order_that_is_not_there(world: World) -> None:
    tell(world, "ListOrders", orders=[["o-1", "CONFIRMED", 3], ["o-9", "PENDING", 1]])


@breaks(11)
def a_search_does_not_find_the_order(world: World) -> None:
    tell(world, "SearchOrders", orders=[])


@breaks(11)
def a_page_leaves_out_a_movement(world: World) -> None:
    tell(world, "ListMovements", movements=[[6, "main", -2, 0], [4, "main", 0, -1]])


@breaks(11)
def a_page_tells_of_a_transfer_that_is_not_there(world: World) -> None:
    tell(world, "ListTransfers", transfers=[["t-9", False]])


@pytest.mark.parametrize(("invariants", "damage"), damages.cases)
def test_damage_breaks_exactly_its_promises(invariants: set[int], damage: Damage) -> None:
    world = listed()

    damage(world)

    assert {violation.invariant for violation in check(world.record())} == invariants
