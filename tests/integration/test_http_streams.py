"""Streams over HTTP: an event a version, resumed where they were left, over when they are."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from holdfast.chassis.http.server import serving_http
from tests.integration.conftest import Ground
from tests.integration.over_http import Events, Http, events, http_on, request_bytes

ALIKE = True
NOBODY = "00000000-0000-0000-0000-000000000000"
STOP_S_MAX = 5.0


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        yield found


async def version_and_status(stream: Events) -> tuple[str, str]:
    event = await stream.next()
    order = json.loads(event["data"])
    assert event["id"] == str(order["version"])
    return event["id"], order["status"]


async def test_every_version_is_an_event_until_the_order_is_final(http: Http) -> None:
    order_id = await http.placed()
    async with events(http.address, f"/v1/orders/{order_id}/watch") as stream:
        assert stream.head.headers["content-type"] == "text/event-stream"
        seen = [await version_and_status(stream)]
        await http.done("POST", f"/v1/orders/{order_id}/cancel")
        seen.append(await version_and_status(stream))
        end = await stream.next()

        assert seen == [("2", "CONFIRMED"), ("3", "CANCELLED")]
        assert end == {"event": "end", "data": "{}"}
        assert await stream.next() == {}


async def test_who_comes_back_is_told_what_is_new(http: Http) -> None:
    order_id = await http.placed()
    path = f"/v1/orders/{order_id}/watch"
    async with events(http.address, path, last_event_id="2") as resumed:
        await http.done("POST", f"/v1/orders/{order_id}/cancel")

        assert await version_and_status(resumed) == ("3", "CANCELLED")
    async with events(http.address, path, last_event_id="2") as late:
        assert await version_and_status(late) == ("3", "CANCELLED")
    over = await http.ask("GET", path, last_event_id="3")
    assert (over.status, over.body) == (204, b""), "204 ends an EventSource for good"


@pytest.mark.parametrize("last_id", ["", "x", "-1", "1" * 30, "\xb2"])
async def test_an_id_that_was_never_sent_is_as_none(http: Http, last_id: str) -> None:
    path = f"/v1/orders/{await http.placed()}/watch"

    async with events(http.address, path, last_event_id=last_id) as stream:
        assert await version_and_status(stream) == ("2", "CONFIRMED")


async def test_a_stream_that_is_refused_is_a_problem(http: Http) -> None:
    unknown = await http.ask("GET", f"/v1/orders/{NOBODY}/watch")
    wrong = await http.ask("GET", "/v1/orders/x/watch?y=1")
    no_id = await http.ask("GET", "/v1/orders/x/watch")

    assert (unknown.status, unknown.json["code"]) == (404, "NOT_FOUND")
    assert (wrong.status, wrong.errors) == (400, ["y"])
    assert no_id.json["errors"][0]["parameter"] == "order_id"


async def test_an_idle_stream_does_not_hold_up_the_end(ground: Ground) -> None:
    async with AsyncExitStack() as watching:
        async with http_on(ground) as http:
            await http.product("LAMP", 10)
            path = f"/v1/orders/{await http.placed()}/watch"
            stream = await watching.enter_async_context(events(http.address, path))
            assert await version_and_status(stream) == ("2", "CONFIRMED")
            begun = time.monotonic()
        took_s = time.monotonic() - begun

        assert await stream.next() == {}, "without an event `end`: the client comes back"
    assert took_s < STOP_S_MAX, f"{took_s:.1f} s"


class Endless:
    """A stream that is always further than its client."""

    name = "endless"

    def __init__(self) -> None:
        self.is_over = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not self.is_over:
            await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})

    def stop(self) -> None:
        self.is_over = True


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end() -> None:
    async with serving_http("127.0.0.1:0", [], mounted=[Endless()]) as address:
        host, _, port = address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1)
        writer.write(request_bytes("GET", "/endless"))
        await asyncio.sleep(0.2)  # until there is no room in the kernel any more
        begun = time.monotonic()
    took_s = time.monotonic() - begun

    assert took_s < STOP_S_MAX, f"{took_s:.1f} s"
    writer.close()


async def test_a_client_that_leaves_ends_its_stream(http: Http) -> None:
    path = f"/v1/orders/{await http.placed()}/watch"
    before = of_http()
    async with events(http.address, path) as stream:
        assert await version_and_status(stream) == ("2", "CONFIRMED")
        assert len(of_http()) > len(before)

    async with asyncio.timeout(STOP_S_MAX):
        while of_http() - before:
            await asyncio.sleep(0.01)


async def test_a_client_that_leaves_is_not_waited_for(http: Http) -> None:
    before = of_http()
    host, _, port = http.address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_bytes("GET", "/v1/feeds/orders/events?cursor=latest&wait=20s"))
    async with asyncio.timeout(STOP_S_MAX):
        while not of_http() - before:
            await asyncio.sleep(0.01)

        writer.close()

        while of_http() - before:
            await asyncio.sleep(0.01)


def of_http() -> set[asyncio.Task[Any]]:
    """What runs in `chassis/http`; other services come and go all the time."""
    return {task for task in asyncio.all_tasks() if "/chassis/http/" in repr(task)}
