"""What may be set of mail to customers."""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    model_validator,
)

from holdfast.chassis.process.addresses import is_loopback
from holdfast.chassis.tls import TlsFiles, read_material
from holdfast.notifier.application.mails.ports import TemplateFailed
from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure import mail_addresses
from holdfast.notifier.infrastructure.mail_message import Sender
from holdfast.notifier.infrastructure.mail_words import one_line

FORM = "smtp+starttls://USER:PASSWORD@HOST:587"
_HINT = "in user and password write / as %2F, @ as %40, : as %3A, # as %23, ? as %3F, % as %25"
NAME_CHARACTERS_MAX = 100


class Encryption(Enum):
    """How what is said to a mail server is kept from others, and its usual port."""

    NONE = 25
    STARTTLS = 587
    TLS = 465


SCHEMES = {
    "smtp": Encryption.NONE,
    "smtp+starttls": Encryption.STARTTLS,
    "smtps": Encryption.TLS,
}


class SmtpServer(NamedTuple):
    """Who takes our mail.

    :param user: ""; we don't log in.
    :param ca: file in PEM with the authorities that its certificate is trusted by; None: those that
        everybody knows.
    """

    host: str
    port: int
    encryption: Encryption = Encryption.NONE
    user: str = ""
    password: SecretStr = SecretStr("")
    ca: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def read_server(url: str) -> SmtpServer:
    """Read the address of a mail server.

    :raises ValueError: it is none; the message tells why, and no secret.
    """
    scheme, slashes, _ = url.partition("://")
    if not slashes or scheme not in SCHEMES:
        schemes = ", ".join(f"{one}://" for one in SCHEMES)
        raise ValueError(f"must begin with one of {schemes}, as in {FORM}")
    if re.search(r"\s", url):
        raise ValueError(f"must contain no blanks, as in {FORM}; in a password write %20")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"has a port that is none, or a broken address; {_HINT}") from None
    if not host:
        raise ValueError(f"names no host; expected {FORM}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"has something behind the port; {_HINT}")
    encryption = SCHEMES[scheme]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) is not bool(password):
        raise ValueError(f"has a user without a password, or the reverse; expected {FORM}")
    if user and encryption is Encryption.NONE and not is_loopback(host):
        raise ValueError(
            "would send the password unencrypted: use smtp+starttls:// (port 587) or smtps:// (465)"
        )
    return SmtpServer(host, port or encryption.value, encryption, user, SecretStr(password))


def _checked_server(url: SecretStr) -> SecretStr:
    text = url.get_secret_value().strip()
    if text:
        read_server(text)
    return SecretStr(text)


def _checked_address(text: str) -> str:
    if text:
        mail_addresses.read(text)
    return text


def _checked_name(text: str) -> str:
    if len(text) > NAME_CHARACTERS_MAX or text != one_line(text):
        raise ValueError(f"must be one line of at most {NAME_CHARACTERS_MAX} characters")
    return text


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is no time zone that this machine knows, such as Europe/Berlin"
        ) from None
    return name


def _checked_templates(folder: Path | None) -> Path | None:
    if folder is not None:
        from holdfast.notifier.infrastructure.templates import Templates  # most need no Jinja

        try:
            Templates("Shop", folder, ZoneInfo("UTC"))
        except TemplateFailed as failed:
            raise ValueError(str(failed)) from None
    return folder


def _kinds(value: object) -> object:
    """A list, or its parts with commas between them, as the environment has it."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple | set | frozenset):
        return value
    wanted = [name.strip() if isinstance(name, str) else name for name in names]
    known = set(MailKind)
    for name in wanted:
        if name and name not in known:
            raise ValueError(f"{name!r} is no kind of mail; there are {', '.join(MailKind)}")
    return [name for name in wanted if name]


Kinds = Annotated[frozenset[MailKind], BeforeValidator(_kinds)]


class MailSettings(BaseModel):
    """Mail to customers.

    :param smtp: who takes our mail: smtp+starttls://USER:PASSWORD@HOST:587 (encrypted after a
        greeting, or not at all spoken to), smtps://USER:PASSWORD@HOST:465 (encrypted from the
        start), or smtp://HOST:25 (not encrypted: for a relay of one's own). "": nobody; mails are
        written to the log, and no customer gets any.
    :param smtp_ca: file in PEM with authorities, if everybody's do not know that server.
    :param mail_from: the address that mails are from, such as orders@shop.example.
    :param shop_name: who writes, up to 100 characters; "": what stands after the @ of `mail_from`.
    :param language: en or de; of mails about orders whose attribute `language` names neither.
    :param time_zone: whose days are told, such as Europe/Berlin.
    :param templates: folder of templates that take the place of ours; none: ours as they are. They
        are tried when the settings are read.
    :param mails: the kinds of mails that are sent, with commas between them; "": none.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    smtp: Annotated[SecretStr, AfterValidator(_checked_server)] = SecretStr("")
    smtp_ca: Path | None = None
    mail_from: Annotated[str, AfterValidator(_checked_address)] = ""
    shop_name: Annotated[str, AfterValidator(_checked_name)] = ""
    language: Language = Language.EN
    time_zone: Annotated[str, AfterValidator(_checked_zone)] = "UTC"
    templates: Annotated[Path | None, AfterValidator(_checked_templates)] = None
    mails: Kinds = frozenset(MailKind)

    @model_validator(mode="after")
    def _whole(self) -> "MailSettings":
        if self.smtp.get_secret_value() and not self.mail_from:
            raise ValueError("smtp needs mail_from: the address that mails are from")
        if self.smtp_ca is not None:
            if self.server is None:
                raise ValueError("smtp_ca needs smtp")
            read_material(TlsFiles(ca=self.smtp_ca))
        return self

    @property
    def server(self) -> SmtpServer | None:
        """Who takes our mail; None: nobody."""
        url = self.smtp.get_secret_value()
        return read_server(url)._replace(ca=self.smtp_ca) if url else None

    @property
    def shop(self) -> str:
        """Who writes, as mails have it."""
        return self.shop_name or self.mail_from.rpartition("@")[2] or "Holdfast"

    @property
    def sender(self) -> Sender:
        """Whom mails are from; only where there is a server."""
        return Sender(mail_addresses.read(self.mail_from), self.shop)

    @property
    def zone(self) -> ZoneInfo:
        """Whose days are told."""
        return ZoneInfo(self.time_zone)
