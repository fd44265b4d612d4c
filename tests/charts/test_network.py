"""Who may call whom, and where pods may go: the chart's network policies."""

from typing import Any

import pytest

from tests.charts.chart import Chart
from tests.charts.value_sets import CLOSED, HIDDEN, ISSUERS, MADE, OPEN, QUIET, Values

pytestmark = pytest.mark.charts


def test_only_who_is_named_may_call(chart: Chart) -> None:
    def let_in(values: Values, part: str) -> list[Any]:
        policy = chart.render(MADE, values).one("NetworkPolicy", f"holdfast-{part}")
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        rules = policy["spec"]["ingress"] or []
        assert all(rule["from"] for rule in rules), "no `from` means everybody"
        return [one for rule in rules for one in rule["from"]]

    def pods_of(part: str) -> Any:
        names = {"name": "holdfast", "instance": "holdfast", "component": part}
        labels = {f"app.kubernetes.io/{name}": value for name, value in names.items()}
        return {"podSelector": {"matchLabels": labels}}

    orders, notifier, console = map(pods_of, ("orders", "notifier", "console"))
    here: Values = {"podSelector": {}}  # of the same namespace
    assert let_in({}, "orders") == [notifier, console, here]
    assert let_in({}, "inventory") == [orders, notifier, console]
    assert let_in({}, "notifier") == [console, here]
    assert let_in(QUIET, "inventory") == [orders, console]
    assert let_in(HIDDEN, "inventory") == [orders, notifier]
    assert let_in(CLOSED, "orders") == [notifier, console]
    warehouse = CLOSED["networkPolicy"]["inventory"]
    assert let_in(CLOSED, "inventory") == [orders, notifier, console, *warehouse]
    assert not chart.render(MADE, OPEN).of_kind("NetworkPolicy")


def test_pods_reach_what_they_need_and_nothing_else(chart: Chart) -> None:
    rendered = chart.render(MADE, CLOSED)

    def reached(part: str) -> list[list[int]]:
        policy = rendered.one("NetworkPolicy", f"holdfast-{part}")
        return [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]]

    assert reached("orders") == [[53, 53], [7002], [6432], [5671, 5672], [443]]
    assert reached("inventory") == [[53, 53], [6432], [5671, 5672], [443]]
    notifier = reached("notifier")
    assert notifier == [[53, 53], [7002], [7001], [6432], [443], [25, 465, 587], [443]]
    assert reached("console") == [[53, 53], [7002], [7001], [7005], [443]]


def test_webhooks_reach_nothing_inside(chart: Chart) -> None:
    policy = chart.render(MADE).one("NetworkPolicy", "holdfast-notifier")

    (to,) = [rule["to"] for rule in policy["spec"]["egress"] if rule["ports"] == [{"port": 443}]]

    assert all(one["ipBlock"]["except"] for one in to)


def test_pods_reach_what_their_settings_name(chart: Chart) -> None:
    traced = {"traces": "http://collector:4318/v1/traces"}
    services = ("orders", "inventory", "notifier")
    settings: Values = {
        **{one: {"settings": traced | ISSUERS["orders"]["settings"]} for one in services},
        "console": {"settings": traced},
        "networkPolicy": {"egress": {"provider": {"ports": [8443]}}},
    }

    def reached(part: str, *values: Values) -> list[Any]:
        rendered = chart.render(MADE, *values).one("NetworkPolicy", f"holdfast-{part}")
        rules: list[Any] = rendered["spec"]["egress"]
        return rules

    for part in services:
        rules = reached(part, settings)
        assert {"ports": [{"port": 8443}]} in rules
        assert {"ports": [{"port": 4318}]} in rules
        assert {"ports": [{"port": 4318}]} not in reached(part)
    assert {"ports": [{"port": 4318}]} in reached("console", settings)


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        ("orders", "inventory"),
        ("notifier", "orders"),
        ("notifier", "inventory"),
        ("console", "orders"),
        ("console", "inventory"),
        ("console", "notifier"),
    ],
)
def test_pods_reach_a_service_that_is_elsewhere(chart: Chart, part: str, asked: str) -> None:
    elsewhere = {part: {asked: "oms.warehouse.example:8001"}}

    policy = chart.render(MADE, elsewhere).one("NetworkPolicy", f"holdfast-{part}")

    assert {"ports": [{"port": 8001}]} in policy["spec"]["egress"]
