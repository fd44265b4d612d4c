"""Run load against a testbed and account for it: what was settled, how fast, at whose cost."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path

from bench.generator import CREATE, CREATE_BATCH, Job, Outcome
from bench.http_calls import PLACE
from bench.processes import Meter
from bench.testbed import Testbed

ROOT = Path(__file__).parents[1]
BATCH = 100
UNARY_CALLERS = 64
HOLD_S = 900
BATCH_CALLERS = 8


class GeneratorFailed(Exception):
    """The load generator ended without an answer; its own error stands above."""


class OrdersLost(Exception):
    """Accepted orders are not all there and settled."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run.

    :param settled: orders that became CONFIRMED.
    :param settled_s: from the first request until no order was PENDING.
    :param cpu_ms: by part, per settled order or per answered call.
    :param cores: CPUs busy with the run's own processes, on average.
    :param others: CPUs busy with anything else; what makes a run noisy.
    """

    outcome: Outcome
    settled: int
    settled_s: float
    cpu_ms: dict[str, float]
    cores: float
    others: float

    @property
    def rate(self) -> float:
        return self.settled / self.settled_s


class Generator:
    """The load generator's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def prepare(self, job: Job) -> None:
        """Return when it is connected and ready to start."""
        self._tell(json.dumps(asdict(job)))
        self._hear("ready")

    def go(self) -> Outcome:
        """Load, and return when every request has its answer."""
        self._tell("go")
        return Outcome(**json.loads(self._hear()))

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self, expected: str = "") -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line or (expected and line != expected):
            raise GeneratorFailed(f"the load generator said {line!r}")
        return line


@contextmanager
def generator() -> Iterator[Generator]:
    """A load generator, as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.generator"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Generator(process)
    finally:
        process.kill()
        process.communicate()


def unary(seconds: float, *, hot: bool = False, callers: int = UNARY_CALLERS) -> Job:
    """Place orders one a call."""
    return Job(target="", method=CREATE, callers=callers, seconds=seconds, hot=hot)


def waiting(seconds: float) -> Job:
    """Place orders one a call, which is answered when the order is settled."""
    return replace(unary(seconds), wait_every=1)


def paid(seconds: float) -> Job:
    """Place orders that are held until their caller has paid for and confirmed them."""
    return replace(waiting(seconds), hold_s=HOLD_S, pays=True)


def batches(
    seconds: float, *, hot: bool = False, callers: int = BATCH_CALLERS, fewest: bool = False
) -> Job:
    """Place orders a hundred a call."""
    job = Job("", CREATE_BATCH, callers=callers, seconds=seconds, batch=BATCH)
    return replace(job, hot=hot, fewest=fewest)


_numbers = count(1)  # names every run of this process


def place_orders(testbed: Testbed, job: Job) -> Run:
    """Place orders on a quiet testbed and wait until the last is settled.

    :raises OrdersLost: fewer were settled than were accepted.
    """
    number = next(_numbers)
    job = replace(
        job,
        target=testbed.http if job.method == PLACE else testbed.orders,
        run=f"r{number}",
        seed=number,
        channels=max(job.channels, testbed.channels),
    )
    before = testbed.ledger.statuses()
    outcome, settled_at, meter = loaded(testbed, job)
    after = testbed.ledger.statuses()
    settled = after.get("CONFIRMED", 0) - before.get("CONFIRMED", 0)
    if settled < outcome.items or sum(after.values()) - sum(before.values()) != settled:
        raise OrdersLost(f"accepted {outcome.items}, settled {settled}; {before} became {after}")
    took_s = settled_at - outcome.started
    return Run(outcome, settled, took_s, meter.cpu_ms(settled), meter.cores, meter.others)


def loaded(testbed: Testbed, job: Job) -> tuple[Outcome, float, Meter]:
    """Load a quiet testbed until nothing waits for Inventory; return also when that was, by the
    monotonic clock, and what it cost.
    """
    testbed.ledger.wait_until_quiet()
    with generator() as load:
        load.prepare(job)
        meter = Meter()
        outcome = load.go()
        settled_at = testbed.ledger.wait_until_settled()
        meter.stop()
    return outcome, settled_at, meter


def call(job: Job) -> Run:
    """Make calls that change nothing."""
    with generator() as load:
        load.prepare(job)
        meter = Meter()
        outcome = load.go()
        meter.stop()
    took_s = outcome.ended - outcome.started
    cpu_ms = meter.cpu_ms(outcome.items)
    return Run(outcome, outcome.items, took_s, cpu_ms, meter.cores, meter.others)
