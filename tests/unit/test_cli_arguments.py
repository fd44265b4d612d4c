"""What people type is read as they mean it, or refused with a hint."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import typer

from holdfast.cli.addresses import address, address_line
from holdfast.cli.arguments import (
    duration_s,
    one_of,
    order_lines,
    order_status,
    price,
    time,
    whole,
)
from holdfast.client import Address, LocationKind, Money, OrderLine, OrderStatus, StockReason


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("LAMP-RED=2", OrderLine("LAMP-RED", 2)),
        ("MUG=1@4.50", OrderLine("MUG", 1, Money("GBP", 450))),
        ("MUG=1@0", OrderLine("MUG", 1, Money("GBP", 0))),
        ("size=XL=3", OrderLine("size=XL", 3)),
        ("a@b=3@1", OrderLine("a@b", 3, Money("GBP", 100))),
        ("tea pot=1", OrderLine("tea pot", 1)),
    ],
)
def test_an_order_line_is_a_product_a_quantity_and_perhaps_a_price(
    text: str, line: OrderLine
) -> None:
    assert order_lines([text], "GBP") == [line]


LONDON = Address("Ada", street="1 High Street, Flat 2", city="London", country="GB")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("name=Ada,street=1 High Street, Flat 2,city=London,country=GB", LONDON),
        (" country = GB, city=London,street=1 High Street, Flat 2 ,name=Ada", LONDON),
        ("street=Haus 7\nHof 2, links,postal_code=", Address(street="Haus 7\nHof 2, links")),
        ("name=a=b", Address("a=b")),
        ("", Address()),
    ],
)
def test_an_address_is_its_parts_and_commas_need_no_care(text: str, read: Address) -> None:
    assert address(text) == read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 High Street, London", "is no address: write its parts, such as 'name=Ada,street="),
        ("London,country=GB", "is no address"),
        ("name=Ada,zip=75002", "zip is no part of an address; there are name, company, street,"),
        ("street=1,Country=GB", "Country is no part"),
        ("city=London,city=Paris", "city is there twice"),
        ("@no-such-file", "can't read 'no-such-file': "),
        ("@", "can't read ''"),
        ("@a\0b", "can't read"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_do(text: str, told: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        address(text)

    assert told in refused.value.message


def test_an_address_stands_in_a_file_with_whatever_it_has(tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_bytes(b'\xef\xbb\xbf{"name": "Ada", "street": "a,city=b\\nc", "country": "GB"}')

    assert address(f"@{file}") == Address("Ada", street="a,city=b\nc", country="GB")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name=Ada", 'must hold a JSON object of texts in UTF-8: {"name": "Ada"'),
        (b'["Ada"]', "must hold a JSON object"),
        (b'{"name": 7}', "must hold a JSON object of texts"),
        (b'{"name": "\xff"}', "in UTF-8"),
        (b"[" * 60_000, "must hold a JSON object"),
        (b'{"zip": "1"}', "zip is no part of an address"),
        (b" " * 70_000, "is too large for an address: at most 64 KiB"),
    ],
)
def test_a_file_that_is_no_address_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "ada.json"
    file.write_bytes(content)

    with pytest.raises(typer.BadParameter) as refused:
        address(f"@{file}")

    assert told in refused.value.message


def test_an_address_is_told_on_one_line() -> None:
    paris = Address("Ada", "Analytical", "7 Rue X\nBât. 3", "Paris", "IDF", "75002", "FR")

    assert address_line(paris) == "Ada, Analytical, 7 Rue X, Bât. 3, 75002 Paris, IDF, FR"
    assert address_line(Address(city="Paris")) == "Paris"
    assert address_line(None) == address_line(Address()) == ""


def test_a_price_without_a_currency_is_left_to_the_product() -> None:
    assert order_lines(["YEN=1@705", "MUG=2"], None) == [
        OrderLine("YEN", 1, Decimal(705)),
        OrderLine("MUG", 2),
    ]


@pytest.mark.parametrize("text", ["LAMP", "LAMP=", "=2", "LAMP=two", "LAMP=-", "L=1@"])
def test_what_is_no_order_line_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"LAMP-RED=2"):
        order_lines([text], "GBP")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ROPE=1.5", "quantity 1.5 is not a whole number"),
        ("ROPE=1,5", "quantity 1,5 is not a whole number"),
        ("ROPE=1,000@2.50", "quantity 1,000 is not a whole number"),
        ("ROPE=0", "quantity 0 is too small: it must be 1 or more"),
        ("ROPE=-1", "quantity -1 is too small: it must be 1 or more"),
        ("ROPE=1000000001", "quantity 1000000001 is too large: at most 1,000,000,000"),
        ("ROPE=10000000000000@1", "is too large: at most 1,000,000,000"),
        ("ROPE=" + "9" * 30, "is too large: at most 1,000,000,000"),
    ],
)
def test_a_quantity_that_cannot_be_is_told_as_that_and_not_as_another_form(
    text: str, told: str
) -> None:
    with pytest.raises(typer.BadParameter, match=told) as refused:
        order_lines([text], "GBP")
    assert repr(text) in refused.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *(("abc", "not a whole number"), ("1e3", "not a whole number"), ("", "not a whole number")),
        *(("0", "0 is too small: it must be 1 or more"), ("11", "11 is too large: at most 10")),
    ],
)
def test_a_number_says_what_is_wrong_with_it(text: str, told: str) -> None:
    with pytest.raises(typer.BadParameter, match=told):
        whole(1, 10)(text)


def test_a_duration_ends_with_a_year() -> None:
    assert duration_s("8760h", "--for") == 365 * 86_400
    for text in ("8761h", "8760h1s", "999999999h"):
        with pytest.raises(typer.BadParameter, match="at most a year") as refusal:
            duration_s(text, "--for")
        assert "--for" in refusal.value.format_message()


@pytest.mark.parametrize("text", ["MUG=1@cheap", "MUG=1@1.505"])
def test_a_price_must_be_an_exact_amount(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"amount|finer"):
        order_lines([text], "GBP")


def test_a_price_has_as_many_decimals_as_its_currency() -> None:
    assert price("450", "JPY") == Money("JPY", 450)
    with pytest.raises(typer.BadParameter, match="finer"):
        price("4.50", "JPY")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10.0),
        ("10", 10.0),
        ("0.5", 0.5),
        ("0.5s", 0.5),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1.5m", 90.0),
        ("5min", 300.0),
        ("1h", 3600.0),
        ("10 s", 10.0),
        ("1h30m", 5_400.0),
        ("1m 30s", 90.0),
        (" 10s ", 10.0),
    ],
)
def test_a_duration_is_a_number_with_a_unit_or_several(text: str, seconds: float) -> None:
    assert duration_s(text, "--wait") == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1d", "soon", "1e9", "1h30", "1 30", "1,5m", "10S", "1:30", "inf"]
)
def test_what_is_no_duration_is_refused_with_what_to_write_and_where(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"no duration: write .*1h30m") as refusal:
        duration_s(text, "--wait")

    assert "--wait" in refusal.value.format_message()


def test_times_are_meant_in_utc_unless_they_say_otherwise() -> None:
    assert time("2026-11-02T12:00:00") == datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert time("2026-11-02T12:00:00+02:00") == datetime(2026, 11, 2, 10, tzinfo=UTC)
    with pytest.raises(typer.BadParameter, match="2026-03-02T09:00"):
        time("03/04/2026")


def test_a_status_is_one_of_those_that_orders_have() -> None:
    assert order_status("confirmed") is OrderStatus.CONFIRMED
    for text in ("unknown", "UNKNOWN", "", "SHIPPED?"):
        with pytest.raises(typer.BadParameter, match="there are PENDING, RESERVED"):
            order_status(text)


@pytest.mark.parametrize("text", ["own-use", "OWN_USE", " Own-Use "])
def test_a_member_of_an_enum_is_read_in_any_letters(text: str) -> None:
    assert one_of(StockReason, "reason code")(text) is StockReason.OWN_USE


@pytest.mark.parametrize("text", ["unknown", "", "broken"])
def test_what_is_no_member_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"no kind; there are warehouse, .*, other$"):
        one_of(LocationKind, "kind")(text)
