"""Metrics: every figure that a process tells about itself, declared once with its meaning.

Whoever knows a figure tells it, there and then; a scrape of the admin port reads them all. Figures
of the services' own business stand in their `infrastructure/metrics.py` and are declared by the
same three functions, so that `TABLE` has all. No label ever names a customer, an order, a product
or an address: the number of series would grow with the trade.
"""

import os
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from itertools import accumulate, product
from typing import NamedTuple, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString

COMMIT = "HOLDFAST_COMMIT"  # set in the environment of an image: what it was built from

REGISTRY = CollectorRegistry()
# A series more for every counter, and nobody asks.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # as it is


class Metric(NamedTuple):
    """One line of the table.

    :param name: as a scrape shows it.
    :param kind: counter, gauge or histogram.
    :param labels: by name, the values that it can have; none: they are not known before.
    """

    name: str
    kind: str
    labels: Mapping[str, tuple[str, ...]]
    meaning: str


TABLE: dict[str, Metric] = {}

Instrument = TypeVar("Instrument", Counter, Gauge, Histogram)


def counter(name: str, meaning: str, **labels: Sequence[str]) -> Counter:
    """Declare what only grows; where all values of its labels are known, every series is there from
    the start, so that the first thing that is counted shows as a change.
    """
    return _declared(Counter(name, meaning, list(labels), registry=REGISTRY), labels)


def gauge(name: str, meaning: str, **labels: Sequence[str]) -> Gauge:
    """Declare what rises and falls."""
    return _declared(Gauge(name, meaning, list(labels), registry=REGISTRY), labels)


def histogram(
    name: str, meaning: str, buckets: Sequence[float], **labels: Sequence[str]
) -> Histogram:
    """Declare what is measured again and again.

    :param buckets: their upper ends, rising.
    """
    made = Histogram(name, meaning, list(labels), buckets=buckets, registry=REGISTRY)
    return _declared(made, labels)


class BatchHistogram:
    """A histogram, without labels, of what is measured for each of many orders a batch: that costs
    a fifth of telling them one by one.
    """

    def __init__(self, name: str, meaning: str, buckets: Sequence[float]) -> None:
        self._family, self._bounds = (name, meaning), tuple(buckets)
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0
        REGISTRY.register(self)
        TABLE[name] = Metric(name, "histogram", {}, meaning)

    def observe_all(self, values: Sequence[float]) -> None:
        """Tell all values of a batch."""
        for value in values:
            self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += sum(values)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        ends = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(ends, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(*self._family, buckets=buckets, sum_value=self._sum)


def _declared(instrument: Instrument, labels: Mapping[str, Sequence[str]]) -> Instrument:
    (family,) = instrument.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    values = {label: tuple(known) for label, known in labels.items()}
    TABLE[name] = Metric(name, family.type, values, family.documentation)
    if values:
        for known in product(*values.values()):
            instrument.labels(*known)
    return instrument


def listed() -> list[Metric]:
    """What is declared by now, by name: in one order, whatever was imported first."""
    return [metric for _, metric in sorted(TABLE.items())]


def tell_build() -> None:
    """Tell which version runs here, and what the process itself takes of its machine."""
    BUILD_INFO.labels(version("holdfast"), os.environ.get(COMMIT, "")).set(1)


def _of_the_process() -> None:
    """CPU, memory and open files, from the kernel."""
    for family in ProcessCollector(registry=REGISTRY).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        TABLE[name] = Metric(name, family.type, {}, family.documentation)


_of_the_process()

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BUILD_INFO = gauge(
    "holdfast_build_info",
    "Always 1; the labels tell the version that runs, and the commit that it was built from.",
    version=(),
    commit=(),
)
RPC_SECONDS = histogram(
    "rpc_server_call_duration_seconds",
    "How long calls took, by method and status code; a stream counts when it ends.",
    SECONDS,
    rpc_method=(),
    rpc_status_code=(),
)
HTTP_SECONDS = histogram(
    "http_server_request_duration_seconds",
    "How long requests of HTTP/JSON took, by verb (_OTHER: one that no path has), by the path's"
    " template (none: there is no such path) and by status; a stream counts when it ends. The call"
    " that a request leads to is told beside it.",
    SECONDS,
    http_request_method=(),
    http_route=(),
    http_response_status_code=(),
)
OVERLOAD_REFUSALS = counter(
    "holdfast_overload_refusals_total",
    "Calls refused because too much waits already (OVERLOADED, OUTBOX_TOO_LONG): nothing of them"
    " was done. What one caller may not ask is not counted here.",
    method=(),
)
AUTH_REFUSALS = counter(
    "holdfast_auth_refusals_total",
    "Calls that were not let in, by the reason that their callers were told: no credential, a bad"
    " one, or one that does not reach so far.",
    reason=(),
)
BATCH_ITEMS = histogram(
    "holdfast_batch_size",
    "How many items were worked on together, by the kind of work.",
    (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000),
    work=(),
)
BATCH_WAIT_SECONDS = histogram(
    "holdfast_batch_wait_seconds",
    "How long the first item of a batch had waited when work on the batch began.",
    SECONDS,
    work=(),
)
OUTBOX_EVENTS = gauge(
    "holdfast_outbox_events",
    "Events in the outbox that the broker has not confirmed, at most: an upper bound, read from"
    " both ends of an index.",
    service=(),
)
OUTBOX_AGE_SECONDS = gauge(
    "holdfast_outbox_oldest_age_seconds",
    "For how long the oldest event in the outbox that is no repeat has waited for the broker; 0:"
    " none waits.",
    service=(),
)
RELAY_LEADER = gauge(
    "holdfast_relay_leader",
    "1 in the one process of a service that publishes its events, 0 in the others: 1 in sum.",
    service=(),
)
FEED_POSITION = gauge(
    "holdfast_feed_position",
    "Position of the newest event in a service's feed, looked at about every 5 s.",
    service=(),
)
FEED_LAG = gauge(
    "holdfast_feed_lag_events",
    "By how many events the furthest behind of a feed's readers still was behind the newest one,"
    " after what it was given in the last 5 s or so; 0: all have everything, or nobody reads.",
    service=(),
)
PUBLISHED = counter(
    "holdfast_publish_total",
    "Events handed to the broker: taken (confirmed), refused (by a queue), or failed (no answer,"
    " so unknown). What was not taken is published again.",
    result=("taken", "refused", "failed"),
)
BROKER_UP = gauge(
    "holdfast_broker_up",
    "Whether the last contact with the broker succeeded; 1 where none is needed.",
)
BROKER_UP.set(1)  # until somebody needs one
BROKER_NAMES_WRONG = gauge(
    "holdfast_broker_names_wrong",
    "Names at the broker (queues, exchanges) that are not as Holdfast needs them.",
)
INBOX = counter(
    "holdfast_inbox_total",
    "Events that came: done, repeat (seen before, without effect) or parked (a dead letter).",
    queue=(),
    result=("done", "repeat", "parked"),
)
DEAD_LETTERS = gauge(
    "holdfast_dead_letters",
    "Parked events that wait for a person, at most 10,000 of them counted.",
    queue=(),
)
DATABASE_UP = gauge(
    "holdfast_database_up",
    "Whether the database answered when it was last asked, about every 5 s, and within 5 s.",
    service=(),
)
DB_SECONDS = histogram(
    "db_client_operation_duration_seconds",
    "How long the database was used in one go: a transaction from begin to commit, a statement by"
    " itself, or a connection borrowed for reading.",
    SECONDS,
    db_operation_name=("transaction", "statement", "read"),
)
TRANSACTION_SECONDS, STATEMENT_SECONDS, READ_SECONDS = map(
    DB_SECONDS.labels, ("transaction", "statement", "read")
)
DB_CONFLICTS = counter(
    "holdfast_db_conflicts_total",
    "Transactions that gave way to another one (deadlock, serialization, a key taken, as by a"
    " request that comes again); nearly all are tried again at once.",
)
DB_POOL_IN_USE = gauge(
    "holdfast_db_pool_in_use",
    "PostgreSQL connections in use at this moment, of 10 for each service of the process; 0 on"
    " SQLite.",
)
LOOP_LAG_SECONDS = histogram(
    "holdfast_event_loop_lag_seconds",
    "By how much a timer of the event loop was late, looked at four times a second: so long a call"
    " would have waited.",
    SECONDS,
)
LOOP_FAILURES = counter(
    "holdfast_loop_failures_total",
    "Background loops that failed for a reason of their own and were started again; a database or"
    " broker that is away is not counted here.",
    loop=(),
)
