"""What a case left behind, gathered for the checker: histories, databases, logs, queues."""

import asyncio
import json
import time
from collections.abc import Iterator

from holdfast.chassis.engines import connect
from holdfast.verification import verify
from proof.checker import Attempt, Evidence, Violation, check
from proof.crash.ground import Ground
from proof.facts import Facts, facts_of
from proof.history import History

LOOK_AGAIN_S = 0.1

# What asyncio and Python say of work that nobody looked after.
COMPLAINTS = ("never retrieved", "was never awaited", "was destroyed but it is pending")


async def converge(ground: Ground, history: History) -> None:
    """Return as soon as nothing is wrong, or when the time for that is over: `judge` will tell."""
    ends_at = time.monotonic() + ground.converge_s_max
    while check(Evidence(history.calls, await _facts(ground))) and time.monotonic() < ends_at:
        await asyncio.sleep(LOOK_AGAIN_S)


async def judge(ground: Ground, history: History) -> list[str]:
    """Name everything that is wrong, once all services have ended."""
    left = await ground.left_in_broker()
    evidence = Evidence(
        history.calls,
        await _facts(ground),
        sightings=left.sightings,
        attempts=list(_attempts(ground)),
        queues=left.queues,
    )
    found = list(map(_text, check(evidence)))
    found += (await verify(ground.urls["orders"], ground.urls["inventory"])).contradictions
    return found + list(_complaints(ground))


async def _facts(ground: Ground) -> Facts:
    async with (
        connect(ground.urls["orders"], wait=False) as orders,
        connect(ground.urls["inventory"], wait=False) as inventory,
    ):
        return await facts_of(orders, inventory)


def _text(violation: Violation) -> str:
    return f"invariant {violation.invariant}, {violation.subject}: {violation.text}"


def _attempts(ground: Ground) -> Iterator[Attempt]:
    """What the notifier wrote, oldest first."""
    for log in ground.logs():
        for line in log.read_text(errors="replace").splitlines():
            if '"customer notified"' in line:
                facts = json.loads(line)
                version = int(facts["notification"].rpartition("/")[2])
                yield Attempt(facts["order_id"], version, facts["status"])


def _complaints(ground: Ground) -> Iterator[str]:
    for log in ground.logs():
        for line in log.read_text(errors="replace").splitlines():
            if any(words in line for words in COMPLAINTS):
                yield f"{log.name}: {line}"
