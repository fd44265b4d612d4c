"""Change orders: commands about single orders, a whole batch in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from holdfast.orders.application.ports import Begin, Clock, KnownPayments, Work
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrderNotFound, OrdersError
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.order import OrderState


class Decision(NamedTuple):
    """What becomes of a command: a change, a refusal, both, or neither: then it was a repeat."""

    change: OrderChange | None = None
    refusal: OrdersError | None = None
    then: OrderChange | None = None  # another one, of the order as it is after the first


class Command(Protocol):
    """Something that is wanted of one order."""

    @property
    def order_id(self) -> str: ...

    @property
    def caller(self) -> Caller: ...

    def decide(self, state: OrderState, known: KnownPayments, at: datetime) -> Decision:
        """Decide it by where the order stands and what is known of its payments.

        :raises OrdersError: it is refused, and nothing of it is kept.
        """


class ChangeOrders:
    """Decide commands in their order, each under its order's lock; return the refusal of each, or
    None: it is done and durable, or was done before.

    :raises Conflict, DatabaseUnavailable: nothing is certain; call again with the same commands.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, commands: Sequence[Command]) -> Sequence[OrdersError | None]:
        async with self._begin() as work:
            named = [command.caller.ref(command.order_id) for command in commands]
            found = await work.lock_named(set(named))
            states = {ref.order_id: state for ref, state in found.items()}
            refusals: dict[int, OrdersError] = {
                place: OrderNotFound(ref.order_id)
                for place, ref in enumerate(named)
                if ref not in found
            }
            left = [one for one in enumerate(commands) if one[0] not in refusals]
            while left:  # a change of an order is recorded before the next one of it is decided
                turn = {command.order_id: (place, command) for place, command in reversed(left)}
                left = [one for one in left if turn[one[1].order_id][0] != one[0]]
                refusals |= await self._decide(work, dict(turn.values()), states)
        return [refusals.get(place) for place in range(len(commands))]

    async def _decide(
        self, work: Work, commands: dict[int, Command], states: dict[str, OrderState]
    ) -> dict[int, OrdersError]:
        """Decide commands about different orders; return the refusals by their places."""
        known = await work.payments({one.order_id for one in commands.values()})
        at = self._clock.now()
        changes: list[OrderChange] = []
        refusals: dict[int, OrdersError] = {}
        for place, command in commands.items():
            order_id = command.order_id
            try:
                decided = command.decide(states[order_id], known[order_id], at)
            except OrdersError as error:
                decided = Decision(refusal=error)
            if decided.refusal is not None:
                refusals[place] = decided.refusal
            for change in filter(None, (decided.change, decided.then)):
                changes.append(change)
                states[order_id] = states[order_id].after(change)
        await work.record(changes)
        return refusals
