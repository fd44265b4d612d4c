"""Every crash point of embedded mode that all verbs share, killed: every promise is kept. The batch
of each verb is killed in simulated runs on every change, and here by `make proof`; `make crash` has
all the rest: the other modes, errors, delays and stops.

The cases run beside the tests, some at a time, by the command that people use; each test waits for
its own.
"""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.crash.points import Action, Case, Mode, cases
from testbed.processes import Program
from testbed.services import ROOT, python_environment

CASES = [
    pytest.param(case, id=case.name, marks=[pytest.mark.proof] if case.point.verb else [])
    for case in cases(Mode.EMBEDDED)
    if case.action is Action.KILL
]
RESULT_S_MAX = 55.0  # on a machine that is busy with other things; below the limit of a test


class Running:
    """`python -m proof.crash`, and what it found."""

    def __init__(self, names: list[str], folder: Path) -> None:
        self._results = folder / "results.jsonl"
        self._results.touch()
        self._program = Program("python -m proof.crash", log=folder / "output")
        self._program.start(
            [sys.executable, "-m", "proof.crash", "--results", str(self._results), *names],
            env=python_environment(),
            cwd=ROOT,
        )

    def violations_of(self, case: Case) -> list[str]:
        """Wait for the case's result."""
        self._program.wait_until(
            lambda: self._find(case) is not None, RESULT_S_MAX, f"has no result for {case.name}"
        )
        found = self._find(case)
        assert found is not None
        return found

    def _find(self, case: Case) -> list[str] | None:
        for line in self._results.read_text().splitlines(keepends=True):
            if line.endswith("\n") and (result := json.loads(line))["case"] == case.name:
                return list(result["violations"])
        return None

    def end(self) -> None:
        self._program.signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """All cases that were chosen, started once."""
    chosen = [
        item.callspec.id
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_every_promise_is_kept
    ]
    running = Running(chosen, tmp_path_factory.mktemp("crash"))
    yield running
    running.end()


@pytest.mark.parametrize("case", CASES)
def test_every_promise_is_kept(case: Case, running: Running) -> None:
    assert running.violations_of(case) == []
