"""Letters, and ways to the mail server of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from holdfast.notifier.application.mails.ports import Letter, Rendered
from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure.mail_addresses import Address
from holdfast.notifier.infrastructure.mail_message import Sender
from holdfast.notifier.infrastructure.mail_settings import SmtpServer
from holdfast.notifier.infrastructure.smtp import Patience, SmtpMailer
from testbed.mail_server import MailServer

EVENT_ID = "0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e"
ORDER_ID = "0198c5f0-0000-7c1e-9d43-5a8f0b2c6d1e"
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SENDER = Sender(Address("orders", "shop.example"), "Lamps & More")


def letter(to: str = "ada@example.org", subject: str = "Grüße", text: str = "Hello\n") -> Letter:
    words = Rendered(subject, text, "<p>Hello</p>\n")
    return Letter(EVENT_ID, ORDER_ID, MailKind.CONFIRMED, AT, Language.EN, to, words)


def at(server: MailServer, **more: object) -> SmtpServer:
    return SmtpServer("127.0.0.1", server.port)._replace(**more)  # type: ignore[arg-type]


@asynccontextmanager
async def mailing(
    server: SmtpServer, patience: Patience | None = None
) -> AsyncIterator[SmtpMailer]:
    mailer = SmtpMailer(server, SENDER, patience or Patience())
    try:
        yield mailer
    finally:
        await mailer.aclose()
