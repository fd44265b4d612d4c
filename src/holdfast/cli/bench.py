"""`holdfast bench`: measure a deployment of your own, through its public API and nothing else."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Annotated

import typer
import uvloop

from holdfast.cli.arguments import whole
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
    OrdersOption,
)
from holdfast.cli.exits import REFUSED
from holdfast.cli.output import Output, OutputOption, print_facts, print_json
from holdfast.cli.replay_report import percentile
from holdfast.client import (
    Holdfast,
    HoldfastError,
    Money,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Placed,
    StockRequest,
)
from holdfast.exchange.patience import chunks, in_parallel

ORDERS_PORT, INVENTORY_PORT = 7001, 7002
CUSTOMER = "bench"
LINES = 3
ON_HAND = 1_000_000_000
SECONDS_MAX = 3_600
CALLERS_MAX = 1_000
BATCH_MAX = 1_000
PRODUCTS_MAX = 100_000
RATE_MAX = 100_000
UNANSWERED_MAX = 10_000  # calls of the open loop under way; more wait, and that counts
PRODUCTS_A_CALL = 1_000
SETTLE_S_MAX = 60.0
_LOOK_S = 0.02
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What to send.

    :param callers: each sends its next request when it has its answer.
    :param rate: orders a second, sent whether or not answers come; 0: the callers' own pace.
    :param batch: orders in a request.
    :param hot: whether one product is in every order.
    """

    seconds: float = 10.0
    callers: int = 64
    rate: float = 0.0
    batch: int = 1
    products: int = 1_000
    hot: bool = False
    seed: int = 1


@dataclass(slots=True)
class BenchReport:
    """What came of it; orders that were placed are durable, confirmed ones have their stock."""

    sent: int = 0
    placed: int = 0
    confirmed: int = 0
    not_confirmed: int = 0  # placed, and pending, rejected or cancelled at the end
    lost: int = 0  # placed, and not there
    errors: dict[str, int] = field(default_factory=dict)
    seconds_placing: float = 0.0
    seconds_settling: float = 0.0  # after the last answer
    placed_per_second: float = 0.0
    settled_per_second: float = 0.0  # confirmed, from the first request to the last outcome
    late_starts: int = 0  # of the open loop: requests that were sent more than 2 ms late
    latency_ms_p50: float = 0.0
    latency_ms_p90: float = 0.0
    latency_ms_p99: float = 0.0
    latency_ms_max: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every order was placed and confirmed."""
        return self.confirmed == self.sent and not self.lost


async def run_bench(client: Holdfast, options: BenchOptions) -> BenchReport:
    """Make the products and their stock, place orders, await them all, and find each again.

    :raises HoldfastError: the products or the outcomes could not be read or written.
    """
    return await _Bench(client, options).run()


class _Bench:
    def __init__(self, client: Holdfast, options: BenchOptions) -> None:
        self._client, self._options = client, options
        self._dice = Random(options.seed)  # noqa: S311 - no secret
        self._products = [f"BENCH-{number:05d}" for number in range(1, options.products + 1)]
        self._latencies_s: list[float] = []
        self._errors: Counter[str] = Counter()
        self._placed: set[str] = set()
        self._report = BenchReport()

    async def run(self) -> BenchReport:
        report = self._report
        await self._fill_shelves()
        begun = time.perf_counter()
        if self._options.rate:
            await self._open_loop(begun)
        else:
            await self._closed_loop(begun + self._options.seconds)
        answered = time.perf_counter()
        await self._settle()
        settled = time.perf_counter()
        await self._find_again()
        report.placed, report.errors = len(self._placed), dict(self._errors.most_common())
        report.seconds_placing, report.seconds_settling = answered - begun, settled - answered
        report.placed_per_second = report.placed / (answered - begun)
        report.settled_per_second = report.confirmed / (settled - begun)
        report.latency_ms_p50 = 1_000 * percentile(self._latencies_s, 50)
        report.latency_ms_p90 = 1_000 * percentile(self._latencies_s, 90)
        report.latency_ms_p99 = 1_000 * percentile(self._latencies_s, 99)
        report.latency_ms_max = 1_000 * percentile(self._latencies_s, 100)
        return report

    async def _fill_shelves(self) -> None:
        await in_parallel(self._options.callers, self._products, self._create)
        for some in chunks(self._products, PRODUCTS_A_CALL):
            requests = [StockRequest(one, ON_HAND, reason="bench") for one in some]
            for outcome in await self._client.inventory.set_stock_batch(requests):
                if isinstance(outcome, HoldfastError):
                    raise outcome

    async def _create(self, product_id: str) -> None:
        price = Money("GBP", 100)
        await self._client.inventory.create_product(product_id, name="bench", unit_price=price)

    async def _closed_loop(self, ends_at: float) -> None:
        async def caller() -> None:
            while (begun := time.perf_counter()) < ends_at:
                await self._send(begun)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._options.callers):
                group.create_task(caller())

    async def _open_loop(self, begun: float) -> None:
        """Poisson arrivals; latency counts from the intended start, however late the real one."""
        intended, ends_at = begun, begun + self._options.seconds
        requests_s = self._options.rate / self._options.batch
        places = asyncio.Semaphore(UNANSWERED_MAX)

        async def send(due: float) -> None:
            try:
                await self._send(due)
            finally:
                places.release()

        async with asyncio.TaskGroup() as group:
            while (intended := intended + self._dice.expovariate(requests_s)) < ends_at:
                while (early_s := intended - time.perf_counter()) > 0:  # noqa: ASYNC110 - a schedule has no event
                    await asyncio.sleep(early_s)
                await places.acquire()
                self._report.late_starts += time.perf_counter() - intended > 0.002
                group.create_task(send(intended))

    async def _send(self, begun: float) -> None:
        requests = [self._order() for _ in range(self._options.batch)]
        self._report.sent += len(requests)
        for outcome in await self._ask(requests):
            if isinstance(outcome, HoldfastError):
                self._errors[type(outcome).__name__] += 1
            else:
                self._placed.add(outcome.order_id)
        self._latencies_s.append(time.perf_counter() - begun)

    async def _ask(self, requests: list[OrderRequest]) -> Sequence[Placed | HoldfastError]:
        orders = self._client.orders
        try:
            if len(requests) > 1:
                return await orders.create_batch(requests)
            (one,) = requests
            return [await orders.create(one.customer_id, one.lines, request_id=one.request_id)]
        except HoldfastError as error:
            return [error] * len(requests)

    def _order(self) -> OrderRequest:
        chosen = self._dice.sample(self._products, LINES)
        if self._options.hot and self._products[0] not in chosen:
            chosen[0] = self._products[0]
        return OrderRequest(CUSTOMER, [OrderLine(product_id, 1) for product_id in chosen])

    async def _settle(self) -> None:
        ends_at = time.monotonic() + SETTLE_S_MAX
        while await self._any_pending() and time.monotonic() < ends_at:  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(_LOOK_S)

    async def _any_pending(self) -> bool:
        pending = self._client.orders.list(
            customer_id=CUSTOMER, status=OrderStatus.PENDING, limit=1
        )
        async with aclosing(pending) as orders:
            async for _ in orders:
                return True
        return False

    async def _find_again(self) -> None:
        """Every placed order is in the list, whatever its acknowledgement said."""
        missing = set(self._placed)
        async with aclosing(
            self._client.orders.list(customer_id=CUSTOMER, page_size=_PAGE)
        ) as orders:
            async for order in orders:
                if order.order_id in missing:
                    missing.discard(order.order_id)
                    confirmed = order.status is OrderStatus.CONFIRMED
                    self._report.confirmed += confirmed
                    self._report.not_confirmed += not confirmed
                if not missing:
                    break
        self._report.lost = len(missing)


TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="HOST",
        help=f"The host of both services, at ports {ORDERS_PORT} and {INVENTORY_PORT}; "
        "else --orders and --inventory.",
    ),
]


def bench(
    target: TargetOption = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=SECONDS_MAX, help="Place orders for so long.")
    ] = 10.0,
    callers: Annotated[
        int, typer.Option(parser=whole(1, CALLERS_MAX), metavar="N", help="Callers at a time.")
    ] = 64,
    rate: Annotated[
        float,
        typer.Option(
            min=0, max=RATE_MAX, help="Orders a second, answered or not; 0: as callers get answers."
        ),
    ] = 0.0,
    batch: Annotated[
        int, typer.Option(parser=whole(1, BATCH_MAX), metavar="N", help="Orders per call.")
    ] = 1,
    products: Annotated[
        int,
        typer.Option(parser=whole(LINES, PRODUCTS_MAX), metavar="N", help="Different products."),
    ] = 1_000,
    hot: Annotated[bool, typer.Option("--hot", help="One product is in every order.")] = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Measure a deployment: place orders of three lines, await their stock, report.

    It makes products BENCH-00001 and on with plenty of stock, and orders of the customer "bench",
    which all stay there. Exits with 1 if any order was not confirmed.
    """
    if target:
        orders, inventory = f"{target}:{ORDERS_PORT}", f"{target}:{INVENTORY_PORT}"
    options = BenchOptions(seconds, callers, rate, batch, products, hot)
    report = uvloop.run(_bench(Connection(orders, inventory, data), options))
    if output is Output.JSON:
        print_json({**asdict(report), "ok": report.ok})
    else:
        print_facts(facts(report))
    if not report.ok:
        raise typer.Exit(REFUSED)


def facts(report: BenchReport) -> dict[str, str]:
    """The report for people: name and sentence, without what did not happen."""
    errors = ", ".join(f"{name} {count:,}" for name, count in report.errors.items())
    total_s = report.seconds_placing + report.seconds_settling
    return {
        "sent": f"{report.sent:,} orders of {LINES} lines in {report.seconds_placing:.1f} s",
        "placed": f"{report.placed:,}, {report.placed_per_second:,.0f} a second",
        "settled": f"{report.confirmed:,} confirmed after {total_s:.1f} s, "
        f"{report.settled_per_second:,.0f} a second",
        "not confirmed": f"{report.not_confirmed:,}" if report.not_confirmed else "",
        "LOST": f"{report.lost:,}" if report.lost else "",
        "errors": errors,
        "late starts": f"{report.late_starts:,} calls" if report.late_starts else "",
        "latency of a call": f"p50 {report.latency_ms_p50:.1f} ms, "
        f"p90 {report.latency_ms_p90:.1f} ms, p99 {report.latency_ms_p99:.1f} ms, "
        f"max {report.latency_ms_max:.1f} ms",
    }


async def _bench(connection: Connection, options: BenchOptions) -> BenchReport:
    async with connection.client() as client:
        return await run_bench(client, options)
