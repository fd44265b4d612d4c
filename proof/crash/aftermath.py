"""What a case left behind, gathered for the checker: histories, databases, logs, queues."""

from collections.abc import Iterator
from dataclasses import replace

from holdfast.verification import verify
from proof.checker import Violation, check
from proof.converging import evidence_of
from proof.crash.ground import Ground
from proof.history import History
from proof.logs import attempts_of

# What asyncio and Python say of work that nobody looked after.
COMPLAINTS = ("never retrieved", "was never awaited", "was destroyed but it is pending")


async def judge(ground: Ground, history: History) -> list[str]:
    """Name everything that is wrong, once all services have ended."""
    left = await ground.left_in_broker()
    evidence = replace(
        await evidence_of(history, ground.urls),
        sightings=left.sightings,
        attempts=attempts_of(ground.logs()),
        queues=left.queues,
    )
    found = list(map(_text, check(evidence)))
    found += (await verify(ground.urls["orders"], ground.urls["inventory"])).contradictions
    return found + list(_complaints(ground))


def _text(violation: Violation) -> str:
    return f"invariant {violation.invariant}, {violation.subject}: {violation.text}"


def _complaints(ground: Ground) -> Iterator[str]:
    for log in ground.logs():
        for line in log.read_text(errors="replace").splitlines():
            if any(words in line for words in COMPLAINTS):
                yield f"{log.name}: {line}"
