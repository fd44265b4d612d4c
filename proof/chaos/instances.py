"""One process of a service, by its name, that can be killed, frozen and started again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process holds at a moment."""

    rss_kib: int
    descriptors: int
    threads: int
    sockets: int


class Instance:
    """One process of a service on a port of its own, which it keeps over any number of starts."""

    name: str  # orders-1
    service: str  # orders
    address: str  # where it listens, past the wires

    def start(self) -> None:
        """Return when the process says that it serves."""
        raise NotImplementedError

    def terminate(self) -> None:
        """Stop in good order (SIGTERM); return when it has ended."""
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError

    def freeze(self) -> None:
        raise NotImplementedError

    def thaw(self) -> None:
        raise NotImplementedError

    def is_running(self) -> bool:
        raise NotImplementedError

    def serves(self) -> bool:
        """Whether it answers health checks with SERVING now."""
        raise NotImplementedError

    def shift_clock(self, seconds: float) -> None:
        """Let its clock be ahead of the machine's by so much (behind, if negative)."""
        raise NotImplementedError

    def resources(self) -> Resources:
        raise NotImplementedError
