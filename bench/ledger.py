"""What the databases say of a run: how many orders are settled, whether all is quiet, who committed
when. Either engine; read from outside of the services.
"""

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Protocol

import asyncpg

SETTLE_S_MAX = 300.0
QUIET_S_MAX = 60.0
LOOK_S = 0.01

ANY_PENDING = """
SELECT 1
  FROM unanswered
 LIMIT 1
"""

STATUSES = """
SELECT status, count(*) AS orders
  FROM orders
 GROUP BY status
"""

# Background work of the last run must not be paid for by the next one.
ANY_WORK_LEFT = """
SELECT 1
  FROM outbox
 LIMIT 1
"""

SOME_ORDERS = """
SELECT order_id
  FROM orders
 LIMIT $1
"""

# With the products of their lines.
NEWEST_CONFIRMED = """
  SELECT order_id::text AS order_id, array_agg(product_id ORDER BY line_no) AS products
    FROM (SELECT order_id
            FROM orders
           WHERE status = 'CONFIRMED' AND version = $1
        ORDER BY order_id DESC
           LIMIT $2) AS newest
    JOIN order_line USING (order_id)
GROUP BY order_id
"""

EDIT_STATES = """
SELECT state, count(*) AS edits
  FROM order_edit
 GROUP BY state
"""

# What was recorded after orders were CONFIRMED, by step.
STEPS = """
SELECT (SELECT count(*) FROM shipment) AS shipped,
       (SELECT count(*) FROM order_return) AS opened,
       (SELECT count(*) FROM return_receipt) AS received,
       (SELECT count(closed_at) FROM order_return) AS closed
"""

# Units that left and came back, at Orders and at Inventory.
UNITS_TOLD = """
SELECT (SELECT coalesce(sum(quantity), 0) FROM shipment_item)::bigint AS shipped,
       (SELECT coalesce(sum(quantity), 0) FROM receipt_item)::bigint AS returned
"""
UNITS_BOOKED = """
SELECT coalesce(-sum(on_hand_delta) FILTER (WHERE kind = 'SHIPMENT'), 0)::bigint AS shipped,
       coalesce(sum(on_hand_delta) FILTER (WHERE kind = 'RETURN'), 0)::bigint AS returned
  FROM stock_movement
"""

# From the commit that made an order PENDING to the one that made it CONFIRMED, in milliseconds.
SETTLED_MS = """
SELECT percentile_disc(ARRAY[0.5, 0.9, 0.99, 0.999, 1.0]) WITHIN GROUP (ORDER BY took_ms)
  FROM (SELECT 1000 * extract(epoch FROM pg_xact_commit_timestamp(settled.xmin)
                                         - pg_xact_commit_timestamp(placed.xmin)) AS took_ms
          FROM order_history AS settled
          JOIN order_history AS placed ON placed.order_id = settled.order_id
           AND placed.version = 1
         WHERE settled.version = 2 AND settled.status = 'CONFIRMED'
           AND settled.changed_at > now() - make_interval(secs => $1)) AS orders_of_run
"""


ANY_HOLD = """
SELECT 1
  FROM hold
 LIMIT 1
"""

# Orders of one run whose hold ran out: when it was due, when it was done as the history has it, and
# when that was committed; seconds since 1970.
EXPIRED = """
SELECT order_id::text AS order_id,
       extract(epoch FROM expires_at)::float8 AS due_at,
       extract(epoch FROM changed_at)::float8 AS expired_at,
       extract(epoch FROM pg_xact_commit_timestamp(order_history.xmin))::float8 AS committed_at
  FROM orders
  JOIN order_history USING (order_id)
 WHERE order_history.status = 'EXPIRED' AND action = ''
   AND starts_with(request_id, $1)
"""

# When the last of an order's units were back, by the commit that gave them back.
RELEASED = """
SELECT order_id::text AS order_id,
       extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 AS released_at
  FROM stock_movement
 WHERE kind = 'RELEASE'
 GROUP BY order_id
"""


class NotSettled(Exception):
    """Orders were still PENDING when patience ended."""


class Ledger(Protocol):
    """The database of Orders, seen from outside."""

    def statuses(self) -> dict[str, int]:
        """How many orders have each status."""

    def wait_until_settled(self) -> float:
        """The monotonic time at which no order was PENDING any more.

        :raises NotSettled: that took more than SETTLE_S_MAX.
        """

    def wait_until_quiet(self) -> None:
        """Return when no event waits, or after QUIET_S_MAX."""


class PostgresLedger:
    """On PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def statuses(self) -> dict[str, int]:
        return {row["status"]: row["orders"] for row in asyncio.run(_fetch(self._url, STATUSES))}

    def wait_until_settled(self) -> float:
        at = asyncio.run(self._until_nothing(ANY_PENDING, SETTLE_S_MAX))
        if at is None:
            raise NotSettled(f"orders are PENDING after {SETTLE_S_MAX:.0f} s")
        return at

    def wait_until_quiet(self) -> None:
        asyncio.run(self._until_nothing(ANY_WORK_LEFT, QUIET_S_MAX))

    def settled_ms(self, last_s: float) -> dict[str, float]:
        """Quantiles of the time from PENDING to CONFIRMED, commit to commit, of the orders that
        were settled in the last so many seconds."""
        (row,) = asyncio.run(_fetch(self._url, SETTLED_MS, last_s))
        names = ("p50", "p90", "p99", "p99.9", "max")
        return {name: float(value) for name, value in zip(names, row[0] or (), strict=False)}

    def wait_until_nothing_is_held(self) -> None:
        """:raises NotSettled: holds run after SETTLE_S_MAX."""
        if asyncio.run(self._until_nothing(ANY_HOLD, SETTLE_S_MAX)) is None:
            raise NotSettled(f"holds run after {SETTLE_S_MAX:.0f} s")

    def expired(self, run: str) -> list[asyncpg.Record]:
        """The orders of a run whose hold ran out, as `EXPIRED` has them."""
        return asyncio.run(_fetch(self._url, EXPIRED, run))

    def order_ids(self, limit: int) -> list[str]:
        """Some orders."""
        return [str(row["order_id"]) for row in asyncio.run(_fetch(self._url, SOME_ORDERS, limit))]

    def newest_confirmed(self, version: int, limit: int) -> list[tuple[str, list[str]]]:
        """The newest orders that are CONFIRMED and at this version, with their products."""
        rows = asyncio.run(_fetch(self._url, NEWEST_CONFIRMED, version, limit))
        return [(row["order_id"], row["products"]) for row in rows]

    def edit_states(self) -> dict[str, int]:
        """How many edits have each state."""
        return {row["state"]: row["edits"] for row in asyncio.run(_fetch(self._url, EDIT_STATES))}

    def steps(self) -> dict[str, int]:
        """How many steps of each kind are recorded."""
        (row,) = asyncio.run(_fetch(self._url, STEPS))
        return dict(row)

    def units_told(self) -> dict[str, int]:
        """How many units have left and come back, on the orders' own record."""
        (row,) = asyncio.run(_fetch(self._url, UNITS_TOLD))
        return dict(row)

    async def _until_nothing(self, sql: str, patience_s: float) -> float | None:
        ends_at = time.monotonic() + patience_s
        connection = await asyncpg.connect(self._url)
        try:
            statement = await connection.prepare(sql)
            while await statement.fetchval() is not None:
                if time.monotonic() > ends_at:
                    return None
                await asyncio.sleep(LOOK_S)
            return time.monotonic()
        finally:
            await connection.close()


def on_postgresql(ledger: Ledger) -> PostgresLedger:
    """The ledger of a cluster."""
    assert isinstance(ledger, PostgresLedger), "a cluster is on PostgreSQL"
    return ledger


def released_at(inventory_url: str) -> dict[str, float]:
    """By order, when all its units were back at Inventory; seconds since 1970."""
    rows = asyncio.run(_fetch(inventory_url, RELEASED))
    return {row["order_id"]: row["released_at"] for row in rows}


def units_booked(inventory_url: str) -> dict[str, int]:
    """How many units have left and come back, by Inventory's movements."""
    (row,) = asyncio.run(_fetch(inventory_url, UNITS_BOOKED))
    return dict(row)


async def _fetch(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(sql, *arguments)
    finally:
        await connection.close()


class SqliteLedger:
    """On an SQLite file, which the service may be writing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def statuses(self) -> dict[str, int]:
        return dict(self._fetch(STATUSES))

    def wait_until_settled(self) -> float:
        at = self._until_nothing(ANY_PENDING, SETTLE_S_MAX)
        if at is None:
            raise NotSettled(f"orders are PENDING after {SETTLE_S_MAX:.0f} s")
        return at

    def wait_until_quiet(self) -> None:
        self._until_nothing(ANY_WORK_LEFT, QUIET_S_MAX)

    def _until_nothing(self, sql: str, patience_s: float) -> float | None:
        ends_at = time.monotonic() + patience_s
        while self._fetch(sql):
            if time.monotonic() > ends_at:
                return None
            time.sleep(LOOK_S)
        return time.monotonic()

    def _fetch(self, sql: str) -> list[tuple[str, int]]:
        connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=30.0)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
