"""Dates are ISO 8601, or in a form of which somebody said what comes first."""

from datetime import UTC, datetime

import pytest

from holdfast.importing.dates import DateOrder, moment
from holdfast.importing.flaws import Unintelligible

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02 09:00", NINE),
        ("2026-03-02T09:00:00", NINE),
        ("2026-03-02T09:00:00Z", NINE),
        ("2026-03-02T11:00:00+02:00", NINE),
        ("2026-03-02 09:00:00.000", NINE),
        ("2026-03-02", NINE.replace(hour=0)),
    ],
)
def test_iso_8601_is_read_whole_whatever_was_said_of_other_forms(text: str, at: datetime) -> None:
    for order in (None, *DateOrder):
        assert moment(text, order) == at


@pytest.mark.parametrize("text", ["03/04/2026 10:00", "20/04/2026", "3.4.2026", "3-4-2026 9:00"])
def test_a_form_that_may_mean_two_days_is_refused_until_somebody_says_which(text: str) -> None:
    with pytest.raises(Unintelligible, match="give --dates dmy if the day comes first"):
        moment(text)


@pytest.mark.parametrize(
    ("text", "order", "at"),
    [
        ("02/03/2026 09:00", DateOrder.DMY, NINE),
        ("3/2/2026 9:00", DateOrder.MDY, NINE),
        ("3/2/2026 9:00 AM", DateOrder.MDY, NINE),
        ("2.3.2026, 09:00:00", DateOrder.DMY, NINE),
        ("2-3-2026 9:00", DateOrder.DMY, NINE),
        ("2026/03/02 09:00", DateOrder.YMD, NINE),
        ("3/2/2026 12:00 am", DateOrder.MDY, NINE.replace(hour=0)),
        ("3/2/2026 12:30 p.m.", DateOrder.MDY, NINE.replace(hour=12, minute=30)),
    ],
)
def test_such_a_form_is_read_as_it_was_said(text: str, order: DateOrder, at: datetime) -> None:
    assert moment(text, order) == at


@pytest.mark.parametrize("order", [None, *DateOrder])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("3/2/26 9:00", "no year of four digits"),
        ("46083.375", "a bare number, as a spreadsheet counts days"),
        ("46083", "a bare number"),
        ("yesterday", "cannot be read: write it as 2026-"),
        ("2026-13-01", "there is no such day"),
        ("2026-02-30 09:00", "there is no such day"),
        ("2026-3-1", "a month or a day of one digit"),
        ("2026-03-02 09:00.5", "write it as 2026-"),
    ],
)
def test_what_is_no_certain_date_is_refused(
    text: str, problem: str, order: DateOrder | None
) -> None:
    with pytest.raises(Unintelligible) as refused:
        moment(text, order)

    assert problem in refused.value.problem


@pytest.mark.parametrize("text", ["20/04/2026", "3/2/2026 13:00 PM", "3/2/2026 25:00"])
def test_a_day_or_hour_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(Unintelligible, match="no such"):
        moment(text, DateOrder.MDY)
