"""A minute of chaos on a whole cluster of processes: no promise is broken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proof.verbs import every_rpc

ROOT = Path(__file__).parents[2]
SEED, MINUTES, RUN_S_MAX = 20, 1, 360


@pytest.mark.timeout(RUN_S_MAX + 30)
def test_a_minute_of_chaos_break_no_promise(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "proof.chaos", "--minutes", f"{MINUTES}", "--seed", f"{SEED}"]
    done = subprocess.run(
        [*command, "--raw", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )

    lines = done.stdout.splitlines()
    why = [line for line in lines if line.lstrip().startswith(("FOUND", "VIOLATION"))]
    assert done.returncode == 0, "\n".join([*why, done.stderr, *lines])
    verdict = json.loads(lines[-1])
    assert (verdict["ok"], verdict["seed"], verdict["violations"]) == (True, SEED, [])
    counts = verdict["counts"]
    assert counts["faults struck"] > 5
    assert counts["processes killed"] > 1
    assert counts["orders"] > 100
    assert counts["orders by status"].keys() >= {"CONFIRMED", "CANCELLED", "REJECTED"}
    assert counts["answered OK by RPC"].keys() == every_rpc()
    assert counts["samples of the levels"] > 15
    assert counts["different events heard"] > 2 * counts["orders"]
