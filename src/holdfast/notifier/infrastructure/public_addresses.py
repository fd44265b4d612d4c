"""Which addresses webhooks may be sent to: public ones, and what an operator opens on purpose.

Whoever may make a webhook says where we connect to, from inside of the operator's network. The
tables follow the registries of IANA (iana-ipv4-special-registry, iana-ipv6-special-registry, with
RFC 6890), not `ipaddress.is_global`, which calls some of these public that are not, and others in
other versions of Python.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(table: str) -> list[Network]:
    return [ip_network(line.split()[0]) for line in table.splitlines() if line.strip()]


_LOOPBACK = _networks("""
    127.0.0.0/8
    ::1/128
""")

# Nobody's receiver is there, so no `allowed_networks` opens them, not even 0.0.0.0/0. Loopback is
# among them in its own way. The last five are where clouds tell a machine its secrets.
_NEVER = _networks("""
    0.0.0.0/8            this network (RFC 791)
    169.254.0.0/16       link-local, metadata of most clouds (RFC 3927)
    224.0.0.0/4          multicast (RFC 5771)
    255.255.255.255/32   broadcast (RFC 8190)
    ::/128               unspecified (RFC 4291)
    fe80::/10            link-local (RFC 4291)
    ff00::/8             multicast (RFC 4291)
    168.63.129.16/32     Azure, in a public range
    100.100.100.200/32   Alibaba Cloud
    192.0.0.192/32       Oracle Cloud
    fd00:ec2::/32        AWS
    fd20:ce::/32         Google Cloud
""")

_NOT_PUBLIC = _networks("""
    10.0.0.0/8           private (RFC 1918)
    100.64.0.0/10        shared by a carrier's customers (RFC 6598)
    172.16.0.0/12        private (RFC 1918)
    192.0.0.0/24         protocol assignments (RFC 6890)
    192.0.2.0/24         documentation (RFC 5737)
    192.88.99.0/24       relays of 6to4 (RFC 7526)
    192.168.0.0/16       private (RFC 1918)
    198.18.0.0/15        benchmarks (RFC 2544)
    198.51.100.0/24      documentation (RFC 5737)
    203.0.113.0/24       documentation (RFC 5737)
    240.0.0.0/4          reserved (RFC 1112)
    2001::/23            protocol assignments, Teredo, ORCHID (RFC 2928)
    2001:db8::/32        documentation (RFC 3849)
    2002::/16            6to4: an IPv4 address of any kind is in it (RFC 3056)
    3fff::/20            documentation (RFC 9637)
""")

# Of IPv6 only this is given to anybody (RFC 4291): private (fc00::/7), site-local (fec0::/10),
# IPv4-compatible (::/96), local NAT64 (64:ff9b:1::/48) and all else are outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# An IPv4 address in other clothes: what is in it counts. Mapped (RFC 4291) is how a socket of IPv6
# shows one, and NAT64 (RFC 6052) is how a network without IPv4 reaches one.
_WRAPPED_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))


class AddressRule:
    """What may be connected to.

    :param allowed_networks: opened by an operator on purpose, although they are not public.
    :param loopback: whether this machine itself is open.
    """

    def __init__(self, allowed_networks: Iterable[Network] = (), *, loopback: bool = False) -> None:
        self._allowed, self._loopback = tuple(allowed_networks), loopback

    def allows(self, address: Address | str) -> bool:
        """Whether webhooks may be sent there."""
        return self.opens(address) or is_public(address)

    def opens(self, address: Address | str) -> bool:
        """Whether an operator's settings name it."""
        if is_loopback(address):
            return self._loopback
        plain = _plain(address)
        return plain is not None and _in(plain, self._allowed) and not _in(plain, _NEVER)


def is_loopback(address: Address | str) -> bool:
    """Whether it is this machine itself."""
    plain = _plain(address)
    return plain is not None and _in(plain, _LOOPBACK)


def is_public(address: Address | str) -> bool:
    """Whether anybody on the Internet may have this address, and anybody there may reach it."""
    plain = _plain(address)
    if plain is None or _in(plain, _NEVER) or _in(plain, _LOOPBACK) or _in(plain, _NOT_PUBLIC):
        return False
    return isinstance(plain, IPv4Address) or plain in _GLOBAL_UNICAST


def _plain(address: Address | str) -> Address | None:
    """Return the address that is meant; None: it holds only on one of this machine's networks."""
    plain = ip_address(address)
    if isinstance(plain, IPv4Address):
        return plain
    if plain.scope_id is not None:
        return None
    if any(plain in network for network in _WRAPPED_IPV4):
        return IPv4Address(int(plain) & 0xFFFF_FFFF)
    return plain


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)  # one of the other version is in none
