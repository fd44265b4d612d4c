"""Mails as bytes: whatever stands in an order, the headers are ours and the words arrive."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.notifier.application.mails.ports import Letter, Rendered
from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure.mail_addresses import Address, AddressUnusable, read
from holdfast.notifier.infrastructure.mail_message import Sender, message_of
from holdfast.notifier.infrastructure.mail_words import one_line

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SENDER = Sender(Address("orders", "shop.example"), 'Müller & Söhne, "Lampen" <x@y>')
OURS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Holdfast-Order",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]
HOSTILE = "Hi\r\nBcc: eve@example.org\r\n\r\nBuy now"


def message(
    subject: str = "Subject", text: str = "text\n", html: str = "<p>html</p>\n", to: str = "a@b.org"
) -> bytes:
    words = Rendered(one_line(subject), text, html)
    letter = Letter("e-1", "o-1", MailKind.CONFIRMED, AT, Language.DE, to, words)
    return message_of(letter, SENDER, read(to))


def read_back(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def require_ours(raw: bytes, to: str = "a@b.org") -> EmailMessage:
    """See that every header is one of ours, and once, also by the bytes alone."""
    block = raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"")
    names = [line.split(b":")[0].decode() for line in block.split(b"\r\n")]
    assert sorted(names) == sorted(OURS)
    parsed = read_back(raw)
    assert sorted(parsed.keys()) == sorted(OURS)
    told = [one.addr_spec for one in parsed["To"].addresses]
    assert [one.encode(errors="surrogateescape").decode() for one in told] == [to]
    assert [one.addr_spec for one in parsed["From"].addresses] == ["orders@shop.example"]
    return parsed


@given(subject=st.text(max_size=300), text=st.text(max_size=2_000), html=st.text(max_size=500))
@example(subject=HOSTILE, text=HOSTILE, html=HOSTILE)
@example(subject="=?utf-8?q?Hi=0D=0ABcc:_eve=40example.org?=", text=".\r\n.\n..", html="")
@example(subject="Größe =?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?=", text="\x00", html="\x00")
@example(subject="x" * 10_000, text="x" * 10_000, html="x" * 10_000)
@example(subject="\u202eevil\u2066", text="--===============", html="From \n")
@example(subject="שלום עולם", text="שלום", html="שלום")
def test_no_words_make_a_header(subject: str, text: str, html: str) -> None:
    clean = text.encode(errors="ignore").decode()
    raw = message(subject, clean, html.encode(errors="ignore").decode())

    parsed = require_ours(raw)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert "\r" not in parsed["Subject"]
    assert "\n" not in parsed["Subject"]


@given(
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Co"]), max_size=190)
)
@example(f"Ihre Bestellung {'4711' * 9} ist bestätigt")  # codespell:ignore
@example("Größe: 5, Farbe: grün, schöne Grüße aus Köln und Düsseldorf, Ihr Müller" * 2)
@example("注文 4711 を承りました")
def test_a_subject_arrives_as_it_was_written(words: str) -> None:
    subject = one_line(words)

    parsed = require_ours(message(subject))

    assert str(parsed["Subject"]).strip() == subject.replace("=?", "= ?")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=3_000))
def test_a_text_arrives_as_it_was_written_but_for_its_line_breaks(text: str) -> None:
    body = read_back(message(text=text)).get_body(("plain",))

    assert body is not None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    found = body.get_content().replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert found == lines


@given(st.text(max_size=80) | st.emails() | st.text("=?utf-8qb0DA_'$.x", max_size=64))
@example("=?utf-8?q?=0D=0AReply-To=3Ax=40evil.co=0D=0AX=3A?=@shop.example")
@example("=?utf-8?q?=40==40'?=$@example.org")
@example("a=?utf-8?b?DQo=?=@example.org")
@example("ü=?utf-8?q?=0D=0A?=@example.org")
@example("ü@example.org")
def test_no_address_makes_a_header(text: str) -> None:
    try:
        address = read(text if "@" in text else f"{text}@example.org")
    except AddressUnusable:
        return

    require_ours(message(to=str(address)), to=str(address))


def test_no_name_of_a_shop_makes_a_header() -> None:
    sender = SENDER._replace(name="=?utf-8?q?=0D=0ABcc:_eve=40example.org?=")
    words = Rendered("s", "t", "h")
    letter = Letter("e-1", "o-1", MailKind.CONFIRMED, AT, Language.DE, "a@b.org", words)

    require_ours(message_of(letter, sender, read("a@b.org")))


def test_what_brings_a_line_break_into_a_header_is_not_written() -> None:
    hidden = Address("=?utf-8?q?=0D=0ABcc:_eve=40example.org?=", "example.org")
    words = Rendered("s", "t", "h")
    letter = Letter("e-1", "o-1", MailKind.CONFIRMED, AT, Language.DE, str(hidden), words)

    with pytest.raises(ValueError, match="line break"):
        message_of(letter, SENDER, hidden)


@given(st.text(max_size=80) | st.emails())
@example("ada@example.org\r\nRCPT TO:<eve@example.org>")
@example("ada@example.org ")
def test_an_address_is_one_or_none(text: str) -> None:
    try:
        address = read(text)
    except AddressUnusable:
        return

    assert not set(str(address)) & set(' \t\r\n<>,;:"()[]\\\0')
    assert str(address).count("@") == 1
    assert address.domain.isascii()
    assert str(read(str(address))) == str(address)


def test_who_is_told_has_no_name_in_the_mail_s_headers() -> None:
    assert read_back(message())["To"] == "a@b.org"


@pytest.mark.parametrize(
    ("event_id", "order_id"), [("1>\r\nBcc: eve@example.org", "o-1"), ("e-1", "o-1\r\nBcc: eve")]
)
def test_an_id_that_is_none_is_written_into_no_header(event_id: str, order_id: str) -> None:
    words = Rendered("s", "t", "h")
    letter = Letter(event_id, order_id, MailKind.SHIPPED, AT, Language.EN, "a@b.org", words)

    with pytest.raises(AssertionError):
        message_of(letter, SENDER, read("a@b.org"))
