"""The header is checked as a whole, and what it says decides how the rest is read."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.importing.flaws import UnreadableFile
from tests.unit.importing.files import (
    DATA_SET_HEADER,
    GENERAL,
    HEADER,
    line,
    numbers,
    read,
    read_bytes,
    the_flaw,
)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_recognised_from_the_header(tmp_path: Path, separator: str) -> None:
    file = read(
        tmp_path,
        line(description='"Pan, cast; iron|x"').replace(",", separator),
        header=HEADER.replace(",", separator),
    )

    assert (file.flaws, numbers(file)) == ([], ["1001"])


@pytest.mark.parametrize("declared", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_line_that_declares_the_separator_is_understood(tmp_path: Path, declared: str) -> None:
    file = read(tmp_path, HEADER.replace(",", ";"), line().replace(",", ";"), header=declared)

    assert numbers(file) == ["1001"]


@pytest.mark.parametrize(
    "header",
    [
        HEADER.upper(),
        HEADER.replace(",", " , "),
        HEADER.replace(",", '","').join(('"', '"')),
        "Order ID,SKU,Product Name,Qty,Order-Date,unit_price,Customer No,Country",
        DATA_SET_HEADER,
        "invoice,stock_code,name,QUANTITY,time,UnitPrice,customer_id,x",
    ],
)
def test_columns_are_known_by_many_names_in_any_letter_case(tmp_path: Path, header: str) -> None:
    file = read(tmp_path, line(), header=header)

    assert (file.flaws, numbers(file)) == ([], ["1001"])
    assert file.catalogue["LAMP"].name == "Lamp"


@given(order=st.permutations(range(8)))
def test_columns_may_stand_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    def turned(text: str) -> str:
        cells = text.split(",")
        return ",".join(cells[index] for index in order)

    folder = tmp_path_factory.getbasetemp()
    straight = read(folder, line())

    assert read(folder, turned(line()), header=turned(HEADER)).orders == straight.orders


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("1001,LAMP,Lamp,6", "it lacks order (or InvoiceNo), product (or StockCode)"),
        (HEADER.replace("quantity", "menge"), "it lacks quantity (or Quantity); found order, "),
        (HEADER.replace(",", ":"), "separated by comma"),
        (HEADER.replace("country", "sku"), "columns 2 (product) and 8 (sku) both name the product"),
        (f",{HEADER}", "column 1 has no name"),
        (HEADER.replace("customer", "\u200bcustomer"), "column 7 has U+200B ZERO WIDTH SPACE"),
        ("\n\n", "nothing in it but blank lines"),
        ("sep=:\n" + HEADER, "it is separated by U+003A COLON"),
        (HEADER.replace("price", '"price'), "a quote that is not closed"),
    ],
)
def test_a_header_that_is_not_whole_is_told_and_nothing_is_read(
    tmp_path: Path, header: str, problem: str
) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(tmp_path, header=header)

    assert problem in str(refused.value)


def test_separators_at_the_end_with_nothing_behind_them_are_no_columns(tmp_path: Path) -> None:
    file = read(tmp_path, f"{line('1')},,", line("2"), f"{line('3')},x", header=f"{HEADER},,")

    assert numbers(file) == ["1", "2"]
    assert "has 9 columns instead of 8" in the_flaw(file).problem


def test_blank_lines_are_counted_and_no_trouble(tmp_path: Path) -> None:
    file = read(tmp_path, "", line("1"), "   ", ",,,,,,,", line("2"))

    assert (numbers(file), file.skipped_lines) == (["1", "2"], {"blank": 3})


def test_a_file_without_a_line_below_its_header_is_told(tmp_path: Path) -> None:
    for lines in ((), ("", ",,,,,,,")):
        with pytest.raises(UnreadableFile, match="a header in it and no line below"):
            read(tmp_path, *lines)


def test_the_header_of_a_joined_file_is_told_and_its_orders_are_read(tmp_path: Path) -> None:
    content = f"{HEADER}\n{line('1')}\n\ufeff{HEADER}\n{line('2')}\n"

    file = read_bytes(tmp_path, b"\xef\xbb\xbf" + content.encode())

    assert the_flaw(file).line == 3
    assert "the header stands here again, behind a byte order mark (BOM" in the_flaw(file).problem
    assert numbers(file) == ["1", "2"]


def test_a_joined_file_with_other_columns_is_refused_as_a_whole(tmp_path: Path) -> None:
    other = "product,order,description,quantity,date,price,customer,country"

    with pytest.raises(UnreadableFile, match="line 3 is a header with other columns than line 1"):
        read(tmp_path, line("1"), other, line("LAMP", "2"))


def test_a_column_of_currencies_must_agree_with_the_currency_of_the_file(tmp_path: Path) -> None:
    header = HEADER.replace("country", "currency")
    lines = [line("1").replace(",GB", ",GBP"), line("2").replace(",GB", ",EUR")]

    in_pounds = read(tmp_path, *lines, header=header)
    in_euros = read(tmp_path, *lines, header=header, options=replace(GENERAL, currency="EUR"))

    assert (numbers(in_pounds), numbers(in_euros)) == (["1"], ["2"])
    assert "the currency is 'EUR', and the file is read in GBP" in the_flaw(in_pounds).problem


def test_columns_that_nothing_is_read_of_are_named(tmp_path: Path) -> None:
    """A discount that counts for nothing is to be told, and so is that an order was cancelled."""
    header = "order,product,quantity,date,price,customer,discount,status"
    found = read(tmp_path, "1,LAMP,1,2026-03-01,10.00,ada,5.00,cancelled", header=header)

    assert found.columns_left_out == ["discount", "status"]
