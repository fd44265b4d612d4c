"""Mails that are due, sent some at a time: what fails holds up no other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.notifier.application.ports import Mail
from holdfast.notifier.application.send_mails import AT_ONCE, FAILED, SendMails
from holdfast.notifier.domain.events import MailState
from holdfast.notifier.domain.mail import Outcome, Sent
from holdfast.notifier.infrastructure.store import Store
from testbed.templates import Templates

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


async def test_a_mail_that_always_fails_lets_the_others_go(
    tmp_path: Path, templates: Templates
) -> None:
    async with connect(templates.copy_file("notifier", tmp_path / "notifier.db")) as database:
        store = Store(database)
        mails = [
            Mail(0, f"e-{n}", f"o-{n}", "confirmed", NOW, next_at=NOW) for n in range(AT_ONCE + 5)
        ]
        async with store.begin() as work:
            await work.add_mails(mails)

        async def send(mail: Mail) -> Outcome:
            if int(mail.event_id.removeprefix("e-")) < AT_ONCE:
                raise RuntimeError("whatever")
            return Sent()

        told: list[str] = []
        sending = SendMails(
            store.begin,
            store,
            send,
            SystemClock(),
            lambda: 0.5,
            lambda mail, _: told.append(mail.event_id),
        )
        with pytest.raises(RuntimeError, match="whatever"):
            await sending()
        assert await sending() == 5
        found = {one.event_id: one for one in await store.mails(None, "", before=2**62, limit=99)}

    assert told == [f"e-{n}" for n in range(AT_ONCE, AT_ONCE + 5)]
    assert found["e-0"].state is MailState.WAITING
    assert (found["e-0"].attempts, found["e-0"].problem) == (0, FAILED)
    assert found["e-24"].state is MailState.SENT
