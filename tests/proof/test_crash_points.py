"""Every crash point of embedded mode: whatever happens there, every promise is kept.

The cases run beside the tests, some at a time, by the command that people use; each test waits for
its own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.crash.points import Case, Mode, cases

ROOT = Path(__file__).parents[2]
RESULT_S_MAX = 55.0  # on a machine that is busy with other things; below the limit of a test
LOOK_S = 0.02


class Running:
    """`python -m proof.crash`, and what it found."""

    def __init__(self, names: list[str], folder: Path) -> None:
        self._results, self._output = folder / "results.jsonl", folder / "output"
        self._results.touch()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "proof.crash", "--results", self._results, *names],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def violations_of(self, case: Case) -> list[str]:
        """Wait for the case's result."""
        ends_at = time.monotonic() + RESULT_S_MAX
        while (found := self._find(case)) is None:
            waits = self._process.poll() is None and time.monotonic() < ends_at
            assert waits, self._output.read_text()
            time.sleep(LOOK_S)
        return found

    def _find(self, case: Case) -> list[str] | None:
        for line in self._results.read_text().splitlines(keepends=True):
            if line.endswith("\n") and (result := json.loads(line))["case"] == case.name:
                return list(result["violations"])
        return None

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture(scope="session")
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


@pytest.mark.parametrize("case", cases(Mode.EMBEDDED), ids=lambda case: case.name)
def test_every_promise_is_kept(case: Case, running: Running) -> None:
    assert running.violations_of(case) == []
