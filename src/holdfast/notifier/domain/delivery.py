"""Deliveries to webhooks: what came of an attempt, and when the next one is due.

The schedule, what is a success, and what 410 means are those of Standard Webhooks 1.0.0.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

EXCERPT_MAX = 1_000

# How long after the attempt before it each one is due: 75.6 hours in all.
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS_MAX = len(SCHEDULE)
RETRY_AFTER_S_MAX = 24 * 3_600
JITTER = 0.2
PAUSE_MAX = max(SCHEDULE) * (1 + JITTER)  # a receiver can't ask for a longer one

_GONE = 410


class UrlRefused(Exception):
    """Nothing is sent to this URL; the message says what is wrong with it, and what would do."""

    reason = "URL_REFUSED"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt.

    :param status: of HTTP; 0: there was no whole answer, and `problem` says why in plain words.
    :param excerpt: how the answer's body begins, up to `EXCERPT_MAX` printable characters. It is
        the receiver's text: escape it wherever it is shown.
    :param retry_after_s: the receiver asks to be left alone for so long.
    """

    status: int
    problem: str = ""
    excerpt: str = ""
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Only a 2xx is: who redirects has not taken the event."""
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The receiver wants nothing any more."""
        return self.status == _GONE


def next_attempt_at(attempts: int, answer: Answer, now: datetime, chance: float) -> datetime | None:
    """Return when to try again after a failure; None: the delivery is given up.

    Every pause of the schedule is made up to 20 % shorter or longer, so that what failed together
    does not come back together. A receiver that asks for a longer pause (Retry-After) has it, up to
    24 hours; for a shorter one, it has the schedule's.

    :param attempts: made so far, 1 or more, with the one that was answered so.
    :param now: when the answer came.
    :param chance: 0 to 1, evenly spread.
    """
    assert not answer.is_success, "what has arrived is not sent again"
    if attempts >= ATTEMPTS_MAX or answer.is_gone:
        return None
    pause = SCHEDULE[attempts] * (1 + JITTER * (2 * chance - 1))
    asked_s = min(answer.retry_after_s or 0, RETRY_AFTER_S_MAX)
    return now + max(pause, timedelta(seconds=asked_s))
