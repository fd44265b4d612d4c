"""E-mail addresses: which of them mail is sent to and from."""

import re
from typing import NamedTuple

import idna

from holdfast.chassis.identifiers import flaw_in

# RFC 5321, section 4.5.3.1.
LOCAL_BYTES_MAX = 64
DOMAIN_BYTES_MAX = 253
ADDRESS_BYTES_MAX = 254  # of the 256 of a path, two are its brackets

# A Dot-string of RFC 5321, section 4.1.2, with letters of any script (RFC 6531, section 3.3). A
# Quoted-string is not taken: nearly no server has such a mailbox, and all that can hide in it does.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff.-]+")
# Begins a word that is encoded (RFC 2047): who decodes it may find a line break in it.
_ENCODED = "=?"
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


class AddressUnusable(ValueError):
    """No mail is sent there; the message tells why, and not the address."""


class Address(NamedTuple):
    """One mailbox.

    :param domain: in ASCII, as DNS has it (IDNA 2008, RFC 5891).
    """

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only a server with SMTPUTF8 (RFC 6531) can be told of it."""
        return not self.local.isascii()


def read(text: str) -> Address:
    """Read one address without a name: what RFC 5321 calls a mailbox of a Dot-string and a domain.

    Not taken are quoted local parts, encoded words, comments, addresses of hosts in brackets, and
    characters that nobody sees.

    :raises AddressUnusable: it is none of these.
    """
    if flaw_in(text) is not None:
        raise AddressUnusable("the e-mail address has characters that nobody sees, or a blank")
    local, at, domain = text.rpartition("@")
    if not at or "@" in local:
        raise AddressUnusable("the e-mail address is not one address such as ada@example.org")
    if not _LOCAL.fullmatch(local) or "" in local.split(".") or _ENCODED in local:
        raise AddressUnusable(
            "the e-mail address has something before its @ that can't be there: it stands alone, "
            "as ada@example.org"
        )
    address = Address(local, _read_domain(domain))
    if len(local.encode()) > LOCAL_BYTES_MAX or len(str(address).encode()) > ADDRESS_BYTES_MAX:
        raise AddressUnusable("the e-mail address is longer than one may be")
    return address


def _read_domain(text: str) -> str:
    try:
        domain = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
    except idna.IDNAError as error:
        raise AddressUnusable("the e-mail address has a domain that can't be one") from error
    labels = domain.split(".")
    if not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdecimal():
        raise AddressUnusable("the e-mail address has a domain that can't be one")
    if len(domain) > DOMAIN_BYTES_MAX:
        raise AddressUnusable("the e-mail address is longer than one may be")
    return domain
