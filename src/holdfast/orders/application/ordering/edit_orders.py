"""Edit orders: other lines, charges or sourcing, a whole batch in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.ordering.stock_advice import refuse_locations, refuse_short
from holdfast.orders.application.ports import (
    NO_ADVICE,
    Begin,
    Clock,
    Editable,
    OrderReader,
    StockAdvice,
    StockCheck,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import (
    InventoryUnavailable,
    OrderNotFound,
    OrdersError,
    StaleVersion,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.charges import Charge
from holdfast.orders.domain.ordering.cut_down import cut_down
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import (
    Contents,
    EditedLine,
    edited,
    refuse_contents,
    units_left,
)
from holdfast.orders.domain.ordering.lines import demand_of
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import Sourcing
from holdfast.orders.domain.payments.payment import Payment, status_of
from holdfast.orders.domain.shipping.shipment import refuse_below, shipped_by_line

REASON = "order edited"


class EditOrder(NamedTuple):
    """Give an order other lines, charges or sourcing.

    :param lines: all of them; None: they stay.
    :param charges: all of them; None: they stay, but for those of lines that go.
    :param sourcing: None: it stays.
    """

    order_id: str
    version: int
    lines: tuple[EditedLine, ...] | None
    charges: tuple[Charge, ...] | None
    caller: Caller
    reason: str = REASON
    sourcing: Sourcing | None = None

    def more(self, known: Editable) -> dict[str, int]:
        """Units in all of the products of which more is wanted than the order has.

        :raises WrongLines, WrongPrices, WrongCharges, WrongContents: see `refuse_contents`.
        """
        before = known.order.contents
        refuse_contents(before, self.lines, self.charges, known.line_no_max)
        lines, has = self.lines or (), before.demand
        wanted = demand_of([(line.product_id, line.quantity) for line in lines])
        return {name: units for name, units in sorted(wanted.items()) if units > has.get(name, 0)}

    def contents(self, known: Editable, prices: Mapping[str, Money]) -> Contents:
        """:raises WrongLines, WrongCharges, KeptCharges, TotalTooLarge: see `edited`."""
        before = known.order.contents
        return edited(before, self.lines, self.charges, prices, known.line_no_max, self.sourcing)


class CancelUnits(NamedTuple):
    """Cancel some units of an order's lines.

    :param units: (line number, units), at least one of each.
    """

    order_id: str
    version: int
    units: tuple[tuple[int, int], ...]
    caller: Caller
    reason: str

    @property
    def sourcing(self) -> None:
        """It stays."""

    def more(self, _known: Editable) -> dict[str, int]:
        """No more of anything."""
        return {}

    def contents(self, known: Editable, _prices: Mapping[str, Money]) -> Contents:
        """:raises WrongLines, NothingLeft: see `units_left`."""
        before = known.order.contents
        return cut_down(before, units_left(before, self.units, self.order_id))


class CancelRest(NamedTuple):
    """Cancel whatever of an order has not left; an edit under way is dropped."""

    order_id: str
    version: int
    caller: Caller
    reason: str

    @property
    def sourcing(self) -> None:
        """It stays."""

    def more(self, _known: Editable) -> dict[str, int]:
        """No more of anything."""
        return {}

    def contents(self, known: Editable, _prices: Mapping[str, Money]) -> Contents:
        """What has left, as its lines."""
        return cut_down(known.order.contents, shipped_by_line(known.order.shipments))


EditCommand = EditOrder | CancelUnits | CancelRest


class EditOrders:
    """Decide edits, each under its order's lock; return the refusal of each, or None: it is done,
    or asked for, and durable. An edit that changes nothing leaves no trace.

    An order is read before it is locked; the version that the caller read guards that it is still
    the same. The stock check is advice: Inventory decides.

    :raises Conflict, DatabaseUnavailable: nothing is certain; read the orders again.
    """

    def __init__(
        self, begin: Begin, reader: OrderReader, stock_check: StockCheck, clock: Clock
    ) -> None:
        self._begin = begin
        self._reader = reader
        self._stock_check = stock_check
        self._clock = clock

    async def __call__(self, commands: Sequence[EditCommand]) -> Sequence[OrdersError | None]:
        drafts, refused = await self._draft(commands)
        if drafts:
            await self._record(commands, drafts, refused)
        return [refused.get(place) for place in range(len(commands))]

    async def preview(self, command: EditCommand) -> Order:
        """Return the order as it would be, without its history; nothing is changed.

        :raises OrdersError: the edit would be refused.
        """
        drafts, refused = await self._draft([command])
        if refused:
            raise refused[0]
        order, after = drafts[0]
        return order.with_contents(after)

    async def _draft(
        self, commands: Sequence[EditCommand]
    ) -> tuple[dict[int, "_Draft"], dict[int, OrdersError]]:
        """Work out what the orders would be; return that and the refusals, by place."""
        named = [command.caller.ref(command.order_id) for command in commands]
        found = await self._reader.editable(set(named))
        more: dict[int, dict[str, int]] = {}
        refused: dict[int, OrdersError] = {}
        for place, command in enumerate(commands):
            try:
                more[place] = _more(command, found.get(named[place]))
            except OrdersError as error:
                refused[place] = error
        locations = {
            location_id
            for place in more
            if (sourcing := commands[place].sourcing)
            for location_id in sourcing.location_ids
        }
        asked = set().union(*more.values())
        if locations and not asked:  # nothing is asked of no product
            asked = {found[named[place]].order.lines[0].product_id for place in more}
        advice = await self._ask(asked, locations)
        drafts: dict[int, _Draft] = {}
        for place, wanted in more.items():
            known = found[named[place]]
            try:
                prices = _advised(wanted, commands[place].sourcing, advice, known.order.contents)
                after = commands[place].contents(known, prices)
                refuse_below(after.lines, shipped_by_line(known.order.shipments))
                drafts[place] = _Draft(known.order, after)
            except OrdersError as error:
                refused[place] = error
        return drafts, refused

    async def _ask(
        self, products: set[str], locations: set[str]
    ) -> StockAdvice | InventoryUnavailable:
        try:
            return await self._stock_check.ask(products, locations) if products else NO_ADVICE
        except InventoryUnavailable as error:
            return error

    async def _record(
        self,
        commands: Sequence[EditCommand],
        drafts: Mapping[int, "_Draft"],
        refused: dict[int, OrdersError],
    ) -> None:
        changes: list[OrderChange] = []
        async with self._begin() as work:
            states = await work.lock_states({draft.order.order_id for draft in drafts.values()})
            at = self._clock.now()
            for place, (order, after) in drafts.items():
                command, state = commands[place], states[order.order_id]
                if after == order.contents and not isinstance(command, CancelRest):
                    continue
                try:
                    change = _decided(command, state, order, after, at)
                except OrdersError as error:
                    refused[place] = error
                    continue
                states[order.order_id] = state.after(change)
                changes.append(with_payments(change, [one.payment for one in order.payments]))
            await work.record(changes)


def _decided(
    command: EditCommand, state: OrderState, order: Order, after: Contents, at: datetime
) -> OrderChange:
    """:raises OrdersError: it is refused."""
    by = command.reason, at, command.caller
    if isinstance(command, CancelRest):
        for current in (state.version, order.state.version):  # as it is, and as it was read
            if current != command.version:
                raise StaleVersion(state.order_id, expected=command.version, current=current)
        return state.end_with(after, order.goods, *by)
    return state.edit(order.contents, after, command.version, *by, order.goods)


class _Draft(NamedTuple):
    """An order as it was read, and the contents that it is to have."""

    order: Order
    after: Contents


def _more(command: EditCommand, known: Editable | None) -> dict[str, int]:
    """What a command wants more of, if it can be one of this order at all.

    :raises OrderNotFound: there is none, or it is not the caller's.
    :raises OrdersError: see `OrderState.refuse_edit`; or its lines or charges are wrong.
    """
    if known is None:
        raise OrderNotFound(command.order_id)
    if not isinstance(command, CancelRest):
        known.order.state.refuse_edit(command.version)
    return command.more(known)


def _advised(
    wanted: Mapping[str, int],
    sourcing: Sourcing | None,
    advice: StockAdvice | InventoryUnavailable,
    before: Contents,
) -> Mapping[str, Money]:
    """Return the prices of what more is wanted of.

    :raises InventoryUnavailable: nobody can tell.
    :raises UnknownProducts, InactiveProducts, ShortOfStock: see `refuse_short`.
    :raises UnknownLocations, LocationSpelledOtherwise, LocationInactive: see `refuse_locations`.
    """
    if not wanted and not (sourcing and sourcing.location_ids):
        return {}
    if isinstance(advice, InventoryUnavailable):
        raise advice
    if sourcing:
        refuse_locations(sourcing.location_ids, advice.locations)
    may_wait = (sourcing or before.sourcing).may_wait
    refuse_short(wanted, advice.products, held=before.demand, may_wait=may_wait)
    return {name: advice.products[name].unit_price for name in wanted}


def with_payments(change: OrderChange, payments: Sequence[Payment]) -> OrderChange:
    """Let the payment status follow from what the order costs now."""
    if change.total is None or not payments:
        return change
    return change._replace(payment_status=status_of(payments, change.total))
