"""Replay a file of orders through the public API, and account for every one of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from holdfast.cli.replay_cancellations import Cancellations
from holdfast.cli.replay_locations import location_ids, make_locations, sourced
from holdfast.cli.replay_records import (
    difference,
    order_request,
    recorded,
    request_id_of,
)
from holdfast.cli.replay_report import ReplayReport
from holdfast.cli.replay_returns import FILLED
from holdfast.cli.replay_stock import Shelf, Stocked
from holdfast.client import (
    Holdfast,
    HoldfastError,
    Order,
    OrderRequest,
    OrderStatus,
    Placed,
    Shortage,
    ShortOfStock,
    Sourcing,
    SourcingStrategy,
)
from holdfast.exchange.patience import in_parallel, outcome_unknown, patiently, pauses
from holdfast.importing.flaws import Flaw
from holdfast.importing.orders import FileOrder
from holdfast.importing.reading import OrderFile

BATCH_MAX = 1_000  # orders in one call
BATCH_LINES_MAX = 20_000  # and their lines, so that a call has its answer before its deadline
_POLL_S = 0.1
_POLL_PAGE = 20

Known = Mapping[str, Sequence[Order]]  # what is recorded, by request id
# Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How to replay.

    :param cover: opening stock of a product that has none at all, as a share of all its demand in
        the file; None: no stock is touched.
    :param concurrency: callers that place orders at the same time.
    :param batch: orders per call; 1 for a call each.
    :param limit: orders to place, the first in time, and the cancellations before the next one;
        None: all.
    :param locations: how many locations the opening stock is dealt out to; None: to main alone.
    :param sourcing: where the stock of orders is to come from; None: with `locations` from as few
        as can be, else by priority.
    :param settle_timeout_s: seconds to wait for the last order's outcome.
    :param patience_s: seconds to go on repeating a call that brings no answer.
    """

    cover: Decimal | None = None
    concurrency: int = 64
    batch: int = 1
    limit: int | None = None
    locations: int | None = None
    sourcing: Sourcing | None = None
    settle_timeout_s: float = 60.0
    patience_s: float = 60.0


async def replay_orders(
    client: Holdfast,
    file: OrderFile,
    options: ReplayOptions,
    progress: Progress = lambda _phase, _done, _total: None,
) -> ReplayReport:
    """Make the products that are missing, place every order of the file, await all; then take
    back what the cancellations of the file take back.

    Repeating it, after whatever interruption, changes nothing that is there and goes on with the
    rest: all request ids come from the file. An order that is recorded already for another
    customer, or with other contents, is told and not placed. What came back is not sold to orders
    that were refused before it did.

    :raises HoldfastError: the products or the outcomes could not be read or written.
    """
    return await _Replay(client, file, options, progress).run()


class _Replay:
    def __init__(
        self, client: Holdfast, file: OrderFile, options: ReplayOptions, progress: Progress
    ) -> None:
        self._client, self._file, self._options, self._progress = client, file, options, progress
        self._orders = file.orders[: options.limit]
        self._cancellations = Cancellations(
            client, file, options.limit, options.concurrency, options.patience_s
        )
        self._locations = location_ids(options.locations or 1)
        self._sourcing = options.sourcing
        if options.locations and not self._sourcing:
            self._sourcing = Sourcing(SourcingStrategy.FEWEST_SHIPMENTS)
        self._placed: dict[str, FileOrder] = {}  # by order id
        self._latencies_s: list[float] = []
        self._nobody_answers = False
        self._report = ReplayReport(
            file=str(file.path),
            lines=file.line_count,
            orders=len(self._orders) + file.held_back,
            skipped_lines=dict(file.skipped_lines.most_common()),
            skipped_orders=dict(file.skipped_orders.most_common()),
            flaws=file.flaws,
            columns_left_out=file.columns_left_out,
            failed=file.held_back,
            held_back=file.held_back,
            cover=None if options.cover is None else float(options.cover),
            units_ordered=sum(map(_units, self._orders)),
            returns=self._cancellations.report,
        )

    async def run(self) -> ReplayReport:
        begun = time.perf_counter()
        # First without patience: a wrong address should be told at once.
        known = await recorded(self._client, self._orders[:1], 0.0)
        known |= await recorded(self._client, self._orders[1:], self._options.patience_s)
        due = [order for order in self._orders if not self._is_differing(order, known)]
        await make_locations(self._client, self._locations, self._options.patience_s)
        stocked = await self._fill_shelf(due)
        due = [order for order in due if not self._has_other_currency(order, stocked.currencies)]
        due = [order for order in due if not self._is_there(order, known)]
        await self._cancellations.read(
            {one.order_id: one for some in known.values() for one in some}
        )
        due = [order for order in due if not self._is_still_short(order, stocked.available)]
        prepared = time.perf_counter()
        await self._place_all(due)
        placed = time.perf_counter()
        try:
            await self._settle()
            settled = time.perf_counter()
            found: Mapping[str, Order] = await self._found_again()
            found = await self._take_back(found)
            self._count_locations(found)
            self._tally(found)
        except HoldfastError as error:
            # The rest of the account is worth telling all the same.
            settled = time.perf_counter()
            self._report.unread = self._report.placed
            self._report.problems.append(f"the outcomes cannot be read: {error}")
        self._report.time(prepared - begun, placed - prepared, settled - placed)
        self._report.measure(self._latencies_s)
        return self._report

    def _is_differing(self, order: FileOrder, known: Known) -> bool:
        """Whether its number was used before for something else; that is told."""
        there = known.get(request_id_of(order), [])
        differences = [difference(order, self._file.currency, one) for one in there]
        if not there or "" in differences:
            return False
        self._report.failed += 1
        self._report.differing += 1
        self._fail(
            order,
            f"already recorded as order {there[0].order_id} for customer "
            f"{there[0].customer_id!r}, and {differences[0]}; nothing was placed. Give it another "
            "number if it is another order",
        )
        return True

    def _is_there(self, order: FileOrder, known: Known) -> bool:
        """Whether an earlier run has placed it."""
        for one in known.get(request_id_of(order), []):
            if not difference(order, self._file.currency, one):
                self._report.placed += 1
                self._report.already_there += 1
                self._placed[one.order_id] = order
                return True
        return False

    def _has_other_currency(self, order: FileOrder, currencies: Mapping[str, str]) -> bool:
        """Whether a product of it has its price in another currency; that is told."""
        for line in order.lines:
            currency = currencies.get(line.product_id, self._file.currency)
            if currency != self._file.currency:
                self._report.failed += 1
                self._fail(
                    order,
                    f"the price of {line.product_id} is in {currency} since before, and the file "
                    f"is read in {self._file.currency}: give --currency {currency} if it is that",
                )
                return True
        return False

    def _is_still_short(self, order: FileOrder, available: Mapping[str, int]) -> bool:
        """Whether it was refused before something came back that it needs; that is told."""
        short = self._cancellations.short_without(order, available)
        if short:
            self._report.refused += 1
            self._refuse(order, "refused as before, leaving aside what came back", short)
        return bool(short)

    async def _fill_shelf(self, orders: Sequence[FileOrder]) -> Stocked:
        """Every product that the orders name exists; those without any stock get what is asked."""
        options = self._options
        shelf = Shelf(
            self._client,
            self._file,
            options.cover,
            options.concurrency,
            options.patience_s,
            self._locations,
        )
        product_ids = sorted({line.product_id for order in orders for line in order.lines})
        stocked = await shelf.fill(product_ids, partial(self._progress, "creating products"))
        self._report.products_created = stocked.products_created
        self._report.products_present = stocked.products_present
        self._report.stock_set = stocked.stock_set
        self._report.stock_present = stocked.stock_present
        return stocked

    async def _place_all(self, orders: Sequence[FileOrder]) -> None:
        batches = _batches(orders, self._options.batch)
        await in_parallel(self._options.concurrency, batches, self._place)

    async def _place(self, orders: Sequence[FileOrder]) -> None:
        """Place some orders, repeating those without an answer until patience ends."""
        if self._nobody_answers:
            self._report.not_tried += len(orders)
            return
        currency = self._file.currency
        waiting = [(order, order_request(order, currency, self._sourcing)) for order in orders]
        begun = time.perf_counter()
        for pause_s in pauses(self._options.patience_s):
            outcomes = await self._ask([request for _, request in waiting])
            latency_s = time.perf_counter() - begun
            unknown = []
            for one, outcome in zip(waiting, outcomes, strict=True):
                if isinstance(outcome, HoldfastError) and outcome_unknown(outcome):
                    unknown.append((one, outcome))
                else:
                    self._latencies_s.append(latency_s)
                    self._record(one[0], outcome)
            if not unknown:
                return
            waiting = [one for one, _ in unknown]
            await asyncio.sleep(pause_s)
        self._nobody_answers = True
        self._report.unanswered += len(unknown)
        for (order, _), error in unknown:
            self._fail(order, f"whether it is recorded is unknown: {error}")

    async def _ask(self, requests: list[OrderRequest]) -> Sequence[Placed | HoldfastError]:
        try:
            if self._options.batch > 1:
                return await self._client.orders.create_batch(requests)
            (one,) = requests
            return [
                await self._client.orders.create(
                    one.customer_id, one.lines, request_id=one.request_id, sourcing=one.sourcing
                )
            ]
        except HoldfastError as error:
            return [error] * len(requests)

    def _record(self, order: FileOrder, outcome: Placed | HoldfastError) -> None:
        match outcome:
            case Placed():
                self._report.placed += 1
                self._placed[outcome.order_id] = order
            case ShortOfStock():
                self._report.refused += 1
                self._refuse(order, "refused", outcome.shortages)
            case _:
                self._report.failed += 1
                self._fail(order, str(outcome))
        self._progress("placing orders", len(self._latencies_s), len(self._orders))

    def _refuse(self, order: FileOrder, how: str, shortages: Sequence[Shortage]) -> None:
        short = "; ".join(
            f"{one.product_id}: wanted {one.wanted:,}, available {one.available:,}"
            for one in shortages
        )
        self._report.refusals.append(Flaw(order.line, order.number, f"{how}, short of {short}"))

    def _fail(self, order: FileOrder, problem: str) -> None:
        self._report.failures.append(Flaw(order.line, order.number, problem))

    async def _settle(self) -> None:
        """Wait until none of this run's orders is PENDING, or the time is over."""
        ends_at = time.monotonic() + self._options.settle_timeout_s
        if not self._placed:
            return
        while await patiently(self._options.patience_s, self._any_pending):
            if time.monotonic() > ends_at:
                return
            self._progress("waiting for the last outcomes", 0, 0)
            await asyncio.sleep(_POLL_S)

    async def _any_pending(self) -> bool:
        pending = self._client.orders.list(status=OrderStatus.PENDING, page_size=_POLL_PAGE)
        async with aclosing(pending) as orders:
            async for order in orders:
                if order.order_id in self._placed:
                    return True
        return False

    async def _take_back(self, found: Mapping[str, Order]) -> Mapping[str, Order]:
        """Take back what is cancelled, once every order is decided; the orders as they are then."""
        if self._report.unanswered or self._report.not_tried:
            self._cancellations.leave()
        tell = partial(self._progress, "taking goods back")
        return await self._cancellations.take_back(found, self._placed, tell)

    def _count_locations(self, orders: Mapping[str, Order]) -> None:
        if self._options.locations:
            self._report.sourcing = sourced(orders)

    def _tally(self, orders: Mapping[str, Order]) -> None:
        counts = Counter(order.status for order in orders.values())
        report = self._report
        report.confirmed = counts[OrderStatus.CONFIRMED]
        report.shipped = counts[OrderStatus.PARTIALLY_SHIPPED] + counts[OrderStatus.SHIPPED]
        report.rejected = counts[OrderStatus.REJECTED]
        report.cancelled = counts[OrderStatus.CANCELLED]
        report.expired = counts[OrderStatus.EXPIRED]
        report.pending = counts[OrderStatus.PENDING] + counts[OrderStatus.UNKNOWN]
        report.lost = len(self._placed) - len(orders)
        for order in orders.values():
            mine = self._placed[order.order_id]
            if order.status in FILLED:
                report.units_confirmed += _units(mine)
                report.units_shipped += sum(line.shipped for line in order.lines)
            elif order.status is OrderStatus.REJECTED:
                self._refuse(mine, "rejected", order.shortages)

    async def _found_again(self) -> dict[str, Order]:
        """Every acknowledged order, whatever the acknowledgement said, by its id."""
        known = await recorded(self._client, list(self._placed.values()), self._options.patience_s)
        orders = [order for one in known.values() for order in one]
        self._progress("finding every order again", len(orders), len(self._placed))
        return {order.order_id: order for order in orders if order.order_id in self._placed}


def _batches(orders: Sequence[FileOrder], size: int) -> Iterator[Sequence[FileOrder]]:
    """The orders in their turn, so many at a time, and not too many lines."""
    batch: list[FileOrder] = []
    lines = 0
    for order in orders:
        if batch and (len(batch) == size or lines + len(order.lines) > BATCH_LINES_MAX):
            yield batch
            batch, lines = [], 0
        batch.append(order)
        lines += len(order.lines)
    if batch:
        yield batch


def _units(order: FileOrder) -> int:
    return sum(line.quantity for line in order.lines)
