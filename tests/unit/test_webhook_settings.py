"""What an operator may say of where webhooks are sent, and what is refused."""

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings


def test_nothing_is_open_unless_somebody_opens_it() -> None:
    settings = WebhookSettings()

    assert settings.webhook_networks == ()
    assert settings.webhook_ports == (443,)
    assert not settings.webhook_loopback
    assert settings.webhook_ca is None


def test_networks_and_ports_come_with_commas_between() -> None:
    settings = WebhookSettings.model_validate(
        {"webhook_networks": "10.20.0.0/16, fd12:3456::/32", "webhook_ports": "443,8443"}
    )

    assert settings.webhook_networks == (ip_network("10.20.0.0/16"), ip_network("fd12:3456::/32"))
    assert settings.webhook_ports == (443, 8443)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook_networks", "10.20.0.1/16"),  # a slip: an address, or another network?
        ("webhook_networks", "10.20.0.0/33"),
        ("webhook_networks", "internal"),
        ("webhook_ports", "0"),
        ("webhook_ports", "65536"),
        ("webhook_ports", "https"),
        ("webhook_loopback", "maybe"),
        ("webhook_ca", "/nowhere.pem"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_start(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        WebhookSettings.model_validate({name: value})
