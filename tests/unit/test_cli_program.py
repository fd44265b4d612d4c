"""The installed program: no traceback, quick help, quiet pipes, and a quiet end on Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from holdfast.cli.output import nobody_takes_more
from holdfast.contracts.inventory.v1 import inventory_pb2
from testbed.keys import OF_COMMANDS
from testbed.services import python_environment
from testbed.waiting import wait_until
from tests.unit.test_client_network import NOWHERE, Network, network, order

__all__ = ["network"]  # a fixture

PROGRAM = str(Path(sys.executable).parent / "holdfast")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **OF_COMMANDS}


def run(*arguments: str | bytes, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PROGRAM, *arguments],
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_where_nothing_listens_the_address_and_the_remedy_are_named() -> None:
    done = run("order", "get", "o-1", "--orders", NOWHERE)

    assert done.returncode == 4
    assert done.stderr == (
        f"holdfast: Orders at {NOWHERE} does not answer; is `holdfast up` running?\n"
    )


def test_inventory_is_named_when_it_is_inventory() -> None:
    done = run("stock", "get", "MUG", HOLDFAST_INVENTORY=NOWHERE)

    assert done.returncode == 4
    assert done.stderr.startswith(f"holdfast: Inventory at {NOWHERE} does not answer")


def test_an_argument_that_is_no_text_is_a_usage_error() -> None:
    done = run("order", "get", b"\xff\xfe", "--orders", NOWHERE)

    assert done.returncode == 2
    assert "UTF-8" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_terminal_has_no_letter_for_is_no_reason_to_call_what_was_done_undone(
    network: Network,
) -> None:
    updated = order(2)
    updated.customer.name = "Ada 茶"
    network.answer("UpdateOrder", updated)
    typed = ("order", "update", "o-1", "--version", "1", "--name", "Ada 茶")

    done = run(*typed, HOLDFAST_ORDERS=network.address, PYTHONIOENCODING="iso-8859-1:strict")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Ada \\u8336" in done.stdout


@pytest.mark.parametrize(
    "typed", ["order list -o json", "product list", "export products", "order get o-1", "--version"]
)
def test_a_command_without_anywhere_to_print_is_refused_before_anything_is_asked(
    network: Network, typed: str
) -> None:
    here = f"--orders {network.address}" if typed.startswith("order") else ""
    shell = f"exec {PROGRAM} {typed} {here} >&-"

    done = subprocess.run(
        ["sh", "-c", shell],
        env={**ENVIRONMENT, "HOLDFAST_INVENTORY": network.address},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, network.requests) == (2, []), done.stderr
    assert done.stderr == "holdfast: standard output is closed: say where to print\n"


def test_a_command_that_may_say_nothing_of_errors_still_works(network: Network) -> None:
    network.answer("ListProducts", inventory_pb2.ListProductsResponse())
    shell = f"exec {PROGRAM} product list --inventory {network.address} 2>&-"

    done = subprocess.run(["sh", "-c", shell], env=ENVIRONMENT, timeout=30, check=False)

    assert done.returncode == 0


TELLS_WHAT_IS_OPEN = """
import os
from holdfast.cli import main

main.app = lambda: print(*(os.readlink(f"/proc/self/fd/{number}") for number in (0, 2)))
main.main()
"""


def test_nothing_gets_the_number_of_a_closed_standard_input_or_error() -> None:
    """It got a socket of `holdfast up`, whose stop ended with SIGABRT then."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" <&- 2>&-', sys.executable, TELLS_WHAT_IS_OPEN],
        env=python_environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout == "/dev/null /dev/null\n"


PRINTS_MUCH_AMONG_SIGNALS = """
import signal
from holdfast.cli import main, output

signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
main.app = lambda: output.print_json(list(range(50_000)))
main.main()
signal.setitimer(signal.ITIMER_REAL, 0)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_is_printed_into_a_slow_pipe_is_whole_whatever_signals_come(unbuffered: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PRINTS_MUCH_AMONG_SIGNALS],
        env=python_environment() | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
    ) as program:
        time.sleep(1.0)  # so that the pipe is full
        printed, _ = program.communicate(timeout=30)

    assert program.returncode == 0
    assert json.loads(printed) == list(range(50_000))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
def test_a_full_disk_is_no_bug_of_ours_and_what_was_done_is_not_called_undone(
    network: Network,
) -> None:
    network.answer("GetOrderDetails", order(1))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "order", "get", "o-1", "--orders", network.address],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 4
    assert done.stderr == (
        "holdfast: standard output takes no more: No space left on device\n"
        "  What the command was to do may have been done all the same.\n"
    )


READ_WHAT_IS_TYPED = {
    f"holdfast.chassis.{name}" for name in ("clock", "identifiers", "money", "times", "validation")
}


def test_help_needs_neither_servers_nor_databases() -> None:
    listing = "import sys, holdfast.cli.main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, timeout=30, check=True
    )

    loaded = set(done.stdout.split())
    assert "holdfast.client" in loaded
    assert not loaded & {"alembic", "sqlalchemy", "asyncpg", "aio_pika", "structlog", "pydantic"}
    assert not [name for name in loaded if name.startswith("holdfast.orders")]
    assert {name for name in loaded if name.startswith("holdfast.chassis.")} <= READ_WHAT_IS_TYPED


def test_the_version_is_told() -> None:
    assert run("--version").stdout.strip()


def test_ctrl_c_ends_a_watch_quietly_with_130(network: Network) -> None:
    network.stream("WatchOrder", order(1), 9.0)
    with subprocess.Popen(
        [PROGRAM, "order", "watch", "o-1", "--orders", network.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline()

        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=10)

    assert program.returncode == 130
    assert said == ""


def test_ctrl_c_in_a_change_tells_how_to_repeat_it_safely(network: Network) -> None:
    network.answer("CreateOrder", 9.0)
    create = f"order create --customer c-1 MUG=1 --orders {network.address} --request-id q-1"
    with subprocess.Popen(
        [PROGRAM, *create.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        wait_until(lambda: bool(network.requests), 30.0, lambda: AssertionError("not asked"))

        program.send_signal(signal.SIGINT)
        said, told = program.communicate(timeout=10)

    assert (program.returncode, said) == (130, "")
    assert told.startswith("holdfast: stopped before there was an answer\n")
    assert "--request-id q-1 has its effect once only" in told


def test_ctrl_c_before_a_command_has_begun_is_no_traceback_either(tmp_path: Path) -> None:
    """It takes some tenths of a second to load, and many have typed it wrong and seen that."""
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")  # which is loaded first
    environment = python_environment()
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"

    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "up"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_leaves_early_is_no_error_worth_a_traceback(network: Network) -> None:
    product = inventory_pb2.Product(product_id="MUG", name="A mug " * 80)
    listed = inventory_pb2.ListProductsResponse(products=[product] * 1_000)
    network.answer("ListProducts", listed)
    with subprocess.Popen(
        [PROGRAM, "product", "list", "--limit", "1000", "--inventory", network.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.stdout.close()
        assert program.stderr is not None
        said = program.stderr.read()

    assert "Traceback" not in said


def test_what_nobody_reads_any_more_is_dropped_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python would write it once more at its end, complain of that, and end with 120."""
    reading, writing = os.pipe()
    os.close(reading)
    output = os.fdopen(writing, "w")
    output.write("what Ctrl-C came between")
    monkeypatch.setattr(sys, "stdout", output)

    assert nobody_takes_more()
    with closing(sys.stdout) as dropped:
        dropped.write("more")
        assert not nobody_takes_more()
    with suppress(BrokenPipeError):
        output.close()


def test_help_is_quick() -> None:
    began = time.monotonic()

    done = run("--help")

    assert done.returncode == 0
    assert time.monotonic() - began < 5.0  # about 0.4 s on a machine with nothing else to do
