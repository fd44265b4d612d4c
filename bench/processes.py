"""What the processes of a run cost: CPU seconds and resident memory by part, from /proc.

Every part is a child of this process; what a child starts (database backends, worker processes)
counts as its own, and so does what such a process used before it ended.
"""

import os
import resource
import time
from pathlib import Path

from testbed import procfs

# Part by what stands in the command line of the child; the first that fits.
PARTS = (
    ("orders serve", "orders"),
    ("inventory serve", "inventory"),
    ("holdfast up", "embedded"),
    ("holdfast replay", "generator"),
    ("bench.generator", "generator"),
    ("bench.echo", "echo"),
    ("py-spy", "profiler"),
    ("rabbitmq", "rabbitmq"),
    ("beam.smp", "rabbitmq"),
    ("epmd", "rabbitmq"),
    ("pgbench", "pgbench"),
    ("postgres", "postgres"),
)


class Meter:
    """Reads the CPU meters when it is made, and again when it is stopped.

    :param ended: the part that programs count as which ended in between, such as pgbench.
    """

    def __init__(self, ended: str = "other") -> None:
        self._ended = ended
        self._at, self._busy_s = time.monotonic(), machine_busy_s()
        self._before, self._ended_s = cpu_s(), _ended_s()
        self.used: dict[str, float] = {}
        self.cores = self.others = 0.0

    def stop(self) -> None:
        """Fill `used`, CPU seconds by part, and how many cores we and others kept busy."""
        took_s = time.monotonic() - self._at
        self.used = {part: used - self._before.get(part, 0.0) for part, used in cpu_s().items()}
        if ended_s := _ended_s() - self._ended_s:
            self.used[self._ended] = self.used.get(self._ended, 0.0) + ended_s
        ours_s = sum(self.used.values())
        self.cores = ours_s / took_s
        self.others = max(0.0, machine_busy_s() - self._busy_s - ours_s) / took_s

    def cpu_ms(self, items: int) -> dict[str, float]:
        """Milliseconds by part and item."""
        return {
            part: 1_000 * used / max(items, 1) for part, used in sorted(self.used.items()) if used
        }


def _ended_s() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def pids_by_part() -> dict[int, str]:
    """Every process below this one, with the part that it belongs to."""
    children, found = procfs.children(), dict[int, str]()
    for child in children.get(os.getpid(), ()):
        part = part_of(procfs.command_line(child))
        waiting = [child]
        while waiting:
            pid = waiting.pop()
            found[pid] = part
            waiting += children.get(pid, ())
    return found


def part_of(command_line: str) -> str:
    """The part that a process is, by its command line."""
    return next((part for words, part in PARTS if words in command_line), "other")


def cpu_s() -> dict[str, float]:
    """CPU seconds that each part has used until now, user and system."""
    used: dict[str, float] = {}
    for pid, part in pids_by_part().items():
        fields = procfs.stat(pid)
        if fields:
            # utime, stime, and both of the children that have ended.
            used[part] = used.get(part, 0.0) + sum(map(int, fields[11:15])) / procfs.TICKS_S
    return used


def machine_busy_s() -> float:
    """CPU seconds that the whole machine was busy since it started, other people's included."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, *others = map(int, fields[:8])
    return (user + nice + system + sum(others)) / procfs.TICKS_S


def resident_mb(part: str) -> float:
    """Resident memory of a part, all its processes together, in 10**6 bytes."""
    total = 0
    for pid, owner in pids_by_part().items():
        fields = procfs.stat(pid) if owner == part else []
        total += int(fields[21]) * procfs.PAGE_BYTES if fields else 0
    return total / 1e6


def pids_of(part: str) -> list[int]:
    """The processes of a part, the first one first."""
    return sorted(pid for pid, owner in pids_by_part().items() if owner == part)
