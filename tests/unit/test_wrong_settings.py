"""A setting that can't work is told at the start, by its name, in every service that has it."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from holdfast.chassis.http.server import serving_http
from holdfast.chassis.process.addresses import AddressInUse
from holdfast.cli.main import app
from holdfast.console import settings as console_settings
from holdfast.inventory import settings as inventory_settings
from holdfast.notifier import settings as notifier_settings
from holdfast.orders import settings as orders_settings

NEEDED = {
    "database": "postgresql://u@127.0.0.1/x",
    "broker": "amqp://u:p@127.0.0.1/",
    "service_key": "by which the services know each other",
    "sealing_secrets": "0123456789abcdef0123456789abcdef",
}
LOADED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "orders": (orders_settings, ("database", "broker", "service_key")),
    "inventory": (inventory_settings, ("database", "broker", "service_key")),
    "notifier": (notifier_settings, ("database", "service_key", "sealing_secrets")),
    "console": (console_settings, ()),
}
EVERYWHERE = {
    "log_level": ("LOUD", "", "10"),
    "listen": ("foo", ":7001", "127.0.0.1:99999", ""),
    "admin": ("foo", "127.0.0.1:99999"),
    "traces": ("ftp://x", "foo"),
    "trace_ratio": ("nan", "2"),
    "call_s_max": ("inf", "nan"),
    "stream_s_max": ("inf",),
    "caller_requests_per_s": ("inf",),
}
OF_SERVICES = {
    "database": (
        "",
        "mysql://x",
        "postgres",
        *(f"postgresql://u:{secret}@127.0.0.1/x" for secret in ("s3cret#", "s3cret/", "s3cret?")),
        "postgresql://127.0.0.1:5432,127.0.0.1:port/x",
        "postgresql://127.0.0.1/x?s3cret",
    ),
    "http": ("foo", "127.0.0.1:99999"),
}
OF_FEEDS = {"feed_days": ("inf", "1e9")}
WRONG = {
    "orders": EVERYWHERE
    | OF_SERVICES
    | OF_FEEDS
    | {
        "inventory": ("foo", "", "inventory:http"),
        "late_s": ("nan",),
        "expire_s": ("inf", "1e15"),
        "outbox_age_s_max": ("inf", "1e15"),
        "ship_requires": ("PAID", "[]", '{"web": "paid up"}', '{"web\\u200b": "PAID"}'),
    },
    "inventory": EVERYWHERE | OF_SERVICES | OF_FEEDS,
    "notifier": EVERYWHERE
    | OF_SERVICES
    | {
        "orders": ("foo",),
        "inventory": ("foo",),
        "kept_days": ("inf", "1e9"),
        "sealing_secrets": ("", "x", 31 * "x"),
    },
    "console": EVERYWHERE | {"orders": ("foo",), "inventory": ("foo",), "notifier": ("foo",)},
}


@pytest.mark.parametrize("service", LOADED)
def test_a_file_or_folder_that_is_empty_is_none_and_not_where_the_process_was_started(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, needed = LOADED[service]
    for name in needed:
        monkeypatch.setenv(f"HOLDFAST_{service.upper()}_{name.upper()}", NEEDED[name])
    fields = type(settings.load()).model_fields.items()
    paths = [name for name, field in fields if field.annotation == (Path | None)]
    for name in paths:
        monkeypatch.setenv(f"HOLDFAST_{service.upper()}_{name.upper()}", "")

    found = settings.load()

    assert paths
    assert [name for name in paths if getattr(found, name) is not None] == []


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        (service, name, value)
        for service, settings in WRONG.items()
        for name, values in settings.items()
        for value in values
    ],
)
def test_a_setting_that_can_not_work_is_told_by_its_name(
    service: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, needed = LOADED[service]
    prefix = f"HOLDFAST_{service.upper()}_"
    for one in needed:
        monkeypatch.setenv(f"{prefix}{one.upper()}", NEEDED[one])
    assert module.load()

    monkeypatch.setenv(f"{prefix}{name.upper()}", value)

    with pytest.raises(ValueError, match=f"^{prefix}{name.upper()}: ") as told:
        module.load()
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("http", "127.0.0.1:7000", "--http-port"),
        ("admin", "127.0.0.1:7009", "--admin-port"),
        ("traces", "http://127.0.0.1:4318/v1/traces", "--traces"),
        ("trace_ratio", "0.5", "--traces"),
    ],
)
def test_a_setting_that_up_would_not_heed_is_refused_with_its_option(
    name: str, value: str, instead: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"HOLDFAST_UP_{name.upper()}", value)

    result = CliRunner().invoke(app, ["up", "--data", str(tmp_path)])

    assert result.exit_code == 2
    assert f"HOLDFAST_UP_{name.upper()} is of services in a cluster" in result.stderr
    assert f"`holdfast up` has {instead}" in result.stderr


async def test_an_address_that_is_taken_is_told_once() -> None:
    async with serving_http("127.0.0.1:0", []) as taken:
        with pytest.raises(AddressInUse) as found:
            async with serving_http(taken, []):
                pass

    assert str(found.value).count("can't listen on") == 1


def test_blanks_around_a_database_are_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets come from files, which end with a line break."""
    for one in LOADED["orders"][1]:
        monkeypatch.setenv(f"HOLDFAST_ORDERS_{one.upper()}", f"{NEEDED[one]}\n")

    assert orders_settings.load().database.get_secret_value() == NEEDED["database"]
