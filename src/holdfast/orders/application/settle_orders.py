"""Settle orders: confirm or reject by Inventory's answers, a whole batch in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.order import OrderChange, OrderState, OrderStatus


class StockAnswer(NamedTuple):
    """What Inventory decided for an order; no shortages means that all is reserved."""

    event_id: str
    order_id: str
    shortages: tuple[Shortage, ...]
    caller: Caller


class SettleOrders:
    """Turn answers into CONFIRMED or REJECTED, once per order, each with a notification.

    An answer for an order that is no longer PENDING changes nothing: it is a repeat, or the order
    was cancelled or has expired and Inventory releases the stock when it hears of that.

    :raises Conflict, DatabaseUnavailable: nothing happened, or it is unknown; call again with the
        same answers.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, answers: Sequence[StockAnswer]) -> None:
        async with self._begin() as work:
            new_ids = await work.first_seen([answer.event_id for answer in answers])
            fresh = [answer for answer in answers if answer.event_id in new_ids]
            if not fresh:
                return
            states = await work.lock_states({answer.order_id for answer in fresh})
            at = self._clock.now()
            changes: dict[str, OrderChange] = {}
            for answer in fresh:
                state = states.get(answer.order_id)
                # An unknown order: Inventory answers only orders that Orders has told it of, so
                # this is a restored backup.
                if state and state.status is OrderStatus.PENDING and state.order_id not in changes:
                    changes[state.order_id] = _settle(state, answer, at)
            await work.record([changes[order_id] for order_id in sorted(changes)])


def _settle(state: OrderState, answer: StockAnswer, at: datetime) -> OrderChange:
    if answer.shortages:
        return state.reject(answer.shortages, at, answer.caller)
    return state.confirm(at, answer.caller)
