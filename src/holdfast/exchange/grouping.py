"""Which lines of a file are of one order, and which may be: nothing of an order is taken for all.

Told is an order by request id and customer, as a person sees them: what is only written otherwise
(a space, an invisible character, a number for a text) is no other order.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Self

from holdfast.chassis.validation import ID_CHARACTERS_MAX
from holdfast.exchange.kinds import LineNote, Records
from holdfast.exchange.line_index import PIECE_RECORDS, LineIndex
from holdfast.exchange.values import as_text, id_in
from holdfast.importing.identities import seen
from holdfast.importing.tables import BadRecord, Cell, Record

_CELL_CHARACTERS_MAX = 4 * ID_CHARACTERS_MAX  # in what is longer nobody sees an id
_ZERO_DECIMALS = re.compile(r"([0-9]+)\.0+", re.ASCII)


class OrderKey(NamedTuple):
    """What lines tell of whose order they are; empty is what they don't."""

    request_id: str
    customer_id: str

    @classmethod
    def of(cls, record: Record | BadRecord) -> Self:
        """What a line tells."""
        if isinstance(record, BadRecord):
            return cls("", "")
        cells = record.cells
        return cls(_visible(cells.get("request_id")), _visible(cells.get("customer_id")))

    @property
    def is_whole(self) -> bool:
        """Whether it tells one order, and no other."""
        return bool(self.request_id and self.customer_id)

    def may_be(self, other: "OrderKey") -> bool:
        """Whether nothing that one tells is told otherwise by the other."""
        pairs = zip(self, other, strict=True)
        return all(mine == theirs or not mine or not theirs for mine, theirs in pairs)

    def and_what(self, other: "OrderKey") -> "OrderKey":
        """With what the other tells besides."""
        return OrderKey(self.request_id or other.request_id, self.customer_id or other.customer_id)


class GroupedLine(NamedTuple):
    """A line of a file of orders, and whether it is the first of its order."""

    record: Record | BadRecord
    key: OrderKey
    is_first: bool


def grouped(records: Records) -> Iterator[GroupedLine]:
    """The lines, those of an order one after the other.

    A line that tells its order in part, or not at all, goes with the lines before it, if it may be
    of their order.
    """
    now: OrderKey | None = None
    for record in records:
        key = OrderKey.of(record)
        is_first = now is None or not now.may_be(key) or (key.is_whole and not now.is_whole)
        now = key if is_first or now is None else now.and_what(key)
        yield GroupedLine(record, key, is_first)


def look_over(records: Records, index: LineIndex) -> Iterator[int]:
    """Find out where each order stands, and each number that is told without a customer.

    :return: how many lines it has gone through, now and then.
    """
    first = 0
    for number, (record, key, is_first) in enumerate(grouped(records), 1):
        first = record.line if is_first else first
        if key.request_id:
            index.put(_name(key), first if key.is_whole else record.line)
        if number % PIECE_RECORDS == 0:
            yield number


def held_back_by(
    line: GroupedLine, before: GroupedLine | None, index: LineIndex
) -> LineNote | None:
    """What else of the file holds back the order that begins with a line; None: nothing does.

    :param before: what stands right before it.
    """
    number, key = line.record.line, line.key
    if not key.is_whole:
        return None  # the line itself does
    span = index.find(_name(key))
    if span is not None and span.first != span.last:
        other = span.last if span.first == number else span.first
        told = f"is that of line {other:,} too, and others stand between: put its lines together"
        return LineNote(number, "request_id", told)
    span = index.find(_name(OrderKey(key.request_id, "")))
    if span is not None:
        told = f"is that of line {span.first:,} too, which names no customer: name it there"
        return LineNote(number, "request_id", told)
    if before is not None and not before.key.is_whole and before.key.may_be(key):
        told = f"line {before.record.line:,}, right before it, may be of this order"
        return LineNote(number, "", told)
    return None


def _name(key: OrderKey) -> str:
    return "\n".join(key)


def _visible(cell: Cell) -> str:
    """The id that a person sees; empty: none, or no sound one."""
    typed = as_text(cell)
    text = id_in(seen(typed)) if len(typed) <= _CELL_CHARACTERS_MAX else ""
    number = _ZERO_DECIMALS.fullmatch(text)
    return number[1] if number else text
