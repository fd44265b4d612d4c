"""The words of mails: whole in both languages, whatever an order holds, and the operator's own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.client import (
    Address,
    Charge,
    ChargeKind,
    Customer,
    Details,
    Money,
    Order,
    OrderLine,
    QueuedUnits,
    Shortage,
)
from holdfast.notifier.application.mails.ports import News, Rendered, TemplateFailed
from holdfast.notifier.domain.mail import Language, MailKind
from holdfast.notifier.infrastructure.example_order import (
    bare_order,
    examples,
    full_news,
    full_order,
)
from holdfast.notifier.infrastructure.mail_words import (
    date_in,
    money_in,
    name_of,
    one_line,
    printable,
)
from holdfast.notifier.infrastructure.templates import OURS, Templates

UTC_ZONE = ZoneInfo("UTC")
TEMPLATES = Templates("Lamps & More", None, UTC_ZONE)
EVERY = list(product(MailKind, Language))
VOID = {"br", "meta"}
TAGS = {"html", "head", "meta", "title", "body", "p", "br", "bdi", "a", "ul", "li"} | {
    "table",
    "tr",
    "th",
    "td",
}
HOSTILE = "<script>alert('1')</script>\"&\r\nBcc: eve@example.org\r\n\x00\x1b[2J\u202e{{ 7*7 }}"
RTL = "שלום עולם"
LONG = "x" * 10_000


class Page(HTMLParser):
    """Reads HTML, and complains of what is not closed, not escaped, or not ours."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "everything is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, f"{tag} is not ours"
        names = {name for name, _ in attrs}
        assert names <= {"style", "lang", "charset", "name", "content", "href"}, names
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "what was opened last is closed first"

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def render(
    kind: MailKind, language: Language, order: Order, news: News, by: Templates = TEMPLATES
) -> Rendered:
    words = by.render(kind, language, order, news)
    assert words.subject
    assert words.subject == one_line(words.subject)
    assert len(words.subject) <= 200
    for text in (words.text, words.html):
        assert text == printable(text)
        assert "\n\n\n" not in text, "nothing is pushed far down"
    return words


def with_everything(text: str) -> tuple[Order, News]:
    """An order that has a text wherever somebody may write one."""
    full, news = full_order(), full_news()
    assert news.shipment is not None
    assert news.receipt is not None
    assert news.refund is not None
    address = Address(*[text] * 7)
    order = replace(
        full,
        lines=tuple(replace(line, product_id=text) for line in full.lines),
        customer=Customer(text, text, text, text),
        charges=(*full.charges, Charge(ChargeKind.UNKNOWN, Money("GBP", 1), code=text)),
        shortages=(Shortage(text, 1, 0),),
        queued=(QueuedUnits(text, 1),),
        details=Details(text, text, text, {"gift": text}, address, address),
    )
    shipment = replace(
        news.shipment,
        items=tuple(replace(item, product_id=text) for item in news.shipment.items),
        carrier=text,
        tracking_number=text,
        tracking_url=text,
    )
    lines = tuple(replace(line, product_id=text) for line in news.receipt.lines)
    return order, News(
        shipment, replace(news.receipt, lines=lines), replace(news.refund, reference=text)
    )


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_mail_can_be_written_in_every_language(kind: MailKind, language: Language) -> None:
    (full, news), (bare, bare_news) = examples(kind)
    whole = render(kind, language, full, news)
    short = render(kind, language, bare, bare_news)

    greeting = "Guten Tag" if language is Language.DE else "Hello"
    assert whole.text.startswith(f"{greeting} Ada Lovelace,\n\n")
    assert short.text.startswith(f"{greeting},\n\n")
    for words in (whole, short):
        page = Page(words.html)
        shop = "Lamps & More"
        assert words.text.rstrip().endswith(shop)
        assert page.text.rstrip().endswith(shop)
        assert "None" not in words.text + page.text
    assert "W-10042" in whole.subject
    assert bare.order_id in short.subject


@pytest.mark.parametrize(("kind", "language"), EVERY)
@pytest.mark.parametrize(
    "text",
    [HOSTILE, RTL, LONG, "", "\n" * 100, "&lt;", "javascript:x()"],
    ids=["hostile", "rtl", "long", "empty", "lines", "escaped", "script"],
)
def test_whatever_stands_in_an_order_stays_a_word(
    text: str, kind: MailKind, language: Language
) -> None:
    order, news = with_everything(text)

    words = render(kind, language, order, news)

    page = Page(words.html)
    assert all(link.startswith("https://") for link in page.links)
    assert "49" not in words.subject, "what an order holds is no template"
    assert not words.text.startswith("Hello <script>")


@given(st.text(max_size=200), st.sampled_from(EVERY))
@example("https://evil.example/login", (MailKind.SHIPPED, Language.EN))
def test_no_text_leaves_its_place(text: str, one: tuple[MailKind, Language]) -> None:
    order, news = with_everything(text.encode(errors="ignore").decode())

    Page(render(*one, order, news).html)


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada\r\n Lovelace\t", "Ada Lovelace"),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("O'Hara-Müller", "O'Hara-Müller"),
        (RTL, RTL),
        ("You won! https://evil.example", ""),
        ("Claim at evil.example/win", ""),
        ("evil.example", ""),
        ("Ada, win at evil.example!", ""),
        ("Claim (evil.example)", ""),
        ("evil.example:8080", ""),
        ("evil.example?x=1", ""),
        ("evil.example, now", ""),
        ("evil.рф", ""),
        ("evil.xn--p1ai", ""),
        ("evil。example", ""),
        ("www.evil", ""),
        ("mail eve@evil.example", ""),
        ("x" * 81, ""),
        ("\u202eadA", "adA"),
    ],
)
def test_a_name_is_greeted_unless_it_brings_a_link_or_a_tale(name: str, greeted: str) -> None:
    assert name_of(name) == greeted


@pytest.mark.parametrize(
    ("reference", "is_told"),
    [
        ("W-10042", True),
        ("2026/117 b", True),
        ("", False),
        ("1! Claim: https://evil.example/x -", False),
        ("evil.example", False),
        ("call 0900 1234 and claim the prize that you won today", False),
    ],
)
def test_an_order_is_called_by_its_reference_unless_that_brings_a_link_or_a_tale(
    reference: str, is_told: bool
) -> None:
    order = replace(bare_order(), details=Details(reference))

    subject = render(MailKind.CONFIRMED, Language.EN, order, full_news()).subject

    assert (reference or order.order_id) in subject if is_told else order.order_id in subject
    assert is_told or not reference or reference not in subject


@pytest.mark.parametrize(
    ("minor", "currency", "times", "english", "german"),
    [
        (123_450, "GBP", 1, "GBP 1,234.50", "1.234,50 GBP"),
        (5, "EUR", 1, "EUR 0.05", "0,05 EUR"),
        (1_500, "JPY", 2, "JPY 3,000", "3.000 JPY"),
        (1_234_567, "KWD", 1, "KWD 1,234.567", "1.234,567 KWD"),
        (500, "EUR", -1, "EUR -5.00", "-5,00 EUR"),
        (2**63 - 1, "EUR", 1, "EUR 92,233,720,368,547,758.07", "92.233.720.368.547.758,07 EUR"),
    ],
)
def test_an_amount_is_written_to_the_last_penny(
    minor: int, currency: str, times: int, english: str, german: str
) -> None:
    for language, due in ((Language.EN, english), (Language.DE, german)):
        written = money_in(language)(Money(currency, minor), times)
        assert written == due.replace(" ", "\u00a0")


def test_a_day_is_the_shop_s_own() -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)

    assert date_in(Language.EN, ZoneInfo("UTC"))(late) == "28\u00a0February 2026"
    assert date_in(Language.DE, ZoneInfo("Europe/Berlin"))(late) == "1.\u00a0März 2026"


@given(st.text())
def test_what_is_printed_turns_nothing_around(text: str) -> None:
    clean = printable(text)

    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in clean)
    assert not any(ord(c) < 32 and c != "\n" for c in clean)
    assert printable(clean) == clean


def test_an_order_of_two_thousand_lines_is_told_whole() -> None:
    order = replace(
        bare_order(),
        lines=tuple(OrderLine(f"P-{n}", n, Money("GBP", n), n) for n in range(1, 2_001)),
    )

    words = render(MailKind.CONFIRMED, Language.DE, order, News())

    assert words.text.count(" P-") == words.html.count(" <bdi>P-") == 2_000


def test_both_languages_have_the_same_files() -> None:
    english, german = ({path.name for path in (OURS / language).iterdir()} for language in Language)

    assert english == german
    assert {f"{kind}.{part}" for kind in MailKind for part in ("subject", "txt", "html")} < english


Own = Callable[..., Templates]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """Templates with files of an operator's own, by path with / as __ and . as it is."""

    def make(files: dict[str, str | bytes]) -> Templates:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Templates("Lamps", tmp_path, UTC_ZONE)

    return make


def test_a_file_of_one_s_own_takes_the_place_of_ours_and_the_rest_stays(own: Own) -> None:
    templates = own(
        {
            "de/confirmed.subject": "Danke, {{ name or 'Sie' }}!",
            "en/layout.txt": "Dear {{ name }},\n{% block news %}{% endblock %}\n"
            "{% include 'legal.txt' %}",
            "en/legal.txt": "{{ shop_name }} Ltd.",
            "README.md": "of no interest",
            ".git/config": "",
        }
    )

    german = render(MailKind.CONFIRMED, Language.DE, full_order(), News(), templates)
    english = render(MailKind.CONFIRMED, Language.EN, full_order(), News(), templates)

    assert german.subject == "Danke, Ada Lovelace!"
    assert german.text.startswith("Guten Tag Ada Lovelace,")
    assert english.text.startswith("Dear Ada Lovelace,\nThank you")
    assert english.text.endswith("Lamps Ltd.\n")
    assert english.html == TEMPLATES.render(
        MailKind.CONFIRMED, Language.EN, full_order(), News()
    ).html.replace("Lamps &amp; More", "Lamps")


@pytest.mark.parametrize(
    ("file", "content", "place", "cause"),
    [
        ("en/confirmed.txt", "a\n{% if name %}\nb", ", line", "endif"),
        ("en/confirmed.txt", "a\n{{ basket.total }}", ", line 2: ", "'basket' is undefined"),
        ("en/confirmed.txt", "\n\n{{ order.totl }}", ", line 3: ", "no attribute 'totl'"),
        ("de/shipped.html", "{{ order.total | mony }}", ", line 1: ", "No filter named 'mony'"),
        ("de/shipped.html", "{% include 'x.html' %}", ", line 1: ", "there is no template x.html"),
        ("de/shipped.html", "{{ shipment.deliver_time }}", ", line 1: ", "None would be printed"),
        ("en/refunded.txt", "{{ refund.amount + 1 }}", ", line 1: ", "TypeError"),
        ("en/refunded.txt", "{{ 1 // 0 }}", ", line 1: ", "ZeroDivisionError"),
        ("en/refunded.txt", "{{ order.__class__.__mro__ }}", ", line 1: ", "unsafe"),
        ("en/refunded.txt", "{{ ''.format.__globals__ }}", ", line 1: ", "unsafe"),
        ("en/refunded.txt", b"\xe9t\xe9", ": ", "is not in UTF-8"),
        ("en/refunded.txt", "{% extends 'refunded.txt' %}", "", "RecursionError"),
        ("en/refunded.subject", "{# nothing #}", ": ", "the subject is empty"),
        ("en/cancelled.subject", "{{ shipment.carrier }}", ", line 1: ", "no attribute 'carrier'"),
    ],
)
def test_a_slip_in_a_template_is_known_at_the_start(
    own: Own, tmp_path: Path, file: str, content: str | bytes, place: str, cause: str
) -> None:
    with pytest.raises(TemplateFailed) as failed:
        own({file: content})

    assert str(failed.value).startswith(f"{tmp_path / file}{place}")
    assert cause in str(failed.value)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("en/confirmation.txt", "no mail uses it; kinds of mails are confirmed, edited"),
        ("fr/confirmed.txt", "no language of mails; there are en or de"),
        ("confirmed.txt", "belongs into the folder of its language, en or de"),
    ],
)
def test_a_file_in_no_use_is_known_at_the_start(own: Own, file: str, told: str) -> None:
    with pytest.raises(TemplateFailed, match=told):
        own({file: "words"})


def test_a_folder_that_is_not_there_is_known_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(TemplateFailed, match="there is no such folder"):
        Templates("Lamps", tmp_path / "templtes", UTC_ZONE)


def test_what_fails_later_tells_the_place_and_nothing_of_the_customer(
    own: Own, tmp_path: Path
) -> None:
    content = "a\n{{ {'Ada Lovelace': 1, '': 0}[order.customer.name] }}"
    templates = own({"en/confirmed.subject": content})
    order = replace(full_order(), customer=Customer("Eve Secret", "eve@example.org"))

    with pytest.raises(TemplateFailed) as failed:
        templates.render(MailKind.CONFIRMED, Language.EN, order, News())

    assert str(failed.value).startswith(f"{tmp_path}/en/confirmed.subject, line 2: ")
    assert "Eve" not in str(failed.value)
