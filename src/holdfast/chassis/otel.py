"""Record spans with OpenTelemetry and send them by OTLP over HTTP: the extra `[otel]`.

Imported only by a process that was told where to send them.
"""

from collections.abc import Mapping
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

SEND_EVERY_MS = 1_000
SEND_TIMEOUT_S = 5
SPANS_QUEUED_MAX = 20_000  # more are dropped, never waited for


class OtelRecorder:
    """Records what is sampled; a thread of OpenTelemetry's sends it.

    :param url: where traces are taken, such as http://localhost:4318/v1/traces.
    :param service: by which name this process is known there.
    """

    def __init__(self, url: str, service: str, version: str) -> None:
        resource = Resource.create({"service.name": service, "service.version": version})
        # Whether a trace is sampled is decided before anybody asks here.
        self._provider = sdk.TracerProvider(
            resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=url, timeout=SEND_TIMEOUT_S),
                max_queue_size=SPANS_QUEUED_MAX,
                schedule_delay_millis=SEND_EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("holdfast", version)

    def begin(
        self, name: str, kind: str, parent: str, attributes: Mapping[str, str | int]
    ) -> "RecordedSpan":
        return RecordedSpan(
            self._tracer.start_span(
                name,
                context=_context_of(parent) if parent else Context(),
                kind=SpanKind[kind.upper()],
                attributes=attributes,
            )
        )

    def close(self) -> None:
        """Send what is left, for SEND_TIMEOUT_S at most; this blocks."""
        # By itself it takes half a minute, where nobody answers.
        sending = Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(SEND_TIMEOUT_S)


class RecordedSpan:
    def __init__(self, span: Span) -> None:
        self._span = span
        made = span.get_span_context()
        self.traceparent = f"00-{made.trace_id:032x}-{made.span_id:016x}-01"

    def end(self, error: BaseException | None) -> None:
        if error is not None:
            # The kind alone: what an error says may name customers.
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def _context_of(traceparent: str) -> Context:
    _, trace_id, span_id, flags = traceparent.split("-")
    parent = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())
