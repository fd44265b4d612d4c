"""Ports for servers of tests: several processes of pytest look for them at once."""

import subprocess
import sys

from testbed import processes

ASKED = """
from testbed import processes
processes._PORTS = [{mine}] * 99 + [{free}]
print(processes.free_port())
"""


def test_no_port_is_given_to_two_processes() -> None:
    """Both would start a server there, and one be told that the port is taken."""
    mine, free = processes.free_port(), processes.free_port()
    processes._given.pop().close()

    elsewhere = subprocess.run(
        [sys.executable, "-c", ASKED.format(mine=mine, free=free)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(elsewhere.stdout) == free
