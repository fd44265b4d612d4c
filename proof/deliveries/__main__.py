"""Deliver every event three times, shuffled, and again after 30 virtual days; count the effects.

python -m proof.deliveries --events 100000 --seed 1
python -m proof.deliveries --events 100000 --seed 1 --engine postgresql
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.machine import commit, machine
from holdfast.chassis.engines import connect
from proof.deliveries.run import Report, Run
from tests.processes import temporary_folder
from tests.servers import postgres
from tests.templates import Templates

SERVICES = ("orders", "inventory")
EVENTS = 100_000
SHOWN_MAX = 20


def main() -> int:
    options = argparse.ArgumentParser(
        prog="python -m proof.deliveries",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--events", type=int, default=EVENTS, metavar="N", help="at least")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    options.add_argument("--results", type=Path, metavar="FILE", help="append a JSON line")
    chosen = options.parse_args()
    started = time.monotonic()
    with databases(chosen.engine) as urls:
        report = asyncio.run(deliver(*urls, events=chosen.events, seed=chosen.seed))
    took_s = time.monotonic() - started
    print(*lines(report), f"{took_s:.0f} s, commit {commit()}", sep="\n")
    if chosen.results:
        line = asdict(report) | {
            "effects": [one._asdict() for one in report.effects],
            "violations": [one._asdict() for one in report.violations],
            "is_proof": report.is_proof,
            "took_s": round(took_s, 1),
            "commit": commit(),
            "machine": machine(),
        }
        with chosen.results.open("a") as results:
            print(json.dumps(line), file=results)
    return 0 if report.is_proof else 1


@contextmanager
def databases(engine: str) -> Iterator[list[str]]:
    """Fresh databases of Orders and Inventory, gone after the block."""
    with ExitStack() as at_end:
        folder = at_end.enter_context(temporary_folder())
        templates = Templates(folder)
        if engine == "sqlite":
            yield [templates.copy_file(one, folder / f"{one}-1.db") for one in SERVICES]
        else:
            server = at_end.enter_context(postgres(folder))
            yield [templates.copy_database(one, server, f"{one}_1") for one in SERVICES]


async def deliver(orders: str, inventory: str, *, events: int, seed: int) -> Report:
    async with connect(orders) as orders_database, connect(inventory) as inventory_database:
        return await Run(orders_database, inventory_database, seed)(events)


def lines(report: Report) -> Iterator[str]:
    """Tell it to a person."""
    first, second = report.deliveries
    yield f"seed {report.seed}, {report.engine}: {report.orders} orders {report.statuses}"
    yield (
        f"{report.events} events in {first} deliveries; the inboxes forgot {report.forgotten} ids; "
        f"{second} deliveries more, of {report.answered_again} answers given again too"
    )
    yield from map(str, report.effects)
    yield f"changed by what came after a month: {', '.join(report.again) or 'nothing'}"
    for violation in report.violations[:SHOWN_MAX]:
        yield f"invariant {violation.invariant}, {violation.subject}: {violation.text}"
    verdict = "every event has had one effect" if report.is_proof else "NOT PROVEN"
    yield f"{len(report.violations)} violations; {verdict}"


if __name__ == "__main__":
    sys.exit(main())
