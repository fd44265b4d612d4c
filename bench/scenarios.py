"""Scenarios 1 to 5: orders placed on a cluster and in embedded mode, uniform and with a hot one."""

import statistics
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from bench.baseline import Baseline, measure
from bench.figures import Figure, Result, figure
from bench.generator import CREATE, Job
from bench.ledger import on_postgresql
from bench.load import BATCH, BATCH_CALLERS, UNARY_CALLERS, Run, batches, place_orders, unary
from bench.progress import say
from bench.testbed import Servers, Testbed

# The floors of embedded mode are stated for a machine where the baseline gives this.
EMBEDDED_BASELINE = 2_600
WAITERS_EVERY = 20  # of scenario 5: every so many orders wait for their outcome
WARM_UP_S = 1.0
OTHERS_MAX = 0.25  # cores busy with other people's work that a result bears without a warning


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how often.

    :param seconds: of load in each measured run.
    :param rounds: runs of each kind; medians are reported.
    :param baseline_s: seconds of each look at the baseline.
    :param full: the full sizes of scenarios 7, 8 and 13.
    """

    seconds: float = 4.0
    rounds: int = 3
    baseline_s: int = 2
    full: bool = False


@dataclass(slots=True)
class Bench:
    """What the scenarios share: the servers, the baseline, what was measured before."""

    servers: Servers
    options: Options
    baseline: Baseline = field(default_factory=Baseline)
    unary_rate: float = 0.0  # of scenario 1, once that was measured

    def look_at_baseline(self) -> None:
        measure(self.servers.postgres, self.baseline, self.servers.folder, self.options.baseline_s)

    def rounds(
        self, testbed: AbstractContextManager[Testbed], jobs: dict[str, Job]
    ) -> dict[str, list[Run]]:
        """Run all jobs in turns, and the baseline before each turn."""
        runs: dict[str, list[Run]] = {name: [] for name in jobs}
        with testbed as here:
            say("warming up")
            for job in jobs.values():
                place_orders(here, replace(job, seconds=WARM_UP_S))
            for number in range(self.options.rounds):
                self.look_at_baseline()
                for name, job in jobs.items():
                    say(f"round {number + 1} of {self.options.rounds}: {name}")
                    self.servers.settle_down()
                    run = place_orders(here, job)
                    say(f"  {run.rate:,.0f} settled orders/s; {told_cpu([run])}")
                    runs[name].append(run)
        return runs


def scenario_1(bench: Bench) -> Result:
    """Cluster mode, CreateOrder, 64 callers."""
    runs = bench.rounds(bench.servers.cluster(), {"unary": unary(bench.options.seconds)})["unary"]
    bench.unary_rate = rate_of(runs)
    best = bench.baseline.best("uniform")
    result = Result(1, f"cluster, CreateOrder, {UNARY_CALLERS} callers")
    result.figures = [
        settled("CreateOrder", runs, to=best, floor=0.30, aim=0.5),
        cost("CreateOrder", runs, bench),
        *_latency("CreateOrder", runs),
    ]
    return with_costs(result, {"unary": runs})


def scenario_2(bench: Bench) -> Result:
    """Cluster mode, BatchCreateOrders of 100."""
    runs = bench.rounds(bench.servers.cluster(), {"batch": batches(bench.options.seconds)})["batch"]
    best = bench.baseline.best("uniform")
    result = Result(2, f"cluster, BatchCreateOrders of {BATCH}, {BATCH_CALLERS} callers")
    result.figures = [
        settled("BatchCreateOrders", runs, to=best, floor=1.0, aim=2.0),
        cost("BatchCreateOrders", runs, bench),
        *_latency("BatchCreateOrders", runs),
    ]
    return with_costs(result, {"batch": runs})


def scenario_3(bench: Bench) -> Result:
    """Embedded mode on SQLite and on PostgreSQL, unary and batches of 100."""
    seconds = bench.options.seconds
    jobs = {"unary": unary(seconds), "batch": batches(seconds)}
    runs = bench.rounds(bench.servers.embedded(), jobs)
    on_postgres = bench.rounds(bench.servers.embedded_on_postgres(), jobs)
    best = bench.baseline.best("uniform")
    result = Result(3, f"embedded, unary and batches of {BATCH}")
    floors = {"unary": (800, 1_500), "batch": (2_500, 5_000)}
    result.figures = [
        settled(
            f"embedded {name}",
            runs[name],
            to=best,
            floor=floor / EMBEDDED_BASELINE,
            aim=aim / EMBEDDED_BASELINE,
        )
        for name, (floor, aim) in floors.items()
    ]
    result.figures += [cost(f"embedded {name}", runs[name], bench) for name in jobs]
    for name, some in on_postgres.items():
        title = f"embedded on PostgreSQL {name}"
        result.figures += [settled(title, some, to=best), cost(title, some, bench)]
        runs[f"{name} on PostgreSQL"] = some
    return with_costs(result, runs)


def scenario_4(bench: Bench) -> Result:
    """Cluster mode, one product in every order, beside the same without."""
    jobs: dict[str, Job] = {}
    makers: dict[str, Callable[..., Job]] = {"unary": unary, "batch": batches}
    for name, make in makers.items():
        for hot in (False, True):
            key = f"{name} {'hot' if hot else 'uniform'}"
            jobs[key] = make(bench.options.seconds, hot=hot)
    runs = bench.rounds(bench.servers.cluster(), jobs)
    best = bench.baseline.best("hot")
    result = Result(4, "cluster, one hot product in every order")
    for name in makers:
        uniform, hot_runs = runs[f"{name} uniform"], runs[f"{name} hot"]
        of_uniform = settled(f"{name} hot", hot_runs, to=rate_of(uniform), floor=0.9, aim=1.0)
        of_baseline = settled(f"{name} hot, beside SQL", hot_runs, to=best, floor=1.0, aim=3.0)
        result.figures += [
            replace(of_uniform, ratio_of=f"{name} uniform"),
            replace(of_baseline, ratio_of="pgbench hot"),
            settled(f"{name} uniform", uniform),
            cost(f"{name} hot", hot_runs, bench, "hot"),
        ]
    return with_costs(result, runs)


def scenario_5(bench: Bench) -> Result:
    """Latency at half of scenario 1's rate, open loop."""
    result = Result(5, "cluster, open loop at half of scenario 1's rate")
    with bench.servers.cluster() as testbed:
        ledger = on_postgresql(testbed.ledger)
        place_orders(testbed, unary(WARM_UP_S))
        if not bench.unary_rate:
            say("measuring scenario 1's rate first")
            looks = [place_orders(testbed, unary(bench.options.seconds)) for _ in range(2)]
            bench.unary_rate = rate_of(looks)
        rate = bench.unary_rate / 2
        job = Job(
            target="",
            method=CREATE,
            rate=rate,
            seconds=2 * bench.options.seconds,
            wait_every=WAITERS_EVERY,
            channels=2,
        )
        runs, settled_ms = [], []
        for number in range(bench.options.rounds):
            say(f"round {number + 1} of {bench.options.rounds}: {rate:,.0f} orders/s, Poisson")
            bench.servers.settle_down()
            run = place_orders(testbed, job)
            settled_ms.append(ledger.settled_ms(run.settled_s + 0.5))
            p50, p99 = run.outcome.latencies_ms["p50"], run.outcome.latencies_ms["p99"]
            say(f"  CreateOrder p50 {p50:.1f} ms, p99 {p99:.1f} ms; {told_cpu([run])}")
            runs.append(run)
    created = [run.outcome.latencies_ms for run in runs]
    waited = [run.outcome.waited_ms for run in runs]
    result.figures = [
        milliseconds("CreateOrder", "p50", created, 10, 5),
        milliseconds("CreateOrder", "p99", created, 50, 20),
        milliseconds("PENDING to CONFIRMED", "p50", settled_ms, 25, 10),
        milliseconds("PENDING to CONFIRMED", "p99", settled_ms, 150, 60),
        milliseconds("CreateOrder with wait until CONFIRMED", "p50", waited),
        milliseconds("CreateOrder with wait until CONFIRMED", "p99", waited),
        figure("open-loop rate", [run.rate for run in runs], "orders/s"),
    ]
    late = sum(run.outcome.late for run in runs) / sum(run.outcome.calls for run in runs)
    result.notes.append(
        f"{late:.1%} of the requests started more than 2 ms late, at most "
        f"{1_000 * max(run.outcome.late_s_max for run in runs):.0f} ms; their latency counts from "
        "the intended start all the same"
    )
    return with_costs(result, {"open loop": runs})


def told_cpu(runs: Iterable[Run]) -> str:
    """CPU milliseconds per order by part, in words."""
    runs = list(runs)
    parts = sorted({part for run in runs for part in run.cpu_ms})
    costs = {part: statistics.median(run.cpu_ms.get(part, 0.0) for run in runs) for part in parts}
    told = ", ".join(f"{part} {cost:.3f}" for part, cost in costs.items() if cost >= 0.0005)
    cores = statistics.median(run.cores for run in runs)
    others = statistics.median(run.others for run in runs)
    return f"CPU ms each: {told}; {cores:.2f} cores busy, others keep {others:.2f} busy"


def with_costs(result: Result, runs: dict[str, list[Run]]) -> Result:
    """Add what the runs cost, and what went wrong in them."""
    for name, some in runs.items():
        result.notes.append(f"{name}: {told_cpu(some)}")
        others = statistics.median(run.others for run in some)
        if others > OTHERS_MAX:
            result.notes.append(
                f"{name}: others kept {others:.1f} cores busy; the scheduler shares by process, so "
                "the many backends of pgbench lose less to them: look at the CPU an order"
            )
        errors = {code: n for run in some for code, n in run.outcome.errors.items()}
        refused = sum(run.outcome.refused for run in some)
        if errors or refused:
            result.failure = f"{name}: errors {errors}, refused {refused}"
    result.details["cpu_ms"] = {
        name: [{part: round(ms, 4) for part, ms in run.cpu_ms.items()} for run in some]
        for name, some in runs.items()
    }
    result.details["latencies_ms"] = {
        name: [{q: round(ms, 2) for q, ms in run.outcome.latencies_ms.items()} for run in some]
        for name, some in runs.items()
    }
    return result


def rate_of(runs: Iterable[Run]) -> float:
    return statistics.median(run.rate for run in runs)


def settled(
    name: str,
    runs: Iterable[Run],
    *,
    to: float | None = None,
    floor: float | None = None,
    aim: float | None = None,
) -> Figure:
    return figure(
        name,
        [run.rate for run in runs],
        "settled orders/s",
        to=to,
        ratio_of="pgbench uniform" if to else "",
        floor=floor,
        aim=aim,
    )


def cost(name: str, runs: Iterable[Run], bench: Bench, products: str = "uniform") -> Figure:
    """What an order costs all processes together; other people's work changes it little."""
    return figure(
        f"{name}, all processes",
        [sum(run.cpu_ms.values()) for run in runs],
        "CPU ms an order",
        to=bench.baseline.best_cpu_ms(products),
        ratio_of=f"pgbench {products}",
    )


def _latency(name: str, runs: Iterable[Run]) -> list[Figure]:
    looks = [run.outcome.latencies_ms for run in runs]
    return [milliseconds(f"{name} under this load", share, looks) for share in ("p50", "p99")]


def milliseconds(
    name: str,
    share: str,
    looks: Iterable[dict[str, float]],
    floor: float | None = None,
    aim: float | None = None,
) -> Figure:
    values = [look[share] for look in looks if share in look] or [float("nan")]
    return figure(f"{name} {share}", values, "ms", floor=floor, aim=aim, less_is_better=True)
