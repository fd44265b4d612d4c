"""What is sent to receivers on real sockets, and what becomes of those that misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from pydantic import ValidationError

from holdfast.chassis.clock import SystemClock
from holdfast.notifier.domain.delivery import Answer, UrlRefused
from holdfast.notifier.infrastructure import guarded_network, sending
from holdfast.notifier.infrastructure.sending import Sender
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings
from testbed.authority import DAY, Authority, Pair
from tests.integration.webhook_receivers import (
    HERE,
    Looks,
    Names,
    Receiver,
    Visit,
    answering,
    endlessly,
    receiving,
    saying,
)

BODY = b'{"type":"holdfast.orders.v1.OrderConfirmed"}'
HEADERS = {"webhook-id": "e-1", "webhook-signature": "v1,xyz"}
OK = saying("204 No Content")
SOON_S = 0.5  # in place of what a receiver is given
PUBLIC = "93.184.215.14"  # nothing is ever sent there: no network of a test leads to it


@asynccontextmanager
async def open_sender(looks: Looks | None = None, **settings: object) -> AsyncIterator[Sender]:
    """One that may send to this machine, unless it is told otherwise."""
    chosen = WebhookSettings.model_validate({"loopback": True} | settings)
    async with Sender(chosen, SystemClock(), None if looks is None else Names(looks)) as sender:
        yield sender


async def what_comes_of(
    receiver: Receiver, sender: Sender | None = None, path: str = "/"
) -> Answer:
    url = f"http://{HERE}:{receiver.port}{path}"
    if sender is not None:
        return await sender.post(url, BODY, HEADERS)
    async with open_sender() as own:
        return await own.post(url, BODY, HEADERS)


# What is sent.


async def test_an_event_is_sent_with_its_headers() -> None:
    async with receiving(answering(saying("200 OK", body=b"thanks"))) as receiver:
        answer = await what_comes_of(receiver, path="/hook?a=%2F&b")

    assert answer == Answer(200, "", "thanks")
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /hook?a=%2F&b HTTP/1.1"
    assert body == BODY
    named = dict(header.split(": ", 1) for header in headers)
    assert len(named) == len(headers), "each header comes once"
    assert named.pop("User-Agent").startswith("Holdfast/")
    assert named == {
        "Host": f"{HERE}:{receiver.port}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Content-Length": str(len(BODY)),
        "Content-Type": "application/json",
        "webhook-id": "e-1",
        "webhook-signature": "v1,xyz",
    }


async def test_a_connection_is_used_again() -> None:
    async with receiving(answering(OK, OK, OK)) as receiver, open_sender() as sender:
        for _ in range(3):
            assert (await what_comes_of(receiver, sender)).is_success

    assert [len(visit.requests) for visit in receiver.visits] == [3]


async def test_a_connection_that_the_receiver_ended_is_not() -> None:
    async with receiving(answering(OK)) as receiver, open_sender() as sender:
        for _ in range(3):
            assert (await what_comes_of(receiver, sender)).is_success
            await asyncio.sleep(0.05)  # until the end has come

    assert [len(visit.requests) for visit in receiver.visits] == [1, 1, 1]


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answering(OK)) as receiver, receiving(answering(OK)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://{HERE}:{proxy.port}")
        assert (await what_comes_of(receiver)).is_success

    assert len(receiver.requests) == 1
    assert proxy.visits == []


async def test_only_so_many_connections_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "CONNECTIONS_MAX", 3)
    at_once, most, go = 0, 0, asyncio.Event()

    async def slowly(visit: Visit) -> None:
        nonlocal at_once, most
        await visit.request()
        at_once += 1
        most = max(most, at_once)
        if at_once == 3:
            go.set()
        await go.wait()
        await asyncio.sleep(0)
        at_once -= 1
        await visit.say(saying("200 OK", "Connection: close"))

    async with receiving(slowly) as receiver, open_sender() as sender:
        answers = await asyncio.gather(*(what_comes_of(receiver, sender) for _ in range(9)))

    assert [answer.status for answer in answers] == 9 * [200]
    assert most == 3


# What is answered.


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("200 OK", ""),
        ("204 No Content", ""),
        ("299 Whatever", ""),
        ("301 Moved", "it redirects (301), which is not followed: register the URL it leads to"),
        ("307 Moved", "it redirects (307), which is not followed: register the URL it leads to"),
        ("400 No", "it answered 400 Bad Request"),
        ("410 Gone", "it answered 410 Gone"),
        ("500 Oh", "it answered 500 Internal Server Error"),
        ("999 Oh", "it answered 999"),
    ],
)
async def test_an_answer_is_told(status: str, problem: str) -> None:
    async with receiving(answering(saying(status))) as receiver:
        answer = await what_comes_of(receiver)

    assert answer == Answer(int(status[:3]), problem)
    assert answer.is_success is (problem == "")


async def test_no_redirect_is_followed() -> None:
    async with receiving(answering(OK)) as secret:
        to = f"Location: http://{HERE}:{secret.port}/metadata"
        async with receiving(answering(saying("302 Found", to))) as receiver:
            answer = await what_comes_of(receiver)

    assert answer.status == 302
    assert secret.visits == []


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        ("Retry-After: 120", 120),
        ("retry-after:0", 0),
        ("Retry-After: 999999999999999999", 1e18),
        ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Retry-After: -5", None),
        ("Retry-After: 1.5", None),
        ("Retry-After: soon", None),
        ("Retry-After: 9999999999999999999999999", None),
        ("Retry-After: \xb2", None),
        ("Retry-After:", None),
        ("X-Other: 120", None),
    ],
)
async def test_a_receiver_asks_to_be_left_alone(header: str, expected_s: float | None) -> None:
    async with receiving(answering(saying("503 Busy", header))) as receiver:
        answer = await what_comes_of(receiver)

    assert answer.retry_after_s == expected_s


async def test_a_receiver_asks_to_be_left_alone_until_a_time() -> None:
    at = SystemClock().now() + timedelta(hours=2)
    header = f"Retry-After: {at:%a, %d %b %Y %H:%M:%S} GMT"
    async with receiving(answering(saying("429 Slow", header))) as receiver:
        answer = await what_comes_of(receiver)

    assert answer.retry_after_s is not None
    assert 7_100 < answer.retry_after_s <= 7_200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ""),
        (b"it\r\n  works\t!\n", "it works !"),
        ("gr\u00fc\u00df dich \u2713".encode(), "gr\u00fc\u00df dich \u2713"),
        (b"\x1b[31mred\x00\x07", "[31mred"),
        ("a\u202eb\u200bc\ufeff".encode(), "abc"),
        (b"\xff\xfe\x80", 3 * "\ufffd"),
        (5_000 * b"x", 1_000 * "x"),
        (5_000 * "\u2713".encode(), 1_000 * "\u2713"),
        (b"<script>", "<script>"),
    ],
)
async def test_of_a_body_what_is_printable_is_kept(body: bytes, expected: str) -> None:
    async with receiving(answering(saying("200 OK", body=body))) as receiver:
        answer = await what_comes_of(receiver)

    assert answer.excerpt == expected


async def test_an_answer_in_chunks_is_read_and_its_connection_kept() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
    async with receiving(answering(chunked, chunked)) as receiver, open_sender() as sender:
        for _ in range(2):
            assert await what_comes_of(receiver, sender) == Answer(200, "", "ok!")

    assert len(receiver.visits) == 1


# Receivers that misbehave.

START = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
ENDLESS = {
    "body by chunks": endlessly(
        START + b"Transfer-Encoding: chunked\r\n\r\n", chunk=b"1000\r\n" + 4096 * b"x" + b"\r\n"
    ),
    "body until the end": endlessly(START + b"\r\n", chunk=4096 * b"x"),
    "body of a huge length": endlessly(
        START + b"Content-Length: 99999999999\r\n\r\n", chunk=4096 * b"x"
    ),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_endless_body_is_hung_up_on(kind: str) -> None:
    async with receiving(ENDLESS[kind]) as receiver:
        answer = await what_comes_of(receiver)
        await receiver.hung_up.wait()

    assert answer == Answer(200, "", 1_000 * "x")


BOMBS = {
    "one header line": endlessly(START + b"X: ", chunk=4096 * b"x"),
    "many headers": endlessly(START, chunk=b"X-Header: " + 1000 * b"x" + b"\r\n"),
    "interim answers": endlessly(chunk=b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"),
    "many interim answers": endlessly(chunk=100 * b"HTTP/1.1 100 Continue\r\n\r\n"),
    "ten megabytes of headers": answering(
        START + 10_000 * (b"X-Header: " + 1000 * b"x" + b"\r\n") + b"\r\n"
    ),
    "a status line": endlessly(b"HTTP/1.1 200 ", chunk=4096 * b"x"),
}


@pytest.mark.parametrize("kind", BOMBS)
async def test_headers_without_an_end_are_hung_up_on(kind: str) -> None:
    async with receiving(BOMBS[kind]) as receiver:
        answer = await what_comes_of(receiver)
        await receiver.hung_up.wait()

    assert answer == Answer(0, "its answer has more than 64 KiB of headers")


async def drip_header(visit: Visit) -> None:
    await visit.request()
    await visit.say(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await visit.say(b"x")
        await asyncio.sleep(0.01)


async def drip_body(visit: Visit) -> None:
    await visit.request()
    await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome")
    while True:
        await visit.say(b".")
        await asyncio.sleep(0.01)


async def say_nothing(visit: Visit) -> None:
    await visit.request()
    await visit.request()


async def test_who_drips_headers_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)
    async with receiving(drip_header) as receiver:
        answer = await what_comes_of(receiver)
        await receiver.hung_up.wait()

    assert answer == Answer(0, f"no answer within {SOON_S} s")


async def test_who_drips_a_body_has_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)
    async with receiving(drip_body) as receiver:
        answer = await what_comes_of(receiver)
        await receiver.hung_up.wait()

    assert (answer.status, answer.problem) == (200, "")
    assert answer.excerpt.startswith("some.")


async def test_who_says_nothing_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)
    async with receiving(say_nothing) as receiver:
        answer = await what_comes_of(receiver)
        await receiver.hung_up.wait()

    assert answer == Answer(0, f"no answer within {SOON_S} s")


async def test_who_reads_nothing_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)
    over = asyncio.Event()

    async def read_nothing(visit: Visit) -> None:
        await over.wait()

    async with receiving(read_nothing) as receiver, open_sender() as sender:
        url = f"http://{HERE}:{receiver.port}"
        answer = await sender.post(url, 50_000_000 * b"x", HEADERS)
        over.set()

    assert answer == Answer(0, f"no answer within {SOON_S} s")


def test_a_receiver_has_fifteen_seconds() -> None:
    assert (sending.ATTEMPT_S_MAX, guarded_network.CONNECT_S_MAX) == (15, 5)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_who_hangs_up_has_not_answered(said: bytes) -> None:
    async with receiving(answering(said)) as receiver:
        answer = await what_comes_of(receiver)

    assert answer.status == 0
    assert "closed the connection" in answer.problem


async def test_who_hangs_up_unheard_has_not_answered() -> None:
    async def hang_up(visit: Visit) -> None:
        await visit.reader.read(1)

    async with receiving(hang_up) as receiver, open_sender() as sender:
        url = f"http://{HERE}:{receiver.port}"
        answer = await sender.post(url, 5_000_000 * b"x", HEADERS)

    assert answer.status == 0
    assert "closed the connection" in answer.problem


async def test_who_hangs_up_within_the_body_has_answered() -> None:
    cut = b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf"
    async with receiving(answering(cut)) as receiver:
        answer = await what_comes_of(receiver)

    assert answer == Answer(202, "", "half")


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 000 Zero\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n no: name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        b"\x00\x01\x02\xff\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"<html>200 OK</html>\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_no_answer(said: bytes) -> None:
    async with receiving(answering(said)) as receiver:
        answer = await what_comes_of(receiver)

    assert answer == Answer(0, "it closed the connection, or answered what is not HTTP/1.1")


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nRetry-After: 10\r\nX: y\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"


async def test_whatever_a_receiver_says_becomes_an_answer() -> None:
    """Answers with a few bytes replaced, inserted, repeated or cut off; seeded."""
    dice = Random(39)

    def damaged() -> bytes:
        said = bytearray(dice.choice([GOOD, CHUNKED]))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(said) + 1)
            some = bytes(dice.choices(b"\r\n\0 :;09afHT/.\xff", k=dice.randint(0, 3)))
            said[at : at + dice.randint(0, 3)] = some
        return bytes(said[: dice.choice([None, dice.randrange(len(said) + 1)])])

    statuses = set()

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(damaged())

    async with receiving(behave) as receiver, open_sender() as sender:
        for _ in range(500):
            answer = await what_comes_of(receiver, sender)
            assert (answer.status > 0) or answer.problem
            assert len(answer.excerpt) <= 1_000
            assert answer.excerpt.isprintable()
            statuses.add(answer.status)

    assert {0, 200, 503} <= statuses


# Addresses.


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
    async with open_sender(loopback=False) as sender:
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
    async with open_sender(NAMES, loopback=False) as sender:
        with pytest.raises(UrlRefused, match=f"address {address} is not public"):
            await sender.require_allowed(f"https://{host}/")
        answer = await sender.post(f"https://{host}/", BODY, HEADERS)

    assert answer == Answer(0, f"address {address} is not public")


async def test_a_public_name_is_allowed() -> None:
    async with open_sender(NAMES, loopback=False) as sender:
        await sender.require_allowed("https://public.example/hook")
        await sender.require_allowed("https://PUBLIC.example:443/hook")


async def test_an_operator_opens_networks_and_ports() -> None:
    settings = {"allowed_networks": ["192.168.1.0/24"], "ports": [443, 8080], "loopback": False}
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
        async with open_sender(names, loopback=False, ports=[receiver.port]) as sender:
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


# TLS.

SHOP = {"shop.example": [[HERE]]}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def speaking_tls(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


async def over_tls(pair: Pair, ca: Path | None, host: str = "shop.example") -> Answer:
    async with (
        receiving(answering(OK), speaking_tls(pair)) as receiver,
        open_sender(SHOP, ca=ca) as sender,
    ):
        answer = await sender.post(f"https://{host}:{receiver.port}/", BODY, HEADERS)
    assert len(receiver.requests) == (1 if answer.status else 0), "nothing goes to a stranger"
    return answer


@pytest.mark.parametrize("host", ["shop.example", HERE])
async def test_a_certificate_for_the_host_is_good(authority: Authority, host: str) -> None:
    assert (await over_tls(authority.issue("own", host), authority.ca, host)).status == 204


REFUSED_CERTIFICATES: dict[str, tuple[Callable[[Authority], Pair], str]] = {
    "another name": (
        lambda ca: ca.issue("x", "other.example"),
        "Hostname mismatch, certificate is not valid for 'shop.example'.",
    ),
    "an address only": (
        lambda ca: ca.issue("x", HERE),
        "Hostname mismatch, certificate is not valid for 'shop.example'.",
    ),
    "expired": (
        lambda ca: ca.issue("x", "shop.example", age=2 * DAY, life=DAY),
        "certificate has expired",
    ),
    "not yet good": (
        lambda ca: ca.issue("x", "shop.example", age=-DAY),
        "certificate is not yet valid",
    ),
    "by itself": (
        lambda ca: ca.issue("x", "shop.example", by_itself=True),
        "self-signed certificate",
    ),
}


@pytest.mark.parametrize("kind", REFUSED_CERTIFICATES)
async def test_a_certificate_is_refused(authority: Authority, kind: str) -> None:
    issue, why = REFUSED_CERTIFICATES[kind]

    answer = await over_tls(issue(authority), authority.ca)

    assert answer == Answer(0, f"TLS: its certificate is refused: {why}")


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    answer = await over_tls(authority.issue("own", "shop.example"), None)

    assert answer.problem == (
        "TLS: its certificate is refused: unable to get local issuer certificate"
    )


async def test_who_speaks_no_tls_is_refused() -> None:
    async def hello(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\n\r\n")
        await visit.reader.read()

    async with receiving(hello) as receiver, open_sender() as sender:
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)

    assert answer.status == 0
    assert answer.problem.startswith("TLS: ")


def test_tls_is_1_2_or_newer_and_asks_for_a_certificate(authority: Authority) -> None:
    for ca in (None, authority.ca):
        context = guarded_network.tls_context(ca)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_authorities_that_can_t_be_read_is_told(
    tmp_path: Path, content: bytes | None
) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_bytes(content)

    with pytest.raises(ValidationError, match="holds no certificates in PEM"):
        WebhookSettings(ca=ca)


async def test_who_begins_tls_and_falls_silent_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sending._TIMEOUTS, "connect", SOON_S)

    async def listen(visit: Visit) -> None:
        await visit.reader.readexactly(100_000)

    async with receiving(listen) as receiver, open_sender() as sender:
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)
        await receiver.hung_up.wait()

    assert answer == Answer(0, "TLS: no handshake within 5 s")


async def test_nothing_is_left_open_where_time_ends_within_the_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)

    async def listen(visit: Visit) -> None:
        await visit.reader.readexactly(100_000)

    async with receiving(listen) as receiver, open_sender() as sender:
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)
        await receiver.hung_up.wait()

    assert answer == Answer(0, f"no answer within {SOON_S} s")


# The system's own names.


async def test_the_system_s_names_are_looked_up_and_known_by_themselves() -> None:
    async with receiving(answering(OK)) as receiver, open_sender() as sender:
        send = partial(sender.post, f"http://localhost:{receiver.port}/", BODY, HEADERS)
        answers = await asyncio.gather(*(send() for _ in range(5)))

    assert [answer.status for answer in answers] == 5 * [204]
