"""Spans are made for what is sampled, handed on to what it causes, and cost nothing when off."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import pytest

from holdfast.chassis import otel, tracing
from holdfast.chassis.tracing import TRACEPARENT, Work

CALLER = f"00-{'a' * 32}-{'1' * 16}-01"
OTHER = f"00-{'b' * 32}-{'2' * 16}-01"
UNSAMPLED = f"00-{'c' * 32}-{'3' * 16}-00"


class Span:
    def __init__(self, name: str, parent: str, number: int) -> None:
        self.name, self.parent, self.ended = name, parent, "no"
        trace_id = parent[3:35] or f"{number:032x}"
        self.traceparent = f"00-{trace_id}-{number:016x}-01"

    def end(self, error: BaseException | None) -> None:
        self.ended = type(error).__name__


class Recorder:
    def __init__(self) -> None:
        self.spans: list[Span] = []

    def begin(self, name: str, kind: str, parent: str, _: Mapping[str, str | int]) -> Span:
        self.spans.append(Span(name, parent, len(self.spans) + 1))
        return self.spans[-1]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    found = Recorder()
    tracing.record_to(found, 0.0)
    yield found
    tracing.record_to(None, 0.0)


def test_what_is_done_within_belongs_to_the_span(recorder: Recorder) -> None:
    with Work("call", "server", [CALLER]):
        (outer,) = tracing.current()
        with Work("transaction", "internal", tracing.current()):
            assert tracing.current() != (outer,)
        assert tracing.current() == (outer,)
    assert tracing.current() == ()

    call, transaction = recorder.spans
    assert (call.parent, transaction.parent) == (CALLER, call.traceparent)
    assert [call.ended, transaction.ended] == ["NoneType"] * 2


def test_a_batch_has_a_span_in_every_sampled_trace_and_tells_each_its_own(
    recorder: Recorder,
) -> None:
    with Work("batch", "internal", [CALLER, "", UNSAMPLED, OTHER, CALLER]) as work:
        told = list(work.traceparents)
        current = tracing.current()

    assert [span.parent for span in recorder.spans] == [CALLER, OTHER, CALLER]
    first, other, again = [span.traceparent for span in recorder.spans]
    assert told == [first, "", UNSAMPLED, other, again]
    assert current == (first, UNSAMPLED, other), "one of each trace"


def test_an_error_ends_the_span_as_what_it_is(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="why"), Work("call", "server", [CALLER]):
        raise ValueError("why")

    assert [span.ended for span in recorder.spans] == ["ValueError"]
    assert tracing.current() == ()


@pytest.mark.parametrize(("ratio", "begun"), [(0.0, 0), (1.0, 1)])
def test_chance_decides_who_begins_a_trace(recorder: Recorder, ratio: float, begun: int) -> None:
    tracing.record_to(recorder, ratio)

    with Work("call", "server", [""], may_begin=True), Work("inner", "internal", [""]):
        pass

    assert len(recorder.spans) == begun


def test_where_nobody_records_the_callers_trace_is_handed_on() -> None:
    with Work("call", "server", [CALLER], may_begin=True) as work:
        assert tracing.current_one() == work.traceparents[0] == CALLER


def test_nothing_of_opentelemetry_is_imported_unless_asked_for() -> None:
    program = (
        "import sys, holdfast.embedded, holdfast.orders.service, holdfast.inventory.service\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False)

    assert done.returncode == 0


def test_without_the_extra_it_is_said_what_to_install() -> None:
    program = (
        "import asyncio, sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from holdfast.chassis.process.telemetry import traced\n"
        "async def main():\n"
        "    async with traced('http://localhost:4318/v1/traces', 1.0, 'orders'):\n"
        "        pass\n"
        "asyncio.run(main())"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "pip install 'holdfast[otel]'" in done.stderr


@pytest.mark.parametrize(
    ("version", "trace_id", "span_id"),
    [("ff", "a" * 32, "1" * 16), ("00", "0" * 32, "1" * 16), ("00", "a" * 32, "0" * 16)],
)
def test_what_the_standard_calls_no_trace_is_none(
    version: str, trace_id: str, span_id: str
) -> None:
    assert TRACEPARENT.fullmatch(CALLER)
    assert not TRACEPARENT.fullmatch(f"{version}-{trace_id}-{span_id}-01")


def test_an_end_is_not_held_up_by_who_takes_traces_and_never_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otel, "SEND_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        recorder = otel.OtelRecorder(url, "orders", "1")
        for _ in range(5_000):  # ten times as many as are sent together
            recorder.begin("call", "server", "", {}).end(None)

        began = time.monotonic()
        recorder.close()

    assert time.monotonic() - began < 4  # ten times would take 5
