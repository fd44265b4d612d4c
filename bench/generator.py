"""The load generator, a process of its own: `python -m bench.generator`, told its job on stdin.

It says `ready` when its requests are prepared, starts at `go`, and answers with one line of JSON.
Closed loop: so many callers, each sending its next request when it has its answer. Open loop: the
requests have intended starts, and latency counts from those, however late they really start; so a
stalled service is charged for every request that it kept waiting (no coordinated omission).
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from random import Random
from typing import Protocol

import grpc
import uvloop
from grpc import aio

from bench.http_calls import PLACE, HttpCall, HttpFailed, in_json
from bench.steps import STEPS, Lives
from bench.workload import OrderRequests, confirmation_of, refused_of_batch
from testbed.keys import KEY, keyed

CALL_S_MAX = 60.0
# A start that is later than this is counted; timers of the event loop have 1 ms.
LATE_S = 0.002
WAIT_S = 10
HTTP_RATE_MAX = 5_000  # orders a second that a run over HTTP is prepared for

CREATE = "/holdfast.orders.v1.OrderService/CreateOrder"
CREATE_BATCH = "/holdfast.orders.v1.OrderService/BatchCreateOrders"
CONFIRM = "/holdfast.orders.v1.OrderService/ConfirmOrder"


class Call(Protocol):
    """What is sent and answered in bytes: an RPC, or several that follow one another."""

    def __call__(self, request: bytes, /, *, timeout: float) -> Awaitable[bytes]: ...


@dataclass(frozen=True, slots=True)
class Job:
    """What to do.

    :param target: address.
    :param method: full name of the RPC; or PLACE, which is CreateOrder over HTTP/JSON.
    :param run: names the run in request ids.
    :param callers: of the closed loop; 0 for the open loop.
    :param rate: requests a second of the open loop.
    :param seconds: for how long; or, in a closed loop, `requests` of them.
    :param batch: orders in a request.
    :param quantity: of every line of an order.
    :param hold_s: the orders are held so long; 0: not at all.
    :param fewest: the orders' stock comes from the fewest locations.
    :param pays: whoever placed an order records its payment and confirms it: one call in all.
    :param wait_every: every so many orders wait for their outcome; 0: none.
    :param payloads: requests in hex, sent in turn; without them orders are placed.
    :param lives: ids of orders that go through all steps instead, a call each, in a closed loop.
    :param channels: connections to the target.
    :param keys: who calls; several have the channels by turns.
    """

    target: str
    method: str
    run: str = ""
    seed: int = 1
    callers: int = 0
    rate: float = 0.0
    poisson: bool = True
    seconds: float = 0.0
    requests: int = 0
    batch: int = 1
    quantity: int = 1
    hot: bool = False
    hold_s: int = 0
    fewest: bool = False
    pays: bool = False
    wait_every: int = 0
    payloads: tuple[str, ...] = ()
    lives: tuple[str, ...] = ()
    channels: int = 1
    keys: tuple[str, ...] = (KEY,)


@dataclass(slots=True)
class Outcome:
    """What came of it; times are of the monotonic clock, which all processes share."""

    started: float = 0.0
    ended: float = 0.0
    calls: int = 0
    items: int = 0  # accepted orders, or answered calls
    refused: int = 0  # orders in answered batches
    errors: dict[str, int] = field(default_factory=dict)
    late: int = 0
    late_s_max: float = 0.0
    latencies_ms: dict[str, float] = field(default_factory=dict)
    waited_ms: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0


class PaidOrder:
    """CreateOrder with a hold, then ConfirmOrder with the payment."""

    def __init__(self, channel: aio.Channel) -> None:
        self._create: Call = channel.unary_unary(CREATE)
        self._confirm: Call = channel.unary_unary(CONFIRM)

    async def __call__(self, request: bytes, /, *, timeout: float) -> bytes:  # noqa: ASYNC109 - as gRPC has it
        placed = await self._create(request, timeout=timeout)
        return await self._confirm(confirmation_of(placed), timeout=timeout)


class Load:
    """One run of one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._number = 0
        self._errors: Counter[str] = Counter()
        self._latencies_s: list[float] = []
        self._waited_s: list[float] = []
        self.outcome = Outcome()
        if job.payloads:
            self._payloads: Iterator[bytes] | None = cycle(map(bytes.fromhex, job.payloads))
        else:
            self._payloads = None
            self._requests = OrderRequests(
                job.run,
                job.seed,
                quantity=job.quantity,
                hot=job.hot,
                wait_s=WAIT_S,
                hold_s=job.hold_s,
                fewest=job.fewest,
            )

    async def run(self, go: Callable[[], Awaitable[None]]) -> Outcome:
        """Connect, wait for `go`, load."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        target, keys = self._job.target, self._job.keys
        channels = [
            keyed(aio.insecure_channel(target, options=options), keys[number % len(keys)])
            for number in range(0 if self._job.method == PLACE else self._job.channels)
        ]
        for channel in channels:
            await asyncio.wait_for(channel.channel_ready(), CALL_S_MAX)
        over_http = [HttpCall(self._job.target) for _ in range(self._job.callers)]
        if self._job.method == PLACE:
            await asyncio.gather(*(one.connect() for one in over_http))
            self._payloads = iter(self._orders_in_json())
        calls: Iterator[Call] = cycle(
            over_http if self._job.method == PLACE else map(self._call, channels)
        )
        starts = intended_starts(self._job) if self._job.rate else []
        await go()
        cpu = time.process_time()
        self.outcome.started = time.monotonic()
        if self._job.lives:
            await self._lives(cycle(map(_calls_of_lives, channels)))
        elif starts:
            await self._open_loop(calls, starts)
        else:
            await self._closed_loop(calls)
        self.outcome.ended = time.monotonic()
        self.outcome.cpu_s = time.process_time() - cpu
        for channel in channels:
            await channel.close()
        for one in over_http:
            one.close()
        self.outcome.errors = dict(self._errors)
        self.outcome.latencies_ms = quantiles_ms(self._latencies_s)
        self.outcome.waited_ms = quantiles_ms(self._waited_s)
        return self.outcome

    def _orders_in_json(self) -> list[bytes]:
        """As many as can be sent in the time: no more is done in the run than to send them."""
        number = int(self._job.seconds * HTTP_RATE_MAX) + self._job.callers
        return list(in_json(self._requests.one() for _ in range(number)))

    def _call(self, channel: aio.Channel) -> Call:
        return PaidOrder(channel) if self._job.pays else channel.unary_unary(self._job.method)

    async def _closed_loop(self, calls: Iterator[Call]) -> None:
        ends_at = self.outcome.started + self._job.seconds if self._job.seconds else float("inf")
        left = self._job.requests or sys.maxsize
        clock = time.monotonic

        async def caller(call: Call) -> None:
            nonlocal left
            while left > 0 and (begun := clock()) < ends_at:
                left -= 1
                await self._send(call, *self._next(), begun)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._job.callers):
                group.create_task(caller(next(calls)))

    async def _lives(self, calls: Iterator[Mapping[str, Call]]) -> None:
        lives = Lives(self._job.lives, self._job.seed)

        async def caller(steps: Mapping[str, Call]) -> None:
            while life := lives.take():
                call, begun = steps[life.method], time.monotonic()
                answer = await self._send(call, life.request(), self._latencies_s, begun)
                if answer is not None:  # else its life ends here, and the run fails
                    lives.give_back(life, answer)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._job.callers):
                group.create_task(caller(next(calls)))

    async def _open_loop(self, calls: Iterator[Call], starts: Sequence[float]) -> None:
        begun, clock = self.outcome.started, time.monotonic
        async with asyncio.TaskGroup() as group:
            for offset in starts:
                intended = begun + offset
                while (early_s := intended - clock()) > 0:  # noqa: ASYNC110 - a schedule has no event
                    await asyncio.sleep(early_s)
                self._note_lateness(-early_s)
                group.create_task(self._send(next(calls), *self._next(), intended))

    def _note_lateness(self, late_s: float) -> None:
        if late_s > LATE_S:
            self.outcome.late += 1
        self.outcome.late_s_max = max(self.outcome.late_s_max, late_s)

    def _next(self) -> tuple[bytes, list[float]]:
        """The next request, and where its latency belongs."""
        if self._payloads:
            return next(self._payloads), self._latencies_s
        if self._job.method == CREATE_BATCH:
            return self._requests.batch(self._job.batch), self._latencies_s
        self._number += 1
        if self._job.wait_every and self._number % self._job.wait_every == 0:
            return self._requests.one(wait=True), self._waited_s
        return self._requests.one(), self._latencies_s

    async def _send(
        self,
        call: Call,
        request: bytes,
        latencies: list[float],
        begun: float,
    ) -> bytes | None:
        """Return the answer; None: it was an error, which is counted."""
        self.outcome.calls += 1
        try:
            answer = await call(request, timeout=CALL_S_MAX)
        except (grpc.RpcError, HttpFailed) as error:
            name = str(error) if isinstance(error, HttpFailed) else error.code().name
            self._errors[name] += self._job.batch
            return None
        latencies.append(time.monotonic() - begun)
        refused = refused_of_batch(answer) if self._job.method == CREATE_BATCH else 0
        self.outcome.refused += refused
        self.outcome.items += self._job.batch - refused
        return answer


def _calls_of_lives(channel: aio.Channel) -> Mapping[str, Call]:
    return {step.method: channel.unary_unary(step.method) for step in STEPS}


def intended_starts(job: Job) -> list[float]:
    """Seconds from the start of the run at which requests are due: evenly, or as a seeded Poisson
    process."""
    if not job.poisson:
        return [number / job.rate for number in range(int(job.rate * job.seconds))]
    dice, due, starts = Random(job.seed), 0.0, []
    while (due := due + dice.expovariate(job.rate)) < job.seconds:
        starts.append(due)
    return starts


def quantiles_ms(values_s: Sequence[float]) -> dict[str, float]:
    """Nearest-rank quantiles in milliseconds; nothing for nothing."""
    if not values_s:
        return {}
    ranked = sorted(values_s)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    last = len(ranked) - 1
    return {
        name: 1_000 * ranked[min(last, max(0, -int(-share * len(ranked) // 1) - 1))]
        for name, share in shares.items()
    }


async def main() -> None:
    """Read one job a line, run it, answer; end with the input."""
    loop = asyncio.get_running_loop()

    async def line() -> str:
        return await loop.run_in_executor(None, sys.stdin.readline)

    async def go() -> None:
        print("ready", flush=True)
        await line()

    while text := await line():
        facts = json.loads(text)
        job = Job(**facts | {name: tuple(facts[name]) for name in ("payloads", "lives")})
        outcome = await Load(job).run(go)
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
