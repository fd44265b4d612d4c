"""Receivers that never end, drip, hang up or speak another language: none of them raises."""

import asyncio
from random import Random

import pytest

from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.infrastructure import guarded_network, sending
from tests.integration.webhook_receivers import (
    HEADERS,
    HERE,
    SOON_S,
    Visit,
    answering,
    endlessly,
    open_sender,
    receiving,
    what_comes_of,
)

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

    assert answer == Answer(0, "it answered more than 64 KiB of headers")


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


LARGE = pytest.mark.filterwarnings("ignore:Sending a large body")


@LARGE
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


@LARGE
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
