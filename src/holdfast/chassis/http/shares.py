"""How much is done at once: for all together, and of that half at most for one caller."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.rpc.status_pb2 import Status

from holdfast.chassis import callers
from holdfast.chassis.grpc import statuses
from holdfast.chassis.http.context import Aborted
from holdfast.chassis.turns import Counts


class Shares:
    """Requests of one kind under way.

    :param most: at the same time; a caller has half of them, so that nobody shuts out all others.
    :param reason: why a caller who has more is refused.
    """

    def __init__(self, most: int, reason: str) -> None:
        self._most, self._reason = most, reason
        self._count = 0
        self._by_caller = Counts()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one more while the block runs. :raises Aborted: there are too many."""
        if self._count >= self._most:
            raise Aborted(_refusal("OVERLOADED", "too many requests are under way"))
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    @contextmanager
    def one_of(self, peer: str) -> Iterator[None]:
        """Count it for who calls, who is known by now. :raises Aborted: they have too many."""
        caller = callers.named(callers.address_of(peer))
        if self._by_caller.of(caller) >= self._most // 2:
            raise Aborted(_refusal(self._reason, "too many of your requests are under way"))
        with self._by_caller.one_of(caller):
            yield


def _refusal(reason: str, message: str) -> Status:
    return statuses.retry_later(grpc.StatusCode.RESOURCE_EXHAUSTED, reason, message)
