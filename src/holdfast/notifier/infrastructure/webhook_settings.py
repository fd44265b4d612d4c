"""What an operator may set about where webhooks are sent."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, IPvAnyNetwork, field_validator

from holdfast.chassis.process.ports import Separated

Port = Annotated[int, Field(ge=1, le=65_535)]


class WebhookSettings(BaseModel):
    """The defaults send to public addresses by HTTPS on port 443, and nowhere else.

    Limits of time and size are no settings: a receiver is to know them.

    :param webhook_networks: opened although they are not public, such as 10.20.0.0/16; there
        http:// may be used, too. Loopback, link-local and multicast addresses are never opened by
        it.
    :param webhook_ports: that may be connected to, beside any port of loopback where that is open.
    :param webhook_loopback: whether this machine itself may be sent to, on any port, also by
        http://: for trying things out.
    :param webhook_ca: file in PEM with authorities that receivers' certificates may come from, too,
        beside those that the system knows.
    """

    webhook_networks: Annotated[tuple[IPvAnyNetwork, ...], Separated] = ()
    webhook_ports: Annotated[tuple[Port, ...], Separated] = (443,)
    webhook_loopback: bool = False
    webhook_ca: Path | None = None

    @field_validator("webhook_ca")
    @classmethod
    def _readable(cls, ca: Path | None) -> Path | None:
        if ca is not None:
            from holdfast.notifier.infrastructure.guarded_network import tls_context

            tls_context(ca)
        return ca
