"""What the index by product of the ledger costs who writes movements:

    python -m bench.ledger_index --movements 300000

Ledgers of the same movements differ in their indexes only, and are written to in turns. What counts
is the CPU time of the PostgreSQL process that writes; other work on the machine disturbs it little.
"""

import argparse
import asyncio
import random
import statistics
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from holdfast.chassis.clock import SystemClock
from holdfast.inventory.infrastructure.sql import SQL
from testbed.processes import temporary_folder
from testbed.servers import postgres
from testbed.templates import Templates

PRODUCTS = 999
ORDERS, LINES = 20, 3  # of a transaction: about what unary callers make together
TRANSACTIONS = 50  # of each ledger, before it is the next one's turn
BY_PRODUCT = "CREATE INDEX stock_movement_by_product ON stock_movement (product_id, movement_id"
BY_LEVEL = "CREATE INDEX ON stock_movement (product_id, location_id, moved_at, movement_id)"
# The first one is what the others are compared with.
LEDGERS = {
    "by product and id": [f"{BY_PRODUCT})"],
    "the same once more": [f"{BY_PRODUCT})"],
    "with location and time": [f"{BY_PRODUCT}, location_id, moved_at)"],
    "one by level beside it": [f"{BY_PRODUCT})", BY_LEVEL],
}
FILL = """
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, order_id, reason, reference, actor,
                            moved_at)
SELECT 'P' || lpad((random() * 998)::int::text, 5, '0'), 'main', 'RESERVATION', 0, 1, 9, 1,
       gen_random_uuid(), '', '', 'orders', now()
  FROM generate_series(1, $1::bigint)
"""


class Writer:
    """One ledger, the process that writes to it, and what that took."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._statistics = Path(f"/proc/{connection.get_server_pid()}/schedstat")
        self.cpu_us: list[float] = []  # a movement

    async def write(self, batches: list[list[tuple[object, ...]]]) -> None:
        before_ns = self._cpu_ns()
        for columns in batches:
            await self._connection.fetch(SQL["postgresql"].INSERT_PROMISES, *columns)
        rows = len(batches) * ORDERS * LINES
        self.cpu_us.append((self._cpu_ns() - before_ns) / 1_000 / rows)

    def _cpu_ns(self) -> int:
        return int(self._statistics.read_text().split()[0])


def batch(chance: random.Random, clock: SystemClock) -> list[tuple[object, ...]]:
    """The columns of one transaction's movements."""
    at, rows = datetime.now(UTC), []
    for _ in range(ORDERS):
        order_id = clock.new_id()
        for number in chance.sample(range(PRODUCTS), LINES):
            place = f"P{number:05}", "main"
            rows.append((*place, "RESERVATION", 1, 9, 1, order_id, "", "orders", at))
    return list(zip(*rows, strict=True))


async def measure(urls: dict[str, str], movements: int, rounds: int) -> None:
    chance, clock = random.Random(1), SystemClock()
    async with AsyncExitStack() as open_ones:
        writers: dict[str, Writer] = {}
        for name, url in urls.items():
            connection = await asyncpg.connect(url)
            open_ones.push_async_callback(connection.close)
            await connection.execute("DROP INDEX stock_movement_by_product")
            for statement in LEDGERS[name]:
                await connection.execute(statement)
            await connection.fetch(FILL, movements)
            writers[name] = Writer(connection)
        for _ in range(rounds):
            batches = [batch(chance, clock) for _ in range(TRANSACTIONS)]
            for name in chance.sample(list(writers), len(writers)):
                await writers[name].write(batches)
    first, *_ = writers.values()
    for name, writer in writers.items():
        more = [one - other for one, other in zip(writer.cpu_us, first.cpu_us, strict=True)]
        print(
            f"{name}: {statistics.median(writer.cpu_us):.1f} us a movement, "
            f"{statistics.median(more):+.2f} in turns, {LINES * statistics.median(more):+.1f} "
            f"an order of {LINES} lines"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movements", type=int, default=300_000, help="that are there before")
    parser.add_argument("--rounds", type=int, default=80)
    asked = parser.parse_args()
    with temporary_folder() as folder, postgres(folder) as server:
        templates = Templates(folder)
        urls = {
            name: templates.copy_database("inventory", server, f"ledger_{number}")
            for number, name in enumerate(LEDGERS)
        }
        asyncio.run(measure(urls, asked.movements, asked.rounds))


if __name__ == "__main__":
    main()
