"""E-mails to customers: what each tells, what came of an attempt, and when the next one is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MailKind(StrEnum):
    """What a mail tells a customer of an order."""

    CONFIRMED = "confirmed"  # it is accepted: its stock is reserved, or waited for
    EDITED = "edited"  # it has other lines or charges
    PARTIALLY_SHIPPED = "partially_shipped"  # a part has left the house
    SHIPPED = "shipped"  # the last of it has
    REST_CANCELLED = "rest_cancelled"  # what had not left yet does not come any more
    REJECTED = "rejected"  # the stock was short
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # it was not confirmed in time
    RETURN_RECEIVED = "return_received"  # units came back
    REFUNDED = "refunded"  # money was given back


class Language(StrEnum):
    """What a mail is written in, by its code of ISO 639-1."""

    EN = "en"
    DE = "de"

    @classmethod
    def named(cls, tag: str) -> "Language | None":
        """The language of a tag such as `de`, `de-AT` (RFC 5646) or `de_AT`; None: not ours."""
        primary = tag.strip().replace("_", "-").partition("-")[0].lower()
        return next((one for one in cls if one == primary), None)


@dataclass(frozen=True, slots=True)
class Sent:
    """The mail server took the mail.

    :param answer: its words, without an address; where it queues the mail, mostly under what name.
    """

    answer: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """It was not sent, or nobody knows; it is tried again.

    :param needs_operator: it stays so until somebody mends it: a template, a password, our address.
    """

    why: str
    needs_operator: bool = False


@dataclass(frozen=True, slots=True)
class Never:
    """It can't be sent, and a repeat would be refused likewise."""

    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nobody is to get it."""

    why: str


Outcome = Sent | Later | Never | Skipped

# How long after the attempt before it each one is due: close together at first, since a server that
# does not know us may ask to come back in some minutes (greylisting, RFC 6647); 71.85 hours in all.
SCHEDULE = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=12),
    timedelta(hours=16),
    timedelta(hours=16),
)
ATTEMPTS_MAX = len(SCHEDULE)
JITTER = 0.2
PAUSE_MAX = max(SCHEDULE) * (1 + JITTER)


def next_try_at(attempts: int, outcome: Outcome, now: datetime, chance: float) -> datetime | None:
    """Return when a mail is tried again; None: never, as it was sent, skipped or is given up.

    Every pause of the schedule is made up to 20 % shorter or longer, so that what failed together
    does not come back together.

    :param attempts: made so far, 1 or more, with the one that had this outcome.
    :param now: when it had.
    :param chance: 0 to 1, evenly spread.
    """
    if not isinstance(outcome, Later) or attempts >= ATTEMPTS_MAX:
        return None
    return now + SCHEDULE[attempts] * (1 + JITTER * (2 * chance - 1))
