"""The feeds as partners read them: over gRPC, over HTTP, through the client library."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, closing
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode, aio

from holdfast.chassis.database.engines import connect
from holdfast.client import (
    CursorExpired,
    CursorUnknown,
    Event,
    FeedName,
    Holdfast,
    HoldfastSync,
    InvalidRequest,
    OrderLine,
    PaymentKind,
)
from holdfast.contracts.feeds.v1 import feeds_pb2 as pb
from holdfast.contracts.orders.v1 import events_pb2
from tests.integration.conftest import CALL_S_MAX, Ground, RunningHoldfast, refusal, running
from tests.integration.over_http import Http, events, http_on

SETTLE_S_MAX = 30.0
STOP_S_MAX = 5.0


async def placed(client: Holdfast, *, units: int = 1) -> str:
    """A confirmed order."""
    order = await client.orders.create("c-1", [OrderLine("LAMP", units)], wait_s=15)
    return order.order_id


async def first(client: Holdfast, count: int, after: str = "earliest") -> list[Event]:
    """The first events that follow, waited for."""
    found: list[Event] = []
    async with asyncio.timeout(SETTLE_S_MAX), aclosing(client.events.follow(after=after)) as feed:
        async for event in feed:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_an_order_s_events_come_in_order_with_their_contents(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    order_id = await placed(holdfast.client, units=2)
    await holdfast.client.orders.cancel(order_id)

    told = await first(holdfast.client, 3)

    assert [(one.name, one.subject, one.sequence) for one in told] == [
        ("OrderPlaced", order_id, 1),
        ("OrderConfirmed", order_id, 2),
        ("OrderCancelled", order_id, 3),
    ]
    assert isinstance(told[0].data, events_pb2.OrderPlaced)
    assert told[0].data.wanted.products[0].quantity == 2
    assert len({one.id for one in told} | {one.cursor for one in told}) == 6


async def test_an_event_tells_a_payment_as_the_order_does(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 1)
    order_id = await placed(holdfast.client)
    record = holdfast.client.orders.record_payment
    await record(order_id, PaymentKind.CAPTURED, Decimal(5), reference="p-1")

    *_, told = await first(holdfast.client, 3)

    assert isinstance(told.data, events_pb2.PaymentRecorded)
    assert told.data.payment == (await holdfast.order(order_id)).payments[0]


async def test_both_services_have_a_feed_of_their_own(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order_id = await placed(holdfast.client)
    await first(holdfast.client, 2)

    page = await holdfast.client.events.read(feed="inventory", types=["StockReserved"])
    with pytest.raises(CursorUnknown):
        await holdfast.client.events.read(feed=FeedName.ORDERS, after=page.next_cursor)

    assert [(one.name, one.subject) for one in page.events] == [("StockReserved", order_id)]


async def test_who_waits_gets_what_comes_and_who_waits_in_vain_a_place_to_go_on(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    head = await holdfast.client.events.latest()
    request = pb.ReadEventsRequest(cursor=head, wait=Duration(seconds=30), types=["OrderPlaced"])

    vain = await holdfast.orders.ReadEvents(
        pb.ReadEventsRequest(cursor=head, wait=Duration(nanos=10_000_000)), timeout=CALL_S_MAX
    )
    waiting = asyncio.ensure_future(holdfast.orders.ReadEvents(request, timeout=60))
    order_id = await placed(holdfast.client)
    answer = await waiting

    assert (list(vain.events), vain.next_cursor) == ([], head)
    assert [one.subject for one in answer.events] == [order_id]
    assert answer.events[0].data.TypeName() == answer.events[0].type
    assert (answer.events[0].specversion, answer.events[0].source) == ("1.0", "/holdfast/orders")


async def test_a_stream_tells_where_it_is_and_then_what_comes(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    call = holdfast.orders.StreamEvents(pb.StreamEventsRequest(cursor="latest"), timeout=60)
    opening = await part_of(call)
    order_id = await placed(holdfast.client)

    told: list[pb.Event] = []
    while len(told) < 2:
        told += (await part_of(call)).events
    call.cancel()

    assert not opening.events
    assert opening.next_cursor == await cursor_before(holdfast.client, told[0].id)
    assert [(one.subject, one.sequence) for one in told] == [(order_id, 1), (order_id, 2)]


async def part_of(call: aio.UnaryStreamCall[Any, Any]) -> pb.StreamEventsResponse:
    async with asyncio.timeout(SETTLE_S_MAX):
        part = await call.read()
    assert isinstance(part, pb.StreamEventsResponse)
    return part


async def cursor_before(client: Holdfast, event_id: str) -> str:
    """Where the only events begin; a feed without any has one place."""
    everything = await client.events.read()
    assert everything.events[0].id == event_id
    feed_id = everything.next_cursor.partition("-")[0]
    return f"{feed_id}-0-00000000"


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.ReadEventsRequest(cursor="x"), ["cursor"]),
        (pb.ReadEventsRequest(page_size=-1), ["page_size"]),
        (pb.ReadEventsRequest(wait=Duration(seconds=-1)), ["wait"]),
        (
            pb.ReadEventsRequest(types=["OrderPlaced", "StockAskedAgain", ""]),
            ["types[1]", "types[2]"],
        ),
    ],
)
async def test_what_is_malformed_is_named(
    holdfast: RunningHoldfast, request_: pb.ReadEventsRequest, fields: list[str]
) -> None:
    failed = await refusal(holdfast.orders.ReadEvents(request_, timeout=CALL_S_MAX))

    assert (failed.code, failed.fields) == (StatusCode.INVALID_ARGUMENT, fields)


async def test_cursors_of_a_lost_future_and_of_an_expired_past_are_told_apart(
    ground: Ground,
) -> None:
    async with running(ground) as holdfast:
        await holdfast.product("LAMP", 9)
        for _ in range(3):
            await placed(holdfast.client)
        told = await first(holdfast.client, 6)
    async with connect(ground.databases["orders"]) as database:
        await database.execute("DELETE FROM feed WHERE position > 4 OR position < 3")
        await database.execute("UPDATE feed_head SET last = 4")

    async with running(ground) as holdfast:
        client = holdfast.client
        with pytest.raises(CursorExpired, match="not kept any more") as expired:
            await client.events.read(after=told[0].cursor)
        with pytest.raises(CursorUnknown, match="restored"):
            await anext(client.events.follow(after=told[5].cursor))
        await placed(client)
        await first(client, 4)
        lost = await refusal(
            holdfast.orders.ReadEvents(
                pb.ReadEventsRequest(cursor=told[5].cursor), timeout=CALL_S_MAX
            )
        )
        kept = await client.events.read(after=told[2].cursor)

    assert (expired.value.code, expired.value.reason) == ("OUT_OF_RANGE", "CURSOR_EXPIRED")
    assert (lost.code, lost.reason) == (StatusCode.FAILED_PRECONDITION, "CURSOR_UNKNOWN")
    assert [one.id for one in kept.events][:1] == [told[3].id]


async def test_who_follows_goes_on_where_it_was_after_restarts(ground: Ground) -> None:
    told: list[Event] = []
    cursor = "earliest"
    for orders in range(1, 4):
        async with running(ground) as holdfast:
            if orders == 1:
                await holdfast.product("LAMP", 9)
            await placed(holdfast.client)
            found = await first(holdfast.client, 2, after=cursor)
        told += found
        cursor = found[-1].cursor

    async with running(ground) as holdfast:
        everything = await holdfast.client.events.read()
    assert told == everything.events


async def test_an_idle_follower_and_an_idle_stream_do_not_hold_up_the_end(ground: Ground) -> None:
    async with running(ground) as holdfast:
        poll = pb.ReadEventsRequest(cursor="latest", wait=Duration(seconds=60))
        waiting = asyncio.ensure_future(holdfast.orders.ReadEvents(poll, timeout=70))
        stream = holdfast.orders.StreamEvents(pb.StreamEventsRequest(cursor="latest"), timeout=70)
        await stream.read()
        begun = time.monotonic()
    took_s = time.monotonic() - begun
    waiting.cancel()

    assert took_s < STOP_S_MAX + 5, f"{took_s:.1f} s"


async def test_the_client_checks_before_it_sends(holdfast: RunningHoldfast) -> None:
    follow, read = holdfast.client.events.follow, holdfast.client.events.read
    refusals: list[Callable[[], object]] = [
        lambda: follow(after=""),
        lambda: follow(after="latest", feed="stock"),
        lambda: follow(after="latest", types="OrderPlaced"),
        lambda: follow(after="latest", patience_s=-1),
    ]
    for refused in refusals:
        with pytest.raises(InvalidRequest):
            refused()
    with pytest.raises(InvalidRequest):
        await read(limit=1_001)
    with pytest.raises(InvalidRequest):
        await read(wait_s=61)


async def test_the_feed_can_be_followed_without_an_event_loop(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order_id = await placed(holdfast.client)

    def follow() -> list[str]:
        addresses = holdfast.addresses
        with (
            HoldfastSync(addresses.orders, addresses.inventory) as client,
            closing(client.events.follow(after="earliest")) as feed,  # type: ignore[type-var]
        ):
            return [next(feed).subject, next(feed).subject]

    async with asyncio.timeout(SETTLE_S_MAX):
        assert await asyncio.to_thread(follow) == [order_id] * 2


async def test_the_recipe_of_the_docs_leaves_nothing_out(holdfast: RunningHoldfast) -> None:
    """docs/concepts/events.md: take the newest cursor, list, follow; orders come meanwhile."""
    client = holdfast.client
    await holdfast.product("LAMP", 100)
    for _ in range(5):
        await placed(client)

    async def trade() -> None:
        for _ in range(10):
            order_id = await placed(client)
            await client.orders.cancel(order_id)

    async with asyncio.TaskGroup() as group:
        trading = group.create_task(trade())
        await asyncio.sleep(0.05)
        cursor = await client.events.latest()
        copy = {order.order_id: order.version async for order in client.orders.list()}
        await trading
    end = await settled_cursor(client, orders=15, ends=10)
    async for event in client.events.follow(after=cursor):
        if event.sequence > copy.get(event.subject, 0):  # else the list had it already
            copy[event.subject] = event.sequence
        if event.cursor == end:
            break

    assert copy == {order.order_id: order.version async for order in client.orders.list()}
    assert len(copy) == 15


async def settled_cursor(client: Holdfast, *, orders: int, ends: int) -> str:
    """The newest cursor, once so many orders are told whole."""
    told = await first(client, 2 * orders + ends)
    return told[-1].cursor


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        yield found


PATH = "/v1/feeds/orders/events"


async def test_over_http_a_page_is_json_of_cloud_events(http: Http) -> None:
    order_id = await http.placed()
    await first(http.holdfast.client, 2)

    page = await http.done("GET", f"{PATH}?page_size=1&types=OrderPlaced")
    rest = await http.done("GET", f"{PATH}?cursor={page['next_cursor']}&wait=10s")
    stock = await http.done("GET", "/v1/feeds/inventory/events?types=StockReserved")

    (event,) = page["events"]
    assert {"specversion", "id", "source", "type", "subject", "time", "data"} <= event.keys()
    assert event["data"]["order_id"] == order_id
    assert event["data"]["total"] == {"amount": "10.00", "currency": "GBP"}
    assert [one["type"] for one in rest["events"]] == ["holdfast.orders.v1.OrderConfirmed"]
    assert [one["subject"] for one in stock["events"]] == [order_id]


async def test_over_http_a_stream_s_ids_are_cursors_to_come_back_with(http: Http) -> None:
    order_id = await http.placed()
    await first(http.holdfast.client, 2)

    async with events(http.address, PATH, accept="text/event-stream") as stream:
        assert stream.head.headers["content-type"] == "text/event-stream"
        placed_, confirmed = await stream.next(), await stream.next()
    again = placed_["id"]
    async with events(
        http.address, PATH, accept="text/event-stream", last_event_id=again
    ) as stream:
        resumed = await stream.next()

    assert placed_["event"] == "holdfast.orders.v1.OrderPlaced"
    assert json.loads(placed_["data"])["subject"] == order_id
    assert resumed == confirmed


async def test_over_http_cursors_are_refused_with_what_to_do(http: Http) -> None:
    page = await http.done("GET", "/v1/feeds/inventory/events")
    wrong = await http.ask("GET", f"{PATH}?cursor=x")
    unknown = await http.ask("GET", f"{PATH}?cursor={page['next_cursor']}")
    stream = await http.ask("GET", PATH, accept="text/event-stream", last_event_id="nonsense")

    assert (wrong.status, wrong.errors) == (400, ["cursor"])
    assert (unknown.status, unknown.json["reason"]) == (409, "CURSOR_UNKNOWN")
    assert "take the newest cursor" in unknown.json["detail"]
    assert (stream.status, stream.json["code"]) == (400, "INVALID_ARGUMENT")


async def test_over_http_what_is_expired_is_gone(ground: Ground) -> None:
    async with http_on(ground) as http:
        await http.product("LAMP", 10)
        await http.placed()
        told = await first(http.holdfast.client, 2)
        async with connect(ground.databases["orders"]) as database:
            await database.execute("DELETE FROM feed WHERE position < 2")

        gone = await http.ask("GET", f"{PATH}?cursor={told[0].cursor}")

    assert (gone.status, gone.json["reason"]) == (410, "CURSOR_EXPIRED")


async def test_an_idle_stream_over_http_does_not_hold_up_the_end(ground: Ground) -> None:
    async with AsyncExitStack() as following:
        async with http_on(ground) as http:
            await http.product("LAMP", 1)
            path = f"{PATH}?cursor=latest"
            await following.enter_async_context(
                events(http.address, path, accept="text/event-stream")
            )
            begun = time.monotonic()
        took_s = time.monotonic() - begun

    assert took_s < STOP_S_MAX, f"{took_s:.1f} s"
