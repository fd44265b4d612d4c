"""API keys as text, and what is kept of one: never the text.

hf_live_<id>_<secret>_<checksum>: the prefix and the checksum let secret scanners find one that lies
about, and let us tell a typing error from a foreign key without asking anybody.
"""

import hmac
import re
import string
import zlib
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import unquote

import structlog

from holdfast.chassis.clock import new_secret
from holdfast.chassis.identity.principal import Principal

PREFIX = "hf_live_"
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 12, 43, 6  # 43 of 62 characters are 256 bits

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_DIGITS = string.digits + string.ascii_lowercase
_FORM = re.compile(r"hf_live_([0-9a-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})", re.ASCII)

# Texts, good or bad, whose reading and digest are at hand: together 10 µs of every call. What can
# be sent as a key is as long as a call's headers may be.
REMEMBERED = 256

Network = IPv4Network | IPv6Network

log = structlog.get_logger()


class WrittenKey(NamedTuple):
    """What a key's text says; it shows no more of itself than its id."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"WrittenKey({self.key_id!r}, ...)"


class Key(NamedTuple):
    """What is kept of a key.

    :param grants: roles and scopes, as they were given.
    :param networks: where it may be used from; none: anywhere.
    :param version: rises with every change.
    :param used_at: about when it was last used.
    :param user: who signed in for it; "": it was made for somebody to keep.
    """

    key_id: str
    name: str
    digest: bytes
    grants: tuple[str, ...]
    networks: tuple[Network, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    version: int = 1
    used_at: datetime | None = None
    user: str = ""

    def within(self, networks: Iterable[str]) -> "Key":
        """Return the key as it is used from these networks, as they are kept. Where one can't be
        read, the key has ended: it must be good from nowhere, and keep no other from being read.
        """
        try:
            return self._replace(networks=tuple(map(network_of, networks)))
        except ValueError as error:
            log.warning(
                "key can't be read and is no longer good", key_id=self.key_id, why=str(error)
            )
            return self._replace(networks=(), expires_at=self.created_at)

    def principal(self, scopes: frozenset[str]) -> Principal:
        return Principal(self.name, self.key_id, scopes, user=self.user)


def make() -> str:
    """Make the text of a new key."""
    return written(new_secret(ID_LENGTH, _ID_DIGITS), new_secret(SECRET_LENGTH, DIGITS))


def written(key_id: str, secret: str) -> str:
    """Return the text of a key."""
    return f"{PREFIX}{key_id}_{secret}_{_checksum(key_id, secret)}"


@lru_cache(REMEMBERED)
def read(text: str) -> WrittenKey | None:
    """Read a key; None: it is none, or has a typing error."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(found[1], found[2]) != found[3]:
        return None
    return WrittenKey(found[1], found[2])


@lru_cache(REMEMBERED)
def digest(pepper: bytes, secret: str) -> bytes:
    """Return what is kept of a secret. It has 256 bits, so that nobody guesses it, and a fast
    function is enough; without the pepper, a stolen table lets nobody check even a found key.
    """
    return hmac.digest(pepper, secret.encode(), "sha256")


def network_of(text: str) -> Network:
    """Read an address or a network; IPv4 that is written as IPv6 is IPv4, as it is of callers.

    :raises ValueError: it is neither.
    """
    network = ip_network(text)
    if network.version == 6 and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network


def is_in(peer: str, networks: tuple[Network, ...]) -> bool:
    """Whether what gRPC calls a peer is in one of these networks; without an address it isn't."""
    scheme, _, rest = peer.partition(":")
    if scheme not in ("ipv4", "ipv6"):
        return False
    address = ip_address(unquote(rest).rpartition(":")[0].strip("[]").partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)


def _checksum(key_id: str, secret: str) -> str:
    number = zlib.crc32(f"{PREFIX}{key_id}_{secret}".encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits


def derived(secret: str, purpose: str) -> str:
    """Return the text of the key that follows from a secret of any form."""
    number = int.from_bytes(hmac.digest(secret.encode(), purpose.encode(), "sha512"))
    key_id, number = _in_digits(number, _ID_DIGITS, ID_LENGTH)
    return written(key_id, _in_digits(number, DIGITS, SECRET_LENGTH)[0])


def _in_digits(number: int, digits: str, length: int) -> tuple[str, int]:
    """Return so many digits, the last first, and what is left of the number."""
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(digits))
        text += digits[digit]
    return text, number
