"""Wires: TCP connections through a process of ours that delays, throttles, holds and cuts them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """How bytes go in one direction."""

    is_held: bool = False  # nothing passes and nothing is closed: a black hole
    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    cut_after_bytes: int | None = None  # then reset both ends, wherever in a frame that is


@dataclass(frozen=True, slots=True)
class Weather:
    """How a wire behaves; the default is a good one."""

    to_server: Way = Way()
    to_client: Way = Way()
    is_refused: bool = False  # new connections; those that are there stay


class Wires:
    """All wires of a ground, by (client, server) such as ("orders-1", "database-0")."""

    def set(self, client: str, server: str, weather: Weather) -> None:
        raise NotImplementedError

    def cut(self, client: str, server: str) -> int:
        """Reset all connections now; return how many there were."""
        raise NotImplementedError

    def clear(self) -> None:
        """Good weather everywhere."""
        raise NotImplementedError
