"""Bring forward: nothing waits for a moment that no pause reaches.

A process whose clock ran ahead has written it, be it as an attempt failed or as one was due at
once; until then all of its line would wait. One whose clock is behind finds all so, and sends.
"""

from datetime import timedelta

from holdfast.notifier.application.ports import Clock, Reader
from holdfast.notifier.domain import delivery, mail

MARGIN = timedelta(minutes=5)  # by which clocks may differ


class BringForward:
    """Makes due at once what waits for longer than any attempt waits for the next."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock

    async def __call__(self) -> int:
        """Return how many deliveries and mails were brought forward."""
        now = self._clock.now()
        return await self._reader.bring_forward(
            now,
            deliveries=now + delivery.PAUSE_MAX + MARGIN,
            mails=now + mail.PAUSE_MAX + MARGIN,
        )
