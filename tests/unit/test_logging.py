"""What libraries log is told to operators, but for what is no matter of theirs."""

import asyncio
import gc
import inspect
import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
import structlog
from asyncpg.pool import PoolConnectionHolder

from holdfast.chassis.process.telemetry import GRPC, configure_logging


@pytest.fixture
def configured() -> None:
    before = structlog.get_config()
    configure_logging()
    structlog.configure(**before)


@pytest.mark.usefixtures("configured")
def test_a_caller_that_goes_while_it_is_answered_is_no_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """gRPC tells of it with a traceback, as it did of 15 calls among a million hostile ones."""
    cygrpc: Any = import_module("grpc._cython.cygrpc")
    log = logging.getLogger(GRPC)
    assert cygrpc._LOGGER is log, "it has another logger now"
    for error in (cygrpc.ExecuteBatchError(()), ValueError("told")):
        try:
            raise error
        except (cygrpc.ExecuteBatchError, ValueError):
            log.exception("raised in core by servicer method [%s]", "/a/b")

    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ValueError]


@pytest.mark.usefixtures("configured")
async def test_a_connection_that_comes_back_too_late_is_no_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """asyncpg tells of it with a traceback, for each call that a frozen database was left with."""
    assert inspect.iscoroutinefunction(PoolConnectionHolder.release), "it is another one now"

    async def fail() -> None:
        raise TimeoutError

    for name in ("PoolConnectionHolder.release", "told"):
        fail.__qualname__ = name
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task  # and with it, what nobody has asked for
        gc.collect()

    (record,) = caplog.records
    assert "told()" in record.getMessage()


def test_a_line_is_json_whatever_it_tells_of(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    configure_logging(as_json=True)
    try:
        structlog.get_logger().warning("odd", half="\ud83d", huge=2**70, unknown={1}, none=None)
    finally:
        structlog.configure(**before)

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("odd", "warning")
    assert (line["half"], line["huge"], line["unknown"]) == ("\ud83d", 2**70, "{1}")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC


@pytest.mark.parametrize("log", ["a full disk", "a pipe that nobody reads"])
def test_a_log_that_takes_no_lines_stops_nobody(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log's disk was full every call ended with UNKNOWN or 500, also what was done."""
    before = structlog.get_config()
    configure_logging(as_json=True)
    if log == "a full disk":
        file = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, file = os.pipe()
        os.close(reader)
    stream = os.fdopen(file, "w", buffering=1)
    monkeypatch.setattr(sys, "stderr", stream)
    try:
        structlog.get_logger().warning("lost")
    finally:
        structlog.configure(**before)
        with suppress(OSError):
            stream.close()


def test_on_a_terminal_no_value_that_an_error_met_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = structlog.get_config()
    configure_logging(as_json=False)
    try:
        _refuse(key="secret"[::-1])
    except ValueError:
        structlog.get_logger().exception("odd")
    finally:
        structlog.configure(**before)

    said = capsys.readouterr().err
    assert "ValueError: refused" in said
    assert "terces" not in said


def _refuse(*, key: str) -> None:
    raise ValueError("refused")


def test_a_line_of_a_library_is_json_too() -> None:
    """Such as that of OpenTelemetry, whose collector is away."""
    program = (
        "import logging\n"
        "from holdfast.chassis.process.telemetry import configure_logging\n"
        "configure_logging(as_json=True)\n"
        "log = logging.getLogger('opentelemetry.exporter')\n"
        "log.warning('%s: trying again', 'refused')\n"
        "try:\n    raise OSError('gone')\nexcept OSError:\n    log.exception('given up')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    first, second = map(json.loads, done.stderr.splitlines())
    assert (first["event"], first["level"]) == ("refused: trying again", "warning")
    assert first["logger"] == "opentelemetry.exporter"
    assert datetime.fromisoformat(first["timestamp"]).tzinfo == UTC
    assert (second["event"], second["level"]) == ("given up", "error")
    assert "OSError: gone" in second["exception"]
