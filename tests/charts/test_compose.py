"""compose.yaml is what the Compose specification allows, and services run by what it says.

The schema is that of https://github.com/compose-spec/compose-spec, commit 170098b (Apache-2.0).
"""

import os
from pathlib import Path
from typing import Any

import pytest

from holdfast.chassis.grpc.server import STOP_GRACE_S
from holdfast.console import settings as console_settings
from holdfast.inventory import settings as inventory_settings
from holdfast.notifier import settings as notifier_settings
from holdfast.orders import settings as orders_settings
from tests.charts.chart import ROOT, Chart

pytestmark = pytest.mark.charts

FILE, SCHEMA = ROOT / "compose.yaml", ROOT / "deploy" / "compose-spec.schema.json"
PASSWORDS = {
    "${POSTGRES_PASSWORD:?}": "p4ss",
    "${RABBITMQ_PASSWORD:?}": "w0rd",
    "${SERVICE_KEY:?}": 64 * "5",
    "${OPERATOR_KEY:-}": "",
    "${SEALING_SECRETS:?}": 64 * "7",
    "${SMTP:-}": "smtp+starttls://shop:word@mail.example:587",
    "${MAIL_FROM:-}": "orders@shop.example",
    "${ISSUERS:-}": '[{"issuer": "https://login.example", "audiences": ["holdfast"]}]',
    "${CONSOLE_URL:-http://127.0.0.1:7007}": "https://oms.example",
    "${OIDC_ISSUER:-}": "https://login.example",
    "${OIDC_CLIENT_ID:-}": "console",
    "${OIDC_CLIENT_SECRET:-}": "s3cret",
}


@pytest.fixture
def services(chart: Chart) -> Any:
    content, problems = chart.read(FILE, schema=SCHEMA)
    assert not problems
    return content["services"]


def test_a_misspelt_field_would_be_found(chart: Chart, tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(FILE.read_text().replace("stop_grace_period", "stop_grace_time"))

    _, problems = chart.read(wrong, schema=SCHEMA)

    assert any("stop_grace_time" in problem for problem in problems)


def test_services_take_the_settings_that_compose_gives(
    services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("HOLDFAST_"):
            monkeypatch.delenv(name)
    told = services["orders"]["environment"] | services["console"]["environment"]
    for name, value in told.items():
        for placeholder, password in PASSWORDS.items():
            value = value.replace(placeholder, password)
        monkeypatch.setenv(name, value)

    orders, inventory = orders_settings.load(), inventory_settings.load()
    notifier, console = notifier_settings.load(), console_settings.load()

    assert orders.inventory == f"inventory:{inventory.listen.rpartition(':')[2]}"
    assert "p4ss@orders-database/" in orders.database.get_secret_value()
    assert "p4ss@inventory-database/" in inventory.database.get_secret_value()
    assert notifier.orders == f"orders:{orders.listen.rpartition(':')[2]}"
    assert notifier.inventory == f"inventory:{inventory.listen.rpartition(':')[2]}"
    assert "p4ss@notifier-database/" in notifier.database.get_secret_value()
    assert str(notifier.server) == "mail.example:587"
    assert [one.issuer for one in inventory.issuers] == [console.oidc_issuer]
    for name, service in (("orders", orders), ("inventory", inventory), ("notifier", notifier)):
        assert getattr(console, name) == f"{name}:{service.listen.rpartition(':')[2]}"


def test_the_console_is_told_no_password_of_the_services(services: Any) -> None:
    told = services["console"]["environment"]

    assert all(name.startswith("HOLDFAST_CONSOLE_") for name in told)
    assert services["console"]["ports"] == ["127.0.0.1:7007:7007"]


def test_what_runs_in_compose_may_write_nowhere_and_end_in_peace(services: Any) -> None:
    for name in ("migrate", "orders", "inventory", "notifier", "console"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    for name in ("orders", "inventory", "notifier", "console"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > STOP_GRACE_S + 10
