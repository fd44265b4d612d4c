"""The bytes that a webhook is sent."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from holdfast.chassis.http.json_writing import written
from holdfast.client import Event
from holdfast.contracts.feeds.v1 import feeds_pb2
from holdfast.contracts.inventory.v1 import events_pb2 as inventory_events
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.notifier.infrastructure.payload import BODY_BYTES_MAX, body_of

CONFIRMED = Event(
    cursor="0198c5f0.7.1a2b3c4d",
    id="0199d3a4-7c00-7000-8000-000000000001",
    type="holdfast.orders.v1.OrderConfirmed",
    subject="0199d3a4-7bff-7000-8000-000000000002",
    sequence=2,
    time=datetime(2026, 11, 28, 20, 45, 1, 250_000, tzinfo=UTC),
    data=events_pb2.OrderConfirmed(order_id="0199d3a4-7bff-7000-8000-000000000002"),
)


def sent(event: Event, feed: str = "orders") -> dict[str, Any]:
    content = orjson.loads(body_of(feed, event))
    assert isinstance(content, dict)
    return content


def test_a_body_is_what_the_feed_has_over_http_with_a_timestamp() -> None:
    event = replace(CONFIRMED, traceparent="00-" + 32 * "1" + "-" + 16 * "2" + "-01")
    assert event.data is not None
    of_feed = feeds_pb2.Event(
        specversion="1.0",
        id=event.id,
        source="/holdfast/orders",
        type=event.type,
        subject=event.subject,
        sequence=2,
        cursor=event.cursor,
        traceparent=event.traceparent,
    )
    of_feed.time.FromDatetime(event.time)
    of_feed.data.Pack(event.data)

    assert sent(event) == orjson.loads(written(of_feed)) | {"timestamp": "2026-11-28T20:45:01.25Z"}


def test_a_body_is_a_payload_of_standard_webhooks() -> None:
    content = sent(CONFIRMED)

    assert content["type"] == "holdfast.orders.v1.OrderConfirmed"
    assert content["timestamp"] == "2026-11-28T20:45:01.25Z"
    assert content["data"] == {"order_id": CONFIRMED.subject}


def test_an_event_of_inventory_says_whose_it_is() -> None:
    event = replace(
        CONFIRMED,
        type="holdfast.inventory.v1.StockReserved",
        data=inventory_events.StockReserved(order_id="o-1"),
    )

    assert sent(event, "inventory")["source"] == "/holdfast/inventory"


def test_a_trace_is_named_only_where_there_is_one() -> None:
    assert "traceparent" not in sent(CONFIRMED)


def test_the_bytes_are_these_and_no_others() -> None:
    """Written once: a retry has the bytes of the first attempt, also after an upgrade."""
    assert body_of("orders", CONFIRMED) == (
        b'{"cursor":"0198c5f0.7.1a2b3c4d",'
        b'"data":{"order_id":"0199d3a4-7bff-7000-8000-000000000002"},'
        b'"id":"0199d3a4-7c00-7000-8000-000000000001","sequence":2,'
        b'"source":"/holdfast/orders","specversion":"1.0",'
        b'"subject":"0199d3a4-7bff-7000-8000-000000000002",'
        b'"time":"2026-11-28T20:45:01.25Z","timestamp":"2026-11-28T20:45:01.25Z",'
        b'"type":"holdfast.orders.v1.OrderConfirmed"}'
    )


def test_an_event_of_an_unknown_type_goes_without_data() -> None:
    content = sent(replace(CONFIRMED, type="holdfast.orders.v1.FromTheFuture", data=None))

    assert "data" not in content
    assert content["type"] == "holdfast.orders.v1.FromTheFuture"
    assert content["subject"] == CONFIRMED.subject


def large(length: int) -> Event:
    """An event whose text is mostly one word."""
    return replace(CONFIRMED, data=events_pb2.OrderConfirmed(order_id=length * "c"))


def test_an_event_too_large_goes_without_data_and_one_just_below_goes_whole() -> None:
    room = BODY_BYTES_MAX - len(body_of("orders", large(0)))

    whole, cut = body_of("orders", large(room)), body_of("orders", large(room + 1))

    assert len(whole) == BODY_BYTES_MAX
    assert "data" not in orjson.loads(cut)
    assert len(cut) < 1_000


def test_there_are_two_feeds() -> None:
    with pytest.raises(ValueError, match="payments"):
        body_of("payments", CONFIRMED)
