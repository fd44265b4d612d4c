"""Traces: which ones the running work is done for, and spans of it for whoever records them.

W3C Trace Context travels along with calls and events whether or not anybody records: what comes in
goes on. Spans are recorded only where a process was told where to send them (`record_to`), and of
those traces that are sampled; nothing is imported or kept otherwise.

Work in batches is done for many traces at once. Each of them gets a span of the batch, so that
every order's trace is whole by itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Protocol

from holdfast.chassis.clock import happens

# What has another form is none, and is ignored wherever it comes in; so are ids of zeros alone.
TRACEPARENT = re.compile(
    "(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
NO_ATTRIBUTES: Mapping[str, str | int] = {}


class Span(Protocol):
    """A piece of work in one trace, under way."""

    traceparent: str

    def end(self, error: BaseException | None) -> None:
        """It is over; an error is how it ended."""


class Recorder(Protocol):
    """Who records spans: `otel.py`."""

    def begin(
        self, name: str, kind: str, parent: str, attributes: Mapping[str, str | int]
    ) -> Span: ...


_current: ContextVar[tuple[str, ...]] = ContextVar("traces", default=())
_recorder: Recorder | None = None
_ratio = 0.0


def record_to(recorder: Recorder | None, ratio: float) -> None:
    """Have spans recorded in this process from now on; None: no more.

    :param ratio: of the requests that belong to no trace, so many begin one.
    """
    global _recorder, _ratio
    _recorder, _ratio = recorder, ratio


def is_recording() -> bool:
    """Whether spans are recorded: ask before work that only they need."""
    return _recorder is not None


def current() -> tuple[str, ...]:
    """Return the traces that the running work is done for, each as a traceparent."""
    return _current.get()


def current_one() -> str:
    """Return the trace that a call of ours to another service belongs to; "" if to none. Work for
    many traces calls in the name of the first.
    """
    traces = _current.get()
    return traces[0] if traces else ""


def trace_id_of(traceparent: str) -> str:
    """Return the trace's own id, as logs show it; "" for none."""
    return traceparent[3:35]


class Work:
    """Something that is done for traces while the block runs, and a span of it in each.

    :param kind: server, internal, producer or consumer, as OpenTelemetry has them.
    :param parents: a traceparent for each part of the work; "": that part belongs to no trace.
    :param each: attributes of each part, in the order of the parents; none: they have none.
    :param may_begin: a part without a trace begins one, if chance wills.
    """

    __slots__ = ("_before", "_each", "_kind", "_may_begin", "_name", "_spans", "traceparents")

    def __init__(
        self,
        name: str,
        kind: str,
        parents: Sequence[str],
        each: Callable[[int], Mapping[str, str | int]] = lambda _: NO_ATTRIBUTES,
        *,
        may_begin: bool = False,
    ) -> None:
        self._name, self._kind, self._each, self._may_begin = name, kind, each, may_begin
        self._spans: list[Span] = []
        self.traceparents = parents  # inside of the block: what to tell others, part by part

    def __enter__(self) -> "Work":
        if _recorder is not None:
            self.traceparents = [
                self._begin(_recorder, *one) for one in enumerate(self.traceparents)
            ]
        self._before = _current.get()
        _current.set(_one_of_each(self.traceparents))
        return self

    def _begin(self, recorder: Recorder, place: int, parent: str) -> str:
        if not (_is_sampled(parent) if parent else self._may_begin and happens(_ratio)):
            return parent
        span = recorder.begin(self._name, self._kind, parent, self._each(place))
        self._spans.append(span)
        return span.traceparent

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # Not by the token: a stream that is given up may be ended in another context.
        _current.set(self._before)
        for span in self._spans:
            span.end(error)


def _is_sampled(traceparent: str) -> bool:
    return int(traceparent[-2:], 16) & 1 == 1


def _one_of_each(traceparents: Sequence[str]) -> tuple[str, ...]:
    """Of several parts in one trace the first stands for all."""
    if not any(traceparents):  # mostly, and for every call
        return ()
    firsts: dict[str, str] = {}
    for traceparent in traceparents:
        if traceparent:
            firsts.setdefault(traceparent[3:35], traceparent)
    return tuple(firsts.values())
