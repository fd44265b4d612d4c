"""Which names are those of this machine."""

import pytest

from holdfast.chassis.http.hosts import hosts_of

OURS = [
    "localhost", "localhost:7000", "localhost.", "api.localhost", "127.0.0.1:1", "127.1.2.3",
    "[::1]", "[::1]:7000", None,
]  # fmt: skip
OTHERS = [
    "", "evil.example", "evil.example:7000", "localhost.evil.example", "notlocalhost",
    "127.0.0.1.evil.example", "127.0.0.1@evil.example", "10.0.0.1", "[::2]", "[::1", "::1",
    "[evil.example]", "2130706433", "localhost, evil.example", "localhost:evil.example",
    "localhost/evil.example", "127.0.0.1:7000:80", "\u2113ocalhost", "[::]",
]  # fmt: skip


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:7000", "localhost:7000", "[::1]:7000", "127.5.5.5:1"]
)
@pytest.mark.parametrize("host", OURS)
def test_a_name_of_this_machine_is_ours(listen: str, host: str | None) -> None:
    is_ours = hosts_of(listen)

    assert is_ours is not None
    assert is_ours(host)


@pytest.mark.parametrize("host", OTHERS)
def test_every_other_name_is_not(host: str) -> None:
    is_ours = hosts_of("127.0.0.1:7000")

    assert is_ours is not None
    assert not is_ours(host)


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:7000", "[::]:7000", "10.0.0.1:7000", "shop.example:80"]
)
def test_a_server_for_other_machines_is_called_as_they_like(listen: str) -> None:
    assert hosts_of(listen) is None


def test_a_name_that_is_set_is_ours_with_any_port() -> None:
    is_ours = hosts_of("127.0.0.1:7000", ["Shop.example", "oms.example:8443"])

    assert is_ours is not None
    assert is_ours("shop.example:443")
    assert is_ours("OMS.example")
    assert not is_ours("example")
