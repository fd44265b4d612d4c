"""The way to customers: a mail server, spoken to by SMTP (RFC 5321)."""

import asyncio
import re
import ssl
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import aiosmtplib
from aiosmtplib import SMTP

from holdfast.notifier.application.mails.ports import Letter
from holdfast.notifier.domain.mail import Later, Never, Outcome, Sent
from holdfast.notifier.infrastructure import mail_addresses
from holdfast.notifier.infrastructure.mail_addresses import Address, AddressUnusable
from holdfast.notifier.infrastructure.mail_message import Sender, message_of
from holdfast.notifier.infrastructure.mail_settings import Encryption, SmtpServer
from holdfast.notifier.infrastructure.mail_words import one_line

ANSWER_CHARACTERS_MAX = 300
NAME_CHARACTERS_MIN = 3  # of what is before an @, to tell anybody who it is

# Of RFC 5321, 3463 and 4954: what the server wants of us, and not of this mail.
_TOO_LARGE = 552
_LOGIN = (530, 534, 535, 538)
_ADDRESS = re.compile(r"\S+@\S+")


class Patience(NamedTuple):
    """How long a server is waited for.

    :param connect_s: until it lets us in.
    :param mail_s: for one mail, from our first word to its last.
    :param idle_s: a connection without mails is given up after that.
    :param away_s: a server that could not be reached is left alone for so long.
    """

    connect_s: float = 10.0
    mail_s: float = 30.0
    idle_s: float = 15.0
    away_s: float = 10.0


PATIENCE = Patience()


class SmtpMailer:
    """Hands letters to a server, one after the other, on one connection; give it up with `aclose`.

    A connection is kept for 15 s without mails. A server that can't be reached, or does not let us
    in, is left alone for 10 s: until then every mail comes `Later` at once.
    """

    def __init__(self, server: SmtpServer, sender: Sender, patience: Patience = PATIENCE) -> None:
        self._server, self._sender, self._patience = server, sender, patience
        self._turn = asyncio.Lock()
        self._smtp: SMTP | None = None
        self._used_at = 0.0
        self._away: Later | None = None
        self._away_until = 0.0
        self._idle: asyncio.Task[None] | None = None

    async def send(self, letter: Letter) -> Outcome:
        """Send a letter once.

        `Never`: the address is none, or the server refuses it, or the contents, for good (5xx); or
        the mail can't be written.
        `Later`: everything else, that is: no connection, no or another's certificate, no answer
        within 30 s, 4xx, and what the server holds against us (its 5xx to our login or sender).
        An answer that got lost leaves open whether the mail was taken; the repeat has the same
        Message-ID.
        """
        try:
            to = mail_addresses.read(letter.to)
        except AddressUnusable as error:
            return Never(str(error))
        try:
            message = message_of(letter, self._sender, to)
        except Exception:  # noqa: BLE001 - whatever the library raises, it would raise again
            return Never("the mail could not be written")
        async with self._turn:
            return await self._send(message, to)

    async def aclose(self) -> None:
        """Say goodbye to the server, if it is there. Whoever sends afterwards connects anew."""
        async with self._turn:
            await self._hang_up()

    async def _send(self, message: bytes, to: Address) -> Outcome:
        if self._away is not None and monotonic() < self._away_until:
            return self._away
        try:
            smtp = await self._connected()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            self._away, self._away_until = (
                self._not_let_in(error),
                monotonic() + self._patience.away_s,
            )
            return self._away
        is_whole = False
        try:
            outcome = await self._hand_over(smtp, message, to)
            is_whole = True
        finally:
            if not is_whole:
                smtp.close()  # in the middle of something: nobody knows whose the next answer is
        self._used_at = monotonic()
        return outcome

    async def _connected(self) -> SMTP:
        """Return the connection that is kept, if the server still answers there, or a new one."""
        if self._smtp is not None:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.rset(timeout=self._patience.connect_s)
                return self._smtp
            await self._hang_up()
        smtp = SMTP(
            hostname=self._server.host,
            port=self._server.port,
            timeout=self._patience.connect_s,
            use_tls=self._server.encryption is Encryption.TLS,
            start_tls=self._server.encryption is Encryption.STARTTLS,
            tls_context=await asyncio.to_thread(_context, self._server.ca),
        )
        is_whole = False
        try:
            async with asyncio.timeout(self._patience.connect_s):
                await smtp.connect()
                await smtp.ehlo()
                if self._server.user:
                    secret = self._server.password.get_secret_value()
                    await smtp.login(self._server.user.encode(), secret.encode())
            is_whole = True
        finally:
            if not is_whole:
                smtp.close()
        self._smtp, self._used_at = smtp, monotonic()
        self._idle = asyncio.create_task(self._give_up_idle())
        return smtp

    async def _hand_over(self, smtp: SMTP, message: bytes, to: Address) -> Outcome:
        is_utf8 = to.needs_utf8 or self._sender.address.needs_utf8
        if is_utf8 and not smtp.supports_extension("smtputf8"):
            return Never("the mail server takes no address with letters beyond ASCII (SMTPUTF8)")
        options, encoding = (["SMTPUTF8"], "utf-8") if is_utf8 else ([], "ascii")
        sender, mail_s = str(self._sender.address), self._patience.mail_s
        try:
            async with asyncio.timeout(mail_s):
                await smtp.mail(sender, options=options, encoding=encoding, timeout=None)
                await smtp.rcpt(str(to), encoding=encoding, timeout=None)
                answer = await smtp.data(message, timeout=None)
        except aiosmtplib.SMTPResponseException as refusal:
            if not 400 <= refusal.code <= 599:
                smtp.close()  # it speaks no SMTP
            return _refused(refusal, to)
        except TimeoutError:
            smtp.close()
            return Later(f"the mail server gave no answer for {mail_s:g} s; it may have taken it")
        except (aiosmtplib.SMTPException, OSError):
            smtp.close()
            return Later("the mail server hung up; it may have taken the mail")
        return Sent(_told(answer.code, answer.message, to))

    def _not_let_in(self, error: Exception) -> Later:
        """Say why there is no connection, without a word of the login."""
        server = f"mail server {self._server}"
        match error:
            case aiosmtplib.SMTPAuthenticationError(code=code):
                return Later(f"{server} refuses user or password ({code})", code in _LOGIN)
            case aiosmtplib.SMTPResponseException(code=code, message=words):
                return Later(f"{server} does not let us in: {_told(code, words)}")
            case TimeoutError():
                return Later(f"{server} does not answer within {self._patience.connect_s:g} s")
        cause = error.__cause__ or error
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = f"has a certificate that is not trusted: {cause.verify_message}"
            return Later(f"{server} {why}", needs_operator=True)
        is_there = not isinstance(error, OSError)  # it answered, and lacks what is asked of it
        return Later(f"{server}: {_shortened(str(cause) or 'hung up')}", needs_operator=is_there)

    async def _give_up_idle(self) -> None:
        while True:
            await asyncio.sleep(self._used_at + self._patience.idle_s - monotonic())
            async with self._turn:
                if monotonic() - self._used_at >= self._patience.idle_s:
                    self._idle = None
                    return await self._hang_up()

    async def _hang_up(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit(timeout=1.0)
            smtp.close()


def _context(ca: Path | None) -> ssl.SSLContext:
    """Certificates and host names are checked; TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _refused(refusal: aiosmtplib.SMTPResponseException, to: Address) -> Outcome:
    told = f"the mail server: {_told(refusal.code, refusal.message, to)}"
    if refusal.code in _LOGIN:
        return Later(told, needs_operator=True)
    if not 500 <= refusal.code <= 599:
        return Later(told)
    if isinstance(refusal, aiosmtplib.SMTPSenderRefused) and refusal.code != _TOO_LARGE:
        return Later(f"{told} (it refuses our address)", needs_operator=True)
    return Never(told)


def _told(code: int, words: str, to: Address | None = None) -> str:
    """Return a server's answer as it may be kept: printable, short, and nobody's address."""
    if to is not None and len(to.local) >= NAME_CHARACTERS_MIN:
        words = re.sub(rf"(?<!\w){re.escape(to.local)}(?!\w)", "<address>", words, flags=re.I)
    return f"{code} {_shortened(_ADDRESS.sub('<address>', words))}".rstrip()


def _shortened(words: str) -> str:
    line = one_line(words)
    return line if len(line) <= ANSWER_CHARACTERS_MAX else f"{line[: ANSWER_CHARACTERS_MAX - 1]}…"
