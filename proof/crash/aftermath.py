"""What a case left behind, gathered for the checker: histories, databases, logs, queues."""

from collections.abc import Iterator
from dataclasses import replace

from holdfast.verification import verify
from proof.checker import Violation, check
from proof.converging import record_of
from proof.crash.testbed import Testbed
from proof.history import History

# What asyncio and Python say of work that nobody looked after.
COMPLAINTS = ("never retrieved", "was never awaited", "was destroyed but it is pending")


async def judge(testbed: Testbed, history: History) -> list[str]:
    """Name everything that is wrong, once all services have ended."""
    left = await testbed.left_in_broker()
    record = replace(
        await record_of(history, testbed.urls),
        observed_events=left.observed_events,
        queues=left.queues,
    )
    found = list(map(_text, check(record)))
    found += (await verify(testbed.urls["orders"], testbed.urls["inventory"])).contradictions
    return found + list(_complaints(testbed))


def _text(violation: Violation) -> str:
    return f"invariant {violation.invariant}, {violation.subject}: {violation.text}"


def _complaints(testbed: Testbed) -> Iterator[str]:
    for log in testbed.logs():
        for line in log.read_text(errors="replace").splitlines():
            if any(words in line for words in COMPLAINTS):
                yield f"{log.name}: {line}"
