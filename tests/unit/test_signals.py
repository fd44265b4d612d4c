"""Which signals end a process in good order."""

import signal
import subprocess
import sys

import pytest

from holdfast.chassis.process.lifecycle import until_signal

PROGRAM = """
import asyncio
from holdfast.chassis.process.lifecycle import until_signal

async def main():
    async with until_signal():
        try:
            print("it serves", flush=True)
            await asyncio.Event().wait()
        finally:
            print("it says goodbye", flush=True)

asyncio.run(main())
"""
END_S_MAX = 60.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_who_is_told_to_end_by_any_signal_or_whose_terminal_is_closed_says_goodbye(
    number: signal.Signals,
) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "it serves\n"
        process.send_signal(number)
        told, _ = process.communicate(timeout=END_S_MAX)

    assert (process.returncode, told) == (0, "it says goodbye\n")


async def test_who_was_started_to_outlive_its_terminal_does() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with until_signal():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
