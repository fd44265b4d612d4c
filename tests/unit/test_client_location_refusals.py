"""What cannot be asked for of locations and sourcing is refused before anything is sent, by field.

Nobody listens at the addresses of these tests: whatever were sent would come back as Unavailable.
"""

from typing import Any

import pytest

from holdfast.client import (
    HoldfastSync,
    LocationAddress,
    LocationKind,
    OrderLine,
    Sourcing,
    SourcingStrategy,
    StockReason,
)
from tests.unit.client_refusals import Call, Refused, cases, names_its_field

LINES = [OrderLine("LAMP", 2)]
NEAREST, PINNED = SourcingStrategy.NEAREST, SourcingStrategy.PINNED
BAD_TEXTS: list[Any] = ["lamp \ud83d", b"berlin", 5, ["berlin"]]
HUNDRED_AND_ONE = [f"l-{number}" for number in range(101)]
REFUSED: dict[str, Refused] = {
    "id": ("location.location_id", BAD_TEXTS, lambda h, bad: h.inventory.create_location(bad)),
    "name": (
        "location.name",
        BAD_TEXTS,
        lambda h, bad: h.inventory.create_location("b", name=bad),
    ),
    "kind": (
        "location.kind",
        ["SHOP", LocationKind.UNKNOWN, 2],
        lambda h, bad: h.inventory.create_location("b", kind=bad),
    ),
    "priority": (
        "location.priority",
        [-1, 1_000_001, 1.0, "1", True],
        lambda h, bad: h.inventory.update_location("b", version=1, priority=bad),
    ),
    "active": (
        "location.active",
        ["yes", 1],
        lambda h, bad: h.inventory.update_location("b", version=1, active=bad),
    ),
    "address": (
        "location.address",
        ["Berlin", {"city": "Berlin"}],
        lambda h, bad: h.inventory.update_location("b", version=1, address=bad),
    ),
    "city": (
        "location.address.city",
        [*BAD_TEXTS, None],
        lambda h, bad: h.inventory.create_location("b", address=LocationAddress(city=bad)),
    ),
    "version": (
        "location.version",
        [0, -1, None, "1"],
        lambda h, bad: h.inventory.update_location("b", version=bad, name=""),
    ),
    "limit": ("limit", [0, "1"], lambda h, bad: h.inventory.list_locations(limit=bad)),
    "lines": ("lines", [[], None, "LAMP"], lambda h, bad: h.inventory.check_availability(bad)),
    "units": (
        "lines[0].quantity",
        [0, -1, 1.5, 10**9 + 1],
        lambda h, bad: h.inventory.check_availability([OrderLine("LAMP", bad)]),
    ),
    "sourcing": (
        "sourcing",
        ["PINNED", {}, PINNED],
        lambda h, bad: h.inventory.check_availability(LINES, sourcing=bad),
    ),
    "strategy": (
        "sourcing.strategy",
        ["PINNED", SourcingStrategy.UNKNOWN, None],
        lambda h, bad: h.orders.create("c", LINES, sourcing=Sourcing(bad)),
    ),
    "locations": (
        "sourcing.location_ids",
        [[], (), "berlin", None, iter(["b"]), HUNDRED_AND_ONE, ["b", "c", "b"]],
        lambda h, bad: h.orders.create("c", LINES, sourcing=Sourcing(NEAREST, bad)),
    ),
    "a location": (
        "sourcing.location_ids[1]",
        [5, None, "lamp \ud83d"],
        lambda h, bad: h.orders.edit("o-1", version=1, sourcing=Sourcing(PINNED, ["b", bad])),
    ),
    "locations that no rule takes": (
        "sourcing.location_ids",
        [["b"], "b", None],
        lambda h, bad: h.orders.preview_edit("o-1", version=1, sourcing=Sourcing(locations=bad)),
    ),
    "split": (
        "sourcing.may_split",
        ["no", 0, None],
        lambda h, bad: h.orders.create("c", LINES, sourcing=Sourcing(may_split=bad)),
    ),
    "reason code": (
        "reason_code",
        ["DAMAGED", StockReason.UNKNOWN, 2],
        lambda h, bad: h.inventory.set_stock("LAMP", 1, reason_code=bad),
    ),
    "adjustment's reason code": (
        "reason_code",
        ["DAMAGED", StockReason.UNKNOWN, 2],
        lambda h, bad: h.inventory.adjust_stock("LAMP", 1, reason="r", reason_code=bad),
    ),
}


@pytest.mark.parametrize(("field", "bad", "call"), cases(REFUSED))
def test_a_wrong_value_is_an_invalid_request_that_names_its_field(
    nobody: HoldfastSync, field: str, bad: Any, call: Call
) -> None:
    names_its_field(nobody, field, bad, call)
