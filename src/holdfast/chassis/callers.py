"""Whom a call is counted for: shares and limits go by it, rights don't."""

from contextvars import ContextVar
from ipaddress import IPv6Address, IPv6Network
from urllib.parse import unquote

from holdfast.chassis.identity import principal

NOBODY = ""  # this process itself, and who comes over its private socket
PREFIX_BITS = 64  # of IPv6: whoever has one address has all of these

current: ContextVar[str] = ContextVar("caller", default=NOBODY)


def address_of(peer: str) -> str:
    """Return the address in what gRPC calls a peer, without its port: of IPv6 the network. IPv4
    that is written as IPv6, as it is where one socket listens to both, is IPv4.

    :param peer: such as ipv4:127.0.0.1:5000, ipv6:%5B::1%5D:5000 or unix:PATH.
    """
    scheme, _, rest = peer.partition(":")
    if scheme == "ipv4":
        return rest.rpartition(":")[0]
    if scheme == "ipv6":
        host = unquote(rest).rpartition(":")[0].strip("[]").partition("%")[0]
        mapped = IPv6Address(host).ipv4_mapped
        return str(mapped or IPv6Network((host, PREFIX_BITS), strict=False))
    return NOBODY


def named(address: str) -> str:
    """Return whom a call from there is counted for: the principal, or else the address."""
    known = principal.current.get(None)
    return known.name if known is not None else address
