"""TLS as a caller tells it: whom to trust, and what to be known by."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from holdfast.client._checks import Checks


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM, read when the client is made; none of them: who everybody trusts is trusted.

    :param ca: the authorities of the services' certificates.
    :param certificate: one's own, for services that ask for one, with `key`.
    """

    ca: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None


def credentials(tls: object) -> grpc.ChannelCredentials | None:
    """Read what `tls` names; None: no TLS.

    :raises InvalidRequest: a file can't be read, or is missing beside another.
    """
    if tls is None or tls is False:
        return None
    chosen = Tls() if tls is True else tls
    checks = Checks()
    if not isinstance(chosen, Tls):
        checks.is_a("tls", tls, Tls)
        checks.raise_any()
    assert isinstance(chosen, Tls), "else it was refused"
    material = [_read(checks, chosen, name) for name in ("ca", "key", "certificate")]
    checks.raise_any()
    _require_usable(checks, chosen)
    checks.raise_any()
    return grpc.ssl_channel_credentials(*material)


def _read(checks: Checks, tls: Tls, name: str) -> bytes | None:
    file = getattr(tls, name)
    if file is None or not (isinstance(file, Path) or checks.text(f"tls.{name}", file) == file):
        return None
    try:
        return Path(file).read_bytes()
    except OSError as error:
        checks.add(f"tls.{name}", f"{file}: {error.strerror}")
    except ValueError:
        checks.add(f"tls.{name}", f"{file!r} is no path")
    return None


def _require_usable(checks: Checks, tls: Tls) -> None:
    """See that gRPC can use the files: it would say so only by never getting through."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca is not None:
        try:
            context.load_verify_locations(tls.ca)
        except ssl.SSLError:
            checks.add("tls.ca", f"{tls.ca}: has no certificates in PEM")
    if (tls.certificate is None) != (tls.key is None):
        checks.add("tls.key", "belongs to a certificate: name both files or none")
    elif tls.certificate is not None:
        try:
            context.load_cert_chain(tls.certificate, tls.key, password="")
        except (ssl.SSLError, ValueError):
            told = "are no certificate and its key, in PEM and without a passphrase"
            checks.add("tls.certificate", f"{tls.certificate} and {tls.key}: {told}")
