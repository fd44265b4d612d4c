"""Certificates as files: taken when they are renewed, without a restart; TLS 1.2 or newer.

A new certificate and its key are two files, and whoever writes them writes one first: the old pair
stays in use until the new one is whole.
"""

import ssl
import threading
import time
from pathlib import Path
from typing import NamedTuple

import structlog

LOOK_S = 1.0  # how old a renewed file may get before it is taken
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; 1.3 has no others worth a choice

log = structlog.get_logger()


class CertificateUnusable(ValueError):
    """A file of certificates or keys that can't be read, or that doesn't fit the others."""


class TlsFiles(NamedTuple):
    """Where certificates are, in PEM.

    :param certificate: one's own, with what leads from it to the authority.
    :param key: of that certificate, without a passphrase.
    :param ca: the authorities that those at the other end are trusted by; None: nobody is asked
        for a certificate (a server), or those that everybody knows (a client).
    """

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


class TlsMaterial(NamedTuple):
    """What the files held when they were last looked at and fitted each other."""

    certificate: bytes | None
    key: bytes | None
    ca: bytes | None


class Certificates:
    """The newest usable contents of some files; threads may share it.

    :raises CertificateUnusable: they are of no use already now.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._stamps = _stamps(files)
        self._material = read_material(files)
        self._looked_at = time.monotonic()
        self._looking = threading.Lock()

    def current(self) -> TlsMaterial:
        """Return the contents, the very same object until they are renewed; never fails."""
        with self._looking:
            if time.monotonic() - self._looked_at > LOOK_S:
                self._look()
            return self._material

    def _look(self) -> None:
        self._looked_at, stamps = time.monotonic(), _stamps(self._files)
        if stamps == self._stamps:
            return
        try:
            self._material = read_material(self._files)
        except CertificateUnusable as error:
            log.warning("renewed certificate is not taken, the old one stays", error=str(error))
        else:
            log.info("renewed certificate taken", certificate=str(self._files.certificate))
            self._stamps = stamps


class ReloadingContext:
    """An `ssl.SSLContext` for servers that hand one to asyncio; a handshake gets what is newest."""

    def __init__(self, files: TlsFiles) -> None:
        self._certificates = Certificates(files)
        self._files = files
        self._taken = self._certificates.current()
        self._newest = _server_context(files)
        self.context = _server_context(files)
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _old: ssl.SSLContext) -> None:
        material = self._certificates.current()
        if material is not self._taken:
            self._newest, self._taken = _server_context(self._files), material
        connection.context = self._newest


def read_material(files: TlsFiles) -> TlsMaterial:
    """Read the files and see that they fit each other.

    :raises CertificateUnusable: which file is of no use, and why.
    """
    material = _contents(files)
    if files.certificate is not None:
        _require_pair(files.certificate, files.key)
    if files.ca is not None:
        _require_authorities(files.ca)
    if material != _contents(files):
        raise CertificateUnusable("the files are being written just now")
    return material


def _server_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    assert files.certificate is not None, "a server has a certificate"
    context.load_cert_chain(files.certificate, files.key)
    if files.ca is not None:
        context.load_verify_locations(files.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _stamps(files: TlsFiles) -> list[tuple[int, int, int]]:
    """What changes with a file; a file that is away for a moment has none."""
    found = []
    for file in filter(None, files):
        try:
            state = file.stat()
        except OSError:
            continue
        found.append((state.st_ino, state.st_mtime_ns, state.st_size))
    return found


def _contents(files: TlsFiles) -> TlsMaterial:
    return TlsMaterial(*map(_read, files))


def _read(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateUnusable(f"{file}: {error.strerror}") from error


def _require_pair(certificate: Path, key: Path | None) -> None:
    if key is None:
        raise CertificateUnusable(f"{certificate}: its key is needed too")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _no_passphrase)
    except ssl.SSLError as error:
        reason = {"KEY_VALUES_MISMATCH": "the key belongs to another certificate"}
        told = reason.get(error.reason or "", "no certificate and its key in PEM")
        raise CertificateUnusable(f"{certificate} and {key}: {told}") from error
    except (OSError, ValueError) as error:
        raise CertificateUnusable(f"{certificate} and {key}: {error}") from error


def _no_passphrase() -> str:
    raise ValueError("a key with a passphrase can't be used: nobody is there to type it")


def _require_authorities(ca: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca)
    except (ssl.SSLError, OSError) as error:
        raise CertificateUnusable(f"{ca}: no certificates in PEM") from error
