"""Take back what the cancellations of a file took back, in the life of the order that sold it.

Only the orders that something comes back of are shipped: whole, and before the first return. What
comes back is free to promise again where it left from.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from holdfast.cli.replay_report import ReturnsReport
from holdfast.cli.replay_returns import (
    OwnReturn,
    find_sales,
    reason_of,
    request_id_of,
    units_back,
)
from holdfast.client import (
    Disposition,
    Holdfast,
    HoldfastError,
    Order,
    OrderStatus,
    ReceiptLine,
    Return,
    ReturnLine,
    ReturnState,
)
from holdfast.exchange.patience import in_parallel, outcome_unknown, patiently
from holdfast.importing.flaws import Flaw
from holdfast.importing.matching import Matches, Unmatched, UnmatchedUnits
from holdfast.importing.orders import Cancellation, FileOrder

Units = Mapping[int, int]  # by line number


@dataclass(slots=True)
class Work:
    """What is to be done for one order, in time order.

    :param begun: returns that an earlier run opened, and did not finish.
    :param due: units that are to come back, by cancellation.
    """

    order: Order
    begun: list[OwnReturn] = field(default_factory=list)
    due: list[tuple[Cancellation, Units]] = field(default_factory=list)


def _works(
    matches: Matches,
    cancellations: Sequence[Cancellation],
    recorded: Mapping[str, Order],
    taken: Sequence[OwnReturn],
) -> list[Work]:
    """What is to be done, by order."""
    works: dict[str, Work] = {}
    for own in taken:
        if own.told.state is ReturnState.OPEN:
            works.setdefault(own.order.order_id, Work(own.order)).begun.append(own)
    by_number = {one.number: one for one in cancellations}
    for number, of_order in matches.returns.items():
        order = recorded[number]
        work = works.setdefault(order.order_id, Work(order))
        work.due += [(by_number[name], coming) for name, coming in of_order.items()]
    return list(works.values())


@dataclass(slots=True)
class TakingBack:
    """Works off orders, several at a time, and keeps the account.

    :param report: where it is kept.
    :param tell: told how many orders are done, of how many.
    :param shipped: the orders that were shipped, as they were then, by id.
    """

    client: Holdfast
    report: ReturnsReport
    concurrency: int
    patience_s: float
    tell: Callable[[int, int], None]
    shipped: dict[str, Order] = field(default_factory=dict)
    _nobody_answers: bool = False
    _done: int = 0
    _total: int = 0

    async def go(
        self,
        placed: Sequence[FileOrder],
        cancellations: Sequence[Cancellation],
        recorded: Mapping[str, Order],
        taken: Sequence[OwnReturn],
    ) -> None:
        """Finish what was begun, and make every return that is due; failures are told.

        :param placed: all orders of the file, in time order.
        :param recorded: what became of those that were recorded, by number.
        :param taken: returns that earlier runs made or began.
        """
        matches = find_sales(placed, cancellations, recorded, taken)
        works = _works(matches, cancellations, recorded, taken)
        self._total = len(works)
        self._begin_account(matches, taken)
        self.report.orders = len(
            {own.order.order_id for own in taken} | {work.order.order_id for work in works}
        )
        await in_parallel(self.concurrency, works, self._work_off)

    def _begin_account(self, matches: Matches, taken: Sequence[OwnReturn]) -> None:
        """Enter what came back before, and what belongs to no sale."""
        finished = sum(own.told.state is not ReturnState.OPEN for own in taken)
        self.report.returns = self.report.already_there = finished
        self.report.units_returned = units_back(taken).total()
        for one in matches.unmatched:
            counts = self.report.unmatched
            counts[one.reason] = counts.get(one.reason, 0) + one.units
            self.report.unmatched_lines.append(_told(one))

    async def _work_off(self, work: Work) -> None:
        coming: Units
        for own in work.begun:
            coming = {line.line_no: line.quantity - line.received for line in own.told.lines}
            finish = partial(self._finish, work, own.cancellation, own.told)
            await self._attempt(own.cancellation, coming, finish)
        for cancellation, coming in work.due:
            take_back = partial(self._take_back, work, cancellation, coming)
            await self._attempt(cancellation, coming, take_back)
        self._done += 1
        self.tell(self._done, self._total)

    async def _attempt(
        self, cancellation: Cancellation, coming: Units, call: Callable[[], Awaitable[None]]
    ) -> None:
        units = sum(coming.values())
        if self._nobody_answers:
            self.report.units_not_tried += units
            return
        try:
            await call()
        except HoldfastError as error:
            self._nobody_answers |= outcome_unknown(error)
            self.report.units_failed += units
            told = f"{units:,} units were not taken back: {error}"
            self.report.failures.append(Flaw(cancellation.line, cancellation.number, told))
        else:
            self.report.returns += 1
            self.report.units_returned += units

    async def _take_back(self, work: Work, cancellation: Cancellation, coming: Units) -> None:
        if work.order.status is not OrderStatus.SHIPPED:
            await self._ship(work)
        reason = reason_of(cancellation.number)
        lines = [ReturnLine(number, units, reason) for number, units in sorted(coming.items())]
        opened = await patiently(
            self.patience_s,
            lambda: self.client.orders.open_return(
                work.order.order_id, lines, request_id=request_id_of(cancellation.number)
            ),
        )
        await self._finish(work, cancellation, opened)

    async def _ship(self, work: Work) -> None:
        """Ship all of an order, a shipment from each location where something of it is held."""
        order_id = work.order.order_id
        found = await patiently(self.patience_s, lambda: self.client.orders.get(order_id))
        for location in sorted({held.location_id for held in found.stock}):
            ship = partial(self.client.orders.ship, order_id, location=location)
            shipment_id = f"replay-{location}"
            found = await patiently(self.patience_s, partial(ship, shipment_id=shipment_id))
        work.order = self.shipped[order_id] = found
        self.report.orders_shipped += 1

    async def _finish(self, work: Work, cancellation: Cancellation, told: Return) -> None:
        """Receive what has not come yet, and close."""
        coming = {line.line_no: line.quantity - line.received for line in told.lines}
        receipts = list(_to_where_they_left(work.order, coming))
        if receipts and told.state is ReturnState.OPEN:
            request_id = request_id_of(cancellation.number)
            received = await patiently(
                self.patience_s,
                lambda: self.client.orders.receive_return(
                    told.return_id, receipts, request_id=request_id
                ),
            )
            others = [one for one in work.order.returns if one.return_id != told.return_id]
            work.order = replace(work.order, returns=(*others, received))
        await patiently(self.patience_s, lambda: self.client.orders.close_return(told.return_id))


def _to_where_they_left(order: Order, coming: Units) -> Iterator[ReceiptLine]:
    """Units of lines, each at a location that it left from and has not come back to yet."""
    away: Counter[tuple[int, str]] = Counter()
    for shipment in order.shipments:
        for item in shipment.items:
            away[item.line_no, item.location_id] += item.quantity
    for told in order.returns:
        for receipt in told.receipts:
            for line in receipt.lines:
                away[line.line_no, line.location_id] -= line.quantity
    wanted = Counter(coming)
    for (line_no, location_id), units in away.items():
        taken = min(units, wanted[line_no])
        if taken > 0:
            wanted[line_no] -= taken
            yield ReceiptLine(line_no, taken, Disposition.RESTOCK, location_id)


_WHY = {
    Unmatched.GUEST: "it names no customer, and guests are not told apart",
    Unmatched.UNKNOWN_CUSTOMER: "customer {customer} has no earlier order here",
    Unmatched.NO_EARLIER_SALE: "no earlier order of customer {customer} has it",
    Unmatched.ORDER_NOT_FILLED: "the order that asked for it was not filled",
    Unmatched.MORE_THAN_SOLD: "customer {customer} had no more of it that could come back",
}


def _told(one: UnmatchedUnits) -> Flaw:
    """Units that belong to no sale, as they are told to people."""
    of = f" of {one.line.quantity:,}" if one.units < one.line.quantity else ""
    why = _WHY[one.reason].format(customer=one.cancellation.customer_id)
    problem = f"{one.units:,}{of} x {one.line.product_id} cannot be taken back: {why}"
    return Flaw(one.line.line, one.cancellation.number, problem)
