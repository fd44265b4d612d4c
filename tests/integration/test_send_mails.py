"""Mails that are due, sent one by one: what fails holds up no other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from traceback import format_exception

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.notifier.application.ports import Mail
from holdfast.notifier.application.send_mails import AT_ONCE, FAILED, SendMails, Untried
from holdfast.notifier.domain.events import MailState
from holdfast.notifier.domain.mail import ATTEMPTS_MAX, Outcome, Sent
from holdfast.notifier.infrastructure.feeds import ServiceAway
from holdfast.notifier.infrastructure.store import Store
from testbed.templates import Templates
from tests.contract.conftest import SteadyClock

DAY_S = 24 * 3_600


class Sending:
    """Sends what is due, in its own database, by a clock of its own."""

    def __init__(self, store: Store, fail: BaseException) -> None:
        self.clock, self.store, self._fail = SteadyClock(), store, fail
        self.told: list[str] = []
        self.send = SendMails(
            store.begin,
            store,
            self._try,
            self.clock,
            lambda: 0.5,
            lambda mail, outcome: self.told.append(f"{mail.event_id} {type(outcome).__name__}"),
        )

    async def _try(self, mail: Mail) -> Outcome:
        if int(mail.event_id.removeprefix("e-")) < AT_ONCE:
            raise self._fail
        return Sent()

    async def add(self, count: int) -> None:
        now = self.clock.now()
        async with self.store.begin() as work:
            await work.add_mails(
                [Mail(0, f"e-{n}", f"o-{n}", "confirmed", now, next_at=now) for n in range(count)]
            )

    async def found(self, event_id: str) -> Mail:
        mail = await self.store.mail(event_id)
        assert mail is not None
        return mail


@pytest.fixture
async def store(tmp_path: Path, templates: Templates) -> AsyncIterator[Store]:
    async with connect(templates.copy_file("notifier", tmp_path / "notifier.db")) as database:
        yield Store(database)


async def test_mails_that_cannot_be_tried_let_the_others_go(store: Store) -> None:
    sending = Sending(store, ServiceAway("Orders is away"))
    await sending.add(AT_ONCE + 5)

    with pytest.raises(ServiceAway):
        await sending.send()
    assert await sending.send() == 5

    assert sending.told == [f"e-{n} Sent" for n in range(AT_ONCE, AT_ONCE + 5)]
    mail = await sending.found("e-0")
    assert (mail.state, mail.attempts, mail.problem) == (MailState.WAITING, 0, FAILED)
    assert (await sending.found("e-24")).state is MailState.SENT


async def test_a_mail_is_begun_when_the_one_before_it_has_gone(store: Store) -> None:
    """Its address is read then: who was erased while another mail went out gets nothing."""
    story: list[str] = []

    async def send(mail: Mail) -> Outcome:
        story.append(f"{mail.event_id} is read")
        await asyncio.sleep(0)
        story.append(f"{mail.event_id} has gone")
        return Sent()

    sending = Sending(store, AssertionError())
    await sending.add(2)
    send_mails = SendMails(
        store.begin, store, send, sending.clock, lambda: 0.5, lambda mail, outcome: None
    )

    assert await send_mails() == 2

    assert story == ["e-0 is read", "e-0 has gone", "e-1 is read", "e-1 has gone"]


async def test_what_always_fails_is_tried_as_often_as_any_mail_and_then_given_up(
    store: Store,
) -> None:
    sending = Sending(store, RuntimeError("whatever"))
    await sending.add(1)

    for _ in range(ATTEMPTS_MAX):
        with pytest.raises(Untried):
            await sending.send()
        sending.clock.advance(DAY_S)

    assert sending.told == ["e-0 Later"] * ATTEMPTS_MAX
    mail = await sending.found("e-0")
    assert (mail.state, mail.attempts, mail.problem) == (MailState.FAILED, ATTEMPTS_MAX, FAILED)
    assert await sending.send() == 0


async def test_what_fails_is_told_by_where_and_not_by_whom(store: Store) -> None:
    sending = Sending(store, ValueError("invalid: ada@example.org"))
    await sending.add(1)

    with pytest.raises(Untried, match="mail of event e-0: ValueError") as raised:
        await sending.send()

    told = "".join(format_exception(raised.value))
    assert "_try" in told
    assert "ada@example.org" not in told
