"""Settings of the Notifier: HOLDFAST_NOTIFIER_* in the environment, [notifier] in a TOML file."""

from pathlib import Path

from pydantic import Field, model_validator

from holdfast.chassis.database.engines import DatabaseUrl
from holdfast.chassis.identity.settings import IdentitySettings, OperatorSettings, require_sound
from holdfast.chassis.process.configuration import Address, ServiceSettings, load_settings
from holdfast.chassis.process.ports import PortSettings, require_together
from holdfast.chassis.tls import TlsFiles, read_material
from holdfast.notifier.infrastructure.mail_settings import MailSettings
from holdfast.notifier.infrastructure.sealing import SealingSettings
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings


class TellingSettings(MailSettings, WebhookSettings):
    """Whom the Notifier tells, and how.

    :param kept_days: what was delivered, sent or given up is kept so long.
    """

    kept_days: float = Field(default=30.0, gt=0, le=36_500)


class NotifierSettings(  # type: ignore[misc] # of two configurations the first counts
    ServiceSettings,
    PortSettings,
    IdentitySettings,
    OperatorSettings,
    SealingSettings,
    TellingSettings,
):
    """What an operator may set; the defaults suit a machine of one's own.

    :param database: postgresql://USER:PASSWORD@HOST/NAME; several hosts are allowed,
        comma-separated.
    :param listen: HOST:PORT of the gRPC server; port 0 picks a free one.
    :param orders: HOST:PORT of Orders' gRPC server, and `inventory` of Inventory's.
    :param services_ca: file in PEM with the authorities of their certificates, which must have HOST
        among their names; none: they are asked without TLS.
    :param services_certificate: file in PEM with the certificate that they ask us for.
    :param services_key: file in PEM with its key.
    """

    database: DatabaseUrl
    listen: Address = "127.0.0.1:7005"
    orders: Address = "127.0.0.1:7001"
    inventory: Address = "127.0.0.1:7002"
    services_ca: Path | None = None
    services_certificate: Path | None = None
    services_key: Path | None = None

    @property
    def services_tls(self) -> TlsFiles | None:
        """Certificates for the way to Orders and Inventory; None: without TLS."""
        if self.services_ca is None:
            return None
        return TlsFiles(self.services_certificate, self.services_key, self.services_ca)

    @model_validator(mode="after")
    def _sound_identity(self) -> "NotifierSettings":
        require_sound(self, self.listen, self.http)
        return self

    @model_validator(mode="after")
    def _whole_services_tls(self) -> "NotifierSettings":
        certificate = self.services_certificate
        require_together("services_key", self.services_key, services_certificate=certificate)
        require_together("services_certificate", certificate, services_ca=self.services_ca)
        if self.services_tls is not None:
            read_material(self.services_tls)
        return self


def load(config: Path | None = None) -> NotifierSettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is missing, malformed or unknown; the message names it and
        where it came from.
    """
    return load_settings(NotifierSettings, "notifier", config)


TELLING_DEFAULTS = TellingSettings()
