"""Watch an order: the order as it is, then as it was after every change."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from holdfast.orders.application.ports import ChangeSignals
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.errors import Draining, OrderNotFound
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import Edit, EditState
from holdfast.orders.domain.ordering.status import OrderStatus

# Changes made by this process wake a watcher at once; those made by others are found by looking,
# soon at first, then less often.
LOOK_AGAIN_S_MIN = 0.05
LOOK_AGAIN_S_MAX = 0.5


class WatchOrder:
    """Follow one order: no version is left out, none comes twice, and a final status ends it.

    :raises OrderNotFound: there is none of this id, or it is not theirs.
    :raises Draining: the service stops, and would otherwise wait for its watchers.
    """

    def __init__(
        self,
        get_order: Callable[[OrderRef], Awaitable[Order | None]],
        edits: Callable[[str, int], Awaitable[Sequence[Edit]]],
        signals: ChangeSignals,
    ) -> None:
        self._get_order = get_order
        self._edits = edits
        self._signals = signals

    async def __call__(self, ref: OrderRef) -> AsyncIterator[Order]:
        order = await self._read(ref)
        yield order
        pause_s = LOOK_AGAIN_S_MIN
        while not order.state.status.is_final:
            await self._signals.wait(ref.order_id, timeout_s=pause_s)
            if self._signals.is_closed:
                raise Draining
            pause_s = min(2 * pause_s, LOOK_AGAIN_S_MAX)
            before, order = order, await self._read(ref)
            for step in await self._steps(before, order):
                yield step

    async def until_settled(self, ref: OrderRef) -> Order:
        """Return the order once it is no longer PENDING; bound the wait with a timeout."""
        return await self._until(ref, lambda order: order.state.status is not OrderStatus.PENDING)

    async def until_edited(self, ref: OrderRef, version: int) -> Order:
        """Return the order once the edit that was asked for with this version of it is not under
        way; bound the wait with a timeout.
        """

        def is_over(order: Order) -> bool:
            edit = order.edit
            return not edit or edit.asked_version != version or edit.ended_version is not None

        return await self._until(ref, is_over)

    async def until_steady(self, ref: OrderRef) -> Order:
        """Return the order once its stock is decided and no edit is under way; bound the wait with
        a timeout.
        """

        def is_steady(order: Order) -> bool:
            is_edited = order.state.editions.revision is not None
            return order.state.status is not OrderStatus.PENDING and not is_edited

        return await self._until(ref, is_steady)

    async def _until(self, ref: OrderRef, is_awaited: Callable[[Order], bool]) -> Order:
        order, pause_s = await self._read(ref), LOOK_AGAIN_S_MIN
        while not is_awaited(order) and not self._signals.is_closed:
            await self._signals.wait(ref.order_id, timeout_s=pause_s)
            order, pause_s = await self._read(ref), min(2 * pause_s, LOOK_AGAIN_S_MAX)
        return order

    async def _steps(self, before: Order, now: Order) -> list[Order]:
        """The order at every version after one that was seen."""
        first, last = before.state.version + 1, now.state.version
        edits: Sequence[Edit] = ()
        if now.edit and (now.edit.ended_version or last) >= first:
            edits = await self._edits(now.state.order_id, before.state.version)
        steps, contents, edit = [], before.contents, before.edit
        for version in range(first, last + 1):
            for one in edits:
                if one.asked_version <= version:
                    edit = one.as_of(version)
                if one.ended_version == version and one.state is EditState.APPLIED:
                    contents = one.contents
            step = replace(now.with_contents(contents), edit=edit)
            steps.append(_as_of(step, version))
        return steps

    async def _read(self, ref: OrderRef) -> Order:
        order = await self._get_order(ref)
        if order is None:
            raise OrderNotFound(ref.order_id)
        return order


def _as_of(order: Order, version: int) -> Order:
    """Return the order as it stood at a version, with its contents then. What is kept beside them
    is the newest in any case: customer information, the end of the hold, payments.
    """
    history = tuple(change for change in order.history if change.version <= version)
    last = history[-1]
    state = order.state._replace(status=last.status, version=version)
    shortages = order.shortages if last.status is OrderStatus.REJECTED else ()
    return replace(order, state=state, updated_at=last.at, history=history, shortages=shortages)
