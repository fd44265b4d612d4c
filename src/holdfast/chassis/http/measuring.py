"""Requests are measured here, those too that never become a call: rubbish, and errors of ours."""

import time

from holdfast.chassis.metrics import HTTP_SECONDS

VERBS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))


class Measured:
    """A request while it is answered. What it says goes into no label but a verb that there is."""

    __slots__ = ("_began", "_verb", "route")

    def __init__(self, verb: str) -> None:
        self._began = time.perf_counter()
        self._verb = verb if verb in VERBS else "_OTHER"
        self.route = ""  # the template of its path, as soon as that is known

    def end(self, status: int) -> None:
        """It is answered."""
        series = HTTP_SECONDS.labels(self._verb, self.route, str(status))
        series.observe(time.perf_counter() - self._began)
