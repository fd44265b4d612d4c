"""What single values do, and that what is wrong is refused in words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.charts.chart import (
    CHART,
    PARTS,
    ROOT,
    Chart,
    ChartRefused,
    container,
    environment,
    merged,
)
from tests.charts.value_sets import (
    AUTOSCALED,
    BY_HAND,
    EXISTING,
    HIDDEN,
    HTTP,
    ISSUERS,
    MADE,
    METRICS,
    MIGRATED,
    MUTUAL,
    PLACED,
    QUIET,
    SETTINGS,
    SIGNED_IN,
    TEMPLATES,
    TLS,
    WORKERS,
    Values,
)

pytestmark = pytest.mark.charts

SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def objects(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of the schema that names its properties."""
    if "properties" in schema:
        yield path, schema
        for name, below in schema["properties"].items():
            yield from objects(below, f"{path}.{name}".strip("."))


@pytest.mark.parametrize("path", [path for path, _ in objects(SCHEMA)])
def test_a_misspelt_value_is_refused(chart: Chart, path: str) -> None:
    values: Any = {"replicsa": 2}
    for name in reversed(path.split(".") if path else []):
        values = {name: values}

    with pytest.raises(ChartRefused, match="replicsa"):
        chart.render(MADE, values)


REFUSED: list[tuple[str, Values]] = [
    ("secret", {"orders": {"secret": {"values": {"broker": ""}}}}),
    *(("service_key", {part: {"secret": {"values": {"service_key": ""}}}}) for part in PARTS),
    (
        "service_key: it is the same",
        {"inventory": {"secret": {"values": {"service_key": 32 * "x"}}}},
    ),
    ("replicas", {"orders": {"replicas": 0}}),
    ("replicas", {"orders": {"replicas": "2"}}),
    ("workers", {"inventory": {"workers": 65}}),
    ("port", {"orders": {"port": 70_000}}),
    ("digest", {"image": {"digest": "latest"}}),
    ("pullPolicy", {"image": {"pullPolicy": "Sometimes"}}),
    ("log_level", {"orders": {"settings": {"log_level": "LOUD"}}}),
    ("late_s", {"inventory": {"settings": {"late_s": 3}}}),
    ("listen", {"orders": {"settings": {"listen": "0.0.0.0:1"}}}),
    ("maxUnavailable", {"orders": {"maxUnavailable": 0}}),
    ("maxUnavailable", {"orders": {"maxUnavailable": "0%"}}),
    ("minReplicas", {"orders": {"autoscaling": {"enabled": True, "minReplicas": 9}}}),
    ("orders.tls.secret", {"orders": {"tls": {"clientCertificates": True}}}),
    ("clientCertificates", {"orders": {"tls": {"secret": "a", "clientNames": ["b"]}}}),
    ("orders.tls.secret", {"inventory": {"tls": {"secret": "a", "clientCertificates": True}}}),
    ("sealing_secrets", {"notifier": {"secret": {"values": {"sealing_secrets": ""}}}}),
    ("webhook_loopback", {"notifier": {"settings": {"webhook_loopback": True}}}),
    ("both by TLS", {"orders": {"tls": {"secret": "a"}}}),
    (
        "notifier.tls.secret",
        {
            "orders": {"tls": {"secret": "a", "clientCertificates": True}},
            "inventory": {"tls": {"secret": "b"}},
        },
    ),
    ("http.enabled", merged(HIDDEN, {"ingress": {"enabled": True, "host": "a.example"}})),
    ("http.enabled", merged(HIDDEN, {"gateway": {"enabled": True, "parentRefs": [{"name": "a"}]}})),
    ("public_url", {"console": {"settings": {"oidc_issuer": "https://login.example"}}}),
    ("replicas", {"console": {"replicas": 2}}),
    (
        "notifier.tls.secret",
        {"orders": {"tls": {"secret": "a"}}, "inventory": {"tls": {"secret": "b"}}},
    ),
    ("console.tls.secret", merged(TLS, {"orders": {"tls": {"clientCertificates": True}}})),
    ("ingress.host", {"http": {"enabled": True}, "ingress": {"enabled": True}}),
    ("gateway.parentRefs", {"http": {"enabled": True}, "gateway": {"enabled": True}}),
    ("metrics.enabled", {"metrics": {"podMonitor": {"enabled": True}}}),
    ("orders: its pod has one port twice", {"http": {"enabled": True, "port": 7001}}),
    (
        "inventory: its pod has one port twice",
        {"metrics": {"enabled": True, "port": 6999}, "inventory": {"workers": 4}},
    ),
    ("console: its pod has one port twice", {"console": {"port": 9100}}),
]


@pytest.mark.parametrize(("told", "values"), REFUSED, ids=lambda value: json.dumps(value)[:60])
def test_values_that_can_not_work_are_refused_in_words(
    chart: Chart, told: str, values: Values
) -> None:
    with pytest.raises(ChartRefused, match=told):
        chart.render(MADE, values)


def test_without_addresses_nothing_is_rendered(chart: Chart) -> None:
    with pytest.raises(ChartRefused, match="give the name of a Secret with the keys database"):
        chart.render()


def test_every_value_has_a_default_and_a_line_in_the_readme(chart: Chart) -> None:
    defaults, _ = chart.read(CHART / "values.yaml")
    told = {
        line.split("`")[1]
        for line in (CHART / "README.md").read_text().splitlines()
        if line.startswith("| `")
    }

    # A service's values are told once for all; what is a value of the reader's own has no names.
    of_notifier = ("notifier.enabled", "notifier.orders", "notifier.templates")
    alike = "podAnnotations podLabels nodeSelector tolerations affinity priorityClassName"
    of_every_pod = tuple(f"console.{name}" for name in alike.split())

    def paths(values: Mapping[str, Any], schema: Mapping[str, Any], above: str) -> Iterator[str]:
        assert values.keys() == schema["properties"].keys() - {"global"}, above
        for name, below in values.items():
            path = f"{above}.{name}".strip(".").replace("inventory.", "orders.", 1)
            if not path.startswith(of_notifier):
                path = path.replace("notifier.", "orders.", 1)
            if path.startswith(of_every_pod):
                path = path.replace("console.", "orders.", 1)
            inner = schema["properties"][name]
            named = "properties" in inner and name not in ("settings", "values")
            yield from paths(below, inner, path) if named and below else [path]

    wanted = set(paths(defaults, SCHEMA, ""))
    services = {path.replace("orders.", "SERVICE.", 1) for path in wanted}
    assert told == services


def test_settings_reach_a_service_as_digits(chart: Chart) -> None:
    """Helm reads every number as a float, and would print a million as 1e+06."""
    orders = chart.render(MADE, SETTINGS).deployment("orders")

    found = {one["name"]: one.get("value") for one in container(orders)["env"]}

    assert found["HOLDFAST_ORDERS_OUTBOX_EVENTS_MAX"] == "1000000"
    assert found["HOLDFAST_ORDERS_LATE_S"] == "2.5"
    assert found["HOLDFAST_ORDERS_LOG_LEVEL"] == "WARNING"


def test_issuers_reach_a_service_as_json(chart: Chart) -> None:
    orders = chart.render(MADE, ISSUERS).deployment("orders")

    found = {one["name"]: one.get("value", "") for one in container(orders)["env"]}

    assert json.loads(found["HOLDFAST_ORDERS_ISSUERS"]) == ISSUERS["orders"]["settings"]["issuers"]


def test_workers_are_arguments(chart: Chart) -> None:
    several, one = chart.render(MADE, WORKERS, HTTP), chart.render(MADE)

    assert container(several.deployment("orders"))["args"] == [
        *("orders", "serve", "--workers", "4", "--http-workers", "2")
    ]
    assert container(one.deployment("inventory"))["args"] == ["inventory", "serve"]


def test_a_worker_has_an_admin_port_of_its_own_and_each_is_read(chart: Chart) -> None:
    rendered = chart.render(MADE, METRICS)

    ports = container(rendered.deployment("orders"))["ports"]
    monitor = rendered.one("PodMonitor", "holdfast-orders")["spec"]
    read = monitor["podMetricsEndpoints"]
    let_in = rendered.one("NetworkPolicy", "holdfast-orders")["spec"]["ingress"][-1]["ports"]

    admin = {one["name"]: one["containerPort"] for one in ports if "admin" in one["name"]}
    assert admin == {"admin-0": 9100, "admin-1": 9101}
    assert [one["port"] for one in read] == list(admin)
    assert monitor["jobLabel"] == "app.kubernetes.io/name"
    assert [one["port"] for one in let_in] == list(admin.values())


def test_the_alerts_are_those_of_the_repository(chart: Chart) -> None:
    rules = chart.render(MADE, METRICS).one("PrometheusRule", "holdfast")

    alerts, _ = chart.read(ROOT / "deploy" / "prometheus" / "alerts.yaml")

    assert rules["spec"] == alerts
    assert alerts["groups"]


def test_what_is_secret_can_be_a_secret_of_ones_own(chart: Chart) -> None:
    rendered = chart.render(EXISTING)

    assert not rendered.secrets()
    found = environment(
        rendered.deployment("orders"),
        {"orders-addresses": {"database": "D", "broker": "B", "service_key": "S", "unasked": "U"}},
    )
    assert found["HOLDFAST_ORDERS_DATABASE"] == "D"
    assert found["HOLDFAST_ORDERS_BROKER"] == "B"


def test_another_password_starts_the_pods_anew(chart: Chart) -> None:
    other = {"orders": {"secret": {"values": {"broker": "amqp://other@broker/"}}}}

    before, after = chart.render(MADE), chart.render(MADE, other)

    def pod(rendered: Any, part: str) -> Any:
        return rendered.deployment(part)["spec"]["template"]

    assert pod(before, "orders") != pod(after, "orders")
    assert pod(before, "inventory") == pod(after, "inventory")


@pytest.mark.parametrize("name", ["my.shop", "7-shops"])
def test_a_release_whose_name_no_service_can_have_is_refused_in_words(
    chart: Chart, name: str
) -> None:
    with pytest.raises(ChartRefused, match=r"fullnameOverride: .*begin with a letter"):
        chart.render(MADE, name=name)

    assert chart.render(MADE, {"fullnameOverride": "shop"}, name=name).of_kind("Service")


def test_databases_are_migrated_before_pods_change(chart: Chart) -> None:
    rendered = chart.render(MADE)
    job = rendered.one("Job", "holdfast-migration")

    assert container(job)["args"] == ["migrate"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert environment(job, rendered.secrets()) == {
        f"HOLDFAST_{part.upper()}_DATABASE": MADE[part]["secret"]["values"]["database"]
        for part in PARTS
    }


def test_databases_are_migrated_by_who_may(chart: Chart) -> None:
    job = chart.render(MADE, MIGRATED).one("Job", "holdfast-migration")

    owners = {"orders": "O", "inventory": "I", "notifier": "N"}
    found = environment(job, {"owner-of-tables": owners})

    assert found == {f"HOLDFAST_{part.upper()}_DATABASE": url for part, url in owners.items()}
    assert not chart.render(MADE, BY_HAND).of_kind("Job")


def test_orders_trusts_inventorys_authority_and_shows_its_own_certificate(chart: Chart) -> None:
    one_sided, mutual = chart.render(EXISTING, TLS), chart.render(EXISTING, MUTUAL)

    def files(rendered: Any) -> dict[str, str]:
        variables = container(rendered.deployment("orders"))["env"]
        return {
            one["name"].removeprefix("HOLDFAST_ORDERS_"): one["value"]
            for one in variables
            if "TLS_" in one["name"] or "ORDERS_INVENTORY_" in one["name"]
        }

    assert files(one_sided) == {
        "TLS_CERTIFICATE": "/etc/holdfast/tls/tls.crt",
        "TLS_KEY": "/etc/holdfast/tls/tls.key",
        "INVENTORY_CA": "/etc/holdfast/inventory/ca.crt",
    }
    assert files(mutual) == files(one_sided) | {
        "TLS_CLIENT_CA": "/etc/holdfast/tls/ca.crt",
        "TLS_CLIENT_NAMES": "shop,scanner,notifier,console",
        "INVENTORY_CERTIFICATE": "/etc/holdfast/tls/tls.crt",
        "INVENTORY_KEY": "/etc/holdfast/tls/tls.key",
    }


def test_the_notifier_trusts_both_authorities_and_shows_its_own_certificate(chart: Chart) -> None:
    one_sided, mutual = chart.render(EXISTING, TLS), chart.render(EXISTING, MUTUAL)

    def files(rendered: Any) -> dict[str, str]:
        variables = container(rendered.deployment("notifier"))["env"]
        return {
            one["name"].removeprefix("HOLDFAST_NOTIFIER_"): one["value"]
            for one in variables
            if "NOTIFIER_SERVICES_" in one["name"]
        }

    assert files(chart.render(MADE)) == {}
    assert files(one_sided) == {"SERVICES_CA": "/etc/holdfast/services/ca.crt"}
    assert files(mutual) == files(one_sided) | {
        "SERVICES_CERTIFICATE": "/etc/holdfast/tls/tls.crt",
        "SERVICES_KEY": "/etc/holdfast/tls/tls.key",
    }


def test_the_notifier_is_told_where_the_others_are_and_what_it_may_reach(chart: Chart) -> None:
    notifier = chart.render(MADE, SETTINGS).deployment("notifier")

    found = {one["name"]: one.get("value") for one in container(notifier)["env"]}

    assert found["HOLDFAST_NOTIFIER_ORDERS"] == "holdfast-orders:7001"
    assert found["HOLDFAST_NOTIFIER_INVENTORY"] == "holdfast-inventory:7002"
    assert found["HOLDFAST_NOTIFIER_WEBHOOK_NETWORKS"] == "10.20.0.0/16,fd00:20::/32"
    assert found["HOLDFAST_NOTIFIER_WEBHOOK_PORTS"] == "443,8443"
    assert found["HOLDFAST_NOTIFIER_MAILS"] == "confirmed,shipped"
    assert not [name for name in found if "BROKER" in name]


def test_the_console_is_told_where_the_services_are_and_where_people_sign_in(chart: Chart) -> None:
    rendered = chart.render(MADE, SIGNED_IN)

    found = environment(rendered.deployment("console"), rendered.secrets())
    egress = rendered.one("NetworkPolicy", "holdfast-console")["spec"]["egress"]

    told = {name.removeprefix("HOLDFAST_CONSOLE_"): value for name, value in found.items()}
    assert told == {
        "LISTEN": "0.0.0.0:7007",
        "ADMIN": "0.0.0.0:9100",
        "FILES": "/var/lib/holdfast/files",
        "ORDERS": "holdfast-orders:7001",
        "INVENTORY": "holdfast-inventory:7002",
        "NOTIFIER": "holdfast-notifier:7005",
        "PUBLIC_URL": "https://oms.example",
        "OIDC_ISSUER": "https://login.example",
        "OIDC_CLIENT_ID": "console",
        "OIDC_CLIENT_SECRET": "hunter2",
    }
    assert {"ports": [{"port": 443}]} in egress


def test_without_the_console_nothing_of_it_is_there(chart: Chart) -> None:
    hidden, usual = (chart.render(MADE, HTTP, values) for values in (HIDDEN, {}))

    assert "/console" in json.dumps(usual.documents)
    assert "console" not in json.dumps(hidden.documents)
    assert "console" not in hidden.notes


def test_templates_of_mails_lie_in_the_folder_of_their_language(chart: Chart) -> None:
    notifier = chart.render(MADE, TEMPLATES).deployment("notifier")

    environment = {one["name"]: one.get("value") for one in container(notifier)["env"]}
    mounts = {one["mountPath"]: one["name"] for one in container(notifier)["volumeMounts"]}
    volumes = {one["name"]: one for one in notifier["spec"]["template"]["spec"]["volumes"]}

    volume = volumes[mounts[environment["HOLDFAST_NOTIFIER_TEMPLATES"]]]
    assert volume["configMap"] == {
        "name": "mail-templates",
        "items": [{"key": "confirmed", "path": "en/confirmed.txt"}],
    }


def test_without_the_notifier_nothing_of_it_is_there(chart: Chart) -> None:
    quiet, usual = (chart.render(MADE, HTTP, METRICS, values) for values in (QUIET, {}))

    assert "notifier" in json.dumps(usual.documents)
    assert "notifier" in usual.notes
    assert "notifier" not in json.dumps([one for one in quiet.documents if not is_rules(one)])
    assert "notifier" not in quiet.notes


def is_rules(document: Mapping[str, Any]) -> bool:
    return bool(document["kind"] == "PrometheusRule")


def test_grpc_callers_find_every_pod(chart: Chart) -> None:
    rendered = chart.render(MADE, PLACED, HTTP)

    assert rendered.one("Service", "orders-of-a-shop-orders")["spec"]["clusterIP"] == "None"
    assert "clusterIP" not in rendered.one("Service", "orders-of-a-shop-orders-http")["spec"]
    variables = container(rendered.deployment("orders"))["env"]
    assert {"name": "HOLDFAST_ORDERS_INVENTORY", "value": "orders-of-a-shop-inventory:7002"} in (
        variables
    )
    assert {"name": "HOLDFAST_ORDERS_LISTEN", "value": "[::]:443"} in variables


def test_an_autoscaler_has_the_bounds_that_were_given(chart: Chart) -> None:
    spec = chart.render(MADE, AUTOSCALED).one("HorizontalPodAutoscaler", "holdfast-orders")["spec"]

    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 12)
