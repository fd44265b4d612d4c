"""Run a `holdfast` command in which points are armed.

    python -m proof.crash.launch ARMING.json -- up --data DIR

Nothing springs until the process gets SIGUSR1, so that the middle of the work can be chosen.
"""

import argparse
import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast.chassis import failpoints
from holdfast.chassis.batcher import Batcher
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.process import lifecycle
from holdfast.cli.main import app
from proof.crash.failpoint_actions import LOOP, VERBS, FailpointAction, FailpointActions
from proof.crash.points import Action
from proof.crash.windows import open_windows


@dataclass(frozen=True, slots=True)
class Arming:
    """What a process is to meet, as plain JSON.

    :param sprung: the file that tells of every action that sprang.
    :param at_once: nobody has to send SIGUSR1 first.
    :param constants: "module:NAME" to the value that it gets in this process; NAME may lead through
        attributes and keys, as in "module:SQL.sqlite.NEXT_EVENTS".
    """

    actions: tuple[FailpointAction, ...]
    sprung: str
    constants: dict[str, Any] = field(default_factory=dict)
    at_once: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Arming":
        facts = json.loads(text)
        actions = tuple(
            FailpointAction(
                **{**one, "action": Action(one["action"]), "errors": tuple(one["errors"])}
            )
            for one in facts.pop("actions")
        )
        return cls(actions, **facts)


def run(arming: Arming, arguments: Sequence[str]) -> None:
    """Be `holdfast` with these arguments; ends as it ends, by SystemExit."""
    actions = FailpointActions(arming.actions, Path(arming.sprung))
    signal.signal(signal.SIGUSR1, lambda *_: failpoints.arm(actions.reached))
    for place, value in arming.constants.items():
        module, _, path = place.partition(":")
        *through, name = path.split(".")
        setattr(reduce(_part, through, import_module(module)), name, value)
    lifecycle._supervised = _named(lifecycle._supervised)
    RpcBoundary._guard = _known(RpcBoundary._guard)  # type: ignore[method-assign]
    Batcher._run_batch = _known_batch(Batcher._run_batch)  # type: ignore[method-assign]
    open_windows({armed.name for armed in arming.actions})
    if arming.at_once:
        failpoints.arm(actions.reached)
    app(list(arguments), prog_name="holdfast")


def _part(owner: Any, name: str) -> Any:
    return owner[name] if isinstance(owner, dict) else getattr(owner, name)


def _named(supervised: Callable[..., Any]) -> Any:
    """Let everything that a background loop does know the loop's name."""

    async def run(name: str, *rest: Any) -> None:
        LOOP.set(name)
        await supervised(name, *rest)

    return run


def _known(guard: Callable[..., Any]) -> Any:
    """Let everything that an RPC does know the RPC."""

    def known(boundary: RpcBoundary, name: str, handle: Any, read: Any) -> Any:
        async def call(request: Any, context: Any) -> Any:
            VERBS.set(frozenset({name.rpartition("/")[2]}))
            return await handle(request, context)

        return guard(boundary, name, call, read)

    return known


def _known_batch(run: Callable[..., Any]) -> Any:
    """Let everything that a batch does know the kinds of its commands."""

    async def known(batcher: Batcher[Any, Any], batch: Sequence[Any]) -> None:
        VERBS.set(frozenset(type(item).__name__ for group in batch for item in group.items))
        await run(batcher, batch)

    return known


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m proof.crash.launch", description=__doc__)
    options.add_argument("arming", type=Path, help="see the class Arming")
    options.add_argument("arguments", nargs="+", help="those of `holdfast`, after --")
    chosen = options.parse_args()
    run(Arming.from_json(chosen.arming.read_text()), chosen.arguments)


if __name__ == "__main__":
    main()
