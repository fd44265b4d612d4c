"""Send notifications: tell customers what became of their orders, at least once."""

from holdfast.orders.application.ports import Clock, NotificationQueue, Notifier

SENT_MAX = 500


class SendNotifications:
    """Send what is unsent, then mark it; a crash in between sends it again, as the same news."""

    def __init__(self, queue: NotificationQueue, notifier: Notifier, clock: Clock) -> None:
        self._queue = queue
        self._notifier = notifier
        self._clock = clock

    async def __call__(self) -> int:
        """Return how many were sent, SENT_MAX at most; call again until 0."""
        unsent = await self._queue.unsent(SENT_MAX)
        if unsent:
            await self._notifier.send(
                unsent
            )  # no transaction is open meanwhile: a slow notifier holds up nobody
            await self._queue.mark_sent(unsent, self._clock.now())
        return len(unsent)
