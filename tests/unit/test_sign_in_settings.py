"""What may be set of signing in at a provider, and what is refused before anybody is sent there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.console import settings
from holdfast.embedded import load_settings_of_up

ISSUER = "https://login.shop.example"
GOOD = {"OIDC_ISSUER": ISSUER, "OIDC_CLIENT_ID": "console"}


def told(monkeypatch: pytest.MonkeyPatch, prefix: str, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"HOLDFAST_{prefix}_{name}", value)


def test_a_console_on_this_machine_needs_issuer_and_client_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(monkeypatch, "CONSOLE", **GOOD, OIDC_CLIENT_SECRET="secret\n")

    found = settings.load()

    assert (found.oidc_scopes, found.public_url) == ("openid", "")
    assert found.oidc_client_secret.get_secret_value() == "secret", "a file's line break is no part"
    assert "secret" not in repr(found).replace("oidc_client_secret", "")


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"OIDC_ISSUER": ISSUER}, "told together"),
        ({"OIDC_CLIENT_ID": "console"}, "told together"),
        (GOOD | {"OIDC_ISSUER": "http://login.shop.example"}, "is not https"),
        (GOOD | {"OIDC_SCOPES": "profile email"}, "needs openid"),
        (GOOD | {"OIDC_CA": "nowhere.pem"}, "nowhere.pem"),
        (GOOD | {"PUBLIC_URL": "http://oms.shop.example"}, "is not https"),
        (GOOD | {"PUBLIC_URL": "https://oms.shop.example/console"}, "the console is at /console"),
        (GOOD | {"LISTEN": "0.0.0.0:7007"}, "needs public_url"),
        (GOOD | {"LISTEN": "[::]:7007"}, "needs public_url"),
    ],
)
def test_what_can_t_work_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], why: str
) -> None:
    told(monkeypatch, "CONSOLE", **variables)

    with pytest.raises(ValueError, match=why):
        settings.load()


def test_an_address_that_is_told_may_be_any_and_ends_in_no_slash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(
        monkeypatch,
        "CONSOLE",
        **GOOD,
        LISTEN="0.0.0.0:7007",
        PUBLIC_URL="https://oms.shop.example:8443/",
        OIDC_SCOPES=" openid  offline_access ",
    )

    found = settings.load()

    assert found.public_url == "https://oms.shop.example:8443"
    assert found.oidc_scopes == "openid offline_access"


def test_up_signs_in_whom_its_services_take_and_nobody_where_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def failed(*options: str) -> str:
        result = CliRunner().invoke(app, ["up", "--data", str(tmp_path), *options])
        assert result.exit_code == 2
        return result.output

    told(monkeypatch, "UP", **GOOD)
    with pytest.raises(ValueError, match="is none of `issuers`"):
        load_settings_of_up()

    told(monkeypatch, "UP", ISSUERS=f'[{{"issuer": "{ISSUER}", "audiences": ["holdfast"]}}]')
    assert load_settings_of_up().oidc_issuer == ISSUER
    assert "--no-auth asks nobody who they are" in failed("--no-auth")
    assert "needs public_url" in failed("--host", "0.0.0.0")
