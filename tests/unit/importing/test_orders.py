"""Lines to orders: an order is whole or held back, and every reason is told by line."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client import Money
from holdfast.importing.flaws import UnreadableFile
from holdfast.importing.orders import GUEST, ORDER_LINES_MAX, FileLine, FileOrder
from holdfast.importing.reading import OrderFile
from tests.unit.importing.files import (
    DATA_SET_HEADER,
    HEADER,
    RETAIL,
    line,
    numbers,
    read,
    read_bytes,
    the_flaw,
)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def retail(folder: Path, *lines: str) -> OrderFile:
    return read(folder, *lines, header=DATA_SET_HEADER, options=RETAIL)


def told(file: OrderFile) -> list[tuple[int, str]]:
    return [(flaw.line, flaw.order) for flaw in file.flaws]


def test_the_lines_of_one_order_number_are_one_order(tmp_path: Path) -> None:
    file = read(tmp_path, line("1", "A1"), line("2", "B1"), line("1", "C1", quantity="2"))

    assert file.orders == [
        FileOrder("1", "c-1", NINE, [FileLine("A1", 6, 255), FileLine("C1", 2, 255)], line=2),
        FileOrder("2", "c-1", NINE, [FileLine("B1", 6, 255)], line=3),
    ]


def test_the_same_product_on_two_lines_stays_two_lines(tmp_path: Path) -> None:
    file = read(tmp_path, line(), line())

    assert file.orders[0].lines == [FileLine("LAMP", 6, 255)] * 2
    assert file.catalogue["LAMP"].demand == 12


def test_orders_come_in_time_order_and_equals_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("3", at="2026-03-03 08:00"),
        line("2", at="2026-03-02 09:00"),
        line("1", at="2026-03-02T11:00+02:00"),
        line("0", at="2026-03-02T09:00+02:00"),
    )

    assert numbers(file) == ["0", "2", "1", "3"]


def test_a_product_has_its_commonest_description_and_price(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line(description="", price="9.99"),
        line(description="", price="2.55"),
        line(description="RED  LAMP ", price="2.55"),
        line(description="wet?", price="1"),
        line(description=" RED LAMP"),
    )

    entry = file.catalogue["LAMP"]
    assert (entry.name, entry.unit_price_minor) == ("RED LAMP", 255)


def test_an_order_with_a_line_that_cannot_be_read_is_held_back_whole(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("1", "SOFA"),
        line("2"),
        line("1", "LEGS", quantity="4 pcs"),
        line("1", "COVER", price="cheap"),
        line("1", "CUSHION"),
    )

    assert (numbers(file), file.held_back) == (["2"], 1)
    assert told(file) == [(4, "1"), (5, "1")]
    assert file.skipped_lines == {"unreadable": 2, "held_back": 2}
    assert set(file.catalogue) == {"LAMP"}, "nothing is made for an order that is not placed"


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (line("7", quantity="0"), "the quantity '0' is not 1 or more"),
        (line("7", quantity="-1"), "the quantity '-1' is not 1 or more"),
        (line("7", price="-0.01"), "the price '-0.01' is less than 0"),
        (line("7", product=""), "the product is empty"),
        (line("7", product="5.0E+3"), "the product '5.0E+3' is a number with an exponent"),
        (line("7", customer="17850.0"), "the customer '17850.0' is a number with decimals"),
        (line("7", at="03/04/2026"), "the date '03/04/2026' may be read in more than one way"),
        (line("7", at=""), "none of its lines has a date"),
        ("7,LAMP,Lamp", "it has 3 columns instead of 8: the line is cut off"),
        (line("7", description="Box, blue"), "it has 9 columns instead of 8: a cell with"),
        (line("'7"), "begins with a spreadsheet's mark"),
        (line('="7"'), "begins with a spreadsheet's mark"),
        (line("7\u00a0"), "U+00A0 NO-BREAK SPACE"),
    ],
)
def test_a_line_with_a_flaw_is_told_and_only_its_order_is_held_back(
    tmp_path: Path, bad: str, problem: str
) -> None:
    file = read(tmp_path, line("1"), bad, line("2"))

    assert problem in the_flaw(file).problem
    assert (the_flaw(file).line, the_flaw(file).order) == (3, "7")
    assert (numbers(file), file.held_back) == (["1", "2"], 1)


@pytest.mark.parametrize("bad", [line(""), line("8311.0"), line("1E5"), line("nan")])
def test_a_line_of_nobody_knows_which_order_holds_all_of_them_back(
    tmp_path: Path, bad: str
) -> None:
    file = read(tmp_path, line("1"), bad, line("2"))

    assert file.orders == []
    assert file.stopped_by == the_flaw(file)
    assert file.held_back == 2


def test_where_a_shifted_cell_may_hide_the_order_number_it_is_unknown(tmp_path: Path) -> None:
    header = "description,order,product,quantity,date,price,customer"
    lines = "Lamp,1,LAMP,1,2026-03-02,1,c-1", "Box, blue,2,BOX,1,2026-03-02,1,c-1"

    file = read(tmp_path, *lines, header=header)

    assert (file.orders, the_flaw(file).order) == ([], "")


def test_later_lines_of_an_order_inherit_customer_and_date(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("1", "CHAIR", customer="zoe"),
        line("1", "TABLE", customer="", at=""),
        line("2", customer=""),
        line("2", customer=" ", at=""),
    )

    assert file.flaws == []
    assert [(order.customer_id, len(order.lines)) for order in file.orders] == [
        ("zoe", 2),
        (GUEST, 2),
    ]


@pytest.mark.parametrize(("first", "second"), [("anna", "luc"), ("", "luc"), ("c-1", "C-1")])
def test_two_customers_under_one_number_are_told_both_and_nothing_is_placed(
    tmp_path: Path, first: str, second: str
) -> None:
    file = read(tmp_path, line("1", customer=first), line("1", customer=second), line("2"))

    assert told(file) == [(3, "1")]
    assert repr(second) in the_flaw(file).problem
    assert (repr(first) if first else "a guest") in the_flaw(file).problem
    assert numbers(file) == ["2"]


def test_an_order_whose_lines_stand_in_both_of_two_joined_files_is_held_back(
    tmp_path: Path,
) -> None:
    file = read(tmp_path, line("1"), line("2"), HEADER, line("1"), line("3"))

    assert told(file) == [(4, ""), (5, "1")]
    assert "before and after the second header, from line 2 on" in file.flaws[1].problem
    assert numbers(file) == ["2", "3"]


def test_two_dates_more_than_a_day_apart_under_one_number_are_told(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("1", at="2025-03-02", customer=""),
        line("1", at="2026-03-02", customer=""),
        line("2", at="2026-03-02 23:59"),
        line("2", at="2026-03-03 00:01"),
    )

    assert told(file) == [(3, "1")]
    assert "its date is 2026-03-02, and in line 2 it is 2025-03-02" in the_flaw(file).problem
    assert numbers(file) == ["2"]


def test_an_order_with_more_lines_than_an_order_may_have_is_told_once(tmp_path: Path) -> None:
    file = read(tmp_path, *[line("1")] * (ORDER_LINES_MAX + 9), *[line("2")] * ORDER_LINES_MAX)

    assert (the_flaw(file).line, the_flaw(file).order) == (ORDER_LINES_MAX + 2, "1")
    assert numbers(file) == ["2"]
    assert file.catalogue["LAMP"].demand == 6 * ORDER_LINES_MAX, "only what is placed"


def test_the_general_format_has_no_rules_of_its_own(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("C-2001"),
        line("CA10022", "M"),
        line("8601", "S"),
        line("8602", "POST"),
        line("8603", "GIFT_BOX", price="0.00"),
    )

    assert (file.flaws, file.skipped_lines) == ([], {})
    assert numbers(file) == ["C-2001", "CA10022", "8601", "8602", "8603"]
    assert file.orders[-1].lines == [FileLine("GIFT_BOX", 6, 0)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("C536365", "POST", quantity="-1"), "not_stock"),
        (line("C536365", "D", quantity="-1"), "not_stock"),
        (line(product="POST"), "not_stock"),
        (line(product="m"), "not_stock"),
        (line(product="BANK CHARGES"), "not_stock"),
        (line(product="gift_0001_20"), "not_stock"),
        (line(quantity="0"), "quantity_0_or_less"),
        (line(quantity="-3"), "quantity_0_or_less"),
        (line(price="0.0"), "price_0_or_less"),
        (line(price="0.001"), "price_0_or_less"),
        (line(price="-11062.06"), "price_0_or_less"),
    ],
)
def test_what_is_no_order_line_in_the_data_set_is_left_out_and_counted(
    tmp_path: Path, text: str, reason: str
) -> None:
    file = retail(tmp_path, line("1"), text)

    assert (file.flaws, file.skipped_lines, numbers(file)) == ([], {reason: 1}, ["1"])


def test_an_order_of_which_the_rules_leave_nothing_is_counted_once(tmp_path: Path) -> None:
    file = retail(
        tmp_path,
        line("1", "POST"),
        line("1", price="0"),
        line("C2", "M", quantity="-1"),
        line("C2", "POST", quantity="-1"),
        line("3", "POST"),
        line("3"),
    )

    assert file.skipped_orders == {"no_line_left": 1, "cancellation": 1}
    assert numbers(file) == ["3"]


def test_customers_and_dates_of_the_data_set_are_read_as_its_spreadsheet_writes_them(
    tmp_path: Path,
) -> None:
    file = retail(
        tmp_path,
        line("1", customer="17850.0", at="3/2/2026 9:00"),
        line("2", customer="17850"),
        line("3", customer=""),
    )

    assert [(order.customer_id, order.at) for order in file.orders] == [
        ("17850", NINE),
        ("17850", NINE),
        (GUEST, NINE),
    ]


def test_the_rules_of_the_data_set_are_for_its_header_only(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="not that of the UCI Online Retail data set"):
        read(tmp_path, line(), options=RETAIL)


def test_a_file_that_looks_like_the_data_set_is_told_about_its_format(tmp_path: Path) -> None:
    lines = line("1", customer="17850.0"), line("2", quantity="-1"), line("3", quantity="x")

    assert "2 of these" in read(tmp_path, *lines, header=DATA_SET_HEADER).hint
    assert "--format online-retail" in read(tmp_path, *lines, header=DATA_SET_HEADER).hint
    assert read(tmp_path, *lines).hint == ""
    assert read(tmp_path, line("1", at="03/04/2026"), header=DATA_SET_HEADER).hint == ""


CODES = st.from_regex(r"[A-Z]{1,3}-[0-9]{1,3}", fullmatch=True)
DESCRIPTIONS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff\r"), max_size=20)


@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["A-1", "A-2", "007"]),
            CODES,
            DESCRIPTIONS,
            st.integers(1, 10**9),
            st.integers(0, 10**10),
        ),
        min_size=1,
        max_size=8,
    ),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_order_has_exactly_the_lines_that_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[str, str, str, int, int]],
    separator: str,
    end: str,
    encoding: str,
    quoting: int,
) -> None:
    written = io.StringIO()
    writer = csv.writer(
        written,
        delimiter=separator,
        lineterminator=end,
        quoting=quoting,  # type: ignore[arg-type]  # one of the two above
    )
    writer.writerow(HEADER.split(","))
    for order, product, description, units, minor in lines:
        price = Money("GBP", minor).amount
        writer.writerow([order, product, description, units, "2026-03-02", price, "c-1", ""])

    content = written.getvalue().encode(encoding)
    file = read_bytes(tmp_path_factory.getbasetemp(), content)

    expected: dict[str, list[FileLine]] = {}
    for order, product, _, units, minor in lines:
        expected.setdefault(order, []).append(FileLine(product, units, minor))
    assert file.flaws == []
    assert {order.number: order.lines for order in file.orders} == expected


SPOILT = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda cells, at, text: ",".join([*cells[:at], text, *cells[at + 1 :]]).encode(),
        st.just(line("2").split(",")),
        st.integers(0, 7),
        st.text(max_size=6).filter(lambda text: text != "2"),
    ),
)


@given(garbage=st.lists(SPOILT, max_size=5))
def test_no_garbage_makes_an_order_with_other_lines_than_were_written(
    tmp_path_factory: pytest.TempPathFactory, garbage: list[bytes]
) -> None:
    good = line("first-and-last").encode()
    content = b"\n".join([HEADER.encode(), good, *garbage, good])

    try:
        file = read_bytes(tmp_path_factory.getbasetemp(), content)
    except UnreadableFile:
        return

    for order in file.orders:
        if order.number == "first-and-last":
            assert order.lines == [FileLine("LAMP", 6, 255)] * 2
    in_orders = sum(len(order.lines) for order in file.orders)
    assert in_orders + file.skipped_lines.total() == file.line_count
    assert bool(file.flaws) == bool(file.skipped_lines["unreadable"] + file.held_back)
