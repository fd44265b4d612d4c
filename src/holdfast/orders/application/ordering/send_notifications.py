"""Send notifications: tell customers what became of their orders, at least once."""

import asyncio

from holdfast.orders.application.ports import Clock, NotificationQueue, Notifier

SENT_MAX = 500


class SendNotifications:
    """Send what is unsent, then mark it.

    A crash in between sends it again, under the same identity.
    """

    def __init__(self, queue: NotificationQueue, notifier: Notifier, clock: Clock) -> None:
        self._queue = queue
        self._notifier = notifier
        self._clock = clock
        self._sending = asyncio.Lock()  # two at once would both send the same

    async def __call__(self) -> int:
        """Return how many were sent, SENT_MAX at most; call again until 0."""
        async with self._sending:
            unsent = await self._queue.unsent(SENT_MAX)
            if unsent:
                # No transaction is open meanwhile: a slow notifier holds up nobody.
                await self._notifier.send(unsent)
                await self._queue.mark_sent(unsent, self._clock.now())
            return len(unsent)
