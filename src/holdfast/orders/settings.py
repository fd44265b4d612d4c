"""Settings of Orders: HOLDFAST_ORDERS_* in the environment, or [orders] in a TOML file."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, PlainValidator, model_validator

from holdfast.chassis.database.engines import DatabaseUrl
from holdfast.chassis.identifiers import flaw_in
from holdfast.chassis.identity.passwords import PasswordSettings
from holdfast.chassis.identity.settings import IdentitySettings, OperatorSettings, require_sound
from holdfast.chassis.messaging.feed import FeedSettings
from holdfast.chassis.messaging.rabbitmq_url import BrokerUrl
from holdfast.chassis.process.configuration import Address, ServiceSettings, load_settings
from holdfast.chassis.process.ports import PortSettings, require_together
from holdfast.chassis.tls import TlsFiles, read_material
from holdfast.orders.domain.shipping.paid_first import Required

WAIT_S_MAX = 3e9  # a hundred years: more is no time that a clock could reach


def _rules(told: object) -> dict[str, Required]:
    """Read rules by channel, of a variable in JSON or a table of a TOML file."""
    try:
        by_channel = json.loads(told or "{}") if isinstance(told, str) else told
    except ValueError as error:
        raise ValueError(f"{RULES_FORM}: {error}") from None
    if not isinstance(by_channel, dict):
        raise ValueError(RULES_FORM)  # noqa: TRY004 - pydantic tells no other
    for channel, required in by_channel.items():
        if channel and (flaw := flaw_in(channel)):
            raise ValueError(f"channel {channel!r} {flaw}")
        if required not in list(Required):
            raise ValueError(f"channel {channel!r}: {', '.join(Required)} can be required")
    return {channel: Required(required) for channel, required in by_channel.items()}


RULES_FORM = 'is a rule for each channel, such as {"web": "PAID"}'
ShipRequires = Annotated[dict[str, Required], PlainValidator(_rules)]


class Limits(BaseModel):
    """What orders wait for, for how long, and how much may wait.

    :param late_s: ask Inventory again about orders that it has not answered for so long.
    :param expire_s: give up on orders that are not decided after so long.
    :param outbox_events_max: refuse new orders while more events than this wait for the broker.
    :param outbox_age_s_max: refuse new orders while the oldest event that is no repeat has waited
        longer than this.
    :param ship_requires: what of an order's total there must be before units of it may leave, by
        channel; "": by every other channel, and without one.
    """

    late_s: float = Field(default=30.0, gt=0, le=WAIT_S_MAX)
    expire_s: float = Field(default=3_600.0, gt=0, le=WAIT_S_MAX)
    outbox_events_max: int = Field(default=100_000, gt=0)
    outbox_age_s_max: float = Field(default=60.0, gt=0, le=WAIT_S_MAX)
    ship_requires: ShipRequires = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ask_before_giving_up(self) -> "Limits":
        if self.late_s >= self.expire_s:
            raise ValueError("late_s must be less than expire_s")
        return self


class OrdersSettings(
    ServiceSettings,
    PortSettings,
    IdentitySettings,
    OperatorSettings,
    PasswordSettings,
    Limits,
    FeedSettings,
):
    """What an operator may set; the defaults suit a machine of one's own.

    :param database: postgresql://USER:PASSWORD@HOST/NAME; several hosts are allowed,
        comma-separated.
    :param broker: amqp://USER:PASSWORD@HOST/VHOST; several hosts likewise.
    :param inventory: HOST:PORT of Inventory's gRPC server.
    :param inventory_ca: file in PEM with the authorities of Inventory's certificate, which must
        have HOST among its names; none: Inventory is asked without TLS.
    :param inventory_certificate: file in PEM with the certificate that Inventory asks Orders for.
    :param inventory_key: file in PEM with its key.
    :param listen: HOST:PORT of the gRPC server; port 0 picks a free one.
    """

    database: DatabaseUrl
    broker: BrokerUrl
    inventory: Address = "127.0.0.1:7002"
    inventory_ca: Path | None = None
    inventory_certificate: Path | None = None
    inventory_key: Path | None = None
    listen: Address = "127.0.0.1:7001"

    @property
    def inventory_tls(self) -> TlsFiles | None:
        """Certificates for the way to Inventory; None: without TLS."""
        if self.inventory_ca is None:
            return None
        return TlsFiles(self.inventory_certificate, self.inventory_key, self.inventory_ca)

    @model_validator(mode="after")
    def _sound_identity(self) -> "OrdersSettings":
        require_sound(self, self.listen, self.http)
        return self

    @model_validator(mode="after")
    def _whole_inventory_tls(self) -> "OrdersSettings":
        certificate = self.inventory_certificate
        require_together("inventory_key", self.inventory_key, inventory_certificate=certificate)
        require_together("inventory_certificate", certificate, inventory_ca=self.inventory_ca)
        if self.inventory_tls is not None:
            read_material(self.inventory_tls)
        return self


def load(config: Path | None = None) -> OrdersSettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is missing, malformed or unknown; the message names it and
        where it came from.
    """
    return load_settings(OrdersSettings, "orders", config)
