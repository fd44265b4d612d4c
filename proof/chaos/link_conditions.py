"""How a wire between two programs behaves, each direction by itself."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Way:
    """How bytes go in one direction; the default is a good one.

    :param is_held: nothing passes and nothing is closed, as in a black hole; what was sent
        meanwhile comes when it ends, as it would by TCP's own repetition.
    :param cut_after_bytes: reset both ends then, wherever in a frame that is.
    """

    is_held: bool = False
    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    cut_after_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LinkConditions:
    """How a wire behaves; the default is a good one.

    :param is_refused: new connections are; those that are there stay.
    """

    to_server: Way = Way()
    to_client: Way = Way()
    is_refused: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "LinkConditions":
        return cls(Way(**told["to_server"]), Way(**told["to_client"]), told["is_refused"])


GOOD = LinkConditions()
BLACK_HOLE = LinkConditions(Way(is_held=True), Way(is_held=True))
