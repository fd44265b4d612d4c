"""A letter as a message of the Internet (RFC 5322, MIME): nothing from outside gets into a header
but the checked address and the words of the subject, on one line.
"""

import re
from email.header import Header
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, NamedTuple

from holdfast.notifier.application.mails.ports import Letter
from holdfast.notifier.infrastructure.mail_addresses import Address

_ID = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


class _Policy(EmailPolicy):
    """Writes a subject of more than ASCII as encoded words from its first character to its last.

    `EmailPolicy` encodes some words of it, with blanks within and between them: readers see two.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        subject = str(value)
        if name != "Subject" or subject.isascii() or self.utf8:
            return super().fold_binary(name, value)
        encoded = Header(subject, "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}".encode("ascii")


# Bodies in quoted-printable or base64: no server is asked for 8BITMIME, and no line gets too long.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


class Sender(NamedTuple):
    """Whom mails are from.

    :param name: one line; it stands before the address.
    """

    address: Address
    name: str


def message_of(letter: Letter, sender: Sender, to: Address) -> bytes:
    """Write the message, with CRLF at the ends of its lines.

    The customer's name is in no header. `Message-ID` is the same for a repeat, `Date` is the time
    of the event, and `Auto-Submitted` (RFC 3834) keeps programs from answering.

    :param to: what was read from `letter.to`.
    :raises ValueError: a header holds a line break.
    """
    assert _ID.fullmatch(letter.event_id), "ids of events are UUIDs"
    assert _ID.fullmatch(letter.order_id), "ids of orders are UUIDs"
    message = EmailMessage(_POLICY.clone(utf8=to.needs_utf8 or sender.address.needs_utf8))
    message["From"] = HeaderAddress(_unencoded(sender.name), *sender.address)
    message["To"] = HeaderAddress("", *to)
    message["Subject"] = _unencoded(letter.words.subject)
    message["Date"] = format_datetime(letter.happened_at)
    message["Message-ID"] = f"<{letter.event_id}@{sender.address.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Holdfast-Order"] = letter.order_id
    message.set_content(letter.words.text)
    message.add_alternative(letter.words.html, subtype="html")
    message["Content-Language"] = letter.language.value  # last: else it would go into a part
    written = message.as_bytes()
    if _names_in(written) != [name.encode() for name in message]:
        raise ValueError("a header holds a line break")
    return written


def _names_in(written: bytes) -> list[bytes]:
    """Return whatever stands before a colon at the beginning of a line, as a reader finds it."""
    lines = written.partition(b"\r\n\r\n")[0].splitlines()
    return [line.partition(b":")[0] for line in lines if not line.startswith((b" ", b"\t"))]


def _unencoded(text: str) -> str:
    """Take care that no words are decoded: `=?utf-8?q?=0A?=` would be a line break (RFC 2047)."""
    return text.replace("=?", "= ?")
