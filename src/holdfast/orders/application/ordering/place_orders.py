"""Place orders: check stock, record a batch in one transaction; each succeeds or fails alone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.orders.application.digests import digest_of, may_repeat
from holdfast.orders.application.ordering.stock_advice import refuse_locations, refuse_short
from holdfast.orders.application.ports import (
    Backlog,
    Clock,
    OrderReader,
    ProductStock,
    RecordedRequest,
    RecordOrders,
    RequestKey,
    StockAdvice,
    StockCheck,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import (
    InventoryUnavailable,
    OrdersError,
    OutboxTooLong,
    RequestIdReused,
    WrongCharges,
    WrongPrices,
    refuse_wrong,
)
from holdfast.orders.domain.money import MINOR_MAX, Amount, Money
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind
from holdfast.orders.domain.ordering.details import NO_DETAILS, Details
from holdfast.orders.domain.ordering.lines import OrderLine, demand_of
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.status import OrderStatus


class AskedLine(NamedTuple):
    """One product asked for.

    :param unit_price: an Amount is in the product's currency; None: the product's price at the
        stock check.
    """

    product_id: str
    quantity: int
    unit_price: Money | Amount | None


class AskedCharge(NamedTuple):
    """An amount beside the prices; an Amount is in the order's currency."""

    kind: ChargeKind
    line_no: int
    code: str
    amount: Money | Amount


class PlaceOrder(NamedTuple):
    """A request for an order, under an id that the caller chose and keeps for repeats."""

    request_id: str
    customer_id: str
    lines: tuple[AskedLine, ...]
    customer: Customer
    caller: Caller
    hold: timedelta | None = None
    charges: tuple[AskedCharge, ...] = ()
    details: Details = NO_DETAILS
    sourcing: Sourcing = BY_PRIORITY

    @property
    def key(self) -> RequestKey:
        return self.customer_id, self.request_id

    def repeats(self, other: "PlaceOrder") -> bool:
        """Whether both ask for the same under the same key."""
        return self is other or self.digest() == other.digest()

    def digest(self) -> str:
        """Digest what was asked for; who asked and in which trace makes no difference.

        Only what was given has a part in it: a field that comes later leaves the digests of
        requests without it as they were.
        """
        given: dict[str, object] = {
            "lines": [
                [product_id, quantity, *(() if unit_price is None else unit_price)]
                for product_id, quantity, unit_price in self.lines
            ]
        }
        for name in ("name", "email", "phone", "address"):
            if text := getattr(self.customer, name):
                given[name] = text
        if self.hold is not None:
            given["hold_us"] = self.hold // timedelta(microseconds=1)
        if self.charges:
            given["charges"] = self.charges
        if self.details is not NO_DETAILS:
            given |= {name: value for name, value in asdict(self.details).items() if any(value)}
        if self.sourcing is not BY_PRIORITY:
            wish = self.sourcing
            given["sourcing"] = wish if wish.in_stock_only else wish[:3]
        return digest_of(given)


class RecordedBefore(OrderState):
    """Where an order stands that an earlier request recorded."""

    __slots__ = ()


Outcome = OrderState | OrdersError


class PlaceOrders:
    """Record each order as PENDING; return its state or the refusal, one per command and in order.

    A recorded order is durable, and its OrderPlaced event with it. A repeat (same customer, request
    id and contents) gets the recorded order's state (RecordedBefore); other contents under the same
    request id are refused (RequestIdReused), unless what was asked for is erased.

    :raises Conflict, DatabaseUnavailable: nothing is certain; call again with the same commands.
    """

    def __init__(
        self,
        record: RecordOrders,
        reader: OrderReader,
        stock_check: StockCheck,
        clock: Clock,
        backlog: Backlog,
    ) -> None:
        self._record = record
        self._reader = reader
        self._stock_check = stock_check
        self._clock = clock
        self._backlog = backlog
        self._under_way: list[_UnderWay] = []

    async def __call__(self, commands: Sequence[PlaceOrder]) -> Sequence[Outcome]:
        earlier = list(self._under_way)
        mine = _UnderWay({command.key for command in commands}, asyncio.Event())
        self._under_way.append(mine)
        try:
            return await self._place(commands, earlier)
        finally:
            self._under_way.remove(mine)
            mine.ended.set()

    async def _place(
        self, commands: Sequence[PlaceOrder], earlier: Sequence["_UnderWay"]
    ) -> Sequence[Outcome]:
        orders, refused = await self._check_stock(commands)
        # A repeat gets its recorded order whatever the stock is by now, so look before refusing;
        # and wait for whoever may be recording it at this moment.
        in_doubt = {commands[index].key for index in refused} - orders.keys()
        for batch in earlier:
            if in_doubt & batch.keys:
                await batch.ended.wait()
        recorded = await self._reader.find_requests(in_doubt) if in_doubt else {}
        if any(new.order.hold for new in orders.values()):
            now = await self._reader.database_now(self._clock.now())
            orders = {key: new.held_from(now) for key, new in orders.items()}
        if orders:
            recorded |= await self._record([new.order for new in orders.values()])
        return [
            refused.get(index) or _outcome(command, orders.get(command.key))
            if command.key not in recorded
            else _repeat(command, recorded[command.key])
            for index, command in enumerate(commands)
        ]

    async def _check_stock(
        self, commands: Sequence[PlaceOrder]
    ) -> tuple[dict[RequestKey, "_New"], dict[int, OrdersError]]:
        """Make an order of the first command of each key that can plainly be filled.

        :returns: the new orders by key, and the refusals by the commands' places in the batch.
        """
        if self._backlog.is_too_long():
            return {}, dict.fromkeys(range(len(commands)), OutboxTooLong())
        asked = {line.product_id for command in commands for line in command.lines}
        named = {place for command in commands for place in command.sourcing.location_ids}
        try:
            advice = await self._stock_check.ask(asked, named)
        except InventoryUnavailable as error:
            return {}, dict.fromkeys(range(len(commands)), error)
        orders: dict[RequestKey, _New] = {}
        refused: dict[int, OrdersError] = {}
        for index, command in enumerate(commands):
            if (key := command.key) in orders:
                continue
            try:
                orders[key] = _New(command, self._check(command, advice))
            except OrdersError as refusal:
                refused[index] = refusal
        return orders, refused

    def _check(self, command: PlaceOrder, advice: StockAdvice) -> NewOrder:
        stock = advice.products
        refuse_locations(command.sourcing.location_ids, advice.locations)
        wanted = demand_of([(line.product_id, line.quantity) for line in command.lines])
        refuse_short(wanted, stock, may_wait=command.sourcing.may_wait)
        lines, wrong_prices = _priced(command.lines, stock)
        decimals = stock[command.lines[0].product_id].decimals
        currency = lines[0].unit_price.currency
        charges, wrong_charges = _charged(command.charges, currency, decimals)
        refuse_wrong(WrongPrices(wrong_prices), WrongCharges(wrong_charges))
        return NewOrder.place(
            self._clock.new_id(),
            customer_id=command.customer_id,
            request_id=command.request_id,
            request_hash=command.digest(),
            lines=lines,
            customer=command.customer,
            at=self._clock.now(),
            caller=command.caller,
            hold=command.hold,
            charges=charges,
            details=command.details,
            sourcing=command.sourcing,
        )


def _priced(
    asked: Sequence[AskedLine], stock: Mapping[str, ProductStock]
) -> tuple[tuple[OrderLine, ...], dict[int, str]]:
    """Give every line its price, in its product's currency; and tell by place of what is in another
    one, finer than it allows, or too large.
    """
    lines, problems = [], dict[int, str]()
    for place, (product_id, quantity, price) in enumerate(asked):
        due, decimals, *_ = stock[product_id]
        match price:
            case None:
                pass
            case Money(currency=named) if named != due.currency:
                problems[place] = (
                    f"is in {named}, but {product_id} is sold in {due.currency}: "
                    "name that currency, or none"
                )
            case Amount(billionths):
                price, flaw = _in_currency(billionths, due.currency, decimals)
                if flaw:
                    problems[place] = flaw
        lines.append(OrderLine(product_id, quantity, price or due, place + 1))
    return tuple(lines), problems


def _in_currency(billionths: int, currency: str, decimals: int) -> tuple[Money, str]:
    """Return an amount in whole minor units, and what is wrong with it, if anything."""
    minor, too_fine = divmod(billionths, 10 ** (9 - decimals))
    flaw = ""
    if too_fine:
        flaw = f"is finer than {currency} allows: it has {decimals or 'no'} digits after the point"
    elif minor > MINOR_MAX:
        flaw = f"must be at most {MINOR_MAX:,} minor units"
    return Money(currency, minor), flaw


def _charged(
    asked: Sequence[AskedCharge], currency: str, decimals: int
) -> tuple[tuple[Charge, ...], dict[int, str]]:
    """Give every charge the order's currency, and tell of problems as `_priced` does."""
    charges, problems = [], dict[int, str]()
    for place, (kind, line_no, code, amount) in enumerate(asked):
        if isinstance(amount, Amount):
            amount, flaw = _in_currency(amount.billionths, currency, decimals)
            if flaw:
                problems[place] = flaw
        if amount.currency != currency:
            problems[place] = f"is in {amount.currency}, but the order is in {currency}"
        charges.append(Charge(kind, line_no, code, amount))
    return tuple(charges), problems


class _UnderWay(NamedTuple):
    """A batch that is being placed. Batches wait only for earlier ones: never for each other."""

    keys: set[RequestKey]
    ended: asyncio.Event


class _New(NamedTuple):
    """An order about to be recorded, and the command that it was made of."""

    command: PlaceOrder
    order: NewOrder

    def held_from(self, now: datetime) -> "_New":
        """The same, its hold beginning now."""
        hold = self.order.hold
        ends_at = None if hold is None else now + hold
        return self._replace(order=self.order._replace(expires_at=ends_at))


def _outcome(command: PlaceOrder, new: _New | None) -> Outcome:
    assert new, "what is neither refused nor recorded earlier has just been recorded"
    if not command.repeats(new.command):
        return RequestIdReused(command.request_id, new.order.order_id)
    placed, expires_at = (
        OrderState(new.order.order_id, OrderStatus.PENDING, 1),
        new.order.expires_at,
    )
    state = placed if expires_at is None else placed._replace(expires_at=expires_at)
    return state if command is new.command else RecordedBefore(*state)


def _repeat(command: PlaceOrder, recorded: RecordedRequest) -> Outcome:
    if not may_repeat(recorded.request_hash, command.digest()):
        return RequestIdReused(command.request_id, recorded.state.order_id)
    return RecordedBefore(*recorded.state)
