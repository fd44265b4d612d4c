"""One name before all services: every path of HTTP/JSON goes to the service that serves it."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from holdfast.chassis.http.router import routes_of
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.orders.v1 import orders_pb2

ROOT = Path(__file__).parents[2]
SERVICES = {
    "orders": (
        orders_pb2.DESCRIPTOR.services_by_name["OrderService"],
        keys_pb2.DESCRIPTOR.services_by_name["KeyService"],
        users_pb2.DESCRIPTOR.services_by_name["UserService"],
    ),
    "inventory": (inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"],),
    "notifier": (notifier_pb2.DESCRIPTOR.services_by_name["NotifierService"],),
}


def served() -> Iterator[tuple[str, str]]:
    """Every path that a proto or the console has, and who serves it."""
    for service, descriptors in SERVICES.items():
        for descriptor in descriptors:
            yield from ((route.template, service) for route in routes_of(descriptor))
    yield from (("/console/orders", "console"), ("/files/imports/stock", "console"))


def of_the_chart() -> dict[str, str]:
    """What Ingress and HTTPRoute are made from; tests/charts render it."""
    text = (ROOT / "deploy/helm/holdfast/templates/http.yaml").read_text()
    lines = re.findall(r"^(\w+)(?:-http)?: \[(.*)\]$", text, re.MULTILINE)
    return {path: service for service, paths in lines for path in paths.split(", ")}


def of_the_advice() -> dict[str, str]:
    """What is told to people who have a proxy of their own."""
    text = (ROOT / "docs/operating.md").read_text()
    lines = re.findall(r"^\| (`/.*) \| (\w+) \|$", text, re.MULTILINE)
    return {path: who.lower() for paths, who in lines for path in re.findall(r"`(/\S+)`", paths)}


def target(path: str, prefixes: Mapping[str, str]) -> str:
    """Who gets it: the longest prefix that fits wins, by whole segments."""
    fitting = [one for one in prefixes if f"{path}/".startswith(f"{one}/")]
    return prefixes[max(fitting, key=len)] if fitting else "nobody"


@pytest.mark.parametrize("prefixes", [of_the_chart, of_the_advice])
def test_every_path_goes_to_the_service_that_serves_it(
    prefixes: Callable[[], Mapping[str, str]],
) -> None:
    wrong = {path: found for path, who in served() if (found := target(path, prefixes())) != who}

    assert not wrong


@pytest.mark.parametrize("prefixes", [of_the_chart, of_the_advice])
def test_no_prefix_is_led_that_nobody_has(prefixes: Callable[[], Mapping[str, str]]) -> None:
    paths = [path for path, _ in served()]

    unused = [
        one for one in prefixes() if not any(target(path, {one: one}) == one for path in paths)
    ]

    assert not unused
