"""Start `holdfast` with a wall clock that can be set while it runs; the machine's own stays right.

The file named by CLOCK_FILE holds the seconds by which the process is ahead, as eight bytes.
Everything in a service that asks for the date asks `SystemClock`: a test of style holds that. The
monotonic clock, by which it waits, is not moved, just as when an operator sets a machine's date.
"""

import mmap
import os
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.chassis.clock import SystemClock, uuid7
from holdfast.cli.main import main

CLOCK_FILE = "HOLDFAST_PROOF_CLOCK"
AHEAD_S = struct.Struct("d")


def set_clock(file: Path, ahead_s: float) -> None:
    """Move the clock of the process that was started with this file."""
    if not file.exists():
        file.write_bytes(AHEAD_S.pack(ahead_s))
        return
    with file.open("r+b") as opened:
        opened.write(AHEAD_S.pack(ahead_s))  # in place: the process has it mapped


def shift(clock: type[SystemClock], file: Path) -> None:
    """Let the clock read the file each time that it is asked."""
    with file.open("rb") as opened:
        ahead = mmap.mmap(opened.fileno(), AHEAD_S.size, access=mmap.ACCESS_READ)

    def now(_self: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=AHEAD_S.unpack(ahead)[0])

    def new_id(_self: SystemClock) -> str:
        unix_s = time.time() + AHEAD_S.unpack(ahead)[0]
        return uuid7(int(unix_s * 1000), os.urandom(10))

    for method in (now, new_id):
        setattr(clock, method.__name__, method)


if __name__ == "__main__":
    shift(SystemClock, Path(os.environ[CLOCK_FILE]))
    main()
