"""The workload is the same for the same seed, and meets what it is meant to meet."""

from collections import Counter

from proof.workload import MIX, Caller, Shop, Wanted

SHOP = Shop(products=12, scarce=3)
READ = {
    "order_id": "an order",
    "version": 2,
    "lines": [["P-001", 2], ["P-002", 1]],
    "numbers": [1, 3],
}


def calls(seed: int, times: int = 2_000) -> list[Wanted]:
    caller = Caller("c-1", seed, SHOP)
    caller.told_of(READ)
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


def test_a_caller_names_only_orders_that_it_was_told_of() -> None:
    caller = Caller("c-1", 5, SHOP)

    methods = {caller.next().method for _ in range(500)}

    assert methods == {"CreateOrder", "GetStockInfo", "UpdateStock"}
