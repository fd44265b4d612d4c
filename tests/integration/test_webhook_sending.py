"""What is sent to a receiver on a real socket, and what is told of its answer."""

import asyncio
from datetime import timedelta

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.infrastructure import sending
from tests.integration.webhook_receivers import (
    BODY,
    HERE,
    OK,
    SOON_S,
    Visit,
    answering,
    open_sender,
    receiving,
    saying,
    what_comes_of,
)


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


async def test_a_connection_is_used_again_however_much_was_answered_over_it() -> None:
    large = saying("200 OK", body=30_000 * b"x")
    async with receiving(answering(*(5 * [large]))) as receiver, open_sender() as sender:
        for _ in range(5):
            assert await what_comes_of(receiver, sender) == Answer(200, "", 1_000 * "x")

    assert [len(visit.requests) for visit in receiver.visits] == [5]


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


async def test_waiting_for_another_receiver_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "CONNECTIONS_MAX", 1)
    monkeypatch.setattr(sending, "ATTEMPT_S_MAX", SOON_S)

    async def say_nothing(visit: Visit) -> None:
        await visit.request()
        await visit.request()

    async with (
        receiving(say_nothing) as silent,
        receiving(answering(OK)) as good,
        open_sender() as sender,
    ):
        answers = await asyncio.gather(what_comes_of(silent, sender), what_comes_of(good, sender))

    assert list(answers) == [Answer(0, f"no answer within {SOON_S} s"), Answer(204)]


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
