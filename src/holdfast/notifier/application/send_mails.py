"""Send the mails that are due, some at a time, and record what came of each."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from holdfast.notifier.application.ports import Begin, Clock, Mail, Reader
from holdfast.notifier.domain.events import MailState
from holdfast.notifier.domain.mail import Later, Never, Outcome, Sent, Skipped, next_try_at

AT_ONCE = 20
POSTPONED = timedelta(seconds=20)
FAILED = "it could not be tried: the log of the Notifier tells why"

_ENDS: dict[type, MailState] = {
    Sent: MailState.SENT,
    Skipped: MailState.SKIPPED,
    Never: MailState.FAILED,
    Later: MailState.FAILED,  # where it is the last attempt
}


class SendMails:
    """Works through what is due, once. One process does it at a time; a mail whose outcome could
    not be recorded is sent again, with the same Message-ID.

    :param send: tries one mail; see `SendMail`.
    :param chance: 0 to 1, evenly spread.
    :param told: called with each mail and its outcome.
    """

    def __init__(
        self,
        begin: Begin,
        reader: Reader,
        send: Callable[[Mail], Awaitable[Outcome]],
        clock: Clock,
        chance: Callable[[], float],
        told: Callable[[Mail, Outcome], None],
    ) -> None:
        self._begin, self._reader, self._send = begin, reader, send
        self._clock, self._chance, self._told = clock, chance, told

    async def __call__(self) -> int:
        """Return how many mails were tried; call again until 0.

        :raises Transient: Orders or the database does not answer.
        """
        due = await self._reader.due_mails(self._clock.now(), limit=AT_ONCE)
        tries = await asyncio.gather(*map(self._try, due), return_exceptions=True)
        # What failed is no attempt, and lets others go first: one that always fails holds up none.
        later = self._clock.now() + POSTPONED
        async with self._begin() as work:
            await work.record_mails(
                [
                    one if isinstance(one, Mail) else mail._replace(next_at=later, problem=FAILED)
                    for mail, one in zip(due, tries, strict=True)
                ]
            )
        for failed in tries:
            if isinstance(failed, BaseException):
                raise failed
        return len(due)

    async def _try(self, mail: Mail) -> Mail:
        outcome = await self._send(mail)
        self._told(mail, outcome)
        now, attempts = self._clock.now(), mail.attempts + 1
        next_at = next_try_at(attempts, outcome, now, self._chance())
        return mail._replace(
            state=_ENDS[type(outcome)] if next_at is None else MailState.WAITING,
            attempts=attempts,
            next_at=next_at or now,
            attempted_at=now,
            problem="" if isinstance(outcome, Sent) else outcome.why,
        )
