"""Who may call whom, and where pods may go: the chart's network policies."""

from typing import Any

import pytest

from tests.charts.chart import Chart
from tests.charts.value_sets import CLOSED, HIDDEN, MADE, OPEN, QUIET, Values

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
