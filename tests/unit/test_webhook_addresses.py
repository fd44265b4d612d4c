"""Which addresses are public, each kind of those that are not, and what an operator may open."""

from ipaddress import ip_network

import pytest

from holdfast.notifier.infrastructure.public_addresses import AddressRule, is_loopback, is_public

PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34
    100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0
    172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255
    192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
    223.255.255.255 168.63.129.15 168.63.129.17
    2000:: 2001:200:: 2001:db7:ffff:: 2001:db9:: 2003:: 2606:4700:4700::1111 2a00:1450:4001::
    3ffe:ffff:: 3fff:1000::
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8
""".split()

# Each with the reason why it is not public; the edges of every range are among them.
NOT_PUBLIC = {
    "this network": "0.0.0.0 0.0.0.1 0.255.255.255",
    "private": "10.0.0.0 10.0.0.1 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 "
    "192.168.255.255",
    "carrier-grade NAT": "100.64.0.0 100.100.100.200 100.127.255.255",
    "loopback": "127.0.0.0 127.0.0.1 127.255.255.255 ::1",
    "link-local": "169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255 fe80:: fe80::1 "
    "febf:ffff::",
    "protocol assignments": "192.0.0.0 192.0.0.9 192.0.0.170 192.0.0.192 192.0.0.255 2001:: "
    "2001:1ff:ffff::",
    "documentation": "192.0.2.0 192.0.2.255 198.51.100.0 198.51.100.255 203.0.113.0 "
    "203.0.113.255 2001:db8:: 2001:db8:ffff:ffff:: 3fff:: 3fff:fff:ffff::",
    "relays of 6to4": "192.88.99.0 192.88.99.1 192.88.99.255",
    "benchmarks": "198.18.0.0 198.19.255.255 2001:2::",
    "multicast": "224.0.0.0 224.0.0.251 239.255.255.255 ff00:: ff02::1 ffff:ffff::",
    "reserved": "240.0.0.0 250.1.2.3 255.255.255.254",
    "broadcast": "255.255.255.255",
    "unspecified": "::",
    "secrets of a cloud": "168.63.129.16 fd00:ec2::254 fd20:ce::254",
    "unique local": "fc00:: fd00::1 fdff:ffff::",
    "site-local": "fec0:: fec0::1 feff:ffff::",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:808:808::",
    "ORCHID": "2001:10:: 2001:20::",
    "6to4, whatever is in it": "2002:: 2002:7f00:1:: 2002:a00:1:: 2002:808:808:: 2002:ffff::",
    "mapped, not public inside": "::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 "
    "::ffff:0.0.0.0 ::ffff:192.168.1.1 ::ffff:100.64.0.1 ::ffff:224.0.0.1",
    "NAT64, not public inside": "64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 "
    "64:ff9b::192.168.0.1 64:ff9b::",
    "local NAT64": "64:ff9b:1::8.8.8.8 64:ff9b:1:ffff::",
    "IPv4-compatible": "::8.8.8.8 ::127.0.0.1 ::2",
    "translated (RFC 2765)": "::ffff:0:8.8.8.8 ::ffff:0:7f00:1",
    "discard-only": "100:: 100::1",
    "segment routing": "5f00:: 5f00::1",
    "given to nobody": "4000:: 1fff:ffff:: 8000:: e000::",
    "of one network of this machine": "fe80::1%eth0 2606:4700::1%1 ::1%lo",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_public(address)
    assert AddressRule().allows(address)


@pytest.mark.parametrize(
    ("why", "address"), [(why, one) for why, texts in NOT_PUBLIC.items() for one in texts.split()]
)
def test_an_address_that_is_not_public_is_refused(why: str, address: str) -> None:
    assert not is_public(address), why
    assert not AddressRule().allows(address), why


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("10.0.0.0/8", "10.200.3.4"),
        ("10.0.0.0/8", "::ffff:10.200.3.4"),
        ("10.0.0.0/8", "64:ff9b::10.200.3.4"),
        ("100.64.0.0/10", "100.64.7.7"),
        ("192.168.7.0/24", "192.168.7.255"),
        ("198.18.0.0/15", "198.18.0.1"),
        ("fd12:3456::/32", "fd12:3456:789a::1"),
        ("203.0.113.7/32", "203.0.113.7"),
    ],
)
def test_an_operator_opens_a_network(network: str, address: str) -> None:
    rule = AddressRule([ip_network(network)])

    assert rule.allows(address)
    assert rule.opens(address)
    assert not AddressRule().opens(address)


@pytest.mark.parametrize("address", ["192.168.8.0", "192.168.6.255", "10.0.0.1", "fd12::1"])
def test_what_lies_beside_an_opened_network_stays_closed(address: str) -> None:
    assert not AddressRule([ip_network("192.168.7.0/24")]).allows(address)


@pytest.mark.parametrize(
    "address",
    """
    0.0.0.0 127.0.0.1 169.254.169.254 168.63.129.16 100.100.100.200 192.0.0.192 224.0.0.1
    255.255.255.255 :: ::1 fe80::1 fd00:ec2::254 fd20:ce::254 ff02::1 ::ffff:169.254.169.254
    64:ff9b::169.254.169.254 fe80::1%eth0 2606:4700::1%1
    """.split(),
)
def test_some_are_opened_by_no_network(address: str) -> None:
    everything = AddressRule([ip_network("0.0.0.0/0"), ip_network("::/0")])

    assert not everything.allows(address)
    assert everything.allows("10.0.0.1")
    assert everything.allows("fd12::1")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_opened_by_its_own_setting_alone(address: str) -> None:
    assert is_loopback(address)
    assert AddressRule(loopback=True).allows(address)
    assert not AddressRule([ip_network("127.0.0.0/8"), ip_network("::1/128")]).allows(address)
    assert not AddressRule(loopback=True).allows("10.0.0.1")
    assert not AddressRule(loopback=True).allows("::1%lo")


def test_a_public_address_is_not_opened_by_settings() -> None:
    assert not AddressRule([ip_network("10.0.0.0/8")], loopback=True).opens("8.8.8.8")


@pytest.mark.parametrize("text", ["", "example.com", "0x7f.1", "2130706433", "127.1", "010.0.0.1"])
def test_what_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        is_public(text)
