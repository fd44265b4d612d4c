"""Scenario 7: the same load on a database that has years of orders behind it, and on an empty one.

The past is written by set-based SQL, as the services would have written it: `verify` agrees.
"""

import asyncio
from collections.abc import Sequence

import asyncpg

from bench.figures import Result, figure
from bench.load import BATCH, Run, batches, place_orders
from bench.progress import say
from bench.scenarios import Bench, told_cpu
from bench.testbed import Testbed
from bench.workload import ON_HAND, PRODUCTS, THIRD, product_id
from holdfast.client import Holdfast, OrderLine

ORDERS_FULL = 2_000_000
ORDERS_SMALL = 200_000
MOVEMENTS_PER_ORDER = 5  # three reservations, and receipts for the rest
CHUNK = 100_000
STATEMENT_S_MAX = 3_600.0
CALL_S = 10.0
FEED_MIN = 2  # of one order: that it was placed, and confirmed

# Order number $1 to $2, a tenth of a second apart; ids rise with time as UUIDv7 do.
ORDERS_PAST = (
    """
CREATE OR REPLACE FUNCTION pg_temp.past_id(number bigint, first_ms bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
SELECT (lpad(to_hex(first_ms + 100 * number), 12, '0') || '70008'
        || lpad(to_hex(number), 15, '0'))::uuid
$$
""",
    """
CREATE OR REPLACE FUNCTION pg_temp.past_time(number bigint, first_ms bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
SELECT to_timestamp((first_ms + 100 * number) / 1000.0)
$$
""",
)

ORDERS = (
    """
INSERT INTO orders (order_id, customer_id, request_id, request_hash, status, version, edition,
                    edition_newest, asked, answered, stock_sequence, stock_revision, stock,
                    currency, total_minor, name, email, phone, address, shortages, placed_at,
                    updated_at)
SELECT pg_temp.past_id(n, $3), 'customer-' || lpad((n % 1000)::text, 4, '0'), 'past-' || n,
       md5(n::text) || md5('x' || n), 'CONFIRMED', 2, 1, 1, 1, 1, 1, 1,
       (SELECT jsonb_agg(jsonb_build_array(
                   'P' || lpad((1 + n % {third} + third * {third})::text, 5, '0'), 'main', 1)
                   ORDER BY third)
          FROM generate_series(0, 2) AS third),
       'GBP', 300, '', '', '', '', '[]',
       pg_temp.past_time(n, $3), pg_temp.past_time(n, $3)
  FROM generate_series($1::bigint, $2::bigint) AS n
""",
    """
INSERT INTO order_line (order_id, edition, line_no, product_id, quantity, unit_price_minor)
SELECT pg_temp.past_id(n, $3), 1, third + 1,
       'P' || lpad((1 + n % {third} + third * {third})::text, 5, '0'), 1, 100
  FROM generate_series($1::bigint, $2::bigint) AS n, generate_series(0, 2) AS third
""",
    """
INSERT INTO order_history (order_id, version, status, changed_at, reason, actor, action)
SELECT pg_temp.past_id(n, $3), version, status, pg_temp.past_time(n, $3), '', 'anonymous', ''
  FROM generate_series($1::bigint, $2::bigint) AS n,
       (VALUES (1, 'PENDING'), (2, 'CONFIRMED')) AS step (version, status)
""",
)

INBOX = """
INSERT INTO inbox (event_id, received_at)
SELECT gen_random_uuid()::text, pg_temp.past_time(n, $3)
  FROM generate_series($1::bigint, $2::bigint) AS n
"""

# Receipts of one unit, before all reservations; $1 receipts for every product.
RECEIPTS = """
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, order_id, reason, reference, actor,
                            moved_at)
SELECT 'P' || lpad(product::text, 5, '0'), 'main', 'RECEIPT', 1, 0, {on_hand} + n, 0, NULL,
       '', '', 'anonymous', now() - interval '60 days'
  FROM generate_series($1::bigint, $2::bigint) AS n, generate_series(1, {products}) AS product
 ORDER BY n, product
"""

RESERVATIONS = (
    """
INSERT INTO reservation (order_id, version, revision, state, stock, missing, placed_at,
                         updated_at)
SELECT pg_temp.past_id(n, $3), 1, 1, 'HELD',
       (SELECT jsonb_agg(jsonb_build_array(
                   'P' || lpad((1 + n % {third} + third * {third})::text, 5, '0'), 'main', '', 1)
                   ORDER BY third)
          FROM generate_series(0, 2) AS third),
       '[]', pg_temp.past_time(n, $3), pg_temp.past_time(n, $3)
  FROM generate_series($1::bigint, $2::bigint) AS n
""",
    # The k-th order of a product is number k * third + its place: what was reserved is a division.
    """
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, order_id, reason, reference, actor,
                            moved_at)
SELECT 'P' || lpad((1 + n % {third} + third * {third})::text, 5, '0'), 'main', 'RESERVATION', 0, 1,
       {on_hand} + {receipts}, n / {third} + 1, pg_temp.past_id(n, $3), '', '', 'anonymous',
       pg_temp.past_time(n, $3)
  FROM generate_series($1::bigint, $2::bigint) AS n, generate_series(0, 2) AS third
 ORDER BY n, third
""",
)

LEVELS = """
UPDATE stock_level
   SET on_hand = ledger.on_hand, reserved = ledger.reserved, version = ledger.movements
  FROM (SELECT product_id, location_id, count(*) AS movements,
               sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
          FROM stock_movement
         GROUP BY product_id, location_id) AS ledger
 WHERE ledger.product_id = stock_level.product_id
   AND ledger.location_id = stock_level.location_id
"""


CUT = """
DELETE FROM feed
      WHERE position < (SELECT max(position) FROM feed)
"""


def scenario_7(bench: Bench) -> Result:
    """Growth: scenario 2 on a grown database beside an empty one."""
    orders = ORDERS_FULL if bench.options.full else ORDERS_SMALL
    result = Result(7, f"scenario 2 with {orders:,} orders already there")
    runs: dict[str, list[Run]] = {"empty": [], "grown": []}
    with bench.servers.cluster() as empty, bench.servers.cluster() as grown:
        asyncio.run(grow(grown, orders))
        testbeds = {"empty": empty, "grown": grown}
        for number in range(bench.options.rounds + 1):
            for name, testbed in testbeds.items():
                say(f"round {number} of {bench.options.rounds}: {name}")
                bench.servers.settle_down()
                run = place_orders(testbed, batches(bench.options.seconds if number else 1.0))
                if number:  # the first one warms up
                    say(f"  {run.rate:,.0f} settled orders/s; {told_cpu([run])}")
                    runs[name].append(run)
    base = figure("empty database", [run.rate for run in runs["empty"]], "settled orders/s")
    result.figures = [
        base,
        figure(
            "grown database",
            [run.rate for run in runs["grown"]],
            "settled orders/s",
            to=base.value,
            ratio_of="empty database",
            floor=0.85,
            aim=1.0,
        ),
    ]
    result.notes += [f"{name}: {told_cpu(some)}" for name, some in runs.items()]
    result.notes.append(
        f"{orders:,} orders and {MOVEMENTS_PER_ORDER * orders:,} movements were there, in batches "
        f"of {BATCH}" + ("" if bench.options.full else f"; --full has {ORDERS_FULL:,} orders")
    )
    return result


async def grow(testbed: Testbed, orders: int) -> int:
    """Give a testbed a past of so many settled orders, in both databases, of which the feeds have
    nothing any more; return when the first was placed, in milliseconds since 1970.
    """
    first_ms = await write_past(testbed, orders)
    async with Holdfast(testbed.orders, testbed.inventory) as client:
        await client.orders.create("customer-0000", [OrderLine(product_id(1), 1)], wait_s=CALL_S)
    await asyncio.to_thread(testbed.ledger.wait_until_settled)
    for url in testbed.urls.values():
        await _cut_feed(url)
    return first_ms


async def _cut_feed(url: str) -> None:
    """Leave the newest event alone, as if all others had become too old, once there are some."""
    connection = await asyncpg.connect(url)
    is_service = await connection.fetchval("SELECT to_regclass('feed')")
    while is_service:
        if await connection.fetchval("SELECT last FROM feed_head") >= FEED_MIN:
            await connection.execute(CUT)
            break
        await asyncio.sleep(0.1)
    await connection.close()


async def write_past(testbed: Testbed, orders: int) -> int:
    """Write what `grow` does into the databases, which know nothing of the services."""
    first_ms = await _now_ms(testbed) - 100 * orders
    receipts = (MOVEMENTS_PER_ORDER - 3) * orders // PRODUCTS
    words = {"third": THIRD, "on_hand": ON_HAND, "products": PRODUCTS, "receipts": receipts}
    await _write(testbed.urls["orders"], [*ORDERS, INBOX], orders, first_ms, words)
    connection = await asyncpg.connect(testbed.urls["inventory"])
    say(f"writing {receipts * PRODUCTS:,} receipts")
    await connection.execute(RECEIPTS.format(**words), 1, receipts, timeout=STATEMENT_S_MAX)
    await _write(testbed.urls["inventory"], [*RESERVATIONS, INBOX], orders, first_ms, words)
    await connection.execute(LEVELS, timeout=STATEMENT_S_MAX)
    await connection.execute("VACUUM ANALYZE", timeout=STATEMENT_S_MAX)
    await connection.close()
    return first_ms


async def _write(
    url: str, statements: Sequence[str], orders: int, first_ms: int, words: dict[str, int]
) -> None:
    connection = await asyncpg.connect(url)
    for statement in ORDERS_PAST:
        await connection.execute(statement)
    for first in range(0, orders, CHUNK):
        last = min(first + CHUNK, orders) - 1
        say(f"writing the past: orders {first:,} to {last:,} of {orders:,}")
        for statement in statements:
            await connection.execute(
                statement.format(**words), first, last, first_ms, timeout=STATEMENT_S_MAX
            )
    await connection.execute("VACUUM ANALYZE", timeout=STATEMENT_S_MAX)
    await connection.close()


async def _now_ms(testbed: Testbed) -> int:
    connection = await asyncpg.connect(testbed.urls["orders"])
    now: int = await connection.fetchval("SELECT (1000 * extract(epoch FROM now()))::bigint")
    await connection.close()
    return now
