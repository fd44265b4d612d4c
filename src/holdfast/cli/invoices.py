"""Read a file of invoices in the UCI Online Retail format, so that they can become orders.

One physical line is one record: a stray quote costs its own line, never the rest of the file. Lines
that cannot be understood are kept with their number and counted; lines that are no order (returns,
postage, gifts) are counted by reason. Money is whole pence from here on.
"""

import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from holdfast.cli.invoice_lines import (
    CANCELLATION,
    COLUMNS,
    LINE_BYTES_MAX,
    Record,
    Unintelligible,
    cells_of,
    record_of,
    skip_reason,
)

CURRENCY = "GBP"
NAME_CHARS_MAX = 500
INVOICE_LINES_MAX = 2_000  # an order takes no more
BROKEN_LINES_KEPT_MAX = 20

# Why a line, or a whole invoice, became no order, beside the reasons of `skip_reason`.
BROKEN = "broken"
BLANK = "blank"
NOTHING_LEFT = "no_line_left"
TOO_MANY_LINES = "too_many_lines"

_GZIP_MAGIC = b"\x1f\x8b"


class UnreadableFile(Exception):
    """The file as a whole is of no use: it is missing, unreadable, or has no proper header."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class InvoiceLine(NamedTuple):
    """Units of one product at the price of that day, in pence."""

    product_id: str
    quantity: int
    unit_price_minor: int


@dataclass(slots=True)
class Invoice:
    """What one customer bought at one moment; the lines stand in the order of the file."""

    number: str
    customer_id: str
    at: datetime
    lines: list[InvoiceLine] = field(default_factory=list)


@dataclass(slots=True)
class CatalogueEntry:
    """What the file says about one product: its commonest name and price, and all the demand."""

    name: str
    unit_price_minor: int
    demand: int


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that could not be understood, and why."""

    line: int
    problem: str


@dataclass(slots=True)
class InvoiceFile:
    """A whole file, read: orders to place, products to make, and an account of all the rest."""

    path: Path
    digest: str
    line_count: int
    invoices: list[Invoice]  # in time order
    catalogue: dict[str, CatalogueEntry]
    skipped_lines: Counter[str]
    skipped_invoices: Counter[str]
    broken: list[BrokenLine]  # the first few, and a damaged archive; skipped_lines counts all


def read_invoices(path: Path) -> InvoiceFile:
    """Read a file, plain or gzipped, in one pass; what is broken is reported in the result.

    The same bytes give the same result, digest included, whatever the file is called.

    :raises UnreadableFile: it cannot be opened, or its first line lacks a column.
    """
    reading = _Reading(path)
    with _opened(path) as stream:
        lines = _numbered_lines(stream, reading)
        columns, width = _header(path, next(lines, (1, b""))[1])
        for number, raw in lines:
            if raw.isspace():
                reading.skip(BLANK)
                continue
            try:
                reading.take(record_of(cells_of(raw), columns, width))
            except Unintelligible as error:
                reading.report(number, error.problem)
    return reading.result()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader | gzip.GzipFile]:
    try:
        with path.open("rb") as plain:
            zipped = plain.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
            with gzip.GzipFile(fileobj=plain) if zipped else plain as stream:
                yield stream
    except OSError as error:
        raise UnreadableFile(path, (error.strerror or str(error)).lower()) from error


def _numbered_lines(
    stream: BufferedReader | gzip.GzipFile, reading: "_Reading"
) -> Iterator[tuple[int, bytes]]:
    """Every line with its number; a damaged archive ends them early, with a report."""
    number = 0
    try:
        while raw := stream.readline(LINE_BYTES_MAX + 1):
            number += 1
            reading.see(raw)
            yield number, raw
            while len(raw) > LINE_BYTES_MAX and not raw.endswith(b"\n"):
                raw = stream.readline(LINE_BYTES_MAX + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reading.report_damage(number + 1, str(error))


def _header(path: Path, raw: bytes) -> tuple[list[int], int]:
    """Where the columns stand, and how many cells a line must have."""
    if not raw:
        raise UnreadableFile(path, "there is nothing in it that can be read")
    try:
        names = [name.strip() for name in cells_of(raw.removeprefix(b"\xef\xbb\xbf"))]
    except Unintelligible as error:
        raise UnreadableFile(path, f"the header {error.problem}") from error
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        problem = f"the first line must name the columns; it lacks {', '.join(missing)}"
        raise UnreadableFile(path, problem)
    return [names.index(column) for column in COLUMNS], len(names)


class _Reading:
    """What is known so far, line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._line_count = 0
        self._invoices: dict[str, Invoice] = {}
        self._names: dict[str, Counter[str]] = {}
        self._prices: dict[str, Counter[int]] = {}
        self._skipped_lines: Counter[str] = Counter()
        self._skipped_numbers: dict[str, str] = {}
        self._broken: list[BrokenLine] = []

    def see(self, raw: bytes) -> None:
        self._hash.update(raw)
        self._line_count += 1

    def skip(self, reason: str, lines: int = 1) -> None:
        self._skipped_lines[reason] += lines

    def report(self, line: int, problem: str) -> None:
        self.skip(BROKEN)
        if len(self._broken) < BROKEN_LINES_KEPT_MAX:
            self._broken.append(BrokenLine(line, problem))

    def report_damage(self, line: int, problem: str) -> None:
        """The end of the archive is unreadable; this is told however much was broken before."""
        self.skip(BROKEN)
        what = f"the archive is damaged, nothing after this is read ({problem})"
        self._broken.append(BrokenLine(line, what))

    def take(self, record: Record) -> None:
        reason = skip_reason(record)
        if reason:
            self.skip(reason)
            self._skipped_numbers[record.invoice] = reason
            return
        invoice = self._invoices.get(record.invoice)
        if invoice is None:
            invoice = Invoice(record.invoice, record.customer_id, record.at)
            self._invoices[record.invoice] = invoice
        product_id, price = record.product_id, record.unit_price_minor
        invoice.lines.append(InvoiceLine(product_id, record.quantity, price))
        self._names.setdefault(product_id, Counter())[record.description] += 1
        self._prices.setdefault(product_id, Counter())[price] += 1

    def result(self) -> InvoiceFile:
        skipped = Counter(
            CANCELLATION if reason == CANCELLATION else NOTHING_LEFT
            for number, reason in self._skipped_numbers.items()
            if number not in self._invoices
        )
        fitting = []
        for invoice in self._invoices.values():
            if len(invoice.lines) <= INVOICE_LINES_MAX:
                fitting.append(invoice)
            else:
                skipped[TOO_MANY_LINES] += 1
                self.skip(TOO_MANY_LINES, len(invoice.lines))
        fitting.sort(key=lambda invoice: invoice.at)  # stable: the file decides within a minute
        return InvoiceFile(
            path=self._path,
            digest=self._hash.hexdigest(),
            line_count=self._line_count - 1,  # the header
            invoices=fitting,
            catalogue=self._catalogue(fitting),
            skipped_lines=self._skipped_lines,
            skipped_invoices=skipped,
            broken=self._broken,
        )

    def _catalogue(self, invoices: list[Invoice]) -> dict[str, CatalogueEntry]:
        demand: Counter[str] = Counter()
        for invoice in invoices:
            for line in invoice.lines:
                demand[line.product_id] += line.quantity
        return {
            product_id: CatalogueEntry(
                name=_commonest_name(self._names[product_id]),
                unit_price_minor=self._prices[product_id].most_common(1)[0][0],
                demand=units,
            )
            for product_id, units in demand.items()
        }


def _commonest_name(descriptions: Counter[str]) -> str:
    """The description seen most often, white space folded; the first of equals; empty if none."""
    names: Counter[str] = Counter()
    for description, count in descriptions.items():
        folded = " ".join(description.split())
        if folded:
            names[folded] += count
    if not names:
        return ""
    printable = "".join(c for c in names.most_common(1)[0][0] if c.isprintable())
    return printable[:NAME_CHARS_MAX]
