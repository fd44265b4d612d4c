"""A certificate authority of a test's own: certificates of any name, age and issuer, as files."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Pair(NamedTuple):
    """A certificate and its key, as files in PEM."""

    certificate: Path
    key: Path


class Authority:
    """It signs what it is asked to; `ca` is what others trust it by.

    :param folder: of all its files.
    """

    def __init__(self, folder: Path, name: str = "Holdfast tests") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        builder = _unsigned(self._name, self._name, self._key.public_key(), age=DAY, life=DAY)
        own = builder.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        self.ca = folder / f"{name}.ca.pem"
        self.ca.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        file: str,
        *names: str,
        age: timedelta = timedelta(minutes=1),
        life: timedelta = DAY,
        by_itself: bool = False,
    ) -> Pair:
        """Issue a certificate for these names, the first of which is its subject too.

        :param file: what the files are called; those of the same name are replaced, as a renewal
            replaces them.
        :param age: how long ago it began to be good, for `life`.
        :param by_itself: signed with its own key in place of the authority's.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        issuer = subject if by_itself else self._name
        builder = _unsigned(subject, issuer, key.public_key(), age=age, life=life)
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(key if by_itself else self._key, hashes.SHA256())
        pair = Pair(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        _replace(
            pair.key,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        _replace(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return pair


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    age: timedelta,
    life: timedelta,
) -> x509.CertificateBuilder:
    begins = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + 2 * life if subject == issuer else begins + life)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.UniformResourceIdentifier(name) if "://" in name else x509.DNSName(name)


def _replace(file: Path, content: bytes) -> None:
    """Put a file in the place of another, whole at every moment."""
    new = file.with_suffix(f"{file.suffix}.new")
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(file)
