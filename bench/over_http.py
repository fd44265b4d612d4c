"""Scenario 16: orders placed over HTTP/JSON beside gRPC, on one cluster, 64 callers each.

Each HTTP caller keeps one connection, as a shop's back end does; gRPC's callers share theirs. HTTP
is served by a process of its own, which stands idle beside gRPC's while that is loaded, and the
other way round. The requests are the same orders, in JSON; those are made before the run begins, as
the bytes of gRPC's are.
"""

from dataclasses import replace

from bench.figures import Result
from bench.http_calls import PLACE
from bench.load import UNARY_CALLERS, unary
from bench.scenarios import Bench, cost, milliseconds, rate_of, settled, with_costs

FLOOR, AIM = 1.0, 1.3


def scenario_16(bench: Bench) -> Result:
    """Cluster mode, orders placed over HTTP/JSON beside gRPC, 64 callers."""
    over_grpc = unary(bench.options.seconds)
    jobs = {"gRPC": over_grpc, "HTTP": replace(over_grpc, method=PLACE)}
    runs = bench.rounds(bench.servers.cluster(http=True), jobs)
    result = Result(16, f"cluster, CreateOrder over HTTP/JSON, {UNARY_CALLERS} callers")
    beside = settled("over HTTP", runs["HTTP"], to=rate_of(runs["gRPC"]), floor=FLOOR, aim=AIM)
    result.figures = [
        replace(beside, ratio_of="gRPC"),
        settled("over gRPC", runs["gRPC"]),
        *(cost(f"over {name}", some, bench) for name, some in runs.items()),
        *(
            milliseconds(f"over {name}", share, [run.outcome.latencies_ms for run in some])
            for name, some in runs.items()
            for share in ("p50", "p99")
        ),
    ]
    return with_costs(result, runs)
