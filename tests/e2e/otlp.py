"""Somebody who takes traces: OTLP over HTTP, on a socket of its own."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Taken(NamedTuple):
    """A span as it came."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    failed: bool
    attributes: dict[str, str]


class Collector:
    """What has been taken so far."""

    def __init__(self) -> None:
        self.url = ""
        self._spans: list[Taken] = []
        self._lock = Lock()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                taken = Taken(
                    about["service.name"],
                    span.name,
                    span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.status.code == 2,
                    {one.key: one.value.string_value for one in span.attributes},
                )
                with self._lock:
                    self._spans.append(taken)

    def spans(self, trace_id: str = "") -> list[Taken]:
        with self._lock:
            return [span for span in self._spans if trace_id in ("", span.trace_id)]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Take traces while the block runs."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(
                gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
            )
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
