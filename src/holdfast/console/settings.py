"""Settings of the console: HOLDFAST_CONSOLE_* in the environment, [console] in a TOML file."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, field_validator, model_validator

from holdfast.chassis.identity.issuers import require_sound
from holdfast.chassis.process.addresses import is_loopback
from holdfast.chassis.process.configuration import Address, ServiceSettings, load_settings
from holdfast.chassis.process.ports import PortSettings, require_together
from holdfast.chassis.tls import TlsFiles, read_material
from holdfast.client import Tls


class SignInSettings(BaseModel):
    """How people sign in at an identity provider, beside by key; without `oidc_issuer`, they don't.

    :param oidc_issuer: the provider, to the letter as its tokens have it; it is one of the
        services' `issuers`, too.
    :param oidc_client_id: how the provider calls this console.
    :param oidc_client_secret: what it gave the console to prove that; "": a public client.
    :param oidc_scopes: asked for, with spaces between them; `openid` is among them.
    :param oidc_ca: file in PEM with the authorities of its certificate; None: those everybody
        knows.
    :param public_url: by which browsers come, such as https://oms.shop.example; "": by whichever
        they do, which is for loopback addresses.
    """

    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scopes: str = "openid"
    oidc_ca: Path | None = None
    public_url: str = ""

    @field_validator("oidc_issuer", "public_url")
    @classmethod
    def _sound(cls, value: str) -> str:
        return require_sound(value) if value else value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.path.strip("/") or parts.query:
            raise ValueError("is https://HOST or https://HOST:PORT: the console is at /console")
        return value.rstrip("/")

    @field_validator("oidc_client_secret")
    @classmethod
    def _without_line_break(cls, value: SecretStr) -> SecretStr:
        return SecretStr(value.get_secret_value().strip())

    @field_validator("oidc_scopes")
    @classmethod
    def _with_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("needs openid: else the provider does not say who somebody is")
        return " ".join(value.split())

    @model_validator(mode="after")
    def _whole_sign_in(self) -> "SignInSettings":
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise ValueError("oidc_issuer and oidc_client_id are told together")
        read_material(TlsFiles(ca=self.oidc_ca))
        return self

    def require_known_address(self, listen: str) -> None:
        """See that the provider can be told where to send people back.

        :param listen: HOST:PORT, or HOST, where browsers come to.
        :raises ValueError: others than this machine come there, by a name that is not told.
        """
        host = listen.rpartition(":")[0] or listen
        if self.oidc_issuer and not self.public_url and not is_loopback(host.strip("[]")):
            raise ValueError(
                "oidc_issuer needs public_url: the address by which browsers come, such as "
                "https://oms.shop.example"
            )


NO_PROVIDER = SignInSettings()


class ConsoleSettings(ServiceSettings, PortSettings, SignInSettings):
    """What an operator may set; the defaults suit a machine of one's own.

    :param listen: HOST:PORT of the console; port 0 picks a free one.
    :param orders: HOST:PORT of Orders' gRPC server, `inventory` and `notifier` likewise.
    :param https: browsers come by HTTPS, through a proxy that has the certificate: cookies are for
        HTTPS alone. With a certificate of the console's own they always are.
    :param files: folder for files that are taken in, for how far each has come, and for saved
        views, which no other process uses. None: one that is removed when this process ends.
    :param services_ca: file in PEM with the authorities of the services' certificates; none: they
        are asked without TLS.
    :param services_certificate: file in PEM with the certificate that they ask us for.
    :param services_key: file in PEM with its key.
    """

    listen: Address = "127.0.0.1:7007"
    orders: Address = "127.0.0.1:7001"
    inventory: Address = "127.0.0.1:7002"
    notifier: Address = "127.0.0.1:7005"
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
        self.require_known_address(self.listen)
        return self


def load(config: Path | None = None) -> ConsoleSettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is malformed or unknown; the message names it.
    """
    return load_settings(ConsoleSettings, "console", config)
