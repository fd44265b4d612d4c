"""Orders as files: a line for each line of an order; those of an order stand together."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from holdfast.client import (
    Customer,
    Details,
    Holdfast,
    HoldfastError,
    Money,
    NotFound,
    Order,
    OrderLine,
    OrderRequest,
    OrderStatus,
    StockInfo,
)
from holdfast.exchange.customers import CONTACT_CHARACTERS_MAX, contact_in
from holdfast.exchange.grouping import GroupedLine, grouped, held_back_by, look_over
from holdfast.exchange.journal import NOTES_MAX
from holdfast.exchange.kinds import (
    DoneBefore,
    Entry,
    LineNote,
    Outcome,
    Plan,
    Problem,
    Records,
    read_soundly,
)
from holdfast.exchange.line_index import LineIndex
from holdfast.exchange.patience import pauses
from holdfast.exchange.values import LineProblem, ValueOptions, Values
from holdfast.importing.flaws import quoted
from holdfast.importing.identities import rewritten
from holdfast.importing.tables import BadRecord, Shape

# Who places an order with such a status anew gives it stock that it gave back, or that has left.
_OVER = frozenset({"CANCELLED", "REJECTED", "EXPIRED", "PARTIALLY_SHIPPED", "SHIPPED"})
# What the services allow; tests hold them against these numbers.
QUANTITY_MAX = 1_000_000_000
LINES_MAX = 2_000
DECIDED_S = 10.0  # so long what becomes of new orders is waited for
NOTE_CHARACTERS_MAX = 2_000
ORDERS = Shape(
    names=(
        *("request_id", "customer_id", "product_id", "quantity", "unit_price", "currency"),
        *("reference", "channel", "note"),
        *(f"customer_{name}" for name in CONTACT_CHARACTERS_MAX),
    ),
    required=("request_id", "customer_id", "product_id", "quantity"),
    told=("order_id", "status", "create_time", "line_no", "shipped", "total", "payment_status"),
)


@dataclass(frozen=True, slots=True)
class Whole:
    """What every line of an order says of it as a whole."""

    request_id: str
    customer_id: str
    details: Details
    customer: Customer | None


@dataclass(frozen=True, slots=True)
class _ToldLine(OrderLine):
    """A line of an order, with what the file tells beside it.

    :param currency: what it names, though the price is the product's own.
    :param status: that of an order which was, in capital letters.
    """

    currency: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    whole: Whole
    line: OrderLine


@dataclass(slots=True)
class _Gathered:
    """The lines of an order as they come."""

    line: int
    last_line: int = 0
    count: int = 0
    whole: Whole | None = None
    lines: list[OrderLine] = field(default_factory=list)
    problems: list[LineNote] = field(default_factory=list)
    warnings: list[LineNote] = field(default_factory=list)

    def refuse(self, *notes: LineNote) -> None:
        """It is not placed, for these reasons; as many are kept as are told."""
        self.problems += notes[: NOTES_MAX - len(self.problems)]

    def take_bad(self, record: BadRecord) -> None:
        """A line that says nothing."""
        self.last_line, self.count = record.line, self.count + 1
        self.refuse(LineNote(record.line, "", record.problem))

    def take(self, values: Values) -> None:
        item, problems = read_soundly(values, _read)
        self.last_line, self.count = values.line, self.count + 1
        self.refuse(*problems)
        self.warnings += [LineNote(values.line, *warning) for warning in values.warnings]
        if item is None:
            return
        self.whole = self.whole or item.whole
        if item.whole != self.whole:
            told = f"it says something else of the order than line {self.line:,} does"
            self.refuse(LineNote(values.line, "", told))
        if problem := self._another_currency(item.line):
            self.refuse(LineNote(values.line, "currency", problem))
        if len(self.lines) == LINES_MAX:
            told = f"an order has at most {LINES_MAX:,} lines: make two of it"
            self.refuse(LineNote(values.line, "", told))
        if len(self.lines) <= LINES_MAX:
            self.lines.append(item.line)

    def _another_currency(self, line: OrderLine) -> str | None:
        """What is wrong with the currency of a line beside those before it, if they name any."""
        named = next((one.unit_price for one in self.lines if one.unit_price), None)
        mine = line.unit_price
        if isinstance(named, Money) and isinstance(mine, Money) and named.currency != mine.currency:
            return f"is {mine.currency}, and {named.currency} before: an order has one currency"
        return None

    def entry(self) -> "Entry[OrderRequest]":
        is_whole = self.whole is not None and not self.problems
        item = _request(self.whole, self.lines) if self.whole and is_whole else None
        return Entry(
            *(self.line, self.last_line, item, self.problems, self.warnings), lines=self.count
        )


class Orders:
    """Orders: recorded once for each customer and request id, or found to be there."""

    name: ClassVar[str] = "orders"
    shape: ClassVar[Shape] = ORDERS
    columns: ClassVar[Mapping[str, str]] = {
        **{f"customer.{name}": f"customer_{name}" for name in CONTACT_CHARACTERS_MAX},
        "lines": "",  # they are rows
    }

    def __init__(self, client: Holdfast) -> None:
        self._client = client

    def look_over(self, records: Records, index: LineIndex) -> Iterator[int]:
        """Find the orders whose lines stand apart, or may do so."""
        return look_over(records, index)

    def entries(
        self, records: Records, options: ValueOptions, index: LineIndex
    ) -> Iterator[Entry[OrderRequest]]:
        """The orders. One that a line can't be read of is refused as a whole; so is one that may
        have a line more: right before it, right behind it, or apart from it.
        """
        now: _Gathered | None = None
        before: GroupedLine | None = None
        for line in grouped(records):
            number = line.record.line
            if line.is_first or now is None:
                if now is not None:
                    yield now.entry()
                now = _Gathered(number)
                if note := held_back_by(line, before, index):
                    now.refuse(note)
            if isinstance(line.record, BadRecord):
                now.take_bad(line.record)
            else:
                now.take(Values(line.record, options))
            before = line
        if now is not None:
            yield now.entry()

    def key(self, item: OrderRequest) -> tuple[str, str]:
        """What makes it one order for ever."""
        return item.customer_id, item.request_id

    async def plan(self, items: Sequence[OrderRequest]) -> Sequence[Plan[OrderRequest]]:
        """Look for them, and for the products of those that are not there."""
        ids = list(dict.fromkeys(one.request_id for one in items))
        listed = self._client.orders.list(request_ids=ids)
        there = {(one.customer_id, one.request_id): one async for one in listed}
        new = [one for one in items if self.key(one) not in there]
        products = await self._products(new)
        return [
            _found(one, there[self.key(one)]) if self.key(one) in there else _new(one, products)
            for one in items
        ]

    async def _products(
        self, orders: Sequence[OrderRequest]
    ) -> dict[str, StockInfo | HoldfastError]:
        ids = list(dict.fromkeys(line.product_id for order in orders for line in order.lines))
        infos = await self._client.inventory.get_stock_batch(ids) if ids else []
        return dict(zip(ids, infos, strict=True))

    async def carry_out(
        self, plans: Sequence[Plan[OrderRequest]]
    ) -> Sequence[Problem | DoneBefore | None]:
        """Place them by one call, and see which of them found their stock taken."""
        items = [plan.item for plan in plans]
        answers = await self._client.orders.create_batch(items)
        placed = [
            item
            for item, answer in zip(items, answers, strict=True)
            if not isinstance(answer, HoldfastError)
        ]
        came_to_nothing = await self._came_to_nothing(placed)
        return [
            answer if isinstance(answer, HoldfastError) else came_to_nothing.get(self.key(item))
            for item, answer in zip(items, answers, strict=True)
        ]

    async def _came_to_nothing(
        self, placed: Sequence[OrderRequest]
    ) -> dict[tuple[str, str], LineProblem]:
        """Of new orders those that were not promised their stock, as soon as that is decided."""
        undecided = {self.key(one) for one in placed}
        found: dict[tuple[str, str], LineProblem] = {}
        for pause_s in pauses(DECIDED_S):
            ids = list(dict.fromkeys(request_id for _, request_id in undecided))
            if not ids:
                break
            async for order in self._client.orders.list(request_ids=ids):
                key = (order.customer_id, order.request_id)
                if order.status is OrderStatus.PENDING or key not in undecided:
                    continue
                undecided.remove(key)
                if problem := _why_nothing(order):
                    found[key] = problem
            if undecided:
                await asyncio.sleep(pause_s)
        return found


def _found(item: OrderRequest, there: Order) -> Plan[OrderRequest]:
    mine = [(line.product_id, line.quantity, line.unit_price) for line in item.lines]
    theirs = [(line.product_id, line.quantity, line.unit_price) for line in there.lines]
    is_same = len(mine) == len(theirs) and all(
        my[:2] == their[:2] and my[2] in (None, their[2])
        for my, their in zip(mine, theirs, strict=True)
    )
    statuses = {line.status for line in item.lines if isinstance(line, _ToldLine)}
    if is_same and there.status.value not in statuses and (problem := _why_nothing(there)):
        return Plan(item, problem=problem)
    if is_same:
        return Plan(item, Outcome.UNCHANGED)
    told = (
        f"is that of order {there.order_id}, which has other lines: nothing was done; give it "
        "another one if it is another order"
    )
    return Plan(item, problem=LineProblem([("request_id", told)]))


def _why_nothing(order: Order) -> LineProblem | None:
    """Why an order that is there has no stock, and never will; None: it is not so."""
    if order.status not in (OrderStatus.REJECTED, OrderStatus.EXPIRED):
        return None
    short = "; ".join(
        f"short of {one.product_id}: wanted {one.wanted:,}, available {one.available:,}"
        for one in order.shortages
    )
    told = (
        f"order {order.order_id} is {order.status.value}, and nothing is held for it"
        f"{f' ({short})' if short else ''}: to place it anew give it another request_id"
    )
    return LineProblem([("quantity" if short else "", told)])


def _new(
    item: OrderRequest, products: Mapping[str, StockInfo | HoldfastError]
) -> Plan[OrderRequest]:
    for column, text in (("request_id", item.request_id), ("customer_id", item.customer_id)):
        is_itself = text.startswith("=") and not text.startswith('="')  # somebody calls it so
        if text and not is_itself and (flaw := rewritten(text)):
            # There may be an order by the number as it was.
            return Plan(item, problem=LineProblem([(column, f"{quoted(text)} {flaw}")]))
    for line in item.lines:
        price, named = line.unit_price, ""
        if isinstance(price, Money):
            named = price.currency
        elif isinstance(line, _ToldLine):
            named = line.currency
        if isinstance(line, _ToldLine) and line.status in _OVER:
            told = (
                f"is {line.status}, and there is no such order here: it would be placed anew, and "
                "get stock; remove its lines, or empty the cell if that is wanted"
            )
            return Plan(item, problem=LineProblem([("status", told)]))
        match products[line.product_id]:
            case NotFound() as error:
                return Plan(item, problem=error)
            case HoldfastError() as error:
                raise error
            case StockInfo(product=product) if not product.active:
                told = f"{line.product_id} is not active, so nothing of it is sold"
                return Plan(item, problem=LineProblem([("product_id", told)]))
            case StockInfo(product=product) if named not in ("", product.unit_price.currency):
                own = product.unit_price.currency
                told = f"is in {named}, but {line.product_id} is sold in {own}: name that currency"
                column = "unit_price" if price else "currency"
                return Plan(item, problem=LineProblem([(column, told)]))
    return Plan(item, Outcome.CREATED)


def _request(whole: Whole, lines: Sequence[OrderLine]) -> OrderRequest:
    return OrderRequest(
        customer_id=whole.customer_id,
        lines=tuple(lines),
        customer=whole.customer,
        request_id=whole.request_id,
        details=whole.details if whole.details != Details() else None,
    )


def _read(values: Values) -> _Line:
    values.require("quantity")
    quantity = values.whole("quantity", lowest=1, highest=QUANTITY_MAX)
    details = Details(
        reference=values.optional_code("reference") or "",
        channel=values.optional_code("channel") or "",
        note=values.text("note", characters_max=NOTE_CHARACTERS_MAX) or "",
    )
    known = {name: text for name, text in contact_in(values, "customer_").items() if text}
    whole = Whole(
        request_id=values.code("request_id"),
        customer_id=values.code("customer_id"),
        details=details,
        customer=Customer(**known) if known else None,
    )
    price: Money | None = values.money("unit_price")
    product_id, currency = values.code("product_id"), values.currency()
    line = _ToldLine(
        product_id, quantity or 0, price, currency=currency, status=values.told("status")
    )
    return _Line(whole, line)
