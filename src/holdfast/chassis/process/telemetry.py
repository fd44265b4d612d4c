"""What a process tells about itself: log lines with fields, JSON or, on a terminal, colours; and
spans of the traces that it has a part in, if somebody takes them.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

import orjson
import structlog

from holdfast.chassis import tracing
from holdfast.chassis.clock import SystemClock

GRPC = "grpc._cython.cygrpc"

_clock = SystemClock()


def configure_logging(
    level: str = "INFO", *, as_json: bool | None = None, for_good: bool = False
) -> None:
    """Log to standard error at `level` and above; JSON unless it is a terminal, or as told.

    :param for_good: nobody configures again in this process: every line costs a third less.
    :raises ValueError: no such level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level {level!r} is none of DEBUG, INFO, WARNING, ERROR")
    as_json = not sys.stderr.isatty() if as_json is None else as_json
    structlog.configure(
        processors=[_add_facts, *(_JSON if as_json else [_on_terminal()])],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_StandardError,
        cache_logger_on_first_use=for_good,
    )
    libraries = logging.StreamHandler(sys.stderr)
    if as_json:
        libraries.setFormatter(_JsonLine())
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[libraries])
    # A connection that is lost is said by us, in one line; these say it again, in a traceback.
    for library in ("aiormq", "asyncpg"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    logging.getLogger(GRPC).addFilter(_is_no_departure)
    logging.getLogger("asyncio").addFilter(_is_no_return)


def _is_no_departure(record: logging.LogRecord) -> bool:
    """Whether it is anything but a caller that went while it was being answered.

    gRPC tells that as an error, with a traceback, of any call that was given up at that moment.
    """
    return type((record.exc_info or (None, None))[1]).__name__ != "ExecuteBatchError"


def _is_no_return(record: logging.LogRecord) -> bool:
    """Whether it is anything but a connection that asyncpg took back when nobody waited any more.

    A call was given up while its database stood still: whoever needs that next says so.
    """
    return "PoolConnectionHolder.release()" not in record.getMessage()


class TracesNotInstalled(Exception):
    """Spans are to be sent, and what sends them is not installed."""

    def __init__(self) -> None:
        super().__init__("to send traces, install holdfast[otel]: pip install 'holdfast[otel]'")


@asynccontextmanager
async def traced(url: str, ratio: float, service: str) -> AsyncIterator[None]:
    """Send the spans of what happens while the block runs.

    :param url: where traces are taken by OTLP over HTTP, such as http://localhost:4318/v1/traces;
        "": no spans are recorded.
    :param ratio: of the requests that belong to no trace, so many begin one. One that belongs to a
        trace is recorded if its caller says so.
    :raises TracesNotInstalled: the extra `otel` is missing.
    """
    if not url:
        yield
        return
    try:
        from holdfast.chassis.otel import OtelRecorder
    except ModuleNotFoundError as error:
        raise TracesNotInstalled from error
    recorder = OtelRecorder(url, service, version("holdfast"))
    tracing.record_to(recorder, ratio)
    try:
        yield
    finally:
        tracing.record_to(None, 0.0)
        await asyncio.to_thread(recorder.close)


def _add_facts(
    _logger: object, name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Say how grave it is, and when it is; and which trace it is about, if it is about one. One
    function, as a line is logged for every request.
    """
    event["level"] = "error" if name == "exception" else name
    traces = tracing.current()
    if len(traces) == 1:
        event.setdefault("trace_id", tracing.trace_id_of(traces[0]))
    event["timestamp"] = _clock.now().isoformat(timespec="microseconds")[:-6] + "Z"
    return event


def _on_terminal() -> structlog.typing.Processor:
    """Not by `rich`, which shows what an error's functions had in hand: keys, and customers."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


class _StandardError:
    """Writes each line at once, to whatever standard error is by then."""

    def msg(self, line: str) -> None:
        # A full disk, or a reader of the log that has gone, costs lines and no answers.
        with suppress(OSError):
            sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = msg


def _as_json(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
    try:
        return orjson.dumps(event, repr, _AS_REPR).decode()
    except orjson.JSONEncodeError:  # half a character, or a huge number, which `json` can write
        return json.dumps(event, default=repr)


class _JsonLine(logging.Formatter):
    """Says what a library logs as one of our lines."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _as_json(None, "", _add_facts(None, record.levelname.lower(), event))


_AS_REPR = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


_JSON: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, _as_json]
