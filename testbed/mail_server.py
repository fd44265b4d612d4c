"""A mail server of a test's own: it takes mail on a socket, or does not, as it is told."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Answer = str | Callable[[SMTP], Awaitable[str]]


class Received(NamedTuple):
    """A mail that came: from and to whom by the envelope, and what."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, as a program that shows mail reads it."""
        return message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """Its text, by what comes after the slash: plain or html."""
        body = self.message.get_body((kind,))
        assert body is not None, f"it has no {kind}"
        return str(body.get_content())


@dataclass
class MailServer:
    """What a server was given, and how it is to answer.

    :param mails: every one whose contents came, whatever was answered.
    :param answers: by command, in place of the usual: a line, or what makes one.
    :param connections: how many there were.
    """

    port: int = 0
    mails: list[Received] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    connections: int = 0
    goodbyes: int = 0
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def _answer(self, command: str, server: SMTP, usual: str) -> str:
        answer = self.answers.get(command, usual)
        return answer if isinstance(answer, str) else await answer(server)

    async def handle_MAIL(
        self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer("MAIL", server, "250 OK")
        if answer.startswith("250"):
            envelope.mail_from, envelope.mail_options = address, options
        return answer

    async def handle_RCPT(
        self, server: SMTP, _: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = await self._answer("RCPT", server, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes), "it is not decoded"
        self.mails.append(
            Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.content)
        )
        return await self._answer("DATA", server, "250 OK queued as 4F2A")

    async def handle_RSET(self, server: SMTP, _: Session, __: Envelope) -> str:
        return await self._answer("RSET", server, "250 OK")

    async def handle_QUIT(self, _: SMTP, __: Session, ___: Envelope) -> str:
        self.goodbyes += 1
        return "221 Bye"


@asynccontextmanager
async def receiving_mail(
    *,
    tls: ssl.SSLContext | None = None,
    at_once: bool = True,
    login: tuple[str, str] | None = None,
    utf8: bool = False,
) -> AsyncIterator[MailServer]:
    """Run a mail server on a free port of this machine.

    :param tls: how it is encrypted.
    :param at_once: from the start; else it takes nothing until it is asked to (STARTTLS).
    :param login: user and password that it wants.
    """
    mail_server = MailServer()

    def allowed(*arguments: object) -> AuthResult:
        data = arguments[-1]
        assert isinstance(data, LoginPassword)
        mail_server.logins.append((data.login, data.password))
        wanted = login and tuple(word.encode() for word in login)
        return AuthResult(success=(data.login, data.password) == wanted, handled=False)

    def protocol() -> SMTP:
        mail_server.connections += 1
        with warnings.catch_warnings(action="ignore"):  # of passwords without TLS
            return SMTP(
                mail_server,
                hostname="mail.example",
                enable_SMTPUTF8=utf8,
                tls_context=None if at_once else tls,
                require_starttls=not at_once,
                authenticator=allowed,
                auth_required=login is not None,
                auth_require_tls=False,
                loop=loop,
            )

    loop = asyncio.get_running_loop()
    at_start = tls if at_once else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=at_start)
    mail_server.port = server.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        server.close()
        await server.wait_closed()
