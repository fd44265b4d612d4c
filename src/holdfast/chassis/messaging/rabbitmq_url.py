"""The broker's address: what is wrong with it is told before anything starts."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

SCHEMES = ("amqp", "amqps")
FORM = "amqp://USER:PASSWORD@HOST/VHOST"


def checked(url: SecretStr) -> SecretStr:
    """Return the URL without blanks around it.

    :raises ValueError: no broker can be reached by it; the message tells why, and no secret.
    """
    text = url.get_secret_value().strip()
    scheme, slashes, _ = text.partition("://")
    if not slashes or scheme not in SCHEMES:
        raise ValueError(f"must begin with amqp:// or amqps://, as in {FORM}")
    if re.search(r"\s", text):
        raise ValueError(f"must contain no blanks; write them as %20, as in {FORM}")
    for one in urls_by_host(text):
        _check_host(one)
    return SecretStr(text)


def _check_host(url: str) -> None:
    hint = "in user, password and vhost write / as %2F, @ as %40, : as %3A, # as %23, ? as %3F"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"has a port that is none, or a broken address; {hint}") from None
    if not host:
        raise ValueError(f"names no host, or an empty one between commas; expected {FORM}")
    if parts.fragment:
        raise ValueError(f"has something after a #; {hint}")


def host_of(url: str) -> str:
    """Return HOST:PORT of a URL of one host, to be shown to people: it tells no secret."""
    return urlsplit(url).netloc.rpartition("@")[2]


def urls_by_host(url: str) -> list[str]:
    """Split amqp://USER:PASSWORD@HOST1:PORT1,HOST2:PORT2/VHOST into a URL of each host."""
    # By hand: the standard library takes several hosts for one, and brackets among them for none.
    scheme, slashes, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    login, at, hosts = authority.rpartition("@")
    start, end = scheme + slashes + login + at, rest[len(authority) :]
    return [start + host + end for host in hosts.split(",")]


BrokerUrl = Annotated[SecretStr, AfterValidator(checked)]
