"""HTTP/JSON and the console under one name: what Ingress and HTTPRoute lead to, and how."""

import pytest

from tests.charts.chart import Chart, ChartRefused
from tests.charts.value_sets import EXISTING, GATEWAY, HTTP, MADE, MUTUAL, TLS, Values

pytestmark = pytest.mark.charts


@pytest.mark.parametrize("values", [HTTP, GATEWAY], ids=["ingress", "gateway"])
def test_http_leads_to_services_that_there_are(chart: Chart, values: Values) -> None:
    rendered = chart.render(MADE, values)
    ports = {
        one["metadata"]["name"]: {port["name"]: port["port"] for port in one["spec"]["ports"]}
        for one in rendered.of_kind("Service")
    }

    for ingress in rendered.of_kind("Ingress"):
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            to = path["backend"]["service"]
            assert to["port"]["name"] in ports[to["name"]]
    for route in rendered.of_kind("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                assert backend["port"] == ports[backend["name"]]["http"]


def test_no_rule_of_the_route_has_more_paths_than_every_gateway_takes(chart: Chart) -> None:
    """Gateway API 1.0 allows eight."""
    (route,) = chart.render(MADE, GATEWAY).of_kind("HTTPRoute")

    assert all(len(rule["matches"]) <= 8 for rule in route["spec"]["rules"])


def test_what_speaks_tls_says_so_to_ingress_and_gateway(chart: Chart) -> None:
    def told(*values: Values) -> set[str]:
        services = chart.render(*values, HTTP).of_kind("Service")
        ports = [
            port
            for one in services
            for port in one["spec"]["ports"]
            if "orders-http" in one["metadata"]["name"]
        ]
        return {port["appProtocol"] for port in ports}

    assert told(EXISTING, TLS) == {"https"}
    assert told(EXISTING) == {"http"}


@pytest.mark.parametrize("values", [HTTP, GATEWAY], ids=["ingress", "gateway"])
def test_neither_ingress_nor_gateway_leads_to_what_asks_for_certificates(
    chart: Chart, values: Values
) -> None:
    with pytest.raises(ChartRefused, match="neither Ingress nor Gateway"):
        chart.render(EXISTING, MUTUAL, values)
