"""What a webhook is sent: an event as a CloudEvent that is a payload of Standard Webhooks, too."""

from typing import Any

import orjson

from holdfast.chassis import times
from holdfast.chassis.http.json_writing import writer_of
from holdfast.client import Event, FeedName
from holdfast.contracts.feeds.v1 import feeds_pb2

BODY_BYTES_MAX = 256_000

_write = writer_of(feeds_pb2.Event.DESCRIPTOR)


def body_of(feed: FeedName | str, event: Event) -> bytes:
    """Return an event as the feed has it over HTTP, in JSON (CloudEvents 1.0, structured).

    Beside a CloudEvent's own attributes there are `timestamp`, which is `time` under the name that
    Standard Webhooks gives it, `sequence` and `cursor`. The bytes are the same whenever they are
    made of the same event. `data` is left out where the whole would be longer than 256,000 bytes,
    and where this version does not know the event's type: `subject` tells what to read in its
    place, and `cursor` where the feed has it.
    """
    wire = feeds_pb2.Event(
        specversion="1.0",
        id=event.id,
        source=f"/holdfast/{FeedName(feed)}",
        type=event.type,
        subject=event.subject,
        sequence=event.sequence,
        cursor=event.cursor,
    )
    times.write(wire.time, event.time)
    if event.traceparent:
        wire.traceparent = event.traceparent
    if event.data is not None:
        wire.data.Pack(event.data)
    attributes = _write(wire)
    attributes["timestamp"] = attributes["time"]
    body = _json(attributes)
    if len(body) > BODY_BYTES_MAX:
        del attributes["data"]
        body = _json(attributes)
    return body


def _json(attributes: dict[str, Any]) -> bytes:
    """Keys in the order of the alphabet: a map of protobuf has none of its own."""
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)
