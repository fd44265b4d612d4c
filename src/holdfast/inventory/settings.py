"""Settings of Inventory: HOLDFAST_INVENTORY_* in the environment, or [inventory] in a TOML file."""

from pathlib import Path

from pydantic import model_validator

from holdfast.chassis.database.engines import DatabaseUrl
from holdfast.chassis.identity.settings import IdentitySettings, OperatorSettings, require_sound
from holdfast.chassis.messaging.feed import FeedSettings
from holdfast.chassis.messaging.rabbitmq_url import BrokerUrl
from holdfast.chassis.process.configuration import Address, ServiceSettings, load_settings
from holdfast.chassis.process.ports import PortSettings


class InventorySettings(
    ServiceSettings, PortSettings, IdentitySettings, OperatorSettings, FeedSettings
):
    """What an operator may set; the defaults suit a machine of one's own.

    :param database: postgresql://USER:PASSWORD@HOST/NAME; several hosts are allowed,
        comma-separated.
    :param broker: amqp://USER:PASSWORD@HOST/VHOST; several hosts likewise.
    :param listen: HOST:PORT of the gRPC server; port 0 picks a free one.
    """

    database: DatabaseUrl
    broker: BrokerUrl
    listen: Address = "127.0.0.1:7002"

    @model_validator(mode="after")
    def _sound_identity(self) -> "InventorySettings":
        require_sound(self, self.listen, self.http)
        return self


def load(config: Path | None = None) -> InventorySettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is missing, malformed or unknown; the message names it and
        where it came from.
    """
    return load_settings(InventorySettings, "inventory", config)
