"""Scenario 8: how much memory the services hold after few and after many orders."""

import time
from dataclasses import replace

from bench.figures import Figure, Result
from bench.load import BATCH, batches, place_orders
from bench.processes import resident_mb
from bench.progress import say
from bench.scenarios import Bench
from bench.testbed import Testbed

SIZES_SMALL = (10_000, 50_000)
SIZES_FULL = (50_000, 1_000_000)
CHUNK = 10_000
REST_S = 2.0
RESIDENT_MB_MAX = 200.0
GROWTH_MAX = 1.10
SERVICES = ("orders", "inventory")


def scenario_8(bench: Bench) -> Result:
    """Resident memory of each service after few and after many orders."""
    few, many = SIZES_FULL if bench.options.full else SIZES_SMALL
    result = Result(8, f"resident memory after {few:,} and {many:,} orders")
    with bench.servers.cluster() as testbed:
        _place(testbed, few, already=0)
        before = _resident_mb()
        _place(testbed, many, already=few)
        after = _resident_mb()
    for service in SERVICES:
        result.figures += [
            _resident(f"{service} after {few:,} orders", before[service]),
            Figure(
                f"{service} after {many:,} orders",
                after[service],
                "MB",
                after[service],
                after[service],
                floor=RESIDENT_MB_MAX,
                less_is_better=True,
            ),
            Figure(
                f"{service}, growth",
                after[service] - before[service],
                "MB",
                after[service] - before[service],
                after[service] - before[service],
                ratio=after[service] / before[service],
                ratio_of=f"after {few:,}",
                floor=GROWTH_MAX,
                less_is_better=True,
            ),
        ]
    if not bench.options.full:
        result.notes.append("small sizes; --full has {:,} and {:,} orders".format(*SIZES_FULL))
    return result


def _place(testbed: Testbed, upto: int, *, already: int) -> None:
    """In portions that settle before the next one, so that no queue refuses."""
    for placed in range(already, upto, CHUNK):
        orders = min(CHUNK, upto - placed)
        run = place_orders(testbed, replace(batches(0.0), requests=orders // BATCH))
        held = ", ".join(f"{service} {resident_mb(service):.0f} MB" for service in SERVICES)
        say(f"{placed + orders:,} of {upto:,} orders, {run.rate:,.0f} a second; {held}")


def _resident_mb() -> dict[str, float]:
    time.sleep(REST_S)
    return {service: resident_mb(service) for service in SERVICES}


def _resident(name: str, mb: float) -> Figure:
    return Figure(name, mb, "MB", mb, mb, floor=RESIDENT_MB_MAX, less_is_better=True)
