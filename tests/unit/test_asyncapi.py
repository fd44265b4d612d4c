"""The AsyncAPI document: every event that can be told, and nothing that leads nowhere."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from holdfast.inventory.presentation.feed_events import TYPES as INVENTORY_TYPES
from holdfast.orders.presentation.feed_events import TYPES as ORDERS_TYPES

DOCUMENT = json.loads((files("holdfast.contracts") / "asyncapi.json").read_text())


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            assert step in found, reference
            found = found[step]


def test_each_feed_has_all_events_of_its_service_and_no_repeats() -> None:
    for service, types in (("orders", ORDERS_TYPES), ("inventory", INVENTORY_TYPES)):
        feed = DOCUMENT["channels"][f"{service}Feed"]

        assert {one["$ref"] for one in feed["messages"].values()} == {
            f"#/components/messages/{type_}" for type_ in types
        }
    assert "StockAskedAgain" in DOCUMENT["channels"]["ordersExchange"]["messages"]


def test_every_event_says_what_it_tells_and_how_it_looks() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        _, properties = message["payload"]["allOf"]
        assert properties["properties"]["type"] == {"const": name}
        assert "$ref" in properties["properties"]["data"]
        assert message["summary"]
