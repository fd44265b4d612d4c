"""What Holdfast puts on the wire, byte for byte, and what it refuses to take from it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.messaging.broker import EVENTS_PER_MESSAGE_MAX, Event
from holdfast.chassis.messaging.cloudevents import (
    BATCH_BYTES_MAX,
    PACK_BYTES_MAX,
    NotAnEventBatch,
    decode_batch,
    encode_batch,
    packs,
    unreadable,
)
from holdfast.contracts.cloudevents.v1.cloudevents_pb2 import CloudEvent, CloudEventBatch

PLACED = "holdfast.orders.v1.OrderPlaced"
CANCELLED = "holdfast.orders.v1.OrderCancelled"

EVENT = Event(
    event_id="0199d3a4-7c00-7000-8000-000000000001",
    type=PLACED,
    subject="0199d3a4-7bff-7000-8000-000000000002",
    sequence=17,
    time=datetime(2026, 11, 5, 12, 30, 15, 250_001, tzinfo=UTC),
    data=b"\x0a\x03o-1",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)

# Written once by version 0.1 and never again: queues hold such bytes across every upgrade.
GOLDEN = bytes.fromhex(
    "0ab5020a2430313939643361342d376330302d373030302d383030302d30303030303030303030303112102f"
    "686f6c64666173742f6f72646572731a03312e30221e686f6c64666173742e6f72646572732e76312e4f7264"
    "6572506c616365642a290a0f64617461636f6e74656e747479706512161a146170706c69636174696f6e2f70"
    "726f746f6275662a100a0873657175656e636512041a0231372a310a077375626a65637412261a2430313939"
    "643361342d376266662d373030302d383030302d3030303030303030303030322a150a0474696d65120d3a0b"
    "08d7edb1d70610e8ec9a772a480a0b7472616365706172656e7412391a3730302d3462663932663335373762"
    "3334646136613363653932396430653065343733362d303066303637616130626139303262372d303132050a"
    "036f2d31"
)


def event(number: int = 1, *, type: str = PLACED, data: bytes = b"") -> Event:
    return Event(f"e-{number}", type, f"o-{number}", number, EVENT.time, data)


def wire(change: Callable[[CloudEvent], object]) -> bytes:
    """The bytes of two events, the second of them changed."""
    batch = CloudEventBatch.FromString(encode_batch([event(1), event(2)]))
    change(batch.events[1])
    return batch.SerializeToString()


def without(attribute: str) -> Callable[[CloudEvent], object]:
    return lambda e: e.attributes.pop(attribute)


def with_text(attribute: str, text: str) -> Callable[[CloudEvent], None]:
    def change(target: CloudEvent) -> None:
        target.attributes[attribute].ce_string = text

    return change


def with_time(*, seconds: int) -> Callable[[CloudEvent], None]:
    def change(target: CloudEvent) -> None:
        target.attributes["time"].ce_timestamp.seconds = seconds

    return change


def test_the_bytes_of_an_event_never_change() -> None:
    assert encode_batch([EVENT]).hex() == GOLDEN.hex()
    assert decode_batch(GOLDEN) == [EVENT]


def test_any_cloudevents_library_finds_the_attributes_where_it_expects_them() -> None:
    (written,) = CloudEventBatch.FromString(encode_batch([EVENT])).events

    assert (written.id, written.type) == (EVENT.event_id, PLACED)
    assert (written.source, written.spec_version) == ("/holdfast/orders", "1.0")
    assert written.binary_data == EVENT.data
    texts = {name: value.ce_string for name, value in written.attributes.items()}
    assert texts == {
        "datacontenttype": "application/protobuf",
        "sequence": "17",
        "subject": EVENT.subject,
        "time": "",
        "traceparent": EVENT.traceparent,
    }
    time = written.attributes["time"].ce_timestamp.ToDatetime(tzinfo=UTC)
    assert time == EVENT.time


def test_an_event_without_a_trace_has_no_trace_attribute() -> None:
    (written,) = CloudEventBatch.FromString(encode_batch([event()])).events

    assert "traceparent" not in written.attributes


@pytest.mark.parametrize("text", ["hello", "a\nb", EVENT.traceparent[:-1]])
def test_a_trace_that_is_none_is_no_reason_not_to_hear_an_event(text: str) -> None:
    """Else it would be delivered again for ever, and all that comes after it with it."""
    assert decode_batch(wire(with_text("traceparent", text))) == [event(1), event(2)]


words = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=200)
events = st.builds(
    Event,
    event_id=words,
    type=words,
    subject=words,
    sequence=st.integers(min_value=0, max_value=2**63 - 1),
    time=st.datetimes(timezones=st.just(UTC)),
    data=st.binary(),
    traceparent=st.sampled_from(["", EVENT.traceparent]),
    is_repeat=st.just(False),  # says where it goes here, and nothing to anybody else
)


@given(st.lists(events, min_size=1, max_size=5))
def test_what_is_read_is_what_was_written(written: list[Event]) -> None:
    assert decode_batch(encode_batch(written)) == written


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "0 events"),
        (b"hello", "not a CloudEvents batch"),
        (encode_batch([EVENT])[:-1], "not a CloudEvents batch"),
        (bytes(BATCH_BYTES_MAX + 1), "bytes"),
        (encode_batch([EVENT]) * (EVENTS_PER_MESSAGE_MAX + 1), "501 events"),
        (wire(lambda e: e.ClearField("binary_data")), "without data"),
        (wire(lambda e: e.ClearField("id")), "id"),
        (wire(lambda e: e.ClearField("type")), "type"),
        (wire(lambda e: setattr(e, "id", "x" * 201)), "id"),
        (wire(lambda e: setattr(e, "id", "a\0b")), "id"),
        (wire(lambda e: setattr(e, "spec_version", "0.3")), "version '0.3'"),
        (wire(without("subject")), "subject"),
        (wire(without("sequence")), "sequence"),
        (wire(without("time")), "time"),
        (wire(without("datacontenttype")), "application/protobuf"),
        (wire(with_text("datacontenttype", "application/json")), "application/protobuf"),
        (wire(with_text("time", "2026-11-05T12:30:15Z")), "time"),
        (wire(with_time(seconds=10**12)), "time"),
        (wire(with_time(seconds=2**63 - 1)), "time"),
        (wire(with_text("sequence", "")), "sequence"),
        (wire(with_text("sequence", "-1")), "sequence"),
        (wire(with_text("sequence", "007")), "sequence"),
        (wire(with_text("sequence", "1.5")), "sequence"),
        (wire(with_text("sequence", "٣")), "sequence"),
        (wire(with_text("sequence", str(2**63))), "sequence"),
    ],
)
def test_bytes_that_are_no_batch_are_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(NotAnEventBatch, match=reason):
        decode_batch(body)


@given(st.binary())
def test_no_bytes_do_worse_than_being_refused(body: bytes) -> None:
    try:
        decode_batch(body)
    except NotAnEventBatch:
        return


def test_attributes_that_holdfast_does_not_know_are_ignored() -> None:
    body = wire(with_text("partitionkey", "eu"))

    assert decode_batch(body) == [event(1), event(2)]


def test_packs_keep_the_order_and_hold_one_type_each() -> None:
    mixed = [event(1), event(2), event(3, type=CANCELLED), event(4)]

    assert list(packs(mixed)) == [mixed[:2], mixed[2:3], mixed[3:]]


def test_packs_keep_to_the_number_of_events_that_a_message_may_carry() -> None:
    many = [event(number) for number in range(EVENTS_PER_MESSAGE_MAX + 1)]

    assert [len(pack) for pack in packs(many)] == [EVENTS_PER_MESSAGE_MAX, 1]


def test_packs_keep_to_the_size_of_a_message_except_for_an_event_that_is_larger() -> None:
    large, larger = bytes(PACK_BYTES_MAX // 3), bytes(PACK_BYTES_MAX + 1)
    many = [event(number, data=large) for number in range(3)] + [event(4, data=larger)]

    assert [len(pack) for pack in packs(many)] == [2, 1, 1]


def test_there_are_no_packs_of_nothing() -> None:
    assert list(packs([])) == []


def test_the_same_unreadable_bytes_are_the_same_letter() -> None:
    first, second = (unreadable("q", b"hello", reason) for reason in ("now", "later"))

    assert first.letter_id == second.letter_id
    assert first.letter_id.startswith("sha256:2cf24dba")
    assert unreadable("q", b"hallo", "now").letter_id != first.letter_id
