"""Where is sent to: names and addresses that are refused, and certificates that are."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.notifier.domain.delivery import Answer, UrlRefused
from holdfast.notifier.infrastructure import guarded_network, sending
from holdfast.notifier.infrastructure.sending import Sender
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings
from tests.integration.webhook_receivers import (
    BODY,
    HEADERS,
    HERE,
    OK,
    SOON_S,
    Looks,
    Names,
    answering,
    open_sender,
    receiving,
    what_comes_of,
)

PUBLIC = "93.184.215.14"  # nothing is ever sent there: no network of a test leads to it


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://10.0.0.1/", "address 10.0.0.1 is not public"),
        ("https://169.254.169.254/latest/meta-data/", "address 169.254.169.254 is not public"),
        ("https://[::1]/", "address ::1 is not public"),
        ("https://[::ffff:127.0.0.1]/", "address ::ffff:7f00:1 is not public"),
        ("https://[64:ff9b::10.0.0.1]/", "address 64:ff9b::a00:1 is not public"),
        ("https://0.0.0.0/", "address 0.0.0.0 is not public"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://localhost/", "is not public"),
        ("https://user:secret@127.0.0.1/", "user or a password"),
        ("ftp://127.0.0.1/", "begins with https://"),
        (f"http://{PUBLIC}/", "only https:// is sent to public hosts"),
        (f"https://{PUBLIC}:8443/", "port 8443 is not allowed: use one of 443"),
        (f"https://{PUBLIC}:22/", "port 22 is not allowed: use one of 443"),
        ("https://no-such-host.invalid/", "there is no host no-such-host.invalid"),
    ],
)
async def test_what_is_not_allowed_is_refused_by_the_system_s_own_names(
    url: str, message: str
) -> None:
    async with open_sender(webhook_loopback=False) as sender:
        with pytest.raises(UrlRefused) as refused:
            await sender.require_allowed(url)
        answer = await sender.post(url, BODY, HEADERS)

    assert message in str(refused.value)
    assert "secret" not in str(refused.value)
    assert answer == Answer(0, str(refused.value))


NAMES: Looks = {
    "public.example": [[PUBLIC, "2606:4700::1"]],
    "private.example": [["192.168.1.7"]],
    "both.example": [[PUBLIC, "10.0.0.1"]],
    "both6.example": [[PUBLIC, "fd00::1"]],
    "metadata.example": [["169.254.169.254"]],
    "zone.example": [["fe80::1%eth0"]],
    "here.example": [[HERE]],
}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("private.example", "192.168.1.7"),
        ("both.example", "10.0.0.1"),
        ("both6.example", "fd00::1"),
        ("metadata.example", "169.254.169.254"),
        ("zone.example", "fe80::1%eth0"),
        ("here.example", HERE),
    ],
)
async def test_a_name_with_any_address_that_is_not_public_is_refused(
    host: str, address: str
) -> None:
    async with open_sender(NAMES, webhook_loopback=False) as sender:
        with pytest.raises(UrlRefused, match=f"address {address} is not public"):
            await sender.require_allowed(f"https://{host}/")
        answer = await sender.post(f"https://{host}/", BODY, HEADERS)

    assert answer == Answer(0, f"address {address} is not public")


async def test_a_public_name_is_allowed() -> None:
    async with open_sender(NAMES, webhook_loopback=False) as sender:
        await sender.require_allowed("https://public.example/hook")
        await sender.require_allowed("https://PUBLIC.example:443/hook")


async def test_an_operator_opens_networks_and_ports() -> None:
    settings = {
        "webhook_networks": ["192.168.1.0/24"],
        "webhook_ports": [443, 8080],
        "webhook_loopback": False,
    }
    async with open_sender(NAMES, **settings) as sender:
        await sender.require_allowed("https://private.example/")
        await sender.require_allowed("http://private.example:8080/")
        await sender.require_allowed("https://public.example:8080/")
        for url, message in (
            ("http://private.example/", "port 80 is not allowed: use one of 443, 8080"),
            ("http://public.example:8080/", "only https://"),
            ("https://both.example/", "10.0.0.1 is not public"),
            ("https://here.example/", f"{HERE} is not public"),
        ):
            with pytest.raises(UrlRefused, match=message):
                await sender.require_allowed(url)


async def test_a_name_that_turns_private_after_the_check_is_not_connected_to() -> None:
    """DNS rebinding: a public address when somebody looks, this machine when it is connected to."""
    async with receiving(answering(OK)) as receiver:
        names = {"rebinding.example": [[PUBLIC], [HERE]]}
        async with open_sender(
            names, webhook_loopback=False, webhook_ports=[receiver.port]
        ) as sender:
            url = f"https://rebinding.example:{receiver.port}/"
            await sender.require_allowed(url)
            answer = await sender.post(url, BODY, HEADERS)

    assert answer == Answer(0, f"address {HERE} is not public")
    assert receiver.visits == []


async def test_what_was_looked_at_is_connected_to_without_a_second_look() -> None:
    async with receiving(answering(OK)) as receiver:
        names = {"rebinding.example": [[HERE], ["10.0.0.1"]]}
        async with open_sender(names) as sender:
            url = f"http://rebinding.example:{receiver.port}/"
            first = await sender.post(url, BODY, HEADERS)
            await asyncio.sleep(0.05)  # until the receiver has ended the connection
            second = await sender.post(url, BODY, HEADERS)

    assert first == Answer(204)
    assert second == Answer(0, "address 10.0.0.1 is not public")
    assert b"Host: rebinding.example:" in receiver.requests[0]


async def test_a_name_s_own_address_is_connected_to() -> None:
    names = {"third.example": [["127.0.0.3"]], "here.example": [[HERE]]}
    async with receiving(answering(OK), at="127.0.0.3") as receiver, open_sender(names) as sender:
        arrived = await sender.post(f"http://third.example:{receiver.port}/", BODY, HEADERS)
        refused = await sender.post(f"http://here.example:{receiver.port}/", BODY, HEADERS)

    assert arrived == Answer(204)
    assert refused == Answer(0, "here.example refused the connection")


async def test_two_names_of_one_address_share_no_connection() -> None:
    names = {"one.example": [[HERE]], "other.example": [[HERE]]}
    async with receiving(answering(OK, OK)) as receiver, open_sender(names) as sender:
        for name in names:
            url = f"http://{name}:{receiver.port}/"
            assert (await sender.post(url, BODY, HEADERS)).status == 204

    assert len(receiver.visits) == 2


async def test_the_next_address_is_tried_where_one_is_of_no_use() -> None:
    names = {"two.example": [["127.0.0.2", HERE]]}
    async with receiving(answering(OK)) as receiver, open_sender(names) as sender:
        answer = await sender.post(f"http://two.example:{receiver.port}/", BODY, HEADERS)

    assert answer.status == 204


async def test_nobody_listens() -> None:
    async with receiving(answering(OK)) as receiver:
        pass
    answer = await what_comes_of(receiver)

    assert answer == Answer(0, f"{HERE} refused the connection")


async def test_a_slow_name_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Names):
        async def addresses(self, host: str) -> Sequence[str]:
            await asyncio.sleep(60)
            return []

    monkeypatch.setattr(guarded_network, "CONNECT_S_MAX", SOON_S)
    monkeypatch.setattr(sending, "CONNECT_S_MAX", SOON_S)
    async with Sender(WebhookSettings(), SystemClock(), Silent({})) as sender:
        with pytest.raises(UrlRefused, match="could not be looked up within"):
            await sender.require_allowed("https://slow.example/")
        answer = await sender.post("https://slow.example/", BODY, HEADERS)

    assert answer == Answer(0, f"no connection to slow.example within {SOON_S} s")


async def test_the_system_s_names_are_looked_up_and_known_by_themselves() -> None:
    async with receiving(answering(OK)) as receiver, open_sender() as sender:
        send = partial(sender.post, f"http://localhost:{receiver.port}/", BODY, HEADERS)
        answers = await asyncio.gather(*(send() for _ in range(5)))

    assert [answer.status for answer in answers] == 5 * [204]
