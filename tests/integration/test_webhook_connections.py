"""What receivers can't take from the Notifier: an answer that was whole, sockets, and memory."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.infrastructure import guarded_network
from testbed.authority import Authority
from tests.integration.test_webhook_tls import speaking_tls
from tests.integration.webhook_receivers import (
    BODY,
    HEADERS,
    HERE,
    OK,
    Visit,
    answering,
    open_sender,
    receiving,
    saying,
    what_comes_of,
)

CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"
MORE_THAN_WHOLE = {
    "204 with a body": ("204 No Content\r\nContent-Length: 2\r\n\r\nok", 204),
    "204 in chunks": (f"204 No Content\r\n{CHUNKED}0\r\n\r\n", 204),
    "200 with a longer body": ("200 OK\r\nContent-Length: 2\r\n\r\nokay", 200),
    "200 that closes": ("200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\nokay", 200),
    "200 and a bad chunk": (f"200 OK\r\n{CHUNKED}2\r\nok\r\nzz\r\n", 200),
    "410 with a word": ("410 Gone\r\nContent-Length: 0\r\n\r\nGone", 410),
    "behind an interim answer": (
        "103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx",
        204,
    ),
}


@pytest.mark.parametrize("kind", MORE_THAN_WHOLE)
async def test_what_stands_behind_an_answer_takes_nothing_from_it(kind: str) -> None:
    said, status = MORE_THAN_WHOLE[kind]
    async with (
        receiving(answering(f"HTTP/1.1 {said}".encode(), OK)) as receiver,
        open_sender() as sender,
    ):
        answers = [await what_comes_of(receiver, sender) for _ in range(2)]

    assert [answer.status for answer in answers] == [status, status]
    assert len(receiver.visits) == 2, "such a connection is not used again"


async def test_who_never_ends_a_connection_keeps_no_socket(tmp_path: Path) -> None:
    """TLS ends in words of both sides; who says none is not waited for."""
    authority, over = Authority(tmp_path), asyncio.Event()

    async def never_end(visit: Visit) -> None:
        await visit.request()
        await visit.say(saying("200 OK", "Connection: close"))
        await visit.play_dead(over)

    pair = authority.issue("own", HERE)
    async with (
        receiving(never_end, speaking_tls(pair)) as receiver,
        open_sender(webhook_ca=authority.ca) as sender,
    ):
        answer = await sender.post(f"https://{HERE}:{receiver.port}/", BODY, HEADERS)
        await asyncio.sleep(0.1)
        connector = sender._sessions["https"].connector
        assert isinstance(connector, guarded_network.GuardedConnector)
        left = connector.opened
        over.set()

    assert (answer, left) == (Answer(200), 0)


async def test_only_so_many_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_network, "KEPT_MAX", 3)
    names = {f"shop-{number}.example": [[HERE]] for number in range(8)}
    open_now, ended = set[Visit](), asyncio.Event()

    async def behave(visit: Visit) -> None:
        open_now.add(visit)
        await visit.request()
        await visit.say(OK)
        await visit.reader.read()
        open_now.remove(visit)
        ended.set()

    async with receiving(behave) as receiver, open_sender(names) as sender:
        for name in names:
            url = f"http://{name}:{receiver.port}/"
            assert await sender.post(url, BODY, HEADERS) == Answer(204)
        async with asyncio.timeout(5):
            while len(open_now) > 3:
                ended.clear()
                await ended.wait()

        assert len(open_now) == 3


async def test_a_name_without_addresses_is_no_failure_of_ours() -> None:
    async with open_sender({"empty.example": [[]]}) as sender:
        send = partial(sender.post, "https://empty.example/", BODY, HEADERS)
        answer = await send()

    assert answer == Answer(0, "the name empty.example has no addresses")
