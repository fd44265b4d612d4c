"""How long ExplainStock takes in a large ledger:

    python -m bench.explaining --movements 10000000

One half of the movements are of 10 levels, the other of 5,000. In each level orders are reserved
and shipped in turns, and 300 are open. The busiest product has a second level, at which nothing
has happened since the beginning: all of its product's movements are read past to find it.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bench.generator import quantiles_ms
from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.inventory.application.stock.explain_stock import ExplainStock, Question
from holdfast.inventory.infrastructure.events_to_proto import EventCodec
from holdfast.inventory.infrastructure.ledger import Ledger
from holdfast.inventory.infrastructure.store import Store
from testbed.processes import temporary_folder
from testbed.servers import postgres
from testbed.templates import Templates

HOT, COLD = 10, 5_000
START = datetime(2025, 1, 1, tzinfo=UTC)
STEP_S = 3
INDEXES = ("stock_movement_by_product", "stock_movement_by_order")

PRODUCTS = """
INSERT INTO product
SELECT 'P' || n, '', '', 'GBP', 1, true, 1, now(), now() FROM generate_series(0, 5009) AS n;
INSERT INTO stock_level
SELECT 'P' || n, 'main', '', 1, 0, 0, 0 FROM generate_series(0, 5009) AS n;
INSERT INTO location
SELECT 'shop', 'shop', '', 'SHOP', 1, true, NULL, '[]', 1;
INSERT INTO stock_level VALUES ('P0', 'shop', '', 9, 0, 9, 0);
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, reason, reference, actor, moved_at)
SELECT 'P0', 'shop', 'RECEIPT', 1, 0, n, 0, '', '', 'anonymous', timestamptz '2024-12-31 12:00Z'
  FROM generate_series(1, 9) AS n
"""
# The k-th movement of a level reserves for its order k / 2, or ships its order k / 2 - 300.
MOVEMENTS = """
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, order_id, reason, reference, actor,
                            moved_at)
SELECT 'P' || level, 'main',
       CASE WHEN k % 2 = 0 THEN 'RESERVATION' WHEN k / 2 < 300 THEN 'RECEIPT' ELSE 'SHIPMENT' END,
       CASE WHEN k % 2 = 0 THEN 0 WHEN k / 2 < 300 THEN 1 ELSE -1 END,
       CASE WHEN k % 2 = 0 THEN 1 WHEN k / 2 < 300 THEN 0 ELSE -1 END,
       1000000000 + least((k + 1) / 2, 300) - greatest((k + 1) / 2 - 300, 0),
       least(k / 2 + 1, 300 + (k + 1) % 2),
       CASE WHEN k % 2 = 1 AND k / 2 < 300 THEN NULL
            ELSE lpad(to_hex((CASE k % 2 WHEN 0 THEN k / 2 ELSE k / 2 - 300 END) * 8192 + level),
                      32, '0')::uuid END,
       '', '', 'orders', $1::timestamptz + n * interval '3 seconds'
  FROM (SELECT n, CASE n % 2 WHEN 0 THEN n / 2 % 10 ELSE 10 + n / 2 % 5000 END AS level,
               CASE n % 2 WHEN 0 THEN n / 20 ELSE n / 10000 END AS k
          FROM generate_series($2::bigint, $3::bigint - 1) AS n) AS moved
"""
LEVELS = """
UPDATE stock_level
   SET on_hand = on_hand_after, reserved = reserved_after, version = moved
  FROM (SELECT DISTINCT ON (product_id) product_id, on_hand_after, reserved_after,
               count(*) OVER (PARTITION BY product_id) AS moved
          FROM stock_movement
         WHERE location_id = 'main'
      ORDER BY product_id, movement_id DESC) AS newest
 WHERE newest.product_id = stock_level.product_id AND stock_level.location_id = 'main'
"""


async def fill(database: Database, movements: int) -> None:
    """A ledger; indexes are made at the end, as they would be in a copy of a real one."""
    async with database.begin() as work:
        definitions = [
            (await work.fetch(f"SELECT pg_get_indexdef('{name}'::regclass) AS text"))[0]["text"]
            for name in INDEXES
        ]
        for name in INDEXES:
            await work.fetch(f"DROP INDEX {name}")
        for statement in PRODUCTS.split(";"):
            await work.fetch(statement)
        for first in range(0, movements, 500_000):
            await work.fetch(MOVEMENTS, START, first, min(first + 500_000, movements))
        for definition in definitions:
            await work.fetch(definition)
        await work.fetch("SET LOCAL enable_seqscan = on")
        await work.fetch("SET LOCAL enable_bitmapscan = on")
        await work.fetch(LEVELS)
        await work.fetch("ANALYZE")


async def timed(ask: Callable[[], Awaitable[object]], times: int) -> str:
    took_s = []
    for _ in range(times):
        started = time.perf_counter()
        await ask()
        took_s.append(time.perf_counter() - started)
    ms = quantiles_ms(took_s)
    return (
        f"p50 {ms['p50']:.1f} ms, p99 {ms['p99']:.1f} ms, worst {ms['max']:.1f} ms ({times} calls)"
    )


async def measure_questions(database: Database, movements: int, times: int) -> None:
    clock = SystemClock()
    store = Store(
        database, Outbox(database), Inbox(database, clock, "queue"), EventCodec(clock.new_id)
    )
    ledger = Ledger(database)
    explain = ExplainStock(store, ledger)
    chance = random.Random(1)

    def product(hot: bool) -> str:
        return f"P{chance.randrange(HOT) if hot else HOT + chance.randrange(COLD)}"

    def moment() -> datetime:
        return START + timedelta(seconds=STEP_S * chance.randrange(movements))

    for hot in (True, False):

        async def find(hot: bool = hot) -> object:
            return await ledger.levels_at(product(hot), "main", moment(), after="", limit=1)

        async def explain_then(hot: bool = hot) -> object:
            return await explain(Question(product(hot), "main", moment()), after="", limit=1)

        async def explain_now(hot: bool = hot) -> object:
            return await explain(Question(product(hot), "main", None), after="", limit=1)

        name = "of many movements" if hot else "of few movements"
        print(f"level {name}, as of, found: {await timed(find, times)}", flush=True)
        print(f"level {name}, as of, explained: {await timed(explain_then, times)}", flush=True)
        print(f"level {name}, now, explained: {await timed(explain_now, times)}", flush=True)

    async def explain_resting() -> object:
        return await explain(Question("P0", "shop", None), after="", limit=1)

    async def explain_resting_then() -> object:
        return await explain(Question("P0", "shop", moment()), after="", limit=1)

    rests = "level that rests while its product moves"
    print(f"{rests}, now, explained: {await timed(explain_resting, times)}", flush=True)
    print(f"{rests}, as of, explained: {await timed(explain_resting_then, times)}", flush=True)


async def measure(url: str, movements: int, times: int) -> None:
    async with connect(url) as database:
        started = time.perf_counter()
        await fill(database, movements)
        print(f"{movements:,} movements made in {time.perf_counter() - started:.0f} s", flush=True)
        await measure_questions(database, movements, times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movements", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=500)
    asked = parser.parse_args()
    with temporary_folder() as folder, postgres(folder) as server:
        url = Templates(folder).copy_database("inventory", server, "explaining")
        asyncio.run(measure(url, asked.movements, asked.times))


if __name__ == "__main__":
    main()
