"""Receivers on sockets of this machine, well-behaved and not, and names that lead to them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from holdfast.chassis.clock import SystemClock
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.infrastructure.name_resolution import NameUnknown
from holdfast.notifier.infrastructure.sending import Sender
from holdfast.notifier.infrastructure.webhook_settings import WebhookSettings

HERE = "127.0.0.1"
BODY = b'{"type":"holdfast.orders.v1.OrderConfirmed"}'
HEADERS = {"webhook-id": "e-1", "webhook-signature": "v1,xyz"}
SOON_S = 0.5  # in place of what a receiver is given

Looks = Mapping[str, Sequence[Sequence[str]]]


class Names:
    """A resolver by a table: what a name is answered with at the first look, at the second, and so
    on; the last answer stays."""

    def __init__(self, answers: Looks) -> None:
        self._answers = {name: list(looks) for name, looks in answers.items()}

    async def addresses(self, host: str) -> Sequence[str]:
        looks = self._answers.get(host)
        if looks is None:
            raise NameUnknown(f"there is no host {host}")
        return looks.pop(0) if len(looks) > 1 else looks[0]

    def close(self) -> None:
        pass


class Visit:
    """A connection that was made to a receiver."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer
        self.requests: list[bytes] = []

    async def request(self) -> bytes:
        """Read a request to its end."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        self.requests.append(head + await self.reader.readexactly(length))
        return self.requests[-1]

    async def say(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def play_dead(self, over: asyncio.Event) -> None:
        """Take nothing off the connection, not even its end."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        await over.wait()
        transport.abort()


Behave = Callable[[Visit], Awaitable[None]]


class Receiver:
    """A server that behaves alike with every connection.

    :param hung_up: set when the sender has ended a connection that it was spoken to on.
    """

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self.visits: list[Visit] = []
        self.hung_up = asyncio.Event()
        self.port = 0

    @property
    def requests(self) -> list[bytes]:
        return [request for visit in self.visits for request in visit.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(reader, writer)
        self.visits.append(visit)
        try:
            await self._behave(visit)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


@asynccontextmanager
async def receiving(
    behave: Behave, tls: ssl.SSLContext | None = None, *, at: str = HERE
) -> AsyncIterator[Receiver]:
    receiver = Receiver(behave)
    server = await asyncio.start_server(receiver.serve, at, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


def answering(*answers: bytes) -> Behave:
    """Each request gets the next answer, and then the connection ends."""

    async def behave(visit: Visit) -> None:
        for answer in answers:
            await visit.request()
            await visit.say(answer)

    return behave


def saying(status: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a whole answer of HTTP."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


OK = saying("204 No Content")


def endlessly(*beginning: bytes, chunk: bytes) -> Behave:
    """A beginning, and then the same without an end."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        for part in beginning:
            await visit.say(part)
        while True:
            await visit.say(chunk)
            await asyncio.sleep(0)

    return behave


@asynccontextmanager
async def open_sender(looks: Looks | None = None, **settings: object) -> AsyncIterator[Sender]:
    """One that may send to this machine, unless it is told otherwise.

    :param looks: how names resolve; None: as the system's do.
    """
    chosen = WebhookSettings.model_validate({"webhook_loopback": True} | settings)
    async with Sender(chosen, SystemClock(), None if looks is None else Names(looks)) as sender:
        yield sender


async def what_comes_of(
    receiver: Receiver, sender: Sender | None = None, path: str = "/"
) -> Answer:
    """Send to a receiver once."""
    url = f"http://{HERE}:{receiver.port}{path}"
    if sender is not None:
        return await sender.post(url, BODY, HEADERS)
    async with open_sender() as own:
        return await own.post(url, BODY, HEADERS)
