"""What Linux tells of processes in /proc, whoever started them."""

import os
from pathlib import Path

TICKS_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(") ")[2].split()  # the name before may contain anything


def state(pid: int) -> str:
    """One letter: T is stopped, Z dead and not yet buried; "" if it is gone."""
    return (stat(pid) or [""])[0]


def children() -> dict[int, list[int]]:
    """The children of every process that has some."""
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := stat(int(entry.name))):
            found.setdefault(int(fields[1]), []).append(int(entry.name))
    return found


def tree(root: int) -> list[int]:
    """A process and its descendants, each before its children."""
    of, found = children(), [root]
    for pid in found:
        found += of.get(pid, [])
    return found


def open_files(pid: int) -> list[str]:
    """What its descriptors lead to, such as `socket:[4711]`; none when it has ended."""
    found = []
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.append(str(descriptor.readlink()))
            except FileNotFoundError:  # closed meanwhile
                continue
    except FileNotFoundError:
        return []
    return found


def resident_bytes(pid: int) -> int:
    """Memory that a process has; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def command_line(pid: int) -> str:
    """With its arguments; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
