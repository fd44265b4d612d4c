"""What scenarios have in common that hold one kind of call against unary CreateOrder, in turns."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import Result, figure
from bench.generator import Job
from bench.load import Run, place_orders, unary
from bench.progress import say
from bench.scenarios import (
    WARM_UP_S,
    Bench,
    cost,
    milliseconds,
    rate_of,
    settled,
    told_cpu,
    with_costs,
)
from bench.testbed import Testbed

PLAIN = "CreateOrder"
PLACED_VERSION = 2  # of an order that was placed without a hold and is CONFIRMED


@dataclass(frozen=True, slots=True)
class Kind:
    """Calls of another kind, on orders that are placed before each run.

    :param name: of its runs.
    :param title: of its rate, which is in `unit`, such as settled steps/s.
    :param call: how one is named, and `each` as its CPU is told, such as a step.
    :param floor, aim: of the rate, to that of CreateOrder.
    :param prepare: places the orders, given CreateOrder's rate and the seconds, and returns the
        job, which `run` does.
    """

    name: str
    title: str
    unit: str
    call: str
    each: str
    floor: float
    aim: float
    prepare: Callable[[Testbed, float, float], Job]
    run: Callable[[Testbed, Job], Run]


def beside_create_order(bench: Bench, result: Result, kind: Kind) -> Result:
    """Run both in turns on one cluster, and fill in the result's figures."""
    seconds = bench.options.seconds
    runs: dict[str, list[Run]] = {"plain": [], kind.name: []}
    with bench.servers.cluster() as testbed:
        say("warming up")
        plain = place_orders(testbed, unary(WARM_UP_S))
        kind.run(testbed, kind.prepare(testbed, plain.rate, WARM_UP_S))
        for number in range(1, bench.options.rounds + 1):
            bench.look_at_baseline()
            say(f"round {number} of {bench.options.rounds}: plain")
            bench.servers.settle_down()
            plain = place_orders(testbed, unary(seconds))
            say(f"  {plain.rate:,.0f} settled orders/s; {told_cpu([plain])}")
            say(f"round {number} of {bench.options.rounds}: {kind.name}")
            job = kind.prepare(testbed, plain.rate, seconds)
            bench.servers.settle_down()
            run = kind.run(testbed, job)
            say(f"  {run.rate:,.0f} {kind.unit}; {told_cpu([run])}")
            runs["plain"].append(plain)
            runs[kind.name].append(run)
    of_kind, of_plain = runs[kind.name], runs["plain"]
    an_order = cost(PLAIN, of_plain, bench)
    rates = [run.rate for run in of_kind]
    bounds = {"to": rate_of(of_plain), "floor": kind.floor, "aim": kind.aim}
    cpu_ms = [sum(run.cpu_ms.values()) for run in of_kind]
    name, unit = f"{kind.call}, all processes", f"CPU ms {kind.each}"
    result.figures = [
        figure(kind.title, rates, kind.unit, **bounds, ratio_of=PLAIN),
        settled(PLAIN, of_plain),
        figure(name, cpu_ms, unit, to=an_order.value, ratio_of=PLAIN),
        an_order,
        *(
            milliseconds(called, share, [run.outcome.latencies_ms for run in some])
            for called, some in ((kind.call, of_kind), (PLAIN, of_plain))
            for share in ("p50", "p99")
        ),
    ]
    return with_costs(result, runs)
