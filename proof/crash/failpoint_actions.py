"""What a service meets at a point that was armed: a kill, a stop, an error, a delay.

This runs inside the service's process, which `launch.py` starts.
"""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from holdfast.chassis.batcher import Overloaded
from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.orders.domain.errors import InventoryUnavailable
from proof.crash.points import Action

# Both are inherited by the tasks that are made in the loop or by the publisher.
LOOP: ContextVar[str] = ContextVar("LOOP", default="")
MESSAGES: ContextVar[int] = ContextVar("MESSAGES", default=1)
# What is being done: an RPC, or the commands of a batch.
VERBS: ContextVar[frozenset[str]] = ContextVar("VERBS", default=frozenset())

TURNS_MAX = 1_000

ERRORS: dict[str, Exception] = {
    "RuntimeError": RuntimeError("an error that nobody expects"),
    "BrokerUnavailable": BrokerUnavailable("told to be away"),
    "Conflict": Conflict("told to have lost"),
    "DatabaseUnavailable": DatabaseUnavailable("told to be away"),
    "InventoryUnavailable": InventoryUnavailable("told to be away"),
    "Overloaded": Overloaded(0.05),
}


@dataclass(frozen=True, slots=True)
class FailpointAction:
    """What happens where; the fields are those of `points.Point`.

    :param seconds: how long a delay takes.
    """

    name: str
    loop: str
    action: Action
    errors: tuple[str, ...] = ()
    after: str = ""
    messages_min: int = 1
    turns: int = 0
    verb: str = ""
    seconds: float = 0.0

    @property
    def times(self) -> int:
        """How often it springs."""
        return len(self.errors) if self.action is Action.RAISE else 1


class FailpointActions:
    """Springs each action whose point is reached, and says so first.

    :param sprung: a file; each line tells of one action that is about to spring.
    """

    def __init__(self, actions: Sequence[FailpointAction], sprung: Path) -> None:
        self._left = {one: one.times for one in actions}
        self._passed: set[tuple[str, str]] = set()
        self._sprung = os.open(sprung, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def reached(self, name: str) -> None:
        """Act as armed; as `failpoints.arm` wants it."""
        loop = LOOP.get()
        for one in [one for one in self._left if self._is_due(one, name, loop)]:
            await self._spring(one)
        self._passed.add((loop, name))

    def _is_due(self, one: FailpointAction, name: str, loop: str) -> bool:
        return (
            self._left[one] > 0
            and (one.name, one.loop) == (name, loop)
            and MESSAGES.get() >= one.messages_min
            and (not one.verb or one.verb in VERBS.get())
            and (not one.after or (loop, one.after) in self._passed)
        )

    async def _spring(self, one: FailpointAction) -> None:
        number = one.times - self._left[one]
        self._left[one] -= 1
        for _ in range(one.turns):
            await asyncio.sleep(0)
        error = one.errors[number] if one.action is Action.RAISE else ""
        facts = {"name": one.name, "loop": one.loop, "action": one.action, "error": error}
        os.write(self._sprung, json.dumps(facts).encode() + b"\n")
        match one.action:
            case Action.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Action.STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
            case Action.RAISE:
                raise ERRORS[error].with_traceback(None)
            case Action.DELAY:
                await asyncio.sleep(one.seconds)
