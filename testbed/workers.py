"""Worker processes that share the port of a service, as the kernel knows them."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from testbed import procfs
from testbed.processes import Program

READY_S_MAX = 30.0
LISTEN, ESTABLISHED = "0A", "01"  # states of a socket in /proc/net


class Workers:
    """The workers below a program.

    :param port: where all of them listen.
    :param count: how many there shall be.
    """

    def __init__(self, program: Program, port: int, count: int) -> None:
        self._program, self._port, self._count = program, port, count

    def all_listen(self, *, besides: Collection[int] = ()) -> list[int]:
        """The process ids, when all are there and none is one of `besides`."""

        def are_there() -> bool:
            ids = self._sockets(LISTEN).keys()
            return len(ids) == self._count and not ids & set(besides)

        self._program.wait_until(are_there, READY_S_MAX, f"does not have {self._count} workers")
        return sorted(self._sockets(LISTEN))

    def connections(self) -> Counter[int]:
        """How many each worker has with callers, by process id."""
        return self._sockets(ESTABLISHED)

    def deaths(self) -> int:
        """How many the supervisor has told of."""
        return self._program.log.read_text().count("worker died, starting another")

    def _sockets(self, state: str) -> Counter[int]:
        sockets = {
            f"socket:[{fields[9]}]"
            for table in ("tcp", "tcp6")  # gRPC listens on IPv4 by a socket of IPv6
            for line in Path("/proc/net", table).read_text().splitlines()[1:]
            if (fields := line.split())[3] == state and fields[1].endswith(f":{self._port:04X}")
        }
        found: Counter[int] = Counter()
        for worker in procfs.children().get(self._program.pid, ()):
            found[worker] = len(sockets.intersection(procfs.open_files(worker)))
        return +found
