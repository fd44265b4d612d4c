"""Send the mails that are due, one by one, and record what came of each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from holdfast.notifier.application.ports import Begin, Clock, Mail, Reader, ServiceAway
from holdfast.notifier.domain.events import MailState
from holdfast.notifier.domain.mail import Later, Never, Outcome, Sent, Skipped, next_try_at

AT_ONCE = 20  # are looked up, and recorded, together
POSTPONED = timedelta(seconds=20)
FAILED = "it could not be tried: the log of the Notifier tells why"

_ENDS: dict[type, MailState] = {
    Sent: MailState.SENT,
    Skipped: MailState.SKIPPED,
    Never: MailState.FAILED,
    Later: MailState.FAILED,  # where it is the last attempt
}


class Untried(Exception):
    """A mail could not be tried. Tells where that failed, and not what was said of it there: that
    may be a customer's address.
    """

    def __init__(self, mail: Mail, error: BaseException) -> None:
        super().__init__(f"mail of event {mail.event_id}: {type(error).__name__}")
        self.with_traceback(error.__traceback__)


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

        :raises ServiceAway: Orders does not answer.
        :raises Untried: a mail could not be tried for any other reason.
        :raises Transient: the database does not answer.
        """
        due = await self._reader.due_mails(self._clock.now(), limit=AT_ONCE)
        tries = await self._try_each(due)
        left = [self._tried(mail, came) for mail, came in zip(due, tries, strict=True)]
        async with self._begin() as work:
            await work.record_mails(left)
        for mail, came in zip(due, tries, strict=True):
            if isinstance(came, ServiceAway):
                raise came
            if isinstance(came, BaseException):
                raise Untried(mail, came) from None
        return len(due)

    async def _try_each(self, due: Sequence[Mail]) -> list[Outcome | BaseException]:
        """Try each when the one before it has gone: what was read of an order while others were
        handed over may have been erased since. When Orders is away, it is for the rest as well.
        """
        tries: list[Outcome | BaseException] = []
        for mail in due:
            tries += await asyncio.gather(self._send(mail), return_exceptions=True)
            if isinstance(tries[-1], ServiceAway):
                break
        return tries + tries[-1:] * (len(due) - len(tries))

    def _tried(self, mail: Mail, came: Outcome | BaseException) -> Mail:
        """Return a mail as a try leaves it."""
        now, attempts = self._clock.now(), mail.attempts + 1
        if isinstance(came, ServiceAway):  # no attempt; meanwhile others go first
            return mail._replace(next_at=now + POSTPONED, problem=FAILED)
        outcome = Later(FAILED, needs_operator=True) if isinstance(came, BaseException) else came
        self._told(mail, outcome)
        next_at = next_try_at(attempts, outcome, now, self._chance())
        return mail._replace(
            state=_ENDS[type(outcome)] if next_at is None else MailState.WAITING,
            attempts=attempts,
            next_at=next_at or now,
            attempted_at=now,
            problem="" if isinstance(outcome, Sent) else outcome.why,
        )
