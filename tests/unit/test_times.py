"""Times as people type them and as they come over the wire: no moment is taken for another."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis import times

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
LAST_S = 253_402_300_799


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00Z",
        "2026-03-02 09:00:00",
        "2026-03-02T09:00",
        "2026-03-02 9:00",
        "2026-03-02t09:00z",
        "2026-03-02 09:00 UTC",
        "2026-03-02T10:00:00+01:00",
        "2026-03-02T10:00+01",
        "2026-03-02T14:30+0530",
        "2026-03-02 04:00 -05:00",
        "2026-03-01T23:00:00-10:00",
        "2026-03-02T09:00:00.000000000",
        "2026-03-02T09:00:00,0",
        " 2026-03-02T09:00:00-00:00\n",
    ],
)
def test_a_time_is_understood_with_its_offset_and_without_one_it_is_utc(text: str) -> None:
    assert times.parse(text) == NINE


@pytest.mark.parametrize(
    ("text", "midnight"),
    [("2026-03-02", NINE), ("2026-03-02Z", NINE), ("2026-03-02+09:00", NINE - timedelta(hours=9))],
)
def test_a_date_is_its_midnight(text: str, midnight: datetime) -> None:
    assert times.parse(text) == midnight - timedelta(hours=9)


@pytest.mark.parametrize(
    ("fraction", "micros"),
    [
        (".5", 500_000),
        (".000001", 1),
        (".000000001", 1),
        (".0000010", 1),
        (".000001001", 2),
        (".999999", 999_999),
        (".999999001", 1_000_000),
    ],
)
def test_what_is_finer_than_a_microsecond_is_rounded_up(fraction: str, micros: int) -> None:
    assert times.parse(f"2026-03-02T09:00:00{fraction}Z") == NINE + timedelta(microseconds=micros)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday",
        "02/03/2026",
        "2026/03/02",
        "03-04-2026",
        "20260302",
        "1772442000",
        "2026-03",
        "2026-3-2",
        "2026-03-02T",
        "2026-03-02T09",
        "2026-03-02-05",
        "2026-03-02+0100",
        "2026-03-02 09:00 CET",
        "2026-03-02T09:00:00.",
        "2026-03-02T09:00.5",
        "2026-03-02T09:00:00.0000000001",
        "2026-03-02T09:00:00+1",
        "2026-03-02T09:00:00+01:00[Europe/Paris]",
        "2026\u201103-02",
        "٢٠٢٦-٠٣-٠٢",
        "2026-03-02T09:00 pm",
    ],
)
def test_what_has_another_form_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time: write .*UTC.*\+01:00"):
        times.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29",
        "2026-13-01",
        "0000-01-01",
        "2026-03-02T24:00",
        "2026-03-02T09:60",
        "2026-03-02T23:59:60Z",
        "2026-03-02T09:00+24:00",
        "2026-03-02T09:00+01:60",
        "9999-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
    ],
)
def test_a_day_an_hour_or_an_offset_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no such day, hour or offset"):
        times.parse(text)


def test_the_last_moment_is_not_rounded_beyond_the_calendar() -> None:
    last = datetime.max.replace(tzinfo=UTC)

    assert times.parse("9999-12-31T23:59:59.999999999") == last
    assert times.read(Timestamp(seconds=LAST_S, nanos=999_999_999)) == last
    assert times.read(Timestamp(seconds=LAST_S, nanos=999_999_000)) == last


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn too
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=st.builds(
            timezone, st.integers(-23 * 60, 23 * 60).map(lambda n: timedelta(minutes=n))
        ),
    )
)
def test_every_time_is_read_back_as_it_is_written(moment: datetime) -> None:
    assert times.parse(moment.isoformat()) == moment
    stamp = Timestamp()
    times.write(stamp, moment)
    assert times.read(stamp) == moment


@given(st.integers(-62_135_596_800, LAST_S - 1), st.integers(0, 999_999_999), st.data())
def test_a_stored_microsecond_is_from_or_before_a_nanosecond_as_it_would_be_unrounded(
    seconds: int, nanos: int, data: st.DataObject
) -> None:
    bound = times.read(Timestamp(seconds=seconds, nanos=nanos))

    micros = data.draw(st.integers(nanos // 1_000 - 1, nanos // 1_000 + 1))
    stored = times.EPOCH + timedelta(seconds=seconds, microseconds=max(micros, 0))
    nanos_of_stored = (stored - times.EPOCH) // timedelta(microseconds=1) * 1_000
    unrounded = seconds * 1_000_000_000 + nanos
    assert (stored >= bound) == (nanos_of_stored >= unrounded)
    assert (stored < bound) == (nanos_of_stored < unrounded)


@pytest.mark.parametrize(
    "stamp",
    [
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
        Timestamp(seconds=LAST_S + 1),
        Timestamp(seconds=-62_135_596_801),
        Timestamp(seconds=2**63 - 1),
        Timestamp(seconds=-(2**63)),
    ],
    ids=str,
)
def test_a_stamp_outside_of_the_calendar_or_with_no_nanos_is_refused(stamp: Timestamp) -> None:
    with pytest.raises(ValueError, match=r"nanos|years 1 to 9999"):
        times.read(stamp)
