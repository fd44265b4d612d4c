"""A file of orders, read: what to place, what to make for it, and an account of all the rest."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from holdfast.importing.encodings import Steadiness, TextOfFile
from holdfast.importing.flaws import Flaw, UnreadableFile, UnreadableText
from holdfast.importing.formats import (
    Format,
    GeneralFormat,
    Line,
    NoOrderLine,
    OnlineRetailFormat,
    ReadOptions,
    format_of,
)
from holdfast.importing.header import Columns, read_header
from holdfast.importing.orders import (
    BLANK,
    UNREADABLE,
    Cancellation,
    CatalogueEntry,
    FileOrder,
    Orders,
)
from holdfast.importing.rows import BOM, BadRow, Lines, Row, rows

DEFAULTS = ReadOptions()


@dataclass(slots=True)
class OrderFile:
    """A whole file, read.

    Every row is in an order to place or in a cancellation, or counted in `skipped_lines`. Every
    order is in `orders`, counted in `skipped_orders` by the format's rules, or `held_back` for the
    flaws of its lines; and so is every cancellation. A flaw of a line that may belong to any
    order, `stopped_by`, holds all of them back.
    """

    path: Path
    digest: str
    currency: str
    line_count: int  # rows, without the header
    orders: list[FileOrder]  # in time order
    cancellations: list[Cancellation]  # in time order
    catalogue: dict[str, CatalogueEntry]
    skipped_lines: Counter[str]
    skipped_orders: Counter[str]
    held_back: int
    cancellations_held_back: int
    flaws: list[Flaw]  # all of them, in the order of the file
    stopped_by: Flaw | None  # the first that may belong to any order
    hint: str  # what may help with the flaws, if something is known; else empty
    columns_left_out: list[str]  # those that nothing is read of


def read_orders(path: Path, options: ReadOptions = DEFAULTS) -> OrderFile:
    """Read a file, plain or gzipped, in one pass.

    The same bytes give the same result, digest included, whatever the file is called.

    :raises UnreadableFile: nothing of it may be used: it cannot be opened, decoded or unpacked,
        its header is not complete, or there is no line in it.
    """
    steadiness = Steadiness(path)
    text = TextOfFile(path, options.encoding)
    try:
        found = _Reading(path, text, options).read()
        steadiness.require()
    except UnreadableText as error:
        raise UnreadableFile(path, error.problem) from error
    return found


class _Reading:
    def __init__(self, path: Path, text: TextOfFile, options: ReadOptions) -> None:
        self._path, self._text, self._options = path, text, options
        self._lines = Lines(text.pieces())
        self._columns = read_header(self._lines)
        self._format = format_of(self._columns, options)
        self._elsewhere = _other_format(self._columns, options)
        self._orders = Orders(self._format.is_cancellation)
        self._line_count = 0
        self._explained = 0  # flaws that are none by the rules of the other format

    def read(self) -> OrderFile:
        separator = self._columns.separator
        for row in rows(self._lines, separator, self._format.looks_whole):
            self._line_count += 1
            if _is_blank(row):
                self._orders.skip(BLANK)
            else:
                self._take(row)
        if self._line_count == self._orders.skipped_lines[BLANK]:
            raise UnreadableText("there is a header in it and no line below")
        finished = self._orders.finish()
        return OrderFile(
            path=self._path,
            digest=self._text.digest,
            currency=self._options.currency,
            line_count=self._line_count,
            orders=finished.orders,
            cancellations=finished.cancellations,
            catalogue=self._orders.catalogue(finished.orders),
            skipped_lines=self._orders.skipped_lines,
            skipped_orders=self._orders.skipped_orders(),
            held_back=finished.orders_held_back,
            cancellations_held_back=finished.cancellations_held_back,
            flaws=self._orders.flaws,
            stopped_by=self._orders.stopped_by,
            hint=self._hint(),
            columns_left_out=self._columns.left_out(),
        )

    def _take(self, row: Row | BadRow) -> None:
        said = self._format.read(row)
        match said:
            case Line():
                self._orders.take(said)
            case NoOrderLine():
                self._orders.leave_out(said)
            case Flaw():
                self._flawed(row, said)

    def _flawed(self, row: Row | BadRow, flaw: Flaw) -> None:
        self._orders.skip(UNREADABLE)
        if self._columns.is_another_header(row.cells):
            raise UnreadableText(
                f"line {row.line:,} is a header with other columns than line "
                f"{self._columns.line:,}: two files were joined; nothing of it is used: split it"
            )
        if self._columns.repeated_in(row.cells):
            again = "the header stands here again"
            if any(BOM in cell for cell in row.cells):
                again += ", behind a byte order mark (BOM, U+FEFF) in column 1"
            problem = f"{again}: two files were joined; remove the line"
            self._orders.begin_part(Flaw(row.line, "", problem))
            return
        if isinstance(row, Row) and row.texts and len(row.cells) != self._columns.width:
            # The quote may be a stray one: what it took in is looked at line by line.
            self._lines.give_back(row.texts[1:])
        # Whether a day or a month comes first is nothing that another format should settle.
        is_of_date = flaw.problem.startswith("the date ")
        if self._elsewhere and not is_of_date and not isinstance(self._elsewhere.read(row), Flaw):
            self._explained += 1
        self._orders.report(flaw)

    def _hint(self) -> str:
        if not self._explained:
            return ""
        return (
            "the header is that of the UCI Online Retail data set: by its rules (returns, postage, "
            f"customers such as 17850.0) {self._explained:,} of these lines would be no trouble; "
            "if it is that data, give --format online-retail"
        )


def _is_blank(row: Row | BadRow) -> bool:
    return isinstance(row, Row) and not any(cell.strip() for cell in row.cells)


def _other_format(columns: Columns, options: ReadOptions) -> GeneralFormat | None:
    if options.format is Format.GENERAL and columns.is_data_sets():
        return OnlineRetailFormat(columns, options)
    return None
