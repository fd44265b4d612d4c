"""The console on a shop with a past: server time of every page, weight of a first view, live news.

`python -m bench.console`: a cluster with 100,000 orders and 10,000 products, and the console as a
process of its own before it; `--orders 2000000` for the list of a big shop. Every page is asked for
in turns by one browser that is signed in, without what belongs to it (styles, scripts). Then one
page is fetched as a browser does that has never been there, and an order's page is watched while
its order is changed by somebody else.
"""

import argparse
import asyncio
import os
import re
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
import uvloop

from bench.generator import quantiles_ms
from bench.growth import grow
from bench.progress import say
from bench.testbed import Servers, Testbed
from bench.workload import PRODUCTS, product_id
from holdfast.client import Holdfast, Money, OrderLine
from testbed.cluster import Console
from testbed.keys import KEY
from testbed.processes import free_port, temporary_folder
from testbed.services import settings_of

AT_A_TIME = 50
FROM_HERE = {"sec-fetch-site": "same-origin"}
ASSET = re.compile(r'(?:href|src)="(/console/static/[^"]+)"')
PAGES = {
    "today": "",
    "orders": "/orders",
    "orders CONFIRMED": "/orders?status=CONFIRMED",
    "orders of a customer": "/orders?customer_id=customer-0007",
    "orders with a product": "/orders?product_id=P00007",
    "orders, beginning of the id": "/orders?id={order}",
    "an order": "/orders/{order}",
    "products": "/products",
    "a product's stock": "/stock?id=P00007",
    "to ship": "/to-ship",
    "figures": "/figures",
    "customers": "/customers",
    "a customer": "/customer?id=customer-0007",
    "transfers": "/transfers",
    "locations": "/locations",
    "webhooks": "/webhooks",
    "keys": "/keys",
    "system": "/system",
    "files": "/files",
}


async def furnish(testbed: Testbed, orders: int, products: int, units: int) -> None:
    """A past of so many orders, and so many products, of which those without orders have so many
    units; 0: they were never there.
    """
    await grow(testbed, orders)
    async with Holdfast(testbed.orders, testbed.inventory) as client:
        price = Money.parse("12.50", "GBP")
        for first in range(PRODUCTS + 1, products + 1, AT_A_TIME):
            ids = [*map(product_id, range(first, min(first + AT_A_TIME, products + 1)))]
            await asyncio.gather(
                *(client.inventory.create_product(one, unit_price=price) for one in ids)
            )
            if units:
                await asyncio.gather(*(client.inventory.set_stock(one, units) for one in ids))


@contextmanager
def console(testbed: Testbed, folder: Path) -> Iterator[str]:
    """A console of its own; yields where it is."""
    at = f"127.0.0.1:{free_port()}"
    reached = {"orders": testbed.orders, "inventory": testbed.inventory}
    reached["notifier"] = testbed.environment["HOLDFAST_NOTIFIER_LISTEN"]
    own = settings_of("console", admin=f"127.0.0.1:{free_port()}", log_level="WARNING")
    service = Console(folder, at, reached, {**os.environ, **own})
    service.start()
    try:
        yield f"http://{at}"
    finally:
        service.stop()


@asynccontextmanager
async def signed_in(at: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=at, follow_redirects=True, timeout=60.0) as browser:
        answer = await browser.post("/console/sign-in", data={"key": KEY}, headers=FROM_HERE)
        answer.raise_for_status()
        yield browser


async def time_pages(browser: httpx2.AsyncClient, order: str, times: int) -> None:
    """Ask for every page in turns; say how long the server took."""
    took: dict[str, list[float]] = {name: [] for name in PAGES}
    for turn in range(times + 1):
        for name, path in [(name, PAGES[name]) for name in took]:
            began = time.perf_counter()
            answer = await browser.get(f"/console{path.format(order=order)}")
            spent = time.perf_counter() - began
            if answer.status_code == 504:
                del took[name]
                print(f"{name}: no answer within {spent:.1f} s")
                continue
            answer.raise_for_status()
            if turn:  # the first one warms up
                took[name].append(spent)
    for name, found in took.items():
        p95 = 1_000 * statistics.quantiles(found, n=20)[-1]
        median = 1_000 * statistics.median(found)
        print(f"{name}: p50 {median:.1f} ms, p95 {p95:.1f} ms, worst {1_000 * max(found):.1f} ms")


async def weigh(browser: httpx2.AsyncClient) -> None:
    """What a first view of the list of orders costs on the wire, compressed."""
    page = await browser.get("/console/orders")
    assets = sorted(set(ASSET.findall(page.text)))
    answers = [page, *[await browser.get(one) for one in assets]]
    sizes = [int(one.headers.get("content-length", one.num_bytes_downloaded)) for one in answers]
    print(f"a first view of the orders: {sum(sizes) / 1000:,.1f} kB in {len(sizes)} requests")


async def time_news(browser: httpx2.AsyncClient, testbed: Testbed, changes: int) -> None:
    """How long after the answer to whoever changed an order its open page is told."""
    took = []
    async with Holdfast(testbed.orders, testbed.inventory) as client:
        for number in range(changes):
            made = await client.orders.create(f"c-{number}", [OrderLine("P00007", 1)], wait_s=5)
            placed = await client.orders.get(made.order_id)
            async with browser.stream("GET", f"/console/orders/{placed.order_id}/live") as stream:
                news = stream.aiter_lines()
                await told(news, placed.version)  # the page as it was opened
                watching = asyncio.create_task(told(news, placed.version + 1))
                changed = await client.orders.cancel(placed.order_id)
                answered_at = time.perf_counter()
                assert changed.version > placed.version
                took.append(max(0.0, await watching - answered_at))
    ms = quantiles_ms(took)
    print(f"a change elsewhere shows: p50 {ms['p50']:.1f} ms, worst {ms['max']:.1f} ms")


async def told(news: AsyncIterator[str], version: int) -> float:
    """Return when the stream tells of this version, or of a newer one."""
    async for line in news:
        if line.startswith("id: ") and int(line.removeprefix("id: ")) >= version:
            return time.perf_counter()
    raise AssertionError("the stream has ended")


async def measure(testbed: Testbed, at: str, options: argparse.Namespace) -> None:
    say(f"writing {options.orders:,} orders and {options.products:,} products")
    await furnish(testbed, options.orders, options.products, options.units)
    async with Holdfast(testbed.orders, testbed.inventory) as client:
        order = await anext(client.orders.list(product_id=product_id(7), limit=1))
    async with signed_in(at) as browser:
        say("asking for pages")
        await time_pages(browser, order.order_id, options.times)
        await weigh(browser)
        await time_news(browser, testbed, options.changes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--units", type=int, default=30, help="of each product")
    parser.add_argument("--times", type=int, default=50, help="that each page is asked for")
    parser.add_argument("--changes", type=int, default=50, help="of orders that are watched")
    options = parser.parse_args()
    with ExitStack() as started:
        folder = started.enter_context(temporary_folder())
        servers = Servers(folder, started, notifies=True)
        testbed = started.enter_context(servers.cluster())
        at = started.enter_context(console(testbed, folder))
        uvloop.run(measure(testbed, at, options))


if __name__ == "__main__":
    main()
