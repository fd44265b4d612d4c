"""Prometheus' own checker, as Debian has it: unpacked beside the environment, never installed."""

import subprocess
from pathlib import Path

from testbed.servers import ServerMissing

PROMTOOL = Path(__file__).parents[1] / "build" / "prometheus" / "usr" / "bin" / "promtool"
PROMTOOL_S_MAX = 60.0


def promtool(*arguments: str, given: str = "", cwd: Path | None = None) -> tuple[int, str]:
    """Run it; return its exit code and all that it says.

    :raises ServerMissing: it is not there.
    """
    if not PROMTOOL.exists():
        raise ServerMissing("promtool is missing: run `make servers`")
    done = subprocess.run(
        [PROMTOOL, *arguments],
        input=given,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PROMTOOL_S_MAX,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
