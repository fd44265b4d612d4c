"""The reader of order lines: nothing is guessed, nothing is lost without a word."""

import gzip
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.invoice_lines import GUEST, LINE_BYTES_MAX
from holdfast.cli.invoices import (
    BROKEN_LINES_KEPT_MAX,
    INVOICE_LINES_MAX,
    BrokenLine,
    Invoice,
    InvoiceFile,
    InvoiceLine,
    UnreadableFile,
    read_invoices,
)

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
GOOD = "536365,85123A,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom"
DAY = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def line(
    invoice: str = "536365",
    code: str = "85123A",
    description: str = "LAMP",
    quantity: str = "6",
    at: str = "2010-12-01 08:26:00",
    price: str = "2.55",
    customer: str = "17850.0",
) -> str:
    return f"{invoice},{code},{description},{quantity},{at},{price},{customer},United Kingdom"


def read(folder: Path, *lines: str | bytes, header: str = HEADER) -> InvoiceFile:
    path = folder / "orders.csv"
    raw = [text if isinstance(text, bytes) else text.encode() for text in (header, *lines)]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return read_invoices(path)


def problems(file: InvoiceFile) -> list[BrokenLine]:
    assert file.skipped_lines["broken"] == len(file.broken)
    return file.broken


def test_the_lines_of_one_invoice_number_are_one_order(tmp_path: Path) -> None:
    file = read(tmp_path, line("1", "A1"), line("2", "B1"), line("1", "C1", quantity="2"))

    assert file.invoices == [
        Invoice("1", "17850", DAY, [InvoiceLine("A1", 6, 255), InvoiceLine("C1", 2, 255)]),
        Invoice("2", "17850", DAY, [InvoiceLine("B1", 6, 255)]),
    ]


def test_the_same_product_on_two_lines_stays_two_lines(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD, GOOD)

    assert file.invoices[0].lines == [InvoiceLine("85123A", 6, 255)] * 2
    assert file.catalogue["85123A"].demand == 12


def test_invoices_come_in_time_order_and_equals_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("3", at="2010-12-03 08:00:00"),
        line("2", at="2010-12-01 09:00:00"),
        line("1", at="2010-12-01 09:00:00"),
    )

    assert [invoice.number for invoice in file.invoices] == ["2", "1", "3"]


@pytest.mark.parametrize(
    ("text", "customer_id"),
    [("17850.0", "17850"), ("17850", "17850"), ("", GUEST), ("  ", GUEST), ("C-17.5", "C-17.5")],
)
def test_customer_numbers_lose_their_decimals_and_nobody_is_a_guest(
    tmp_path: Path, text: str, customer_id: str
) -> None:
    assert read(tmp_path, line(customer=text)).invoices[0].customer_id == customer_id


@pytest.mark.parametrize(
    ("text", "minor"),
    [("2.55", 255), ("2", 200), ("0.29", 29), ("1.005", 100), ("38970.0", 3897000)],
)
def test_prices_become_pence_without_floats(tmp_path: Path, text: str, minor: int) -> None:
    assert read(tmp_path, line(price=text)).invoices[0].lines[0].unit_price_minor == minor


@pytest.mark.parametrize("text", ["2010-12-01 08:26:00", "2010-12-01 08:26", "12/1/2010 8:26"])
def test_dates_are_read_as_the_data_set_and_its_spreadsheet_write_them(
    tmp_path: Path, text: str
) -> None:
    assert read(tmp_path, line(at=text)).invoices[0].at == DAY


def test_a_product_is_called_by_its_commonest_description(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line(description=""),
        line(description=""),
        line(description=""),
        line(description="RED  LAMP "),
        line(description="wet?"),
        line(description=" RED LAMP"),
    )

    assert file.catalogue["85123A"].name == "RED LAMP"


def test_a_product_has_its_commonest_price(tmp_path: Path) -> None:
    file = read(tmp_path, line(price="9.99"), line(price="2.55"), line(price="2.55"))

    assert file.catalogue["85123A"].unit_price_minor == 255


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("C536365", quantity="-1"), "cancellation"),
        (line(code="POST"), "not_stock"),
        (line(code="m"), "not_stock"),
        (line(code="BANK CHARGES"), "not_stock"),
        (line(code="gift_0001_20"), "not_stock"),
        (line(quantity="0"), "quantity_0_or_less"),
        (line(quantity="-3"), "quantity_0_or_less"),
        (line(price="0.0"), "price_0_or_less"),
        (line(price="0.001"), "price_0_or_less"),
        (line(price="-11062.06"), "price_0_or_less"),
    ],
)
def test_what_is_no_order_line_is_left_out_and_counted(
    tmp_path: Path, text: str, reason: str
) -> None:
    file = read(tmp_path, line("1"), text)

    assert file.skipped_lines == {reason: 1}
    assert [invoice.number for invoice in file.invoices] == ["1"]


def test_an_invoice_of_which_nothing_is_left_is_counted_once(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        line("1", "POST"),
        line("1", price="0"),
        line("C2", quantity="-1"),
        line("C2", quantity="-1"),
        line("3", "POST"),
        line("3"),
    )

    assert file.skipped_invoices == {"no_line_left": 1, "cancellation": 1}
    assert [invoice.number for invoice in file.invoices] == ["3"]


def test_an_invoice_with_more_lines_than_an_order_may_have_is_left_out(tmp_path: Path) -> None:
    file = read(tmp_path, *[line("1")] * (INVOICE_LINES_MAX + 1), *[line("2")] * INVOICE_LINES_MAX)

    assert [invoice.number for invoice in file.invoices] == ["2"]
    assert file.skipped_invoices == {"too_many_lines": 1}
    assert file.catalogue["85123A"].demand == 6 * INVOICE_LINES_MAX, "only what is placed"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b,c", "has 3 columns instead of 8"),
        (GOOD + ",more", "has 9 columns instead of 8"),
        (line(quantity="six"), "has a quantity that is no whole number: 'six'"),
        (line(quantity="1_000"), "has a quantity that is no whole number: '1_000'"),
        (line(quantity="6.5"), "has a quantity that is no whole number: '6.5'"),
        (line(quantity="1000000001"), "has a quantity beyond 1,000,000,000: 1000000001"),
        (line(price="NaN"), "has a price that is no number: 'NaN'"),
        (line(price="1e9"), "has a price that is no number: '1e9'"),
        (line(at="2010-13-01 08:26:00"), "has a date that cannot be read: '2010-13-01 08:26:00'"),
        (line(at=""), "has a date that cannot be read: ''"),
        (line(invoice=" "), "has no invoice number"),
        (line(code=""), "has no stock code"),
        (
            line(code="A\x07B"),
            "has more than 64 characters or a control character in the stock code",
        ),
        (
            line(code="A" * 65),
            "has more than 64 characters or a control character in the stock code",
        ),
        (line(code="A\0B"), "contains a NUL"),
        (GOOD.encode().replace(b"LAMP", b"\xa3 LAMP"), "is not UTF-8 at byte 15"),
        (line(description='"LAMP'), "has a stray quote (unexpected end of data)"),
        (line(description='"BIG" LAMP'), "has a stray quote (',' expected after '\"')"),
        (line(description="A" * LINE_BYTES_MAX), f"is longer than {LINE_BYTES_MAX} bytes"),
    ],
)
def test_a_broken_line_is_reported_with_its_number_and_the_rest_goes_on(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    file = read(tmp_path, line("1"), text, line("3"))

    assert problems(file) == [BrokenLine(3, problem)]
    assert [invoice.number for invoice in file.invoices] == ["1", "3"]


def test_a_properly_quoted_description_is_no_problem(tmp_path: Path) -> None:
    file = read(tmp_path, line(description='"METAL SIGN, ""CUPCAKE"" HOOK"'))

    assert file.catalogue["85123A"].name == 'METAL SIGN, "CUPCAKE" HOOK'


def test_many_broken_lines_are_all_counted_and_a_few_kept(tmp_path: Path) -> None:
    file = read(tmp_path, *["nonsense"] * 100)

    assert file.skipped_lines["broken"] == 100
    assert len(file.broken) == BROKEN_LINES_KEPT_MAX


def test_a_zipped_file_is_the_same_file_whatever_its_name(tmp_path: Path) -> None:
    plain = read(tmp_path, GOOD)
    (tmp_path / "zipped.dat").write_bytes(gzip.compress((tmp_path / "orders.csv").read_bytes()))

    zipped = read_invoices(tmp_path / "zipped.dat")

    assert (zipped.invoices, zipped.digest) == (plain.invoices, plain.digest)


def test_a_truncated_archive_is_reported_and_what_came_before_it_counts(tmp_path: Path) -> None:
    lines = [line(str(n), code=f"{n:05d}", customer=f"{n * 7919 % 10007}.0") for n in range(20_000)]
    whole = gzip.compress("\n".join([HEADER, *lines]).encode())
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])

    file = read_invoices(tmp_path / "cut.csv.gz")

    (broken,) = problems(file)
    assert broken.problem.startswith("the archive is damaged, nothing after this is read")
    assert len(file.invoices) == broken.line - 2, "header and damage are no invoices"
    assert len(file.invoices) > 1_000


def test_a_damaged_archive_is_reported_and_what_came_before_it_counts(tmp_path: Path) -> None:
    lines = [line(str(n), code=f"{n:05d}", customer=f"{n * 7919 % 10007}.0") for n in range(20_000)]
    spoiled = bytearray(gzip.compress("\n".join([HEADER, *lines]).encode()))
    spoiled[len(spoiled) // 2 :] = b"\xff" * 1000
    (tmp_path / "spoiled.csv.gz").write_bytes(bytes(spoiled))

    file = read_invoices(tmp_path / "spoiled.csv.gz")

    assert file.broken[-1].problem.startswith("the archive is damaged")
    assert file.invoices


def test_columns_are_found_by_their_names_in_any_order(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "17850,2.55,2010-12-01 08:26:00,6,LAMP,85123A,536365",
        header="\ufeffCustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo",
    )

    assert file.invoices == [Invoice("536365", "17850", DAY, [InvoiceLine("85123A", 6, 255)])]


def test_windows_line_ends_and_empty_files_with_a_header_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(f"{HEADER}\r\n{GOOD}\r\n".encode())

    assert len(read_invoices(path).invoices) == 1
    assert read(tmp_path).invoices == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "there is nothing in it that can be read"),
        (GOOD.encode(), "the first line must name the columns; it lacks InvoiceNo, StockCode, "),
        (b"InvoiceNo,StockCode\n", "it lacks Description, Quantity, InvoiceDate, UnitPrice, "),
        (b"\xff\xfe\n", "the header is not UTF-8 at byte 1"),
        (gzip.compress(HEADER.encode())[:12], "there is nothing in it that can be read"),
    ],
)
def test_a_file_without_a_header_is_one_clear_message(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile) as refused:
        read_invoices(path)

    assert str(refused.value).startswith(f"{path}: ")
    assert problem in str(refused.value)


def test_a_missing_file_and_a_folder_are_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file"):
        read_invoices(tmp_path / "missing.csv")
    with pytest.raises(UnreadableFile, match="is a directory"):
        read_invoices(tmp_path)


@given(garbage=st.lists(st.binary(max_size=120)), zipped=st.booleans())
def test_no_garbage_between_good_lines_stops_the_reader(
    tmp_path_factory: pytest.TempPathFactory, garbage: list[bytes], zipped: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.csv"
    good = line("first-and-last").encode()
    content = b"\n".join([HEADER.encode(), good, *garbage, good])
    path.write_bytes(gzip.compress(content) if zipped else content)

    file = read_invoices(path)

    (invoice,) = [i for i in file.invoices if i.number == "first-and-last"]
    assert len(invoice.lines) == 2
    placed = sum(len(i.lines) for i in file.invoices)
    assert placed + file.skipped_lines.total() == file.line_count


@given(cut=st.integers(min_value=0, max_value=400))
def test_an_archive_cut_anywhere_is_read_or_refused_but_never_raises_otherwise(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.csv.gz"
    lines = "\n".join([HEADER, *(line(str(n), f"{n * 7919 % 10007}") for n in range(20))])
    path.write_bytes(gzip.compress(lines.encode(), mtime=0)[:cut])

    with suppress(UnreadableFile):
        assert len(read_invoices(path).invoices) <= 20


@given(
    description=st.text(max_size=40),
    quantity=st.integers(min_value=1, max_value=10**9),
    pence=st.integers(min_value=1, max_value=10**10),
)
def test_whatever_is_written_properly_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, description: str, quantity: int, pence: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "proper.csv"
    quoted = '"' + "".join(description.replace('"', '""').split("\0")) + '"'
    price = f"{pence // 100}.{pence % 100:02d}"
    text = line("1", "P", " ".join(quoted.splitlines()), str(quantity), price=price)
    path.write_bytes(f"{HEADER}\n{text}\n".encode(errors="replace"))

    file = read_invoices(path)

    assert file.invoices[0].lines == [InvoiceLine("P", quantity, pence)]
