"""What operators are told of the Notifier's work: in the log, and as figures."""

from collections.abc import Callable

import structlog

from holdfast.chassis.transient import Transient
from holdfast.notifier.application.ports import CatchUp, Mail
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.domain.mail import Later, Never, Outcome, Sent, Skipped
from holdfast.notifier.domain.webhook import Webhook
from holdfast.notifier.infrastructure.metrics import ATTEMPTS, FEEDS_LOST, MAILS, MAILS_STUCK

log = structlog.get_logger()

_NAMES: dict[type, str] = {Sent: "sent", Later: "later", Never: "never", Skipped: "skipped"}


def feed_lost(feed: FeedName) -> Callable[[str], None]:
    """Make what tells that the place in a feed was lost."""

    def tell(reason: str) -> None:
        FEEDS_LOST.labels(feed).inc()
        log.error(
            "the place in the feed is lost: events that are not kept any more were told to nobody",
            feed=feed,
            reason=reason,
        )

    return tell


def catch_up_lost(place: CatchUp, reason: str) -> None:
    """Tell that a webhook's own place in a feed was lost."""
    FEEDS_LOST.labels(place.feed).inc()
    log.error(
        "a webhook's place is lost: it is sent what the feed still has",
        webhook=place.webhook_id,
        feed=place.feed,
        reason=reason,
    )


def attempt_made(answer: Answer) -> None:
    """Count what came of an attempt."""
    outcome = "arrived" if answer.is_success else "refused" if answer.status else "unanswered"
    ATTEMPTS.labels(outcome).inc()


def attempt_lost(error: BaseException) -> None:
    """Tell that what came of an attempt could not be recorded."""
    if isinstance(error, Transient):
        log.warning("an attempt could not be recorded: it is made again", error=str(error))
    else:
        log.error("an attempt failed in the middle: it is made again", exc_info=error)


def webhook_disabled(webhook: Webhook) -> None:
    """Tell people that a webhook was given up; by its id, since a URL may hold a secret."""
    log.error(
        "a webhook was given up: nothing is sent there until it is made active again",
        webhook=webhook.webhook_id,
        failing_since=webhook.failing_since,
    )


def mail_tried(mail: Mail, outcome: Outcome) -> None:
    """Tell what came of a mail, without a word of whom it is to."""
    MAILS.labels(_NAMES[type(outcome)]).inc()
    match outcome:
        case Later(why=why, needs_operator=True):
            MAILS_STUCK.set(1)
            log.error("a mail waits for you", order=mail.order_id, kind=mail.kind, why=why)
        case Later(why=why):
            log.warning("a mail waits", order=mail.order_id, kind=mail.kind, why=why)
        case Never(why=why):
            log.warning("a mail can't be sent", order=mail.order_id, kind=mail.kind, why=why)
        case Sent():
            MAILS_STUCK.set(0)
        case Skipped():
            pass
