"""Figures of the Notifier's own business, and where they come from."""

from holdfast.chassis.database.seam import Database, Leadership
from holdfast.chassis.messaging.measuring import looking
from holdfast.chassis.metrics import DATABASE_UP, counter, gauge
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.infrastructure.sql import SQL

ATTEMPTS = counter(
    "holdfast_webhook_attempts_total",
    "Attempts to deliver an event to a webhook, by what came of them.",
    outcome=("arrived", "refused", "unanswered"),
)
OPEN_DELIVERIES = gauge(
    "holdfast_webhook_deliveries_open",
    "Deliveries that are to be sent, up to 10,000: a dead webhook's wait until it is given up.",
)
DISABLED = gauge("holdfast_webhooks_disabled", "Webhooks that were given up.")
MAILS = counter(
    "holdfast_mails_total",
    "Attempts to send a mail, by what came of them.",
    outcome=("sent", "later", "never", "skipped"),
)
MAILS_WAITING = gauge("holdfast_mails_waiting", "Mails that are to be sent, up to 10,000.")
MAILS_STUCK = gauge(
    "holdfast_mails_for_the_operator",
    "1 while the last mail that was tried waits for a person: for a template, a password.",
)
FEEDS_LOST = counter(
    "holdfast_notifier_feed_losses_total",
    "How often the place in a feed was lost, so that events may have been told to nobody.",
    feed=tuple(FeedName),
)


class Measuring:
    """Reads what waits, in every process.

    :param leadership: of sending mails: who does not have it tells of none that waits for a person.
    """

    def __init__(self, database: Database, leadership: Leadership) -> None:
        self._database, self._leadership = database, leadership
        self._sql = SQL[database.engine]
        self._is_up = DATABASE_UP.labels("notifier")

    async def __call__(self) -> int:
        """Measure once."""
        async with looking(self._database, self._is_up) as reading:
            (row,) = await reading.fetch(self._sql.MEASURED)
        OPEN_DELIVERIES.set(row["deliveries"])
        DISABLED.set(row["disabled"])
        MAILS_WAITING.set(row["mails"])
        if not await self._leadership.held():
            MAILS_STUCK.set(0)
        return 0
