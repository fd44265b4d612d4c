"""Lines that a later one says anew: of those the last counts, and the others do nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from holdfast.exchange.kinds import Entry, Item, LineNote, Records
from holdfast.exchange.line_index import PIECE_RECORDS, LineIndex
from holdfast.importing.tables import Cell, Record

# What a line is about, by its cells; empty: it can't be told.
Naming = Callable[[Mapping[str, Cell]], str]


def note_lines(records: Records, index: LineIndex, name_of: Naming) -> Iterator[int]:
    """Find out which line is the last of each thing, whether or not it is of use.

    :return: how many lines it has gone through, now and then.
    """
    for number, record in enumerate(records, 1):
        if isinstance(record, Record) and (name := name_of(record.cells)):
            index.put(name, record.line)
        if number % PIECE_RECORDS == 0:
            yield number


def only_the_last(
    entries: Iterator[Entry[Item]], index: LineIndex, name_of: Callable[[Item], str]
) -> Iterator[Entry[Item]]:
    """The entries; of what a later line says anew only that there is nothing to be done."""
    for entry in entries:
        span = None if entry.item is None else index.find(name_of(entry.item))
        if span is None or span.last <= entry.line:
            yield entry
            continue
        told = f"line {span.last:,} says it anew, and the last line counts: this one does nothing"
        warnings = [*entry.warnings, LineNote(entry.line, "", told)]
        yield replace(entry, item=None, is_superseded=True, warnings=warnings)
