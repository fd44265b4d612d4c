"""Settings of Orders: HOLDFAST_ORDERS_* in the environment, or [orders] in a TOML file."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, model_validator

from holdfast.chassis.messaging.rabbitmq_url import BrokerUrl
from holdfast.chassis.process.configuration import ServiceSettings, load_settings


class Limits(BaseModel):
    """How long orders may wait, and how much may wait.

    :param late_s: ask Inventory again about orders that it has not answered for so long.
    :param expire_s: give up on orders that are not decided after so long.
    :param outbox_events_max: refuse new orders while more events than this wait for the broker.
    :param outbox_age_s_max: refuse new orders while the oldest event has waited longer than this.
    """

    late_s: float = Field(default=30.0, gt=0)
    expire_s: float = Field(default=3_600.0, gt=0)
    outbox_events_max: int = Field(default=100_000, gt=0)
    outbox_age_s_max: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _ask_before_giving_up(self) -> "Limits":
        if self.late_s >= self.expire_s:
            raise ValueError("late_s must be less than expire_s")
        return self


class OrdersSettings(ServiceSettings, Limits):
    """What an operator may set; the defaults suit a machine of one's own.

    :param database: postgresql://USER:PASSWORD@HOST/NAME; several hosts are allowed,
        comma-separated.
    :param broker: amqp://USER:PASSWORD@HOST/VHOST; several hosts likewise.
    :param inventory: HOST:PORT of Inventory's gRPC server.
    :param listen: HOST:PORT of the gRPC server; port 0 picks a free one.
    """

    database: SecretStr
    broker: BrokerUrl
    inventory: str = "127.0.0.1:7002"
    listen: str = "127.0.0.1:7001"


def load(config: Path | None = None) -> OrdersSettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is missing, malformed or unknown; the message names it and
        where it came from.
    """
    return load_settings(OrdersSettings, "orders", config)
