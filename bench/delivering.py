"""Many webhooks, a third of them slow or dead: how soon the others have what happened.

`python -m bench.delivering`: `holdfast up` on SQLite or, with `--cluster`, a cluster, and receivers
in this process. Each hears of every order; with `--hearing N` so many of those that answer do, and
all others hear of cancellations, one a second. Of those that don't answer, half say nothing for
20 s, and half hang up at once. Measured is the time from the event, which is written before the
commit, to its arrival; told is also whether each good one has every event once, and those about an
order in their order.
"""

import argparse
import asyncio
import json
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime

import uvloop

from bench.generator import quantiles_ms
from bench.progress import say
from bench.testbed import Servers, Testbed
from holdfast.client import Holdfast, Money, OrderLine, OrderRequest
from testbed.processes import temporary_folder

OF_ORDERS = ["OrderPlaced", "OrderConfirmed"]
OF_CANCELLATIONS = ["OrderCancelled"]
TICK_S = 0.02
ARRIVE_S_MAX = 120.0
SILENT_S = 20.0


class Receivers:
    """Each a server of its own, as receivers are; the path says which one is meant."""

    def __init__(self, count: int, bad: int) -> None:
        self.count, self._bad = count, bad
        self.took: list[float] = []
        self.seen: list[dict[str, list[int]]] = [defaultdict(list) for _ in range(count)]
        self.arrived, self.wanted, self.complete = 0, 0, asyncio.Event()
        self.spare: Sequence[str] = ()  # orders of which only the cancellation counts

    @property
    def good(self) -> int:
        return self.count - self._bad

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next(int(one[15:]) for one in lines if one.startswith(b"content-length:"))
                body = await reader.readexactly(length)
                number = int(head.split(b" ", 2)[1][1:])
                if number >= self.good:
                    await asyncio.sleep(SILENT_S if number % 2 else 0)
                    break
                self._take(number, body)
                writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # it has hung up, or the measurement is over
        finally:
            writer.close()

    def _take(self, number: int, body: bytes) -> None:
        event = json.loads(body)
        if event["subject"] in self.spare and not event["type"].endswith("OrderCancelled"):
            return
        self.took.append(time.time() - datetime.fromisoformat(event["time"]).timestamp())
        self.seen[number][event["subject"]].append(int(event["sequence"]))
        self.arrived += 1
        if self.arrived == self.wanted:
            self.complete.set()


async def measure(options: argparse.Namespace, at: Testbed) -> None:
    receivers = Receivers(options.webhooks, round(options.webhooks * options.bad))
    hearing = min(options.hearing, receivers.good)
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(
            Holdfast(at.orders, at.inventory, notifier=at.notifier)
        )
        await client.inventory.create_product("LAMP", unit_price=Money.parse("1.00", "GBP"))
        await client.inventory.set_stock("LAMP", 10_000_000)
        spare = [] if hearing == receivers.good else await confirmed(client, int(options.seconds))
        receivers.spare = spare
        for number in range(options.webhooks):
            server = await asyncio.start_server(receivers.serve, "127.0.0.1", 0)
            await opened.enter_async_context(server)
            port = server.sockets[0].getsockname()[1]
            types = OF_ORDERS if number < hearing or not spare else OF_CANCELLATIONS
            await client.webhooks.create(f"http://127.0.0.1:{port}/{number}", types=types)
        orders = round(options.rate * options.seconds)
        receivers.wanted = orders * len(OF_ORDERS) * hearing
        receivers.wanted += len(spare) * (receivers.good - hearing)
        say(f"{orders:,} orders at {options.rate:g}/s: {receivers.wanted:,} deliveries")
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(cancel(client, spare))
            await place(client, orders, options.rate, group)
        async with asyncio.timeout(ARRIVE_S_MAX):
            await receivers.complete.wait()
        took = time.perf_counter() - began
    tell(receivers, orders / took, took)


async def place(client: Holdfast, orders: int, rate: float, group: asyncio.TaskGroup) -> None:
    """Place what is due by now, every TICK_S, whether or not what came before is answered."""
    began, placed = time.perf_counter(), 0
    while placed < orders:
        due = min(orders, 1 + int((time.perf_counter() - began) * rate))
        if due > placed:
            some = [OrderRequest("c-1", [OrderLine("LAMP", 1)]) for _ in range(due - placed)]
            group.create_task(client.orders.create_batch(some))
            placed = due
        await asyncio.sleep(TICK_S)


async def confirmed(client: Holdfast, orders: int) -> list[str]:
    """Place orders to be cancelled later."""
    line = [OrderLine("LAMP", 1)]
    placed = [await client.orders.create("c-2", line, wait_s=20.0) for _ in range(orders)]
    return [one.order_id for one in placed]


async def cancel(client: Holdfast, order_ids: Sequence[str]) -> None:
    for order_id in order_ids:
        await asyncio.sleep(1.0)
        await client.orders.cancel(order_id)


def tell(receivers: Receivers, rate: float, took: float) -> None:
    stories = [story for seen in receivers.seen[: receivers.good] for story in seen.values()]
    lost = receivers.wanted - sum(len(set(story)) for story in stories)
    turned = sum(story != sorted(story) for story in stories)
    ms = quantiles_ms(receivers.took)
    print(
        f"{receivers.count} webhooks, {receivers.count - receivers.good} of them slow or dead: "
        f"{receivers.arrived:,} deliveries, {receivers.arrived / took:,.0f}/s, of {rate:,.0f} "
        f"orders/s; event to receiver p50 {ms['p50']:.0f} ms, p99 {ms['p99']:.0f} ms, worst "
        f"{ms['max']:.0f} ms; lost {lost}, out of order {turned}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.delivering", description=__doc__)
    parser.add_argument("--cluster", action="store_true", help="each service a process of its own")
    parser.add_argument("--webhooks", type=int, default=200)
    parser.add_argument("--bad", type=float, default=1 / 3, help="such a part of them, below 1")
    parser.add_argument("--hearing", type=int, default=1_000, help="so many hear of every order")
    parser.add_argument("--rate", type=float, default=2.0, help="orders/s")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    if not 0 <= options.bad < 1:
        parser.error("--bad is a part of the webhooks, such as 0.3")
    os.environ |= {"HOLDFAST_UP_WEBHOOK_LOOPBACK": "true", "HOLDFAST_UP_LOG_LEVEL": "WARNING"}
    with ExitStack() as started:
        servers = Servers(started.enter_context(temporary_folder()), started, notifies=True)
        kind = servers.cluster(products_there=False) if options.cluster else servers.embedded()
        uvloop.run(measure(options, started.enter_context(kind)))


if __name__ == "__main__":
    main()
