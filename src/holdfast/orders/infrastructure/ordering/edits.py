"""Edits as rows: editions are only added, and what became of each is kept."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from holdfast.chassis.database.seam import Transaction
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind
from holdfast.orders.domain.ordering.edits import Contents, Edit, EditState
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing, Strategy
from holdfast.orders.infrastructure.ordering.sql import Statements


def add_contents(
    transaction: Transaction,
    sql: Statements,
    editions: Iterable[tuple[str, int, Sequence[OrderLine], Sequence[Charge], Sourcing]],
) -> None:
    """Write new editions: (order id, edition, lines, charges, sourcing)."""
    line_rows: list[tuple[object, ...]] = []
    charge_rows: list[tuple[object, ...]] = []
    sourcing_rows: list[tuple[object, ...]] = []
    for order_id, edition, lines, charges, sourcing in editions:
        if sourcing is not BY_PRIORITY:
            strategy, location_ids, *wishes = sourcing
            sourcing_rows.append((order_id, edition, strategy, json.dumps(location_ids), *wishes))
        line_rows += [
            (order_id, edition, line_no, product_id, quantity, price.minor)
            for product_id, quantity, price, line_no in lines
        ]
        charge_rows += [
            (order_id, edition, number, c.line_no, c.kind, c.code, c.amount.minor)
            for number, c in enumerate(charges, 1)
        ]
    transaction.defer(sql.INSERT_LINES, line_rows)
    transaction.defer(sql.INSERT_CHARGES, charge_rows)
    transaction.defer(sql.INSERT_SOURCINGS, sourcing_rows)


async def record_edits(
    transaction: Transaction, sql: Statements, changes: Sequence[OrderChange]
) -> None:
    """Write what changes of locked orders say of edits, of one order at most one."""
    moved = [(c, c.editions) for c in changes if c.editions]
    if not moved:
        return
    assert len({c.order_id for c, _ in moved}) == len(moved), "each began with another edition"
    new = [(c.order_id, c.edit) for c in changes if c.edit]
    rows = [
        (order_id, e.edition, e.revision, e.state, e.contents.total.minor)
        + (e.asked_version, e.ended_version)
        for order_id, e in new
    ]
    transaction.defer(sql.INSERT_EDITS, rows)
    contents = [(key, e.edition, *e.contents[:2], e.contents.sourcing) for key, e in new]
    add_contents(transaction, sql, contents)
    ended = [
        (c.order_id, end.edition, end.state, shortages_text(end.missing), c.version)
        for c, _ in moved
        if (end := c.edit_end)
    ]
    transaction.defer(sql.END_EDITS, ended)
    await transaction.write(
        sql.UPDATE_EDITIONS,
        [(c.order_id, *editions, c.total and c.total.minor) for c, editions in moved],
    )


def shortages_text(shortages: Sequence[Shortage]) -> str:
    """Write shortages as a document."""
    return json.dumps([(s.product_id, s.wanted, s.available) for s in shortages])


def shortages_of(rows: Sequence[Any]) -> tuple[Shortage, ...]:
    """Read shortages from a document."""
    return tuple(Shortage(*facts) for facts in rows)


def lines_of(rows: Sequence[Any], currency: str) -> tuple[OrderLine, ...]:
    """Read lines from a document."""
    return tuple(
        OrderLine(product_id, quantity, Money(currency, minor), line_no)
        for product_id, quantity, minor, line_no in rows
    )


def charges_of(rows: Sequence[Any] | None, currency: str) -> tuple[Charge, ...]:
    """Read charges from a document; None: there are none."""
    return tuple(
        Charge(ChargeKind(kind), line_no, code, Money(currency, minor))
        for kind, line_no, code, minor in rows or ()
    )


def sourcing_of(parts: Sequence[Any] | None) -> Sourcing:
    """Read a sourcing from its parts; None: by priority."""
    if not parts:
        return BY_PRIORITY
    strategy, location_ids, *wishes = parts
    return Sourcing(Strategy(strategy), tuple(location_ids), *map(bool, wishes))


def edit_of(document: str, currency: str) -> Edit:
    """Read an edit from its document."""
    edition, revision, state, total, missing, asked, ended, *parts = json.loads(document)
    lines, charges, sourcing = parts
    contents = Contents(
        lines_of(lines, currency),
        charges_of(charges, currency),
        Money(currency, total),
        sourcing_of(sourcing),
    )
    decided = EditState(state), contents, shortages_of(missing)
    return Edit(edition, revision, *decided, asked, ended)
