"""Names are looked up once at a time, however many ask, and what goes wrong is told in words."""

import asyncio
import socket
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from holdfast.notifier.infrastructure.name_resolution import NameUnknown, SystemResolver

FOUND = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1", 0, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 0)),
]


class NameServer:
    """Stands in the place of the system's; answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = Event()
        self.error: Exception | None = None

    def getaddrinfo(self, host: str, *_: object, **__: object) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        assert self.answers.wait(30)
        if self.error is not None:
            raise self.error
        return FOUND


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    return server


@pytest.fixture
def resolver() -> Iterator[SystemResolver]:
    resolver = SystemResolver()
    yield resolver
    resolver.close()


async def test_each_address_comes_once_in_the_system_s_order(
    server: NameServer, resolver: SystemResolver
) -> None:
    server.answers.set()

    assert await resolver.addresses("shop.example") == ["2606:4700::1", "1.1.1.1"]


async def test_whoever_asks_meanwhile_has_the_same_answer(
    server: NameServer, resolver: SystemResolver
) -> None:
    asking = [asyncio.create_task(resolver.addresses("shop.example")) for _ in range(5)]
    await asyncio.sleep(0)
    server.answers.set()

    assert {tuple(found) for found in await asyncio.gather(*asking)} == {
        ("2606:4700::1", "1.1.1.1")
    }
    assert server.asked == ["shop.example"]
    await resolver.addresses("shop.example")
    assert server.asked == ["shop.example", "shop.example"], "an answer is not kept"


async def test_who_stops_waiting_takes_nothing_from_the_others(
    server: NameServer, resolver: SystemResolver
) -> None:
    hasty, patient = (
        asyncio.create_task(resolver.addresses("shop.example")),
        asyncio.create_task(resolver.addresses("shop.example")),
    )
    await asyncio.sleep(0)
    hasty.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hasty
    server.answers.set()

    assert await patient == ["2606:4700::1", "1.1.1.1"]


async def test_a_silent_name_holds_up_no_other(
    server: NameServer, resolver: SystemResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = asyncio.create_task(resolver.addresses("silent.example"))
    while server.asked != ["silent.example"]:
        await asyncio.sleep(0.001)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: FOUND)

    assert await resolver.addresses("shop.example") == ["2606:4700::1", "1.1.1.1"]
    assert not silent.done()
    server.answers.set()
    await silent


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "there is no host shop.example"),
        (socket.gaierror(socket.EAI_NODATA, "x"), "there is no host shop.example"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "could not be looked up just now"),
        (socket.gaierror(socket.EAI_FAIL, "x"), "could not be looked up just now"),
        (OSError("too many open files"), "could not be looked up: too many open files"),
        (UnicodeError("label too long"), "could not be looked up: label too long"),
    ],
)
async def test_what_goes_wrong_is_told(
    server: NameServer, resolver: SystemResolver, error: Exception, message: str
) -> None:
    server.error = error
    server.answers.set()

    for _ in range(2):
        with pytest.raises(NameUnknown, match=message):
            await resolver.addresses("shop.example")
    assert len(server.asked) == 2, "a failure is not kept either"
