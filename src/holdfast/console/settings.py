"""Settings of the console: HOLDFAST_CONSOLE_* in the environment, [console] in a TOML file."""

from pathlib import Path

from pydantic import model_validator

from holdfast.chassis.process.configuration import ServiceSettings, load_settings
from holdfast.chassis.process.ports import PortSettings, require_together
from holdfast.client import Tls


class ConsoleSettings(ServiceSettings, PortSettings):
    """What an operator may set; the defaults suit a machine of one's own.

    :param listen: HOST:PORT of the console; port 0 picks a free one.
    :param orders: HOST:PORT of Orders' gRPC server, `inventory` and `notifier` likewise.
    :param https: browsers come by HTTPS, through a proxy that has the certificate: cookies are for
        HTTPS alone. With a certificate of the console's own they always are.
    :param files: folder for files that are taken in, and for how far each has come, which no other
        process uses. None: one that is removed when this process ends.
    :param services_ca: file in PEM with the authorities of the services' certificates; none: they
        are asked without TLS.
    :param services_certificate: file in PEM with the certificate that they ask us for.
    :param services_key: file in PEM with its key.
    """

    listen: str = "127.0.0.1:7007"
    orders: str = "127.0.0.1:7001"
    inventory: str = "127.0.0.1:7002"
    notifier: str = "127.0.0.1:7005"
    https: bool = False
    files: Path | None = None
    services_ca: Path | None = None
    services_certificate: Path | None = None
    services_key: Path | None = None

    @property
    def services_tls(self) -> Tls | bool:
        """Certificates for the way to the services; False: without TLS."""
        if self.services_ca is None:
            return False
        return Tls(self.services_ca, self.services_certificate, self.services_key)

    @model_validator(mode="after")
    def _whole(self) -> "ConsoleSettings":
        certificate = self.services_certificate
        require_together("services_key", self.services_key, services_certificate=certificate)
        require_together("services_certificate", certificate, services_ca=self.services_ca)
        if self.http:
            raise ValueError("http is of services: the console listens at `listen`")
        return self


def load(config: Path | None = None) -> ConsoleSettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is malformed or unknown; the message names it.
    """
    return load_settings(ConsoleSettings, "console", config)
