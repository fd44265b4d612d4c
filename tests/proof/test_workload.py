"""The workload is the same for the same seed, and meets what it is meant to meet."""

from collections import Counter
from itertools import permutations

from proof.goods_wishes import LOCATIONS
from proof.places_wishes import PLACES
from proof.run_record import CHANGING_STOCK
from proof.workload import MIX, UNITS_MAX, UNLIMITED, Caller, Shop, Wanted

SHOP = Shop(products=12, scarce=3)
READ = {
    "order_id": "an order",
    "version": 2,
    "lines": [["P-001", 2], ["P-002", 1]],
    "numbers": [1, 3],
    "status": "PARTIALLY_SHIPPED",
    "stock": [["P-001", "main", 1], ["P-002", "east", 1]],
    "shipments": [["s-1", [[1, "P-001", "main", 1]]]],
    "left_us": [1_780_000_000_000_000],
}
TRANSFER = {"transfer_id": "a transfer", "closed": False, "units": [["P-001", 3, 1, 0]]}
RETURN = {"order_id": "an order", "return_id": "a return", "units": [[1, 1, 0]]}


def calls(seed: int, times: int = 2_000) -> list[Wanted]:
    caller = Caller("c-1", seed, SHOP)
    caller.told_of(READ)
    caller.told_of(RETURN)
    caller.told_of(TRANSFER)
    return [caller.next() for _ in range(times)]


def test_a_seed_makes_the_same_calls_and_another_seed_others() -> None:
    assert calls(1) == calls(1) != calls(2)


def test_all_methods_are_called_in_about_the_given_mix() -> None:
    counts = Counter(call.method for call in calls(3))

    assert counts.keys() == MIX.keys()
    share = counts.total() / sum(MIX.values())
    assert 0.85 < counts["CreateOrder"] / (MIX["CreateOrder"] * share) < 1.15
    assert 0.5 < counts["CancelOrder"] / (MIX["CancelOrder"] * share) < 1.5


def test_requests_are_repeated_and_contradicted_and_hurried() -> None:
    orders = [call for call in calls(4) if call.method == "CreateOrder"]
    by_id: dict[object, list[object]] = {}
    for call in orders:
        by_id.setdefault(call.request["request_id"], []).append(call.request["lines"])

    assert any(len(lines) > 1 and all(one == lines[0] for one in lines) for lines in by_id.values())
    assert any(one != lines[0] for lines in by_id.values() for one in lines)
    assert any(call.deadline_s is not None for call in orders)


def test_a_caller_names_only_orders_and_transfers_that_it_was_told_of() -> None:
    caller = Caller("c-1", 5, SHOP)

    methods = {caller.next().method for _ in range(500)}

    stock = {"GetStockInfo", "ExplainStock", "ListBackorders", *CHANGING_STOCK} - {"SetStock"}
    assert methods == {"CreateOrder", "CreateTransfer", *stock, *PLACES}


def test_what_was_explained_is_asked_for_again_as_of_its_moment_and_just_before() -> None:
    caller = Caller("c-1", 8, SHOP)
    level = {"location_id": "main", "movements": [7, 6], "moved_at_us": 1_000}
    caller.told_of({"product_id": "P-001", "explained": [level]})

    made = [
        one.request for one in (caller.next() for _ in range(2_000)) if "as_of_us" in one.request
    ]

    assert {"product_id": "P-001", "as_of_us": 1_000, "movement_id": 7} in made
    assert {"product_id": "P-001", "as_of_us": 999} in made


def test_goods_leave_and_come_back_repeated_contradicted_and_beyond_what_there_is() -> None:
    made = [call for call in calls(6, 6_000) if call.method in ("ShipOrder", "ReceiveReturn")]
    by_id: dict[object, list[object]] = {}
    for call in made:
        key = call.request.get("shipment_id") or call.request["request_id"]
        by_id.setdefault(key, []).append(call.request)
    shipped = [call.request for call in made if call.method == "ShipOrder"]

    assert any(len(some) > 1 and all(one == some[0] for one in some) for some in by_id.values())
    assert any(one != some[0] for some in by_id.values() for one in some)
    assert {(bool(one["items"]), bool(one["location_id"])) for one in shipped} == {
        (False, False),
        (False, True),
        (True, False),
    }
    assert any(item[1] > 2 for one in shipped for item in one["items"])


def test_units_are_sent_and_received_repeated_contradicted_and_beyond_what_there_is() -> None:
    made = [call for call in calls(8, 6_000) if call.method.endswith("Transfer")]
    by_id: dict[object, list[object]] = {}
    for call in made:
        if "request_id" in call.request:
            by_id.setdefault(call.request["request_id"], []).append(call.request)
    sent = [call.request for call in made if call.method == "CreateTransfer"]
    came = [call.request for call in made if call.method == "ReceiveTransfer"]

    assert any(len(some) > 1 and all(one == some[0] for one in some) for some in by_id.values())
    assert any(one != some[0] for some in by_id.values() for one in some)
    assert {(one["origin"], one["target"]) for one in sent} == set(permutations(LOCATIONS, 2))
    assert {len(one["units"]) for one in sent} == {1, 2}
    assert {units for one in came for _, units in one["units"]} == {1, 2, 3}  # 2 are to come
    assert any(not one["units"] for one in came)


def test_orders_say_by_every_rule_where_their_stock_is_to_come_from() -> None:
    orders = [call.request for call in calls(7) if call.method == "CreateOrder"]
    rules = {one["sourcing"][0] for one in orders if "sourcing" in one}

    assert rules == {"PRIORITY", "FEWEST_SHIPMENTS", "NEAREST", "PINNED"}
    assert any(not one["sourcing"][2] for one in orders if "sourcing" in one)
    assert any("sourcing" not in one for one in orders)


def test_whoever_switches_a_location_goes_by_what_it_was_told_or_looks_first() -> None:
    caller = Caller("c-1", 8, SHOP, mix={"UpdateLocation": 1})

    first, second = caller.next(), caller.next()
    caller.told_of({"locations": [["main", True, 1], ["west", False, 4]]})
    third = caller.next()
    caller.told_of({"locations": [["west", True, 5]]})
    fourth = caller.next()

    assert first.request == {"location_id": "west", "version": 1, "active": False}
    assert second == Wanted("ListLocations", {})
    assert third.request == {"location_id": "west", "version": 4, "active": True}
    assert fourth.request == {"location_id": "west", "version": 5, "active": False}


def test_baskets_are_of_every_rule_and_some_want_more_than_an_order_would() -> None:
    baskets = [call.request for call in calls(9) if call.method == "CheckAvailability"]
    rules = {one["sourcing"][0] if "sourcing" in one else "" for one in baskets}

    assert rules == {"", "PRIORITY", "FEWEST_SHIPMENTS", "NEAREST", "PINNED"}
    assert any(not one["sourcing"][2] for one in baskets if "sourcing" in one)
    units = [units for one in baskets for _, units in one["lines"]]
    assert min(units) == 1
    assert max(units) > 3 * UNITS_MAX


def test_the_shelves_are_filled_at_several_locations_with_as_many_units_as_were_wanted() -> None:
    filled: Counter[str] = Counter()
    for call in SHOP.supply():
        if call.method == "UpdateStock":
            filled[call.request["product_id"]] += call.request["delta"]

    places = {call.request["location_id"] for call in SHOP.supply()}
    assert places == {"main", "east", "west"}
    assert sorted(filled.values()) == [3] * 3 + [1_000] * 9


def test_the_scarce_products_may_be_waited_for_in_turn_and_promises_may_give_way() -> None:
    shop = Shop(products=4, scarce=3, waits_max=(UNLIMITED, 6, 0), displacing=0.5)
    policies = [call.request.get("waits_max") for call in shop.creation()]
    caller = Caller("c-1", 7, shop)
    changes = [call for call in (caller.next() for _ in range(2_000)) if "stock" in str(call)]

    assert policies == [None, UNLIMITED, 6, None]
    displacing = [call for call in changes if call.request.get("displace")]
    assert {call.method for call in displacing} == {"UpdateStock", "QuarantineStock"}
    assert all(call.request.get("delta", -1) < 0 for call in displacing)
    wishes = [one.request["sourcing"] for one in calls(8) if "sourcing" in one.request]
    assert {in_stock_only for *_, in_stock_only in wishes} == {True, False}
