"""What may be set of a service's port: its certificates, and how much one caller may ask."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from holdfast.chassis.tls import TlsFiles, read_material


def _separated(value: object) -> object:
    """A list, or its parts with commas between them, as the environment has it."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


Separated = BeforeValidator(_separated)
Names = Annotated[tuple[str, ...], Separated]


class CallerLimits(BaseModel):
    """How much one caller may ask; of several processes of a service each gives its share.

    A caller is whoever the credentials name; without any, who calls from the same address. An
    address may have several callers behind it, so it has a multiple of what one may.

    :param caller_requests_per_s: calls begun in a second; as many may come at once.
    :param caller_calls_max: calls under way.
    :param caller_streams_max: streams under way.
    :param callers_per_address: so many times as much for all from one address.
    :param call_s_max: how long a call may take, whatever its deadline says.
    :param stream_s_max: how long a stream may last; whoever still wants it begins another.
    """

    caller_requests_per_s: float = Field(default=10_000.0, gt=0)
    caller_calls_max: int = Field(default=5_000, gt=0)
    caller_streams_max: int = Field(default=1_000, gt=0)
    callers_per_address: int = Field(default=4, gt=0)
    call_s_max: float = Field(default=300.0, gt=0)
    stream_s_max: float = Field(default=3_600.0, gt=0)


class PortSettings(CallerLimits):
    """What a service's port asks of its callers.

    :param tls_certificate: file in PEM with the service's certificate and what leads from it to its
        authority; none: the port speaks no TLS.
    :param tls_key: file in PEM with its key.
    :param tls_client_ca: file in PEM with authorities: who calls needs a certificate of them.
    :param tls_client_names: alternative names, of which a caller's certificate must have one; none:
        any will do.
    :param http_hosts: names by which HTTP on a loopback address may be spoken to, beside those of
        this machine: what a proxy there passes on as Host.
    """

    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    tls_client_names: Names = ()
    http_hosts: Names = ()

    @property
    def tls(self) -> TlsFiles | None:
        """The port's certificates; None: it speaks no TLS."""
        if self.tls_certificate is None:
            return None
        return TlsFiles(self.tls_certificate, self.tls_key, self.tls_client_ca)

    @model_validator(mode="after")
    def _whole_tls(self) -> "PortSettings":
        require_together("tls_key", self.tls_key, tls_certificate=self.tls_certificate)
        require_together("tls_client_ca", self.tls_client_ca, tls_certificate=self.tls_certificate)
        if self.tls_client_names and self.tls_client_ca is None:
            raise ValueError(
                "tls_client_names needs tls_client_ca: else no certificate is asked for"
            )
        if self.tls is not None:
            read_material(self.tls)
        return self


def require_together(name: str, value: Path | None, **other: Path | None) -> None:
    """See that a file is not told without the other one, which it is no use without.

    :raises ValueError: it is.
    """
    ((other_name, other_value),) = other.items()
    if value is not None and other_value is None:
        raise ValueError(f"{name} needs {other_name}")


def shared(limits: CallerLimits, workers: int) -> CallerLimits:
    """Return what one of so many processes gives, at least one of each."""

    def part(whole: int) -> int:
        return max(whole // workers, 1)

    return limits.model_copy(
        update={
            "caller_requests_per_s": limits.caller_requests_per_s / workers,
            "caller_calls_max": part(limits.caller_calls_max),
            "caller_streams_max": part(limits.caller_streams_max),
        }
    )
