"""What people type is read as they mean it, or refused with a hint."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import typer

from holdfast.cli.arguments import duration_s, order_lines, order_status, price, time
from holdfast.client import Money, OrderLine, OrderStatus


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


def test_a_price_without_a_currency_is_left_to_the_product() -> None:
    assert order_lines(["YEN=1@705", "MUG=2"], None) == [
        OrderLine("YEN", 1, Decimal(705)),
        OrderLine("MUG", 2),
    ]


@pytest.mark.parametrize("text", ["LAMP", "LAMP=", "=2", "LAMP=two", "LAMP=-1", "LAMP=1.5", "L=1@"])
def test_what_is_no_order_line_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"LAMP-RED=2"):
        order_lines([text], "GBP")


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
    [("10s", 10.0), ("10", 10.0), ("0.5s", 0.5), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "soon", "1e9"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="duration"):
        duration_s(text)


def test_times_are_meant_in_utc_unless_they_say_otherwise() -> None:
    assert time("2026-11-02T12:00:00") == datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert time("2026-11-02T12:00:00+02:00") == datetime(2026, 11, 2, 10, tzinfo=UTC)
    with pytest.raises(typer.BadParameter, match="2026-03-02T09:00"):
        time("03/04/2026")


def test_a_status_is_one_of_those_that_orders_have() -> None:
    assert order_status("confirmed") is OrderStatus.CONFIRMED
    for text in ("unknown", "UNKNOWN", "", "SHIPPED?"):
        with pytest.raises(typer.BadParameter, match="there are PENDING, CONFIRMED"):
            order_status(text)
