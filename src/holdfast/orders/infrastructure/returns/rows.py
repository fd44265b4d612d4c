"""Returns as rows: what may come back and what has is only added; that one is closed is kept."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from holdfast.chassis.database.seam import Row, Transaction, instant
from holdfast.orders.domain.events import ReturnOpened, ReturnReceived
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.returns.returned import (
    Disposition,
    Receipt,
    ReceiptLine,
    Return,
    ReturnLine,
)
from holdfast.orders.infrastructure.ordering.sql import Statements


async def record_returns(
    transaction: Transaction, sql: Statements, changes: Sequence[OrderChange]
) -> None:
    """Write what changes of locked orders say of returns."""
    told = {r.return_id: (c.version, r) for c in changes if (r := c.goods_return)}
    if not told:
        return
    first = {
        c.event.goods_return.return_id: c.version
        for c in changes
        if isinstance(c.event, ReturnOpened)
    }
    await transaction.write(
        sql.PUT_RETURNS,
        [
            (r.return_id, r.order_id, first.get(r.return_id, version), r.request_id, r.request_hash)
            + (r.opened_at, r.closed_at)
            for version, r in told.values()
        ],
    )
    opened = [c.event.goods_return for c in changes if isinstance(c.event, ReturnOpened)]
    transaction.defer(
        sql.INSERT_RETURN_ITEMS, [(r.return_id, *line) for r in opened for line in r.lines]
    )
    new = [
        (c, c.event.goods_return, c.event.goods_return.receipts[-1])
        for c in changes
        if isinstance(c.event, ReturnReceived)
    ]
    transaction.defer(
        sql.INSERT_RECEIPTS,
        [
            (c.order_id, one.request_id, r.return_id, c.version, one.revision, one.request_hash)
            + (one.received_at,)
            for c, r, one in new
        ],
    )
    transaction.defer(
        sql.INSERT_RECEIPT_ITEMS,
        [
            (c.order_id, one.request_id, number, *line)
            for c, _, one in new
            for number, line in enumerate(one.lines, 1)
        ],
    )


def returns_of(row: Row) -> tuple[Return, ...]:
    """Read returns from their documents, in the order of opening."""
    if not row["returns"]:
        return ()
    items = _grouped(row["return_items"])
    came = _grouped(row["receipt_items"])
    receipts: dict[str, list[Receipt]] = defaultdict(list)
    for return_id, request_id, revision, request_hash, at in json.loads(row["receipts"] or "[]"):
        lines = tuple(
            ReceiptLine(line_no, product_id, quantity, Disposition(disposition), location_id)
            for line_no, product_id, quantity, disposition, location_id in came[request_id]
        )
        receipt = Receipt(request_id, revision, lines, request_hash, instant(at))
        receipts[return_id].append(receipt)
    return tuple(
        Return(
            return_id,
            str(row["order_id"]),
            request_id,
            request_hash,
            tuple(ReturnLine(*item) for item in items[return_id]),
            instant(opened_at),
            tuple(receipts[return_id]),
            closed_at and instant(closed_at),
        )
        for return_id, request_id, request_hash, opened_at, closed_at in json.loads(row["returns"])
    )


def _grouped(document: str | None) -> dict[str, list[Any]]:
    """Rows of a document by their first column."""
    found: dict[str, list[Any]] = defaultdict(list)
    for key, *rest in json.loads(document or "[]"):
        found[key].append(rest)
    return found
