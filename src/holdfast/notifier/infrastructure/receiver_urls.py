"""URLs of receivers, read strictly: what two parsers might read in two ways is refused."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from holdfast.notifier.domain.delivery import UrlRefused

URL_CHARACTERS_MAX = 2_000
DEFAULT_PORTS = {"https": 443, "http": 80}

_HOST_CHARACTERS_MAX = 253  # RFC 1035, as text without the last dot

_URL = re.compile(r"(https?)://([^/?]*)(/[^?]*)?(\?.*)?", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(\d{1,5}))?", re.ASCII)
_NAME = re.compile(r"(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
# What inet_aton and the WHATWG's "ends in a number" take for an IPv4 address: 0x7f.1, 2130706433.
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)", re.ASCII)


class ReceiverUrl(NamedTuple):
    """A URL in its parts.

    :param scheme: https or http.
    :param host: a name in lower case or an address in its usual form, IPv6 without brackets.
    :param port: also where it is the scheme's own.
    :param target: path and query, as they were written.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        """As HTTP wants it: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """The whole, as there is only one way to read it."""
        return f"{self.scheme}://{self.host_header}{self.target}"


def parse(url: str) -> ReceiverUrl:
    """Read a URL such as https://shop.example/webhooks?from=holdfast.

    :raises UrlRefused: it has another form; the message says what is wrong and never repeats a
        path or a password.
    """
    if len(url) > URL_CHARACTERS_MAX:
        raise UrlRefused(f"a URL has at most {URL_CHARACTERS_MAX:,} characters, not {len(url):,}")
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise UrlRefused(
            "a URL holds only printable ASCII characters and no backslash: write other characters "
            "of a path as %XX, and a name in other letters in its xn-- form"
        )
    if "#" in url:
        raise UrlRefused("a URL with a fragment (#...) is refused: it would not be sent")
    found = _URL.fullmatch(url)
    if found is None:
        raise UrlRefused("a URL begins with https:// and a host")
    scheme, authority, path, query = found.groups()
    host, port = _host_and_port(authority)
    scheme = scheme.lower()
    return ReceiverUrl(scheme, host, port or DEFAULT_PORTS[scheme], (path or "/") + (query or ""))


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise UrlRefused("a URL with a user or a password is refused: what is sent is signed")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise UrlRefused("a URL has a host, and after it at most a port of 1 to 65535")
    host, digits = found.groups()
    port = None if digits is None else int(digits)
    if port is not None and not 1 <= port <= 65_535:
        raise UrlRefused(f"port {port} does not exist: ports are 1 to 65535")
    return _host(host.lower()), port


def _host(text: str) -> str:
    """Return a host as there is only one way to read it."""
    if text == "":
        raise UrlRefused("a URL has a host")
    if text.startswith("["):
        return _ipv6(text)
    if _NUMBER.fullmatch(text):
        return _ipv4(text)
    if text.endswith("."):
        raise UrlRefused("a host is written without a dot at its end")
    if len(text) > _HOST_CHARACTERS_MAX or not _NAME.fullmatch(text):
        raise UrlRefused("the host is no name: names are labels of a-z, 0-9 and -, between dots")
    return text


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError as error:
        raise UrlRefused(
            "an IPv4 address is written as four decimal numbers without leading zeros"
        ) from error


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text[1:-1])
    except AddressValueError as error:
        raise UrlRefused("what stands in brackets is no IPv6 address") from error
    if address.scope_id is not None:
        raise UrlRefused("an IPv6 address with a zone (%...) is refused: it holds only here")
    return str(address)
