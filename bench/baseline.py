"""The baseline: the same order as hand-written SQL, one transaction an order, driven by pgbench.

It is written as well as that can be: prepared statements, the three lines in one statement, the
stock updates last (so that locks are held shortly) and ordered by product (so that nobody
deadlocks), fill factor for updates in place.
"""

import os
import re
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import Meter
from bench.progress import say
from bench.workload import HOT, ON_HAND, PRODUCTS, THIRD
from testbed.processes import clean_environment, run
from testbed.servers import PostgresServer

CLIENTS = (8, 32)
DATABASE = "baseline"

TABLES = """
CREATE TABLE orders (
    order_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL,
    request_id  text NOT NULL,
    status      text NOT NULL,
    total_minor bigint NOT NULL,
    placed_at   timestamptz NOT NULL,
    UNIQUE (customer_id, request_id)
);
CREATE TABLE order_line (
    order_id         bigint NOT NULL REFERENCES orders,
    line_no          integer NOT NULL,
    product          integer NOT NULL,
    quantity         bigint NOT NULL,
    unit_price_minor bigint NOT NULL,
    PRIMARY KEY (order_id, line_no)
);
CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL,
    data     text NOT NULL
);
CREATE TABLE stock (
    product  integer PRIMARY KEY,
    on_hand  bigint NOT NULL,
    reserved bigint NOT NULL,
    CHECK (reserved BETWEEN 0 AND on_hand)
) WITH (fillfactor = 50);
"""

FILL = """
INSERT INTO stock (product, on_hand, reserved)
SELECT number, {on_hand}, 0
  FROM generate_series(1, {products}) AS number
"""

# One order. The unique request id makes a repeat harmless, as Holdfast's does.
ORDER = """
\\set first random(1, {third})
\\set second {second}
\\set third random({third} + {third} + 1, {products})
\\set customer random(1, 1000)
BEGIN;
INSERT INTO orders (customer_id, request_id, status, total_minor, placed_at)
VALUES ('customer-' || :customer, gen_random_uuid()::text, 'CONFIRMED', 300, now())
RETURNING order_id \\gset
INSERT INTO order_line (order_id, line_no, product, quantity, unit_price_minor)
VALUES (:order_id, 1, :first, 1, 100), (:order_id, 2, :second, 1, 100),
       (:order_id, 3, :third, 1, 100);
INSERT INTO outbox (order_id, data)
VALUES (:order_id, '{{"type": "OrderConfirmed", "order": ' || :order_id || '}}');
UPDATE stock SET reserved = reserved + 1 WHERE product = :first AND on_hand - reserved >= 1;
UPDATE stock SET reserved = reserved + 1 WHERE product = :second AND on_hand - reserved >= 1;
UPDATE stock SET reserved = reserved + 1 WHERE product = :third AND on_hand - reserved >= 1;
COMMIT;
"""


@dataclass(slots=True)
class Baseline:
    """Orders a second that hand-written SQL does, by products and clients; several looks each."""

    looks: dict[str, dict[int, list[float]]] = field(
        default_factory=lambda: {name: {n: [] for n in CLIENTS} for name in ("uniform", "hot")}
    )
    cpu_ms: dict[str, dict[int, list[float]]] = field(
        default_factory=lambda: {name: {n: [] for n in CLIENTS} for name in ("uniform", "hot")}
    )

    others: list[float] = field(default_factory=list)  # cores that others kept busy meanwhile

    def best(self, products: str) -> float:
        """The better number of clients, by the median of all looks."""
        return max(statistics.median(looks) for looks in self.looks[products].values())

    def clients(self, products: str) -> int:
        """The better number of clients."""
        looks = self.looks[products]
        return max(looks, key=lambda clients: statistics.median(looks[clients]))

    def best_cpu_ms(self, products: str) -> float:
        """CPU milliseconds of an order, pgbench's own included, with the better number of
        clients."""
        return statistics.median(self.cpu_ms[products][self.clients(products)])

    def facts(self) -> dict[str, dict[str, float]]:
        """For the record: medians, lowest and highest."""
        return {
            f"{name}, {clients} clients": {
                "median": round(statistics.median(looks), 1),
                "min": round(min(looks), 1),
                "max": round(max(looks), 1),
                "cpu_ms": round(statistics.median(self.cpu_ms[name][clients]), 3),
            }
            for name, by_clients in self.looks.items()
            for clients, looks in by_clients.items()
            if looks
        }


def measure(server: PostgresServer, baseline: Baseline, folder: Path, seconds: int) -> None:
    """Look once more, at every number of clients."""
    say(f"baseline: pgbench, {' and '.join(map(str, CLIENTS))} clients, {seconds} s each")
    if not server.has_database(DATABASE):
        server.create_database(DATABASE)
        for statement in TABLES.split(";\n"):
            if statement.strip():
                server.sql(statement, database=DATABASE)
        server.sql(FILL.format(on_hand=ON_HAND, products=PRODUCTS), database=DATABASE)
        server.sql("VACUUM ANALYZE stock", database=DATABASE)
    for products, by_clients in baseline.looks.items():
        second = f"random({THIRD} + 1, {THIRD} + {THIRD})" if products == "uniform" else f"{HOT}"
        script = folder / f"order-{products}.sql"
        script.write_text(ORDER.format(third=THIRD, second=second, products=PRODUCTS))
        for clients, looks in by_clients.items():
            server.sql("CHECKPOINT")
            meter = Meter()
            looks.append(_pgbench(server, script, clients, seconds))
            meter.stop()
            baseline.others.append(meter.others)
            orders = looks[-1] * seconds
            baseline.cpu_ms[products][clients].append(1_000 * sum(meter.used.values()) / orders)


def _pgbench(server: PostgresServer, script: Path, clients: int, seconds: int) -> float:
    """Transactions a second.

    :raises ProgramFailed: a client failed.
    """
    program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[-1]
    threads = os.cpu_count() or 1
    command = [str(program), "--no-vacuum", "--protocol=prepared", f"--file={script}"]
    command += [f"--client={clients}", f"--jobs={threads}", f"--time={seconds}"]
    printed = run("pgbench", [*command, server.url(DATABASE)], env=clean_environment())
    found = re.search(r"^tps = ([0-9.]+)", printed, re.MULTILINE)
    assert found, printed
    return float(found[1])
