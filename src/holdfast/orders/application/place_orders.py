"""Place orders: check stock, record a batch in one transaction; each succeeds or fails alone."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.orders.application.ports import (
    Backlog,
    Begin,
    Clock,
    OrderReader,
    ProductStock,
    RecordedRequest,
    RequestKey,
    StockCheck,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customer import Customer
from holdfast.orders.domain.errors import (
    InactiveProducts,
    InventoryUnavailable,
    OrdersError,
    OutboxTooLong,
    RequestIdReused,
    Shortage,
    ShortOfStock,
    UnknownProducts,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.order import NewOrder, OrderLine, OrderState, OrderStatus, demand_of


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One product asked for; `unit_price` None: the product's price at the stock check."""

    product_id: str
    quantity: int
    unit_price: Money | None


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A request for an order, under an id that the caller chose and keeps for repeats."""

    request_id: str
    customer_id: str
    lines: tuple[AskedLine, ...]
    customer: Customer
    caller: Caller

    @property
    def key(self) -> RequestKey:
        return self.customer_id, self.request_id

    def repeats(self, other: "PlaceOrder") -> bool:
        """Whether both ask for the same under the same key."""
        return self is other or self.digest() == other.digest()

    def digest(self) -> str:
        """Digest what was asked for; who asked and in which trace makes no difference.

        Digests are kept for ever: this form never changes.
        """
        lines = [
            [line.product_id, line.quantity]
            + ([line.unit_price.currency, line.unit_price.minor] if line.unit_price else [])
            for line in self.lines
        ]
        customer = self.customer
        details = [customer.name, customer.email, customer.phone, customer.address]
        return hashlib.sha256(json.dumps([lines, details]).encode()).hexdigest()


Outcome = OrderState | OrdersError


class PlaceOrders:
    """Record each order as PENDING; return its state or the refusal, one per command and in order.

    A recorded order is durable, and its OrderPlaced event with it. A repeat (same customer, request
    id and contents) gets the recorded order's state; other contents under the same request id are
    refused (RequestIdReused).

    :raises Conflict, DatabaseUnavailable: nothing is certain; call again with the same commands.
    """

    def __init__(
        self,
        begin: Begin,
        reader: OrderReader,
        stock_check: StockCheck,
        clock: Clock,
        backlog: Backlog,
    ) -> None:
        self._begin = begin
        self._reader = reader
        self._stock_check = stock_check
        self._clock = clock
        self._backlog = backlog

    async def __call__(self, commands: Sequence[PlaceOrder]) -> Sequence[Outcome]:
        first: dict[RequestKey, PlaceOrder] = {}
        for command in commands:
            first.setdefault(command.key, command)
        by_key = await self._place(first)
        # The first one's outcome is its repeats' too; other contents under its key are seen afresh.
        others = [c for c in commands if not c.repeats(first[c.key])]
        of_others = iter(await self(others) if others else ())
        return [by_key[c.key] if c.repeats(first[c.key]) else next(of_others) for c in commands]

    async def _place(self, commands: Mapping[RequestKey, PlaceOrder]) -> dict[RequestKey, Outcome]:
        orders, refused = await self._check_stock(commands)
        # A repeat gets its recorded order whatever the stock is by now, so look before refusing.
        recorded = await self._reader.find_requests(refused) if refused else {}
        if orders:
            async with self._begin() as work:
                recorded |= await work.add_orders(list(orders.values()))
        placed = {
            key: OrderState(order.order_id, OrderStatus.PENDING, 1) for key, order in orders.items()
        }
        repeats = {key: _repeat(commands[key], found) for key, found in recorded.items()}
        return {**refused, **placed, **repeats}

    async def _check_stock(
        self, commands: Mapping[RequestKey, PlaceOrder]
    ) -> tuple[dict[RequestKey, NewOrder], dict[RequestKey, OrdersError]]:
        """Make orders of what can plainly be filled, and refusals of the rest."""
        if self._backlog.is_too_long():
            return {}, dict.fromkeys(commands, OutboxTooLong())
        asked = {line.product_id for command in commands.values() for line in command.lines}
        try:
            stock = await self._stock_check.ask(asked)
        except InventoryUnavailable as error:
            return {}, dict.fromkeys(commands, error)
        orders: dict[RequestKey, NewOrder] = {}
        refused: dict[RequestKey, OrdersError] = {}
        for key, command in commands.items():
            try:
                orders[key] = self._check(command, stock)
            except OrdersError as refusal:
                refused[key] = refusal
        return orders, refused

    def _check(self, command: PlaceOrder, stock: Mapping[str, ProductStock]) -> NewOrder:
        demand = demand_of([(line.product_id, line.quantity) for line in command.lines])
        if unknown := [product_id for product_id in demand if product_id not in stock]:
            raise UnknownProducts(unknown)
        if inactive := [product_id for product_id in demand if not stock[product_id].active]:
            raise InactiveProducts(inactive)
        shortages = [
            Shortage(product_id, wanted, stock[product_id].available)
            for product_id, wanted in demand.items()
            if wanted > stock[product_id].available
        ]
        if shortages:
            raise ShortOfStock(shortages)
        lines = tuple(
            OrderLine(
                line.product_id, line.quantity, line.unit_price or stock[line.product_id].unit_price
            )
            for line in command.lines
        )
        return NewOrder.place(
            self._clock.new_id(),
            customer_id=command.customer_id,
            request_id=command.request_id,
            request_hash=command.digest(),
            lines=lines,
            customer=command.customer,
            at=self._clock.now(),
            caller=command.caller,
        )


def _repeat(command: PlaceOrder, recorded: RecordedRequest) -> Outcome:
    if recorded.request_hash != command.digest():
        return RequestIdReused(command.request_id)
    return recorded.state
