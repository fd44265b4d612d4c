"""Scenarios 10 and 11: orders that are held and paid for, and holds that run out.

In scenario 10 both kinds of orders are sent with `wait`, by as many callers. Who pays has to wait
until the stock is held; a plain order's caller need not, and would have the next one under way
meanwhile: what was compared then would be the waiting. With it, both kinds have as many orders
under way, each until it is CONFIRMED; what differs is the hold, the payment and the confirmation.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from random import Random

import uvloop
from grpc import aio

from bench.figures import Figure, Result, figure
from bench.generator import CREATE, Job, quantiles_ms
from bench.ledger import on_postgresql, released_at
from bench.load import (
    BATCH,
    HOLD_S,
    UNARY_CALLERS,
    OrdersLost,
    Run,
    paid,
    place_orders,
    unary,
    waiting,
)
from bench.progress import say
from bench.scenarios import (
    WARM_UP_S,
    Bench,
    cost,
    milliseconds,
    rate_of,
    settled,
    told_cpu,
    with_costs,
)
from bench.testbed import CALL_S_MAX, Testbed
from bench.workload import ON_HAND, PRODUCTS, OrderRequests, product_id
from holdfast.contracts.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from holdfast.contracts.orders.v1 import orders_pb2, orders_pb2_grpc
from testbed.keys import keyed

HELD = 10_000
ENDS_WITHIN_S = 1.0
CALLERS = 2  # few: a batch that waits behind others ends its holds later than it was told to
LEAD_S = (
    20.0  # from the first of these orders until the first hold ends; most of it is placing them
)
LIGHT_RATE = 50.0  # new orders a second meanwhile
LOAD_AFTER_S = 3.0
LATE_MS_MAX, LATE_MS_AIM = 1_000, 300


class HoldsTooShort(Exception):
    """Holds ended before everything was ready for it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of the holds of one round: quantiles since the end that each was given.

    :param span_s: from the end of the first to that of the last.
    :param run: the new orders meanwhile.
    """

    expired_ms: dict[str, float]
    committed_ms: dict[str, float]
    released_ms: dict[str, float]
    span_s: float
    run: Run


def scenario_10(bench: Bench) -> Result:
    """Held, paid for and confirmed orders beside plain ones, all with `wait`, 64 callers."""
    seconds = bench.options.seconds
    jobs = {"plain": waiting(seconds), "held": paid(seconds)}
    runs = bench.rounds(bench.servers.cluster(), jobs)
    result = Result(
        10, f"cluster, holds of {HOLD_S // 60} min, paid and confirmed, {UNARY_CALLERS} callers"
    )
    names = {"plain": "CreateOrder with wait", "held": "held, paid, confirmed"}
    of_plain = settled(names["held"], runs["held"], to=rate_of(runs["plain"]), floor=0.5, aim=0.8)
    result.figures = [
        replace(of_plain, ratio_of="without hold"),
        settled(names["plain"], runs["plain"]),
        *(cost(names[kind], some, bench) for kind, some in runs.items()),
        *(
            milliseconds(names[kind], share, [run.outcome.waited_ms for run in some])
            for kind, some in runs.items()
            for share in ("p50", "p99")
        ),
    ]
    return with_costs(result, runs)


def scenario_11(bench: Bench) -> Result:
    """10,000 holds that run out within a second, while new orders come."""
    endings = []
    with bench.servers.cluster() as testbed:
        place_orders(testbed, unary(WARM_UP_S))
        for number in range(1, bench.options.rounds + 1):
            say(f"round {number} of {bench.options.rounds}: holding {HELD:,} orders")
            endings.append(_run_out(bench, testbed, f"hold{number}"))
    result = Result(11, f"{HELD:,} holds that run out within a second")
    result.figures = [
        *_late("end of hold to EXPIRED", [one.expired_ms for one in endings], judged=True),
        *_late("end of hold to EXPIRED, commit", [one.committed_ms for one in endings]),
        *_late("end of hold to stock back", [one.released_ms for one in endings], judged=True),
        figure("first to last end", [one.span_s for one in endings], "s"),
        *_late("CreateOrder meanwhile", [one.run.outcome.latencies_ms for one in endings]),
    ]
    result.notes.append(
        "EXPIRED is the history's change_time, and the commit that it came with; stock back is the "
        f"commit of the releases at Inventory; {LIGHT_RATE:.0f} new orders/s meanwhile, whose CPU "
        "has that of the holds in it"
    )
    return with_costs(result, {"new orders": [one.run for one in endings]})


def _late(name: str, looks: list[dict[str, float]], *, judged: bool = False) -> list[Figure]:
    floor, aim = (LATE_MS_MAX, LATE_MS_AIM) if judged else (None, None)
    p50, most = (milliseconds(name, share, looks) for share in ("p50", "max"))
    return [p50, milliseconds(name, "p99", looks, floor, aim), most]


def _run_out(bench: Bench, testbed: Testbed, run: str) -> Ending:
    """Hold orders, let new ones come, and wait until no hold is left and its stock is back.

    :raises HoldsTooShort: the load began after the first end.
    :raises OrdersLost: a hold did not run out, or units are missing.
    """
    ledger = on_postgresql(testbed.ledger)
    ends_at = time.monotonic() + LEAD_S
    uvloop.run(_hold(testbed.orders, OrderRequests(run, seed=1), ends_at))
    ledger.wait_until_settled()
    bench.servers.settle_down()
    seconds = ends_at + ENDS_WITHIN_S + LOAD_AFTER_S - time.monotonic()
    say(f"  held with {seconds - LOAD_AFTER_S:.1f} s to go")
    load = place_orders(testbed, Job("", CREATE, rate=LIGHT_RATE, seconds=max(seconds, 1.0)))
    if load.outcome.started > ends_at:
        raise HoldsTooShort(f"{LEAD_S:.0f} s are not enough to hold {HELD:,} orders here")
    ledger.wait_until_nothing_is_held()
    ledger.wait_until_settled()
    _require_stock_back(testbed)
    orders = ledger.expired(run)
    if len(orders) != HELD:
        raise OrdersLost(f"{HELD} orders were held, {len(orders)} ran out")
    back_at = released_at(testbed.urls["inventory"])
    due = [order["due_at"] for order in orders]
    ending = Ending(
        quantiles_ms([order["expired_at"] - order["due_at"] for order in orders]),
        quantiles_ms([order["committed_at"] - order["due_at"] for order in orders]),
        quantiles_ms([back_at[order["order_id"]] - order["due_at"] for order in orders]),
        max(due) - min(due),
        load,
    )
    say(f"  p99 {ending.expired_ms['p99']:.0f} ms, stock {ending.released_ms['p99']:.0f} ms")
    say(f"  ends within {ending.span_s:.2f} s; {told_cpu([load])}")
    return ending


async def _hold(address: str, requests: OrderRequests, ends_at: float) -> None:
    """Place orders whose holds end from that moment on, evenly, until ENDS_WITHIN_S later."""
    dice, free = Random(1), asyncio.Semaphore(CALLERS)
    async with keyed(aio.insecure_channel(address)) as channel:
        stub = orders_pb2_grpc.OrderServiceStub(channel)

        async def place() -> None:
            async with free:
                batch = orders_pb2.BatchCreateOrdersRequest.FromString(requests.batch(BATCH))
                for order in batch.requests:
                    left_s = ends_at + dice.uniform(0, ENDS_WITHIN_S) - time.monotonic()
                    order.hold.FromMicroseconds(max(1, int(1e6 * left_s)))
                answer = await stub.BatchCreateOrders(batch, timeout=CALL_S_MAX)
            if any(result.HasField("error") for result in answer.results):
                raise OrdersLost(f"an order was refused: {answer.results[0].error.message}")

        await asyncio.gather(*(place() for _ in range(HELD // BATCH)))


def _require_stock_back(testbed: Testbed) -> None:
    """:raises OrdersLost: not all units are available at Inventory that no CONFIRMED order has."""
    wanted = PRODUCTS * ON_HAND - 3 * testbed.ledger.statuses()["CONFIRMED"]
    found = uvloop.run(_available(testbed.inventory))
    if found != wanted:
        raise OrdersLost(f"{found} units are available, not {wanted}")


async def _available(inventory: str) -> int:
    async with keyed(aio.insecure_channel(inventory)) as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        asked = inventory_pb2.BatchGetStockInfoRequest(
            product_ids=map(product_id, range(1, PRODUCTS + 1))
        )
        answer = await stub.BatchGetStockInfo(asked, timeout=CALL_S_MAX)
    return sum(result.info.available for result in answer.results)
