"""One follower of Orders' feed: how fast it reads what is there, and how soon it has what comes.

`python -m bench.following`: a cluster, or with `--embedded` one process on SQLite. First orders
are placed, and their events read from the beginning in turns: by the client library, which makes a
typed object of each, and by `StreamEvents` alone. Then orders are placed at a rate, and of each is
measured how long after the answer of `CreateOrder`, which leaves after the commit, the follower has
its `OrderPlaced`; it may be before.

With `--events` the feed is made so long before it is read, by copies of what stands in it.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, aclosing

import uvloop
from grpc import aio

from bench.generator import quantiles_ms
from bench.progress import say
from bench.testbed import Servers, Testbed
from bench.workload import PRODUCTS, product_id
from holdfast.chassis.database.engines import connect
from holdfast.client import Holdfast, OrderLine, OrderRequest
from holdfast.contracts.feeds.v1 import feeds_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from testbed.keys import keyed
from testbed.processes import temporary_folder

BATCH = 100
ARRIVE_S_MAX = 30.0
STEP_EVENTS = 100_000

COPY = """
INSERT INTO feed
SELECT position + $1, event_id, type, subject, sequence, happened_at, traceparent, data
  FROM feed
 WHERE position <= $2
"""


def lines(number: int) -> list[OrderLine]:
    return [OrderLine(product_id((number + step) % PRODUCTS + 1), 1) for step in range(3)]


async def place(client: Holdfast, orders: int) -> None:
    """Place orders in batches."""
    for start in range(0, orders, BATCH):
        requests = [OrderRequest("c-1", lines(n)) for n in range(start, start + BATCH)]
        for placed in await client.orders.create_batch(requests):
            if isinstance(placed, Exception):
                raise placed


async def lengthen(testbed: Testbed, events: int) -> None:
    """Copy what stands in the feed to its end, again and again; each time at most as much again."""
    async with connect(testbed.urls["orders"]) as database:
        async with database.read() as reading:
            (head,) = await reading.fetch("SELECT last FROM feed_head")
        last: int = head["last"]
        while last < events:
            more = min(last, events - last, STEP_EVENTS)
            async with database.begin() as work:
                await work.execute(COPY, last, more)
                await work.execute("UPDATE feed_head SET last = $1", last + more)
            last += more


async def cut(testbed: Testbed, events: int) -> None:
    """Take the copies away, and what stood before them, as if all of it had become too old."""
    async with connect(testbed.urls["orders"]) as database:
        await database.execute("DELETE FROM feed WHERE position <= $1", events)


async def by_client(testbed: Testbed, events: int) -> None:
    async with (
        Holdfast(testbed.orders, testbed.inventory) as client,
        aclosing(client.events.follow(after="earliest")) as feed,
    ):
        left = events
        async for _ in feed:
            left -= 1
            if not left:
                return


async def by_stream(testbed: Testbed, events: int) -> None:
    async with keyed(aio.insecure_channel(testbed.orders)) as channel:
        call = OrderServiceStub(channel).StreamEvents(feeds_pb2.StreamEventsRequest())
        seen = 0
        async for part in call:
            seen += len(part.events)
            if seen >= events:
                return


WAYS: dict[str, Callable[[Testbed, int], Awaitable[None]]] = {
    "client.events.follow": by_client,
    "StreamEvents": by_stream,
}


async def replay(testbed: Testbed, events: int, rounds: int) -> None:
    """Read everything by each way, in turns; say the median of each."""
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            began = time.perf_counter()
            await way(testbed, events)
            rates[name].append(events / (time.perf_counter() - began))
    for name, found in rates.items():
        print(f"{name}: {statistics.median(found):,.0f} events/s of {events:,} ({rounds} rounds)")


async def latency(testbed: Testbed, rate: float, seconds: float) -> None:
    """Place orders at a rate, and say how soon a follower has each."""
    heard: dict[str, float] = {}
    answered: dict[str, float] = {}
    orders = round(rate * seconds)
    async with Holdfast(testbed.orders, testbed.inventory) as client:
        after = await client.events.latest()

        async def follow() -> None:
            feed = client.events.follow(after=after, types=["OrderPlaced"])
            async for event in feed:
                heard[event.subject] = time.perf_counter()
                if len(heard) == orders:
                    return

        async def one(number: int) -> None:
            placed = await client.orders.create("c-1", lines(number))
            answered[placed.order_id] = time.perf_counter()

        following = asyncio.create_task(follow())
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(orders):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                group.create_task(one(number))
        await asyncio.wait_for(following, ARRIVE_S_MAX)
    took = [max(0.0, heard[order_id] - at) for order_id, at in answered.items()]
    ms = quantiles_ms(took)
    print(
        f"answer to follower at {rate:g} orders/s: p50 {ms['p50']:.1f} ms, p99 {ms['p99']:.1f} ms, "
        f"worst {ms['max']:.1f} ms ({len(took):,} orders)"
    )


async def measure(testbed: Testbed, options: argparse.Namespace) -> None:
    async with Holdfast(testbed.orders, testbed.inventory) as client:
        say(f"placing {options.orders:,} orders")
        await place(client, options.orders)
    await asyncio.to_thread(testbed.ledger.wait_until_settled)
    if options.events:
        say(f"making the feed {options.events:,} events long")
        await lengthen(testbed, options.events)
    say("replaying")
    await replay(testbed, options.events or 2 * options.orders, options.rounds)
    say(f"placing orders at {options.rate:g}/s")
    await latency(testbed, options.rate, options.seconds)
    if options.events:
        await cut(testbed, options.events)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.following", description=__doc__)
    parser.add_argument("--embedded", action="store_true", help="one process on SQLite")
    parser.add_argument("--orders", type=int, default=10_000, help="placed before the replay")
    parser.add_argument("--events", type=int, default=0, help="that the feed has; 0: theirs")
    parser.add_argument("--rounds", type=int, default=3, help="of the replay; medians are told")
    parser.add_argument("--rate", type=float, default=100.0, help="orders/s of the second part")
    parser.add_argument("--seconds", type=float, default=8.0, help="of the second part")
    options = parser.parse_args()
    with ExitStack() as started:
        servers = Servers(started.enter_context(temporary_folder()), started)
        running = servers.embedded() if options.embedded else servers.cluster()
        with running as testbed:
            uvloop.run(measure(testbed, options))


if __name__ == "__main__":
    main()
