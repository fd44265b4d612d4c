"""Where orders stand, as rows: read, and written as changes and news of their stock leave it."""

from collections.abc import Mapping, Sequence

import orjson

from holdfast.chassis.database.seam import Conflict, Row, Transaction, instant
from holdfast.orders.application.ports import StockNews
from holdfast.orders.domain.events import question_in
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import BY_RANK
from holdfast.orders.infrastructure.ordering.documents import NOWHERE, editions_of
from holdfast.orders.infrastructure.ordering.edits import shortages_text
from holdfast.orders.infrastructure.ordering.sql import Statements


def state_of(row: Row) -> OrderState:
    return OrderState(
        row["order_id"],
        OrderStatus(row["status"]),
        row["version"],
        row["asked"],
        row["answered"],
        row["stock_sequence"],
        row["expires_at"] and instant(row["expires_at"]),
        row["confirmed_by"],
        editions_of(row),
    )


async def write_states(
    transaction: Transaction,
    sql: Statements,
    changes: Mapping[str, Sequence[OrderChange]],
    news: Mapping[str, StockNews],
) -> None:
    """Write what locked orders become by changes of theirs, in their order, by order id.

    :raises Conflict: one of them was changed by somebody else.
    """
    settled = [_settled(of_order, news.get(order_id)) for order_id, of_order in changes.items()]
    rare = [_rarely_changed(of_order) for of_order in changes.values()]
    if any(map(any, rare)) or not news.keys() >= changes.keys():
        rows = [first + rest for first, rest in zip(settled, rare, strict=True)]
        written = await transaction.write(sql.UPDATE_STATES, rows)
    else:
        written = await transaction.write(sql.SETTLE_STATES, settled)
    if written < len(settled):
        raise Conflict("an order changed although it was locked")


def _settled(changes: Sequence[OrderChange], news: StockNews | None) -> tuple[object, ...]:
    """What an order becomes by an answer alone: where it stands, and what is known of its stock;
    its second column is the version that it must still have.
    """
    last, before = changes[-1], changes[0].version - 1
    return last.order_id, before, last.status, last.version, last.at, *stock_row(news)[1:]


def _rarely_changed(changes: Sequence[OrderChange]) -> tuple[object, ...]:
    """What else changes; None: it stays. Of several changes the newest that says so counts."""
    last = changes[-1]
    short, asked = last.shortages, asked_by(last)
    expires_at, confirmed_by = last.expires_at, last.confirmed_by
    for change in changes[-2::-1]:  # mostly there is only one
        short = short or change.shortages
        asked = asked or asked_by(change)
        expires_at = expires_at or change.expires_at
        confirmed_by = confirmed_by or change.confirmed_by
    return shortages_text(short) if short else None, asked, expires_at, confirmed_by


def asked_by(change: OrderChange) -> int | None:
    """The revision of the question that a change puts to Inventory; None if it puts none."""
    question = question_in(change.event) if change.event is not None else None
    return question.revision if question else None


def stock_row(news: StockNews | None) -> tuple[object, ...]:
    """What is known of an order's stock, after its id; nothing new leaves all as it is."""
    if news is None:
        return (None,) * 5
    state, answer = news
    parts = [
        *(tuple(held) if held.reason != BY_RANK else held[:3] for held in answer.stock),
        *((product_id, NOWHERE, units) for product_id, units in answer.queued),
    ]
    stock = orjson.dumps(parts).decode()
    return state.order_id, state.answered, state.stock_sequence, answer.revision, stock
