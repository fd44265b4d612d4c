"""Many webhooks, a third of them slow or dead: how soon the others have what happened.

`python -m bench.delivering`: `holdfast up` on SQLite, and receivers in this process, each for all
`OrderConfirmed`. Of those that answer, half of the bad ones say nothing for 15 s, and half hang up
at once. Measured is the time from the event, which is written before the commit, to its arrival;
told is also whether each good one has every event once, and those about an order in their order.
"""

import argparse
import asyncio
import json
import os
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import uvloop

from bench.generator import quantiles_ms
from bench.progress import say
from holdfast.client import Holdfast, Money, OrderLine
from testbed.keys import OF_COMMANDS
from testbed.processes import free_port, temporary_folder
from testbed.services import Service, up_arguments

TYPES = ["OrderPlaced", "OrderConfirmed"]
ARRIVE_S_MAX = 120.0
SILENT_S = 20.0


class Receivers:
    """Each a server of its own, as receivers are; the path says which one is meant."""

    def __init__(self, count: int, bad: int) -> None:
        self.count, self._bad = count, bad
        self.took: list[float] = []
        self.seen: list[dict[str, list[int]]] = [defaultdict(list) for _ in range(count)]
        self.arrived, self.wanted, self.complete = 0, 0, asyncio.Event()

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
        self.took.append(time.time() - datetime.fromisoformat(event["time"]).timestamp())
        self.seen[number][event["subject"]].append(int(event["sequence"]))
        self.arrived += 1
        if self.arrived == self.wanted:
            self.complete.set()


async def measure(options: argparse.Namespace, addresses: dict[str, str]) -> None:
    receivers = Receivers(options.webhooks, round(options.webhooks * options.bad))
    at = (addresses["orders"], addresses["inventory"])
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(Holdfast(*at, notifier=addresses["notifier"]))
        for number in range(options.webhooks):
            server = await asyncio.start_server(receivers.serve, "127.0.0.1", 0)
            await opened.enter_async_context(server)
            port = server.sockets[0].getsockname()[1]
            await client.webhooks.create(f"http://127.0.0.1:{port}/{number}", types=TYPES)
        await client.inventory.create_product("LAMP", unit_price=Money.parse("1.00", "GBP"))
        await client.inventory.set_stock("LAMP", 10_000_000)
        orders = round(options.rate * options.seconds)
        receivers.wanted = orders * len(TYPES) * receivers.good
        say(f"{orders:,} orders at {options.rate:g}/s: {receivers.wanted:,} deliveries")
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(orders):
                await asyncio.sleep(max(0.0, began + number / options.rate - time.perf_counter()))
                group.create_task(client.orders.create("c-1", [OrderLine("LAMP", 1)]))
        async with asyncio.timeout(ARRIVE_S_MAX):
            await receivers.complete.wait()
        took = time.perf_counter() - began
    tell(receivers, orders, took)


def tell(receivers: Receivers, orders: int, took: float) -> None:
    stories = [story for seen in receivers.seen[: receivers.good] for story in seen.values()]
    lost = receivers.good * orders - sum(len(set(story)) == len(TYPES) for story in stories)
    turned = sum(story != sorted(story) for story in stories)
    ms = quantiles_ms(receivers.took)
    print(
        f"{receivers.count} webhooks, {receivers.count - receivers.good} of them slow or dead: "
        f"{receivers.arrived:,} deliveries, {receivers.arrived / took:,.0f}/s; event to receiver "
        f"p50 {ms['p50']:.0f} ms, p99 {ms['p99']:.0f} ms, worst {ms['max']:.0f} ms; "
        f"lost {lost}, out of order {turned}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.delivering", description=__doc__)
    parser.add_argument("--webhooks", type=int, default=200)
    parser.add_argument("--bad", type=float, default=1 / 3, help="so many of them")
    parser.add_argument("--rate", type=float, default=2.0, help="orders/s")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    names = ("orders", "inventory", "notifier")
    addresses = {name: f"127.0.0.1:{free_port()}" for name in names}
    with temporary_folder() as folder:
        settings = {"HOLDFAST_UP_WEBHOOK_LOOPBACK": "true", "HOLDFAST_UP_LOG_LEVEL": "WARNING"}
        up = Service(
            "up",
            up_arguments(Path(folder) / "data", addresses),
            folder=Path(folder),
            addresses=list(addresses.values()),
            environment={**os.environ, **OF_COMMANDS, **settings},
        )
        up.start()
        try:
            uvloop.run(measure(options, addresses))
        finally:
            up.stop()


if __name__ == "__main__":
    main()
