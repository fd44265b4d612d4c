"""A small disk of its own for a server, so that it can be full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.processes import run

STOP_S_MAX = 30.0


class Disk:
    """A file system in memory at `folder`."""

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.folder = folder
        self._size = f"{size_mib}m"

    def fill(self) -> None:
        """Make it as small as what is on it: from now on there is no space left."""
        used = os.statvfs(self.folder)
        self._resize(str((used.f_blocks - used.f_bfree) * used.f_frsize))

    def free(self) -> None:
        """Give it its size back. Repeating it changes nothing."""
        self._resize(self._size)

    def free_bytes(self) -> int:
        there = os.statvfs(self.folder)
        return there.f_bavail * there.f_frsize

    def _resize(self, size: str) -> None:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        run("mount", command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def can_mount() -> bool:
    """Whether this process may mount file systems: as a rule, root may."""
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@contextmanager
def disk(folder: Path, *, size_mib: int) -> Iterator[Disk]:
    """A disk mounted at a new folder; gone at the end, also when this process is killed."""
    folder.mkdir()
    sweeper = subprocess.Popen(
        ["/bin/sh", "-c", 'cat; umount --lazy "$0"', folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and the kill of a process group must not reach it
    )
    assert sweeper.stdin is not None
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=755", "tmpfs", str(folder)]
    run("mount", command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    try:
        yield Disk(folder, size_mib)
    finally:
        sweeper.stdin.close()
        sweeper.wait(timeout=STOP_S_MAX)
