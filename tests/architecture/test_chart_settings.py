"""The Helm chart and the services agree on what can be set; `make charts` starts them by it."""

import json
import re
from pathlib import Path

import pytest

from holdfast.chassis.process.configuration import ServiceSettings
from holdfast.console.settings import ConsoleSettings
from holdfast.inventory.settings import InventorySettings
from holdfast.notifier.settings import NotifierSettings
from holdfast.orders.settings import OrdersSettings

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "holdfast"
POD = (CHART / "templates" / "_pod.tpl").read_text()
NAMES = (CHART / "templates" / "_names.tpl").read_text()
CONSOLE = (CHART / "templates" / "console.yaml").read_text()
OF_ITS_PORT = ("certificate", "key", "client_ca", "client_names")
SCHEMA = json.loads((CHART / "values.schema.json").read_text())["properties"]

SETTINGS: dict[str, type[ServiceSettings]] = {
    "orders": OrdersSettings,
    "inventory": InventorySettings,
    "notifier": NotifierSettings,
}
# What it tells one service, of the others above all, and not every one.
OWN = {
    "orders": r"INVENTORY(_\w+)?",
    "inventory": r"",
    "notifier": r"ORDERS|INVENTORY|SERVICES_\w+|TEMPLATES",
}

# These are for a machine of one's own, and no pod is: whether callers are asked who they are, by
# which further names they come, and webhooks to receivers beside it.
NEVER_SET = {"auth", "http_hosts", "webhook_loopback"}


def secret_keys(service: str) -> set[str]:
    """The keys that it reads of a service's Secret."""
    of_notifier, of_others = re.findall(r"^\{\{ list ([^|]+)\| toJson", NAMES, re.MULTILINE)
    return set(re.findall(r'"(\w+)"', of_notifier if service == "notifier" else of_others))


def settings_of_the_chart(service: str) -> set[str]:
    """What it may put into the environment of a service: by a value, as a secret, by itself."""
    by_value = set(SCHEMA[service]["properties"]["settings"]["properties"])
    secret = secret_keys(service)
    itself = set(re.findall(r"^- name: \{\{ \$prefix \}\}([A-Z_]+)$", POD, re.MULTILINE))
    itself |= set(re.findall(r"^([A-Z_]+): ", POD, re.MULTILINE))
    some = {name for name in itself if any(re.fullmatch(own, name) for own in OWN.values())}
    itself -= {name for name in some if not re.fullmatch(OWN[service], name)}
    assert "database" in secret
    assert itself >= {"LISTEN", "TLS_KEY"}
    return by_value | secret | {name.lower() for name in itself}


@pytest.mark.parametrize("service", SETTINGS)
def test_the_chart_can_set_what_a_service_can_be_told_and_nothing_else(service: str) -> None:
    known = set(SETTINGS[service].model_fields) - NEVER_SET

    found = settings_of_the_chart(service)

    assert known - found == set(), "the chart can't set these: add them to its settings"
    assert found - known == set(), "no service knows these"


def test_the_chart_can_set_what_the_console_can_be_told_and_nothing_else() -> None:
    """Its own port is spoken to through Ingress or Gateway, which have the certificate."""
    by_value = set(SCHEMA["console"]["properties"]["settings"]["properties"])
    secret = set(SCHEMA["console"]["properties"]["secret"]["properties"]["values"]["properties"])
    itself = set(re.findall(r"^- name: HOLDFAST_CONSOLE_([A-Z_]+)$", CONSOLE, re.MULTILINE))
    itself |= set(re.findall(r"^([A-Z_]+): ", CONSOLE, re.MULTILINE))
    told = by_value | secret | {name.lower() for name in itself} | {*SETTINGS}

    never = {"http", "http_hosts", *(f"tls_{one}" for one in OF_ITS_PORT)}
    assert told == set(ConsoleSettings.model_fields) - never


@pytest.mark.parametrize("service", SETTINGS)
def test_what_the_chart_makes_a_secret_of_is_what_it_reads_of_one(service: str) -> None:
    values = SCHEMA[service]["properties"]["secret"]["properties"]["values"]["properties"]

    assert set(values) == secret_keys(service)


def test_the_walk_through_sets_what_its_commands_use_and_has_a_key_to_call_with() -> None:
    page = (CHART.parents[2] / "docs" / "kubernetes.md").read_text()
    commands = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    used = set(re.findall(r"\$\{?([A-Z_]+)", commands))

    assert used <= set(re.findall(r"^export ([A-Z_]+)=", commands, re.MULTILINE))
    assert "operator_key=" in commands
    assert "export HOLDFAST_KEY=" in commands
