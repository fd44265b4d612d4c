"""The receivers in examples/webhooks take what Holdfast signs, once each, and nothing else."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from holdfast.client import Event
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.notifier.infrastructure.payload import BODY_BYTES_MAX, body_of
from holdfast.notifier.infrastructure.signing import new_secret, signed
from testbed.processes import Program, clean_environment, free_port

EXAMPLES = Path(__file__).parents[2] / "examples" / "webhooks"
START_S_MAX = 200.0  # Java and Go compile first, and Go its own library with the first program
WORK_S_MAX = 20.0
SECRET = new_secret()
MINUTE = timedelta(minutes=1)

# A program, and what runs it: it is not needed for anything else, and its absence is told.
RECEIVERS = {
    "receiver.py": [sys.executable],
    "receiver.mjs": ["node"],
    "Receiver.java": ["java"],
    "receiver.go": ["go", "run"],
}


class Receiver:
    """One of them as a process, and what it has kept and done over all its runs."""

    def __init__(self, file: str, folder: Path) -> None:
        self.inbox, self.port = folder / "inbox", free_port()
        self._program = Program(file, log=folder / "receiver.log")
        self._file, self._folder = file, folder

    @contextmanager
    def running(self) -> Iterator[None]:
        tool, *options = RECEIVERS[self._file]
        environment = {"WEBHOOK_SECRET": SECRET, "HOME": os.environ["HOME"]}
        ready = self._said("ready")
        self._program.start(
            [tool, *options, str(EXAMPLES / self._file), str(self.port), str(self.inbox)],
            env=clean_environment() | environment | {"PATH": os.environ["PATH"]},
            cwd=self._folder,
        )
        try:
            self._program.wait_until(
                lambda: self._said("ready") > ready, START_S_MAX, "is not ready"
            )
            yield
        finally:
            self._program.kill()

    def wait_for(self, number: int) -> None:
        """Return when it has worked on an event."""
        event_id = an_event(number).id
        self._program.wait_until(
            lambda: self._said(event_id) > 0, WORK_S_MAX, f"did not work on event {number}"
        )

    @property
    def worked_on(self) -> list[int]:
        """Return which events it has worked on, in that order."""
        lines = self._program.log.read_text().splitlines()
        return [int(line[24:36]) for line in lines if line.startswith(an_event(0).id[:24])]

    def _said(self, word: str) -> int:
        log = self._program.log
        lines = log.read_text().splitlines() if log.exists() else []
        return sum(line.startswith(word) for line in lines)

    def is_sent(self, body: bytes, headers: dict[str, str], verb: str = "POST") -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(verb, "/hook", body, {"Content-Type": "application/json"} | headers)
            return connection.getresponse().status
        finally:
            connection.close()


def an_event(number: int) -> Event:
    return Event(
        cursor=f"cursor-{number}",
        id=f"0199d3a4-7c00-7000-8000-{number:012}",
        type="holdfast.orders.v1.OrderConfirmed",
        subject="0199d3a4-7bff-7000-8000-000000000002",
        sequence=number,
        time=datetime(2026, 11, 28, tzinfo=UTC),
        data=events_pb2.OrderConfirmed(order_id="gr\u00fcn \u2713 \n\t"),
    )


def letter(
    number: int, *secrets: str, age: timedelta = timedelta(0)
) -> tuple[bytes, dict[str, str]]:
    """Return an event as it is sent: its body and its headers."""
    event = an_event(number)
    body = body_of("orders", event)
    return body, signed(secrets or [SECRET], event.id, body, datetime.now(UTC) - age)


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Receiver:
    tool = RECEIVERS[request.param][0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed, so {request.param} was not run")
    return Receiver(request.param, tmp_path)


@pytest.mark.timeout(500)
def test_a_receiver_takes_what_is_signed_once_each_and_nothing_else(receiver: Receiver) -> None:
    with receiver.running():
        assert receiver.is_sent(*letter(1)) == 204
        receiver.wait_for(1)
        # In a rotation: with the secret that the receiver has as the older, and as the newer one.
        assert receiver.is_sent(*letter(2, new_secret(), SECRET)) == 204
        assert receiver.is_sent(*letter(3, SECRET, new_secret())) == 204
        # Again, with a signature of its own, as another attempt has it.
        for number in (1, 2, 3, 1):
            assert receiver.is_sent(*letter(number)) == 204

        refuses_what_is_not_signed(receiver)

        # What was refused has left no trace: the event itself is still new.
        assert receiver.is_sent(*letter(4)) == 204
        receiver.wait_for(4)
    assert receiver.worked_on == [1, 2, 3, 4]


def refuses_what_is_not_signed(receiver: Receiver) -> None:
    body, headers = letter(4)
    signature, forged = headers["webhook-signature"], letter(4, new_secret())[1]
    for name, text in (
        ("webhook-id", "another"),
        ("webhook-id", ""),
        ("webhook-timestamp", str(int(headers["webhook-timestamp"]) - 1)),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "nan"),
        ("webhook-timestamp", "99999999999999999999999"),
        ("webhook-signature", forged["webhook-signature"]),
        ("webhook-signature", signature.replace("v1,", "v2,")),
        ("webhook-signature", signature[:-4]),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,!!!!"),
        ("webhook-signature", ""),
    ):
        assert receiver.is_sent(body, headers | {name: text}) == 401, f"{name}: {text}"
    for name in headers:
        without = {key: value for key, value in headers.items() if key != name}
        assert receiver.is_sent(body, without) == 401, f"without {name}"
    for age in (6 * MINUTE, -6 * MINUTE):
        assert receiver.is_sent(*letter(4, age=age)) == 401, f"of {age} ago"
    assert receiver.is_sent(body + b" ", headers) == 401
    assert receiver.is_sent(b"\xff\xfe", headers) == 401
    assert receiver.is_sent((BODY_BYTES_MAX + 1) * b"x", headers) == 413
    assert receiver.is_sent(b"", headers, verb="GET") in (405, 501)


@pytest.mark.timeout(500)
def test_a_receiver_knows_after_a_kill_what_it_has_had(receiver: Receiver) -> None:
    with receiver.running():
        assert receiver.is_sent(*letter(1)) == 204
        receiver.wait_for(1)
    with receiver.running():
        assert receiver.is_sent(*letter(1)) == 204
        assert receiver.is_sent(*letter(2)) == 204
        receiver.wait_for(2)
    # Python's works behind its answer, so the kill may have come before it noted that it did.
    assert receiver.worked_on in ([1, 2], [1, 1, 2])
    kept = b"".join(file.read_bytes() for file in receiver.inbox.parent.glob("inbox*"))
    assert b"cursor-2" in kept
