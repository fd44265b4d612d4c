"""A whole file, taken in: opened, its journal kept, its account given."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.client import Holdfast, new_request_id
from holdfast.exchange.customers import Customers
from holdfast.exchange.imports import Import, ImportOptions
from holdfast.exchange.journal import Journal, digest_of
from holdfast.exchange.kinds import Kind, LineNote
from holdfast.exchange.orders import Orders
from holdfast.exchange.products import Prices, Products
from holdfast.exchange.stock import Stock
from holdfast.exchange.values import ValueOptions
from holdfast.importing.encodings import Steadiness
from holdfast.importing.flaws import UnreadableFile, UnreadableText
from holdfast.importing.opening import open_table
from holdfast.importing.tables import FileKind, TableOptions, kind_of

KINDS = ("products", "prices", "stock", "customers", "orders")

# Told how many lines are taken in, and about how many there are (0: nobody knows).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How to take in a file.

    :param target: names the services that it goes into, for the journal.
    :param again: also what an earlier import of the same file has taken in.
    :param journal: where to keep how far it has come; None: beside the file.
    :param displace: of stock, see `Stock`.
    """

    table: TableOptions = field(default_factory=TableOptions)
    how: ImportOptions = field(default_factory=ImportOptions)
    target: str = ""
    again: bool = False
    journal: Path | None = None
    displace: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file.

    Every line is in an item that was created, changed, found unchanged or refused, or is blank.

    :param dry_run: nothing was changed: it tells what would become of it.
    :param resumed_after: the line that an earlier run had come to; 0: there was none.
    :param problems, warnings: the first 1,000; `refused` and `warned` count all.
    """

    file: str
    kind: str
    dry_run: bool
    lines: int
    created: int
    changed: int
    unchanged: int
    refused: int
    warned: int
    blank: int
    resumed_after: int
    problems: list[LineNote]
    warnings: list[LineNote]

    @property
    def ok(self) -> bool:
        """Whether every line was understood and taken in."""
        return not self.refused


async def import_file(
    client: Holdfast,
    kind: str,
    path: Path,
    options: FileOptions,
    progress: Progress = lambda _done, _total: None,
) -> ImportReport:
    """Take in a file, or look what would become of it.

    Ended in the middle and begun again, it goes on where it was: a journal beside the file tells,
    which is gone when all is done. What was done without being written down there is found to be
    done. The same file once more, later, finds what is as the file says and leaves it.

    :param kind: one of `KINDS`.
    :raises UnreadableFile: nothing of it may be used, or nothing of the rest; or the journal can't
        be kept.
    :raises HoldfastError: there was no answer, or it may not be done.
    """
    steadiness = Steadiness(path)
    known = await asyncio.to_thread(digest_of, path)
    total = 0 if kind_of(path) is FileKind.XLSX else known.lines

    def tell(lines: int) -> None:
        progress(lines, total)

    if options.how.dry_run:
        importer = _kind(client, kind, known.digest, options)
        return await _run(importer, path, options, None, tell, steadiness)
    subject = {"kind": kind, "file": known.digest, "into": options.target, **_asked(options)}
    run = new_request_id() if options.again else known.digest
    beside = options.journal or path.with_name(f"{path.name}.{kind}-import")
    with Journal(beside, subject, run) as journal:
        importer = _kind(client, kind, journal.run, options)
        return await _run(importer, path, options, journal, tell, steadiness)


def _asked(options: FileOptions) -> dict[str, str]:
    """What else makes it another import, as far as anything is asked for: half a file that is read
    in one way, and half in another, is neither.
    """
    values, table = options.how.values, options.table
    others = {
        "locale": values.locale,
        "dates": values.dates,
        "currency": values.currency if values.currency != ValueOptions().currency else None,
        "encoding": table.encoding,
        "ignore_unknown": table.ignore_unknown,
        "again": options.again,
        "displace": options.displace,
    }
    return {name: str(one) for name, one in others.items() if one}


def _kind(client: Holdfast, kind: str, run: str, options: FileOptions) -> Kind[Any]:
    match kind:
        case "products":
            return Products(client)
        case "prices":
            return Prices(client)
        case "stock":
            return Stock(client, run, displace=options.displace)
        case "customers":
            return Customers(client)
        case "orders":
            return Orders(client)
        case _:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")


async def _run(
    kind: Kind[Any],
    path: Path,
    options: FileOptions,
    journal: Journal | None,
    tell: Callable[[int], None],
    steadiness: Steadiness,
) -> ImportReport:
    table = open_table(path, kind.shape, options.table)
    taking_in = Import(kind, table, options.how, journal, tell, steadiness.require)
    try:
        counts = await taking_in.run()
    except UnreadableText as error:
        raise UnreadableFile(path, error.problem) from error
    return ImportReport(
        file=str(path),
        kind=kind.name,
        dry_run=options.how.dry_run,
        lines=counts.lines,
        created=counts.created,
        changed=counts.changed,
        unchanged=counts.unchanged,
        refused=counts.refused,
        warned=counts.warned,
        blank=table.blank_lines,
        resumed_after=journal.before.through if journal else 0,
        problems=counts.problems,
        warnings=counts.warnings,
    )
