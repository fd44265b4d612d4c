"""Hear Inventory: settle orders by its answers, a whole batch in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.ordering.edit_orders import with_payments
from holdfast.orders.application.ports import Begin, Clock, KnownPayments, StockNews
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.stock import StockAnswer


class HeardAnswer(NamedTuple):
    """An event of Inventory that tells what it holds for an order, and what waits."""

    event_id: str
    answer: StockAnswer
    caller: Caller


def _settle(
    state: OrderState,
    answer: StockAnswer,
    known: Mapping[str, KnownPayments],
    at: datetime,
    caller: Caller,
) -> OrderChange | None:
    if answer.revision != state.editions.revision:
        return state.settle(answer, at, caller)
    payments, _, total = known[state.order_id]
    assert total is not None, "an edit under way has its total"
    return with_payments(state.settle_edit(answer, total, at, caller), payments)


class HearInventory:
    """Turn answers into CONFIRMED or REJECTED, once per order, and keep what is held for it and
    what waits for stock.

    An answer settles only the question that its order, or the edit under way, is waiting for. Any
    other one tells no more than what is held, if it is newer than what is known: it is a repeat, or
    the order was cancelled or has expired meanwhile. An order whose newest question has its answer
    waits no longer. What Inventory changes by itself is told as an answer to the newest question
    that it has decided, and is one: the answer itself may be lost, or come later.

    :raises Conflict, DatabaseUnavailable: nothing happened, or it is unknown; call again with the
        same answers.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, heard: Sequence[HeardAnswer]) -> None:
        async with self._begin() as work:
            new_ids = await work.first_seen([one.event_id for one in heard])
            fresh = [one for one in heard if one.event_id in new_ids]
            if not fresh:
                return
            states = await work.lock_states({one.answer.order_id for one in fresh})
            edited = {
                one.answer.order_id
                for one in fresh
                if (state := states.get(one.answer.order_id))
                and one.answer.revision == state.editions.revision
            }
            known = await work.payments(edited) if edited else {}
            at = self._clock.now()
            changes: dict[str, OrderChange] = {}
            newest: dict[str, StockAnswer] = {}
            for _, answer, caller in fresh:
                order_id = answer.order_id
                # An unknown order: Inventory answers only orders that Orders has told it of, so
                # this is a restored backup.
                if (state := states.get(order_id)) is None:
                    continue
                if change := _settle(state, answer, known, at, caller):
                    changes[order_id] = change
                    state = state.after(change)
                if answer.sequence > state.stock_sequence:
                    state = state.hear(answer)
                    newest[order_id] = answer
                states[order_id] = state
            await work.record(
                [changes[order_id] for order_id in sorted(changes)],
                [StockNews(states[order_id], newest[order_id]) for order_id in sorted(newest)],
            )
