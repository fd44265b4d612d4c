"""Replay a file of real invoices through the public API, and account for every one of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from holdfast.cli.invoices import CURRENCY, Invoice, InvoiceFile
from holdfast.cli.patience import chunks, in_parallel, outcome_unknown, patiently, pauses
from holdfast.cli.replay_report import ReplayReport
from holdfast.cli.replay_stock import Shelf
from holdfast.client import (
    Holdfast,
    HoldfastError,
    Money,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Placed,
    ShortOfStock,
)

BATCH_MAX = 1_000  # orders in one call
PROBLEMS_KEPT_MAX = 5
_POLL_S = 0.1
_POLL_PAGE = 20

# Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How to replay.

    :param cover: opening stock of a product as a share of all its demand in the file.
    :param concurrency: callers that place orders at the same time.
    :param batch: orders per call; 1 for a call each.
    :param limit: invoices to place, the first in time; None: all.
    :param settle_timeout_s: seconds to wait for the last order's outcome.
    :param patience_s: seconds to go on repeating a call that brings no answer.
    """

    cover: Decimal = Decimal("0.8")
    concurrency: int = 64
    batch: int = 1
    limit: int | None = None
    settle_timeout_s: float = 60.0
    patience_s: float = 60.0


async def replay_invoices(
    client: Holdfast,
    file: InvoiceFile,
    options: ReplayOptions,
    progress: Progress = lambda _phase, _done, _total: None,
) -> ReplayReport:
    """Make the products and their opening stock, place every invoice as one order, await all.

    Repeating it, after whatever interruption, changes nothing that is there and goes on with the
    rest: all request ids come from the file.

    :raises HoldfastError: the products or the outcomes could not be read or written.
    """
    return await _Replay(client, file, options, progress).run()


class _Replay:
    def __init__(
        self, client: Holdfast, file: InvoiceFile, options: ReplayOptions, progress: Progress
    ) -> None:
        self._client, self._file, self._options, self._progress = client, file, options, progress
        self._invoices = file.invoices[: options.limit]
        self._units_by_order: dict[str, int] = {}
        self._latencies_s: list[float] = []
        self._nobody_answers = False
        self._newest_before = ""
        self._report = ReplayReport(
            file=str(file.path),
            lines=file.line_count,
            invoices=len(self._invoices),
            skipped_lines=dict(file.skipped_lines.most_common()),
            skipped_invoices=dict(file.skipped_invoices.most_common()),
            broken_lines=file.broken,
            units_ordered=sum(map(_units, self._invoices)),
        )

    async def run(self) -> ReplayReport:
        begun = time.perf_counter()
        self._newest_before = await self._newest_order_id()
        await self._fill_shelf()
        prepared = time.perf_counter()
        await self._place_all()
        placed = time.perf_counter()
        try:
            await self._settle()
            settled = time.perf_counter()
            await self._tally()
        except HoldfastError as error:
            # The rest of the account is worth telling all the same.
            settled = time.perf_counter()
            self._report.unread = self._report.placed
            self._report.problems.append(f"the outcomes cannot be read: {error}")
        self._report.time(prepared - begun, placed - prepared, settled - placed)
        self._report.measure(self._latencies_s)
        return self._report

    async def _fill_shelf(self) -> None:
        """Every product that the invoices name exists, and had its opening stock set once."""
        options = self._options
        shelf = Shelf(
            self._client, self._file, options.cover, options.concurrency, options.patience_s
        )
        product_ids = sorted({line.product_id for i in self._invoices for line in i.lines})
        stocked = await shelf.fill(product_ids, partial(self._progress, "creating products"))
        self._report.products_created = stocked.products_created
        self._report.products_present = stocked.products_present
        self._report.stock_set = stocked.stock_set
        self._report.stock_present = stocked.stock_present

    async def _newest_order_id(self) -> str:
        """Order ids rise with time: a later one is of this run, the others were there before."""
        # Without patience: a wrong address should be told at once.
        async with aclosing(self._client.orders.list(limit=1)) as orders:
            async for order in orders:
                return order.order_id
        return ""

    async def _place_all(self) -> None:
        batches = chunks(self._invoices, self._options.batch)
        await in_parallel(self._options.concurrency, batches, self._place)

    async def _place(self, invoices: Sequence[Invoice]) -> None:
        """Place some invoices, repeating those without an answer until patience ends."""
        if self._nobody_answers:
            self._report.not_tried += len(invoices)
            return
        waiting = [(invoice, order_request(invoice)) for invoice in invoices]
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
        for (invoice, _), error in unknown:
            self._note(invoice, error)

    async def _ask(self, requests: list[OrderRequest]) -> Sequence[Placed | HoldfastError]:
        try:
            if self._options.batch > 1:
                return await self._client.orders.create_batch(requests)
            (one,) = requests
            return [
                await self._client.orders.create(
                    one.customer_id, one.lines, request_id=one.request_id
                )
            ]
        except HoldfastError as error:
            return [error] * len(requests)

    def _record(self, invoice: Invoice, outcome: Placed | HoldfastError) -> None:
        match outcome:
            case Placed():
                self._report.placed += 1
                self._report.already_there += outcome.order_id <= self._newest_before
                self._units_by_order[outcome.order_id] = _units(invoice)
            case ShortOfStock():
                self._report.refused += 1
            case _:
                self._report.failed += 1
                self._note(invoice, outcome)
        self._progress("placing orders", len(self._latencies_s), len(self._invoices))

    def _note(self, invoice: Invoice, error: HoldfastError) -> None:
        if len(self._report.problems) < PROBLEMS_KEPT_MAX:
            self._report.problems.append(f"invoice {invoice.number}: {error}")

    async def _settle(self) -> None:
        """Wait until none of this run's orders is PENDING, or the time is over."""
        ends_at = time.monotonic() + self._options.settle_timeout_s
        if not self._units_by_order:
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
                if order.order_id in self._units_by_order:
                    return True
        return False

    async def _tally(self) -> None:
        """Find every acknowledged order again in the list, whatever the acknowledgement said."""
        if not self._units_by_order:
            return
        statuses = await patiently(self._options.patience_s, self._statuses)
        counts = Counter(statuses.values())
        report = self._report
        report.confirmed = counts[OrderStatus.CONFIRMED]
        report.rejected = counts[OrderStatus.REJECTED]
        report.cancelled = counts[OrderStatus.CANCELLED]
        report.expired = counts[OrderStatus.EXPIRED]
        report.pending = counts[OrderStatus.PENDING] + counts[OrderStatus.UNKNOWN]
        report.lost = len(self._units_by_order) - len(statuses)
        report.units_confirmed = sum(
            self._units_by_order[order_id]
            for order_id, status in statuses.items()
            if status is OrderStatus.CONFIRMED
        )

    async def _statuses(self) -> dict[str, OrderStatus]:
        found: dict[str, OrderStatus] = {}
        total = len(self._units_by_order)
        async with aclosing(self._client.orders.list(page_size=BATCH_MAX)) as orders:
            async for order in orders:
                if order.order_id in self._units_by_order:
                    found[order.order_id] = order.status
                    self._progress("finding every order again", len(found), total)
                if len(found) == total:
                    break
        return found


def order_request(invoice: Invoice) -> OrderRequest:
    """The order of an invoice; its request id is the invoice's number, so there is one for ever."""
    return OrderRequest(
        customer_id=invoice.customer_id,
        lines=[
            OrderLine(line.product_id, line.quantity, Money(CURRENCY, line.unit_price_minor))
            for line in invoice.lines
        ],
        request_id=f"invoice-{invoice.number}",
    )


def _units(invoice: Invoice) -> int:
    return sum(line.quantity for line in invoice.lines)
