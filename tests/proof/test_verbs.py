"""Callers of chaos and of crash points use every verb of both services, and whoever never succeeds
is named.
"""

from collections import Counter

from proof.checker import RunRecord
from proof.crash.points import POINTS
from proof.verbs import BATCHES, RPCS, every_rpc, never_happened, never_succeeded, rpc_of
from proof.workload import MIX, WHOLE_MIX, Caller, Shop, Wanted
from tests.proof.small_world import World

SHOP = Shop(products=12, scarce=3, waits_max=(60,), displacing=0.5)
# What reads, or writes together what others write one by one: it has no transaction of its own.
WITHOUT_OWN = {"CreateOrder", "BatchCreateOrders", "BatchUpdateStock"}


def test_every_verb_of_both_services_is_in_the_callers_mix() -> None:
    asked = {RPCS.get(method, method) for method in WHOLE_MIX}

    assert asked | set(BATCHES.values()) == every_rpc()
    assert MIX.keys() < WHOLE_MIX.keys()


def test_a_caller_asks_by_every_verb_of_its_mix() -> None:
    caller = Caller("c-1", 1, SHOP, mix=WHOLE_MIX)
    for answer in (
        {"products": [["P-001", 1], ["P-012", 4]]},
        {"customers": [["c-1", 2]]},
        {
            "order_id": "an order",
            "version": 2,
            "lines": [["P-001", 2]],
            "numbers": [1],
            "status": "PARTIALLY_SHIPPED",
            "stock": [["P-001", "main", 1]],
            "shipments": [["s-1", [[1, "P-001", "main", 1]]]],
            "left_us": [1_780_000_000_000_000],
        },
        {"order_id": "an order", "return_id": "a return", "units": [[1, 1, 0]]},
        {"transfer_id": "a transfer", "closed": False, "units": [["P-001", 3, 1, 0]]},
    ):
        caller.told_of(answer)
    made = [caller.next() for _ in range(4_000)]

    assert {call.method for call in made} == WHOLE_MIX.keys()
    waiting = [call.request for call in made if call.request.get("expected")]
    assert {call["waits_max"] for call in waiting} == {60}
    levels = [call.request for call in made if call.method == "SetStock"]
    assert {one["product_id"] for one in levels} == set(SHOP.product_ids[-3:])
    assert any(one.get("displace") for one in levels)
    erased = [call.request for call in made if call.method == "EraseCustomer"]
    assert {"email" in one for one in erased} == {True, False}
    # What it may be asked for in particular is what a batch is filled with.
    assert {caller.next("SetStock").method for _ in range(10)} == {"SetStock"}


def test_what_never_succeeded_is_named_by_its_rpc() -> None:
    one, two = Wanted("SetStock", {}), Wanted("GetTransfer", {})

    assert [rpc_of([one]), rpc_of([one, one]), rpc_of([two])] == [
        "UpdateStock",
        "BatchUpdateStock",
        "GetTransfer",
    ]
    assert never_succeeded(every_rpc()) == []
    assert never_succeeded(every_rpc() - {"ShipOrder", "ListTransfers"}) == [
        "no ListTransfers ever succeeded",
        "no ShipOrder ever succeeded",
    ]


def test_a_run_in_which_nobody_waited_or_gave_way_is_told_so() -> None:
    record: RunRecord = World().record()

    missed = never_happened(record)

    assert {
        "never: an order waited for stock",
        "never: who waited was served",
        "never: promises gave way",
        "never: a movement was a TRANSFER_IN",
    } <= {*missed}
    assert "never: a movement was a RELEASE" not in missed


def test_every_verb_that_changes_something_is_cut_off_at_a_point_of_its_own() -> None:
    asked = Counter(point.often for point in POINTS if point.verb)
    reading = {one for one in every_rpc() if one.startswith(("Get", "List", "Search", "Explain"))}
    reading |= {"CheckAvailability", "WatchOrder", "ExportCustomer", "BatchGetStockInfo"}

    assert {RPCS.get(one, one) for one in asked} == every_rpc() - reading - WITHOUT_OWN
    assert asked["CancelOrder"] == 2  # of the whole order, and of what has not left
