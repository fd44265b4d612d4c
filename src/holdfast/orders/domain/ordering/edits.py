"""Edits: other lines, charges or sourcing of an order that is recorded.

An edit makes a new edition. Where it wants the same of stock as before, it counts at once; else it
counts when Inventory holds what it wants, and is evidence when it does not.
"""

from collections.abc import Mapping, Sequence, Set
from enum import StrEnum
from typing import NamedTuple

from holdfast.orders.domain.errors import (
    KeptCharges,
    NothingLeft,
    Shortage,
    WrongCharges,
    WrongLines,
    WrongPrices,
    refuse_wrong,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge, charged_total
from holdfast.orders.domain.ordering.lines import OrderLine, demand_of
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing

EDITS_MAX = 500  # of one order: their rows stay for ever, and its history is told in one message


class Contents(NamedTuple):
    """One edition of an order: what it is of, what it costs, and where it is to come from."""

    lines: tuple[OrderLine, ...]
    charges: tuple[Charge, ...]
    total: Money
    sourcing: Sourcing = BY_PRIORITY

    @property
    def demand(self) -> dict[str, int]:
        """Units per product."""
        return demand_of([line[:2] for line in self.lines])

    def wants_as(self, other: "Contents") -> bool:
        """Whether both want the same of stock."""
        return self.demand == other.demand and self.sourcing == other.sourcing


class EditState(StrEnum):
    """What became of an edit."""

    ASKED = "ASKED"  # under way: Inventory has not answered
    APPLIED = "APPLIED"  # the order's lines and charges, or they were until a later edit
    REFUSED = "REFUSED"  # stock short: the order stays as it was
    DROPPED = "DROPPED"  # the order ended before the answer


class Edit(NamedTuple):
    """A change of lines and charges.

    :param edition: counts from 2, as the order was placed with edition 1; never used again.
    :param revision: of the question to Inventory that decides it; 0: it needs no answer.
    :param missing: why it was REFUSED.
    :param asked_version: the order's version with which it was asked for.
    :param ended_version: the order's version that ended it; None: it is under way.
    """

    edition: int
    revision: int
    state: EditState
    contents: Contents
    missing: tuple[Shortage, ...]
    asked_version: int
    ended_version: int | None

    def as_of(self, version: int) -> "Edit":
        """The edit as it stood at a version of its order, which knew of it."""
        if self.ended_version is None or self.ended_version <= version:
            return self
        return self._replace(state=EditState.ASKED, missing=(), ended_version=None)


class Editions(NamedTuple):
    """Which edition of an order counts, and which is its newest.

    :param revision: of the question that decides the newest; None: no edit is under way.
    """

    current: int = 1
    newest: int = 1
    revision: int | None = None


FIRST_EDITION = Editions()


class EditEnd(NamedTuple):
    """What became of the edit that was under way."""

    edition: int
    state: EditState
    missing: tuple[Shortage, ...] = ()


class EditedLine(NamedTuple):
    """A line as it is to be.

    :param line_no: of the line that it was; 0: it is new.
    :param unit_price: None: as it was; of a new line what its product costs in the order, or by
        the stock check.
    """

    line_no: int
    product_id: str
    quantity: int
    unit_price: Money | None


def edited(
    before: Contents,
    asked: Sequence[EditedLine] | None,
    charges: Sequence[Charge] | None,
    prices: Mapping[str, Money],
    line_no_max: int,
    sourcing: Sourcing | None = None,
) -> Contents:
    """Return the contents with other lines, charges or sourcing; None leaves them as they are. They
    have passed `refuse_contents`.

    :param asked: all lines; those that are not among them are removed.
    :param prices: by the stock check, of products that the order does not have.
    :param line_no_max: the highest that was ever given; new lines get the next ones.
    :raises WrongLines: a new line's product is sold in another currency.
    :raises WrongCharges: see `charged_total`.
    :raises KeptCharges: one that stays is above what it is taken off from.
    :raises TotalTooLarge: see `charged_total`.
    """
    lines = before.lines if asked is None else _lines(before, asked, prices, line_no_max)
    sourcing = before.sourcing if sourcing is None else sourcing
    if charges is None:
        return _with_charges_kept(lines, before.charges, sourcing)
    return Contents(lines, tuple(charges), charged_total(lines, charges), sourcing)


def refuse_contents(
    before: Contents,
    asked: Sequence[EditedLine] | None,
    charges: Sequence[Charge] | None,
    line_no_max: int,
) -> None:
    """Let pass lines and charges that can be those of an order, whatever stock there is; None stay.

    :raises WrongLines: a number names no line, another product's, or two of them one.
    :raises WrongPrices: a price is in another currency.
    :raises WrongCharges: a charge is in another currency, or of no line.
    :raises WrongContents: more than one of these.
    """
    if asked is None:
        numbers = {line.line_no for line in before.lines}
    else:
        new = sum(not line.line_no for line in asked)
        numbers = {line.line_no for line in asked} | {line_no_max + n for n in range(1, new + 1)}
    wrong_lines, wrong_prices = _wrong_lines(before, asked or ())
    refuse_wrong(
        WrongLines(wrong_lines),
        WrongPrices(wrong_prices),
        _wrong_charges(charges or (), numbers | {0}, before.total.currency),
    )


def _wrong_charges(charges: Sequence[Charge], numbers: Set[int], currency: str) -> WrongCharges:
    problems, of_no_line = dict[int, str](), set[int]()
    for place, one in enumerate(charges):
        if one.amount.currency != currency:
            problems[place] = f"is in {one.amount.currency}, but the order is in {currency}"
        elif one.line_no not in numbers:
            problems[place] = f"is for line {one.line_no}, which is none"
            of_no_line.add(place)
    return WrongCharges(problems, of_no_line)


def _wrong_lines(
    before: Contents, asked: Sequence[EditedLine]
) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """What is wrong with lines, and with their prices, by place."""
    known = {line.line_no: line for line in before.lines}
    currency = before.total.currency
    problems, prices = dict[int, str](), dict[int, str]()
    for place, (line_no, product_id, _, price) in enumerate(asked):
        was = known.pop(line_no, None)
        if line_no and was is None:
            problems[place] = f"there is no line {line_no}, or it is named twice"
        elif was and was.product_id != product_id:
            problems[place] = f"line {line_no} is of {was.product_id}: leave it out, and add one"
        elif price and price.currency != currency:
            prices[place] = f"is in {price.currency}, but the order is in {currency}"
    return problems, prices


def _lines(
    before: Contents, asked: Sequence[EditedLine], prices: Mapping[str, Money], line_no_max: int
) -> tuple[OrderLine, ...]:
    known = {line.line_no: line for line in before.lines}
    due = dict(prices) | {line.product_id: line.unit_price for line in reversed(before.lines)}
    currency = before.total.currency
    lines, problems = list[OrderLine](), dict[int, str]()
    for place, (line_no, product_id, quantity, price) in enumerate(asked):
        line_no_max += not line_no
        cost = price or (known[line_no].unit_price if line_no else due[product_id])
        sold_in = due[product_id].currency
        if sold_in != currency:
            problems[place] = f"{product_id} is sold in {sold_in}, but the order is in {currency}"
        lines.append(OrderLine(product_id, quantity, cost, line_no or line_no_max))
    if problems:
        raise WrongLines(problems)
    return tuple(sorted(lines, key=lambda line: line.line_no))


def units_left(
    before: Contents, units: Sequence[tuple[int, int]], order_id: str
) -> Mapping[int, int]:
    """Return what is left of each line without some units of lines, all by their numbers.

    :raises WrongLines: there is no such line, it is named twice, or has fewer units.
    :raises NothingLeft: the order has no other units.
    """
    known = {line.line_no: line for line in before.lines}
    problems = dict[int, str]()
    for place, (line_no, quantity) in enumerate(units):
        line = known.pop(line_no, None)
        if line is None:
            problems[place] = f"there is no line {line_no}, or it is named twice"
        elif quantity > line.quantity:
            problems[place] = f"line {line_no} has only {line.quantity:,} units"
    if problems:
        raise WrongLines(problems)
    off = dict(units)
    left = {line.line_no: line.quantity - off.get(line.line_no, 0) for line in before.lines}
    if not any(left.values()):
        raise NothingLeft(order_id)
    return left


def _with_charges_kept(
    lines: tuple[OrderLine, ...], charges: Sequence[Charge], sourcing: Sourcing
) -> Contents:
    """Put lines and known charges together; those of a line that is gone go with it."""
    numbers = {0, *(line.line_no for line in lines)}
    kept = tuple(charge for charge in charges if charge.line_no in numbers)
    try:
        return Contents(lines, kept, charged_total(lines, kept), sourcing)
    except WrongCharges as error:
        raise KeptCharges([kept[place].code for place in error.problems]) from error
