"""When a delivery is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.notifier.domain.delivery import ATTEMPTS_MAX, SCHEDULE, Answer, next_attempt_at

NOW = datetime(2026, 11, 28, 20, 45, tzinfo=UTC)
MIDDLE = 0.5  # of what chance may add or take away


def pause_s(attempts: int, answer: Answer, chance: float = MIDDLE) -> float:
    at = next_attempt_at(attempts, answer, NOW, chance)
    assert at is not None
    return (at - NOW).total_seconds()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_a_success(status: int) -> None:
    assert Answer(status).is_success


@pytest.mark.parametrize("status", [0, 100, 199, 300, 301, 302, 304, 307, 400, 410, 500, 999])
def test_nothing_else_is(status: int) -> None:
    assert not Answer(status).is_success


@pytest.mark.parametrize(("status", "gone"), [(410, True), (404, False), (0, False), (200, False)])
def test_410_means_gone(status: int, gone: bool) -> None:
    assert Answer(status).is_gone is gone


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    pauses = [pause_s(attempts, Answer(500)) for attempts in range(1, ATTEMPTS_MAX)]

    assert pauses == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


def test_after_the_tenth_attempt_it_is_given_up() -> None:
    assert ATTEMPTS_MAX == 10
    assert next_attempt_at(9, Answer(0, "refused"), NOW, MIDDLE) is not None
    assert next_attempt_at(10, Answer(0, "refused"), NOW, MIDDLE) is None
    assert next_attempt_at(11, Answer(0, "refused"), NOW, MIDDLE) is None


def test_after_410_it_is_given_up_at_once() -> None:
    assert next_attempt_at(1, Answer(410, retry_after_s=5), NOW, MIDDLE) is None


@pytest.mark.parametrize(
    ("chance", "expected_s"), [(0.0, 240.0), (0.25, 270.0), (0.5, 300.0), (1.0, 360.0)]
)
def test_chance_moves_an_attempt_by_up_to_a_fifth(chance: float, expected_s: float) -> None:
    assert pause_s(2, Answer(503), chance) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("asked_s", "expected_s"),
    [
        (None, 300),
        (0, 300),
        (299, 300),
        (301, 301),
        (3_600, 3_600),
        (86_400, 86_400),
        (86_401, 86_400),
        (1e300, 86_400),
        (float("inf"), 86_400),
        (-5, 300),
    ],
)
def test_a_receiver_is_left_alone_as_long_as_it_asks(
    asked_s: float | None, expected_s: float
) -> None:
    assert pause_s(2, Answer(429, retry_after_s=asked_s)) == expected_s


def test_retry_after_is_not_shortened_by_chance() -> None:
    assert pause_s(2, Answer(429, retry_after_s=350), 0.0) == 350
    assert pause_s(2, Answer(429, retry_after_s=350), 1.0) == 360  # the schedule's is longer


def test_a_success_has_no_next_attempt() -> None:
    with pytest.raises(AssertionError, match="has arrived"):
        next_attempt_at(1, Answer(204), NOW, MIDDLE)
