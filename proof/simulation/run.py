"""Run one seed in this interpreter, which is of no use for anything else afterwards."""

import gc
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import structlog

from holdfast.chassis.database import sqlite
from holdfast.chassis.database.migrations import migrate
from holdfast.client import _calls
from proof.simulation.loop import Deadlock, Runaway
from proof.simulation.nemesis import PlannedError
from proof.simulation.programs import NOTIFIER, SERVICES
from proof.simulation.swarm import Swarm
from proof.simulation.thread import SimulatedThread
from proof.simulation.world import Moment, World

# Errors that are told in a log line only, and that no fault may cause.
FORBIDDEN_LINES = ("rpc failed", "background loop failed", "consumer failed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run.

    :param fingerprint: of every step and every event: equal for equal runs.
    :param calls: by outcome.
    :param struck: how often what went wrong.
    """

    seed: int
    violations: tuple[str, ...]
    fingerprint: str
    steps: int
    virtual_s: float
    cpu_s: float
    calls: Mapping[str, int]
    kills: int
    struck: Mapping[str, int]
    timeline: tuple[Moment, ...]


def make_templates(folder: Path) -> None:
    """Make the migrated, empty databases that every run copies."""
    for service in (*SERVICES, NOTIFIER):
        migrate(service, f"sqlite://{folder / service}.db")


def run(swarm: Swarm, templates: Path) -> Verdict:
    """Live one seed's world to its end."""
    gc.disable()  # a coroutine of a dead process must not be closed
    began = time.process_time()
    swarm.apply()
    sqlite.ThreadPoolExecutor = SimulatedThread  # type: ignore[attr-defined,assignment]
    sqlite.BUSY_TIMEOUT_S = 0.0  # nobody ever waits in real time
    folder = Path(tempfile.mkdtemp(prefix=f"seed-{swarm.seed}-", dir=templates))
    try:
        for service in (*SERVICES, NOTIFIER):
            shutil.copyfile(templates / f"{service}.db", folder / f"{service}.db")
        world = World(swarm, folder)
        _calls.time = SimpleNamespace(monotonic=world.loop.time)  # type: ignore[assignment,attr-defined]
        errors = _listen_to_logs(world)
        violations = _lived(world) + errors
    finally:
        shutil.rmtree(folder)
    calls = world.history.calls
    return Verdict(
        seed=swarm.seed,
        violations=tuple(violations),
        fingerprint=f"{world.loop.fingerprint & (1 << 64) - 1:016x}",
        steps=world.loop.steps,
        virtual_s=world.loop.time(),
        cpu_s=time.process_time() - began,
        calls=Counter(call.outcome for call in calls),
        kills=sum(moment.what.endswith("killed") for moment in world.timeline),
        struck={kind: times for kind, times in world.struck.items() if times},
        timeline=tuple(world.timeline),
    )


def _lived(world: World) -> list[str]:
    unseen: list[str] = []

    def hear(_loop: object, context: dict[str, Any]) -> None:
        unseen.append(f"asyncio: {context['message']}: {context.get('exception')!r}")

    world.loop.set_exception_handler(hear)
    try:
        violations: list[str] = world.loop.run_until_complete(world.live())
    except (Deadlock, Runaway) as error:
        return [f"13: {type(error).__name__}: {error}"]
    return violations + unseen


def _listen_to_logs(world: World) -> list[str]:
    """Take log lines into the timeline; return where forbidden ones will be gathered."""
    errors: list[str] = []

    def hear(_logger: object, method: str, line: structlog.typing.EventDict) -> str:
        text = _told(line)
        world.timeline.append(Moment(world.loop.time(), f"log {method}", text))
        if str(line["event"]).startswith(FORBIDDEN_LINES) and PlannedError.__name__ not in text:
            errors.append(text)
        raise structlog.DropEvent

    structlog.configure(
        processors=[hear],
        wrapper_class=structlog.make_filtering_bound_logger(30),  # warnings and worse
        cache_logger_on_first_use=False,
    )
    return errors


def _told(line: Mapping[str, Any]) -> str:
    facts = {name: value for name, value in line.items() if name != "event"}
    error = facts.pop("exc_info", None)
    if error:
        found = error if isinstance(error, BaseException) else sys.exc_info()[1]
        facts["error"] = repr(found)
    return f"{line['event']} {facts}"
