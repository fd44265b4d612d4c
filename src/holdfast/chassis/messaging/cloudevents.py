"""Put events on the wire and take them off it: a CloudEvents batch in protobuf, readable by anyone.

Hundreds of events travel in one message, so both directions avoid every call that is not needed.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from google.protobuf.message import DecodeError

from holdfast.chassis import times
from holdfast.chassis.messaging.broker import EVENTS_PER_MESSAGE_MAX, DeadLetter, Event, exchange_of
from holdfast.chassis.tracing import TRACEPARENT
from holdfast.contracts.cloudevents.v1 import cloudevents_pb2 as wire

CONTENT_TYPE = "application/cloudevents-batch+protobuf"
DATA_CONTENT_TYPE = "application/protobuf"
SPEC_VERSION = "1.0"

BATCH_BYTES_MAX = 4 * 1024 * 1024
PACK_BYTES_MAX = 256 * 1024  # about; a larger event travels alone
ENVELOPE_BYTES = 320  # what the attributes of one event take, about
TEXT_CHARS_MAX = 200  # of an id, a type, a subject; AMQP ends at 255 bytes
SEQUENCE_MAX = 2**63 - 1
SEQUENCE_DIGITS_MAX = len(str(SEQUENCE_MAX))

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class NotAnEventBatch(Exception):
    """The bytes are no batch of events that Holdfast could have written; the message says why."""


def encode_batch(events: Sequence[Event]) -> bytes:
    """Write the events as one CloudEvents batch; the same events always give the same bytes."""
    assert 0 < len(events) <= EVENTS_PER_MESSAGE_MAX, "packs keep to the limits"
    batch = wire.CloudEventBatch()
    for event in events:
        _write(batch.events.add(), event)
    # Map entries have no order of their own: without `deterministic` no golden bytes could be kept.
    return batch.SerializeToString(deterministic=True)


def decode_batch(body: bytes) -> list[Event]:
    """Read every event of the batch, or none.

    :raises NotAnEventBatch: something in it is malformed, missing or too large.
    """
    if len(body) > BATCH_BYTES_MAX:
        raise NotAnEventBatch(f"{len(body)} bytes; at most {BATCH_BYTES_MAX} are allowed")
    try:
        batch = wire.CloudEventBatch.FromString(body)
    except DecodeError as error:
        raise NotAnEventBatch("not a CloudEvents batch in protobuf") from error
    if not 0 < len(batch.events) <= EVENTS_PER_MESSAGE_MAX:
        raise NotAnEventBatch(f"{len(batch.events)} events; 1 to {EVENTS_PER_MESSAGE_MAX} allowed")
    return [_read(event) for event in batch.events]


def unreadable(queue: str, body: bytes, reason: str) -> DeadLetter:
    """Keep bytes that are no batch under their digest: however often they come, they are one."""
    letter_id = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return DeadLetter(letter_id=letter_id, queue=queue, reason=reason, body=body, event=None)


def packs(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Cut the events, in their order, into runs of one type, each fit for one message."""
    pack: list[Event] = []
    room = PACK_BYTES_MAX
    for event in events:
        size = len(event.data) + ENVELOPE_BYTES
        full = len(pack) == EVENTS_PER_MESSAGE_MAX or size > room
        if pack and (full or event.type != pack[0].type):
            yield pack
            pack, room = [], PACK_BYTES_MAX
        pack.append(event)
        room -= size
    if pack:
        yield pack


def _write(target: wire.CloudEvent, event: Event) -> None:
    target.MergeFrom(_frame(event.type))
    target.id = event.event_id
    target.binary_data = event.data
    attributes = target.attributes
    attributes["subject"].ce_string = event.subject
    attributes["sequence"].ce_string = str(event.sequence)
    times.write(attributes["time"].ce_timestamp, event.time)
    if event.traceparent:
        attributes["traceparent"].ce_string = event.traceparent


@lru_cache(maxsize=100)
def _frame(event_type: str) -> wire.CloudEvent:
    """Return what all events of a type have in common."""
    frame = wire.CloudEvent(
        source="/" + exchange_of(event_type).replace(".", "/"),
        spec_version=SPEC_VERSION,
        type=event_type,
    )
    frame.attributes["datacontenttype"].ce_string = DATA_CONTENT_TYPE
    return frame


def _read(source: wire.CloudEvent) -> Event:
    if source.spec_version != SPEC_VERSION:
        raise NotAnEventBatch(f"CloudEvents version {source.spec_version!r}; 1.0 is understood")
    if not source.HasField("binary_data"):
        raise NotAnEventBatch("an event without data")
    # Asking for a missing attribute gives an empty one, which is then refused like any empty value.
    attributes = source.attributes
    if attributes["datacontenttype"].ce_string != DATA_CONTENT_TYPE:
        raise NotAnEventBatch(f"an event whose data is not {DATA_CONTENT_TYPE}")
    traceparent = attributes["traceparent"].ce_string
    return Event(
        event_id=_text("id", source.id),
        type=_text("type", source.type),
        subject=_text("subject", attributes["subject"].ce_string),
        sequence=_sequence(attributes["sequence"].ce_string),
        time=_time(attributes["time"]),
        data=source.binary_data,
        traceparent=traceparent if TRACEPARENT.fullmatch(traceparent) else "",
    )


def _text(name: str, text: str) -> str:
    # Control characters are refused too: PostgreSQL stores no NUL, and such an event would be
    # delivered for ever. What ids may be made of is checked where the data is read, event by event:
    # a flaw found here would take the neighbours in the batch along.
    is_plain = text.isprintable() or not _CONTROL.search(text)  # the former is quicker to ask
    if not text or len(text) > TEXT_CHARS_MAX or not is_plain:
        raise NotAnEventBatch(f"an event's {name} is missing, too long or has control characters")
    return text


def _sequence(text: str) -> int:
    plain = text.isascii() and text.isdecimal() and len(text) <= SEQUENCE_DIGITS_MAX
    if plain and (text[0] != "0" or text == "0"):
        sequence = int(text)
        if sequence <= SEQUENCE_MAX:
            return sequence
    raise NotAnEventBatch("an event's sequence is no number that could be a version")


def _time(value: wire.CloudEventAttributeValue) -> datetime:
    if not value.HasField("ce_timestamp"):
        raise NotAnEventBatch("an event without a time")
    time = value.ce_timestamp
    try:
        return _moment(time.seconds, time.nanos // 1_000)
    except OverflowError as error:
        raise NotAnEventBatch("an event's time is outside of the calendar") from error


@lru_cache(maxsize=100)  # what is done in one batch happened in one moment
def _moment(seconds: int, microseconds: int) -> datetime:
    return times.EPOCH + timedelta(seconds=seconds, microseconds=microseconds)
