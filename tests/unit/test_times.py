"""Times that people type are understood with their offset, or refused with what to write."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.times import parse

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-02T09:00:00Z", NINE),
        ("2026-03-02T09:00:00z", NINE),
        ("2026-03-02 09:00", NINE),
        ("2026-03-02 9:00", NINE),
        ("2026-03-02T09:00", NINE),
        ("2026-03-02T11:00+02:00", NINE),
        ("2026-03-02T11:00+0200", NINE),
        ("2026-03-02T11:00+02", NINE),
        ("2026-03-01T22:30:00-10:30", NINE),
        (" 2026-03-02T09:00:00 Z ", NINE),
        ("2026-03-02", NINE.replace(hour=0)),
        ("2026-03-02T09:00:00.5", NINE.replace(microsecond=500_000)),
        ("2026-03-02T09:00:00,123456", NINE.replace(microsecond=123_456)),
        ("2026-03-02T09:00:00.123456001Z", NINE.replace(microsecond=123_457)),
        ("2026-03-02T09:00:59.9999999", NINE.replace(minute=1)),
    ],
)
def test_a_time_is_read_with_its_offset_and_is_utc_without_one(text: str, time: datetime) -> None:
    assert parse(text) == time
    assert parse(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "09:00",
        "03/04/2026",
        "02.03.2026 09:00",
        "20260302",
        "46083.375",
        "2026-3-2",
        "26-03-02",
        "2026-03-02T",
        "2026-03-02T9",
        "2026-03-02T09:00:00 CET",
        "2026-03-02T09:00:00+1",
        "2026-03-02T09:00:00.0000000001",
        "2026-02-30",
        "2026-03-02T24:00",
        "2026-03-02T09:60",
        "2026-03-02T23:59:60Z",
        "2026-03-02T09:00+24:00",
        "2026-03-02T09:00+01:60",
        "0000-01-01",
        "0001-01-01T00:00+01:00",
        "9999-12-31T23:59:59.9999999",
        "\uff12\uff10\uff12\uff16-03-02",  # digits, but not ours
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time such as|there is no such time"):
        parse(text)


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001 - the zone comes below
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from("T "),
)
def test_every_time_that_python_writes_is_read_back(time: datetime, offset: int, mark: str) -> None:
    aware = time.replace(tzinfo=timezone(timedelta(minutes=offset)))

    assert parse(aware.isoformat(mark)) == aware
