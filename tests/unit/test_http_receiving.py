"""Who never sends a request whole: others go on, whoever they are and wherever they come from."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http import application, receiving
from holdfast.chassis.http.application import HttpApplication
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity import principal
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.process.ports import CallerLimits
from holdfast.contracts.identity.v1 import users_pb2 as pb
from holdfast.contracts.identity.v1.users_pb2_grpc import add_UserServiceServicer_to_server

SERVICE = pb.DESCRIPTOR.services_by_name["UserService"]
SIGN_IN, CREATE, LIST = ("POST", "/v1/sign-in"), ("POST", "/v1/users"), ("GET", "/v1/users")
REQUESTS_MAX = 16
SHARE, STRANGERS_SHARE, STRANGERS_MAX = 8, 4, 8
LARGE_AT_ONCE = 2
ADDRESS = "10.0.0.1"


class Doorman:
    """A gate that believes what name a caller has; only signing in needs none."""

    async def admit(self, method: str, context: Any) -> None:
        if not self.is_for_anybody(method):
            name = dict(context.invocation_metadata())["authorization"]
            principal.current.set(Principal(name, name, frozenset()))

    def is_for_anybody(self, method: str) -> bool:
        return method.endswith("/SignIn")

    def require_still(self) -> None:
        pass


class Users:
    """A servicer whose methods all answer nothing."""

    def __getattr__(self, name: str) -> Any:
        output = SERVICE.methods_by_name[name].output_type.name

        async def answer(_request: Any, _context: Any) -> Any:
            return getattr(pb, output)()

        return answer


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> HttpApplication:
    monkeypatch.setattr(application, "REQUESTS_MAX", REQUESTS_MAX)
    monkeypatch.setattr(receiving, "LARGE_AT_ONCE", LARGE_AT_ONCE)
    limits = Admission(CallerLimits())
    boundary = RpcBoundary(lambda _error: None, SystemClock(), limits, Doorman())
    methods = boundary.methods(add_UserServiceServicer_to_server, Users())
    service = HttpService(
        SERVICE, methods, Rules(), boundary.require_known, boundary.is_for_anybody
    )
    return HttpApplication([service], SystemClock())


async def ask(
    served: HttpApplication,
    what: tuple[str, str],
    name: str = "ann",
    address: str = ADDRESS,
    until: asyncio.Event | None = None,
    parts: Iterable[bytes] = (b"{}",),
    slowly: asyncio.Event | None = None,
) -> tuple[int, Any]:
    """The status and content of an answer.

    :param until: set when the body's last byte is sent; None: it is there.
    :param parts: of the body, one taken when it is asked for.
    :param slowly: set when what comes after the second is sent.
    """
    headers = {"content-type": "application/json", "content-length": "2", "authorization": name}
    scope = {
        "type": "http", "method": what[0], "raw_path": what[1].encode(), "query_string": b"",
        "headers": [(key.encode(), text.encode()) for key, text in headers.items()],
        "client": (address, 4711),
    }  # fmt: skip
    sent: list[Mapping[str, Any]] = []
    body = iter(parts)

    async def receive() -> Mapping[str, Any]:
        if until is not None:
            await until.wait()
        part = next(body)
        if slowly is not None and len(part) > 1:
            await slowly.wait()
        return {"type": "http.request", "body": part, "more_body": not part.endswith(b"}")}

    async def send(event: Mapping[str, Any]) -> None:
        sent.append(event)

    await served(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@asynccontextmanager
async def unfinished(
    served: HttpApplication,
    count: int,
    what: tuple[str, str],
    name: str = "ann",
    address: str = ADDRESS,
) -> AsyncIterator[None]:
    """So many requests wait for their bodies while the block runs; then they are answered."""
    until = asyncio.Event()
    tasks = [asyncio.create_task(ask(served, what, name, address, until)) for _ in range(count)]
    await asyncio.sleep(0)
    try:
        assert not any(task.done() for task in tasks)
        yield
    finally:
        until.set()
        assert [(await task)[0] for task in tasks] == [200 if what is SIGN_IN else 201] * count


async def test_unfinished_sign_ins_of_one_address_leave_room_for_everybody_else(
    served: HttpApplication,
) -> None:
    async with unfinished(served, STRANGERS_SHARE, SIGN_IN):
        status, told = await ask(served, SIGN_IN)
        assert (status, told["reason"]) == (429, "TOO_MANY_CALLS")

        assert (await ask(served, SIGN_IN, address="10.0.0.2"))[0] == 200
        # As all who come by the same proxy.
        assert (await ask(served, CREATE))[0] == 201
        assert (await ask(served, LIST))[0] == 200

    assert (await ask(served, SIGN_IN))[0] == 200, "there is room again"


async def test_unfinished_sign_ins_of_many_addresses_leave_room_for_who_has_a_key(
    served: HttpApplication,
) -> None:
    async with (
        unfinished(served, STRANGERS_SHARE, SIGN_IN, address="10.0.0.2"),
        unfinished(served, STRANGERS_MAX - STRANGERS_SHARE, SIGN_IN, address="10.0.0.3"),
    ):
        status, told = await ask(served, SIGN_IN)
        assert (status, told["reason"]) == (429, "OVERLOADED")

        assert (await ask(served, CREATE))[0] == 201


async def test_unfinished_requests_of_one_caller_leave_room_for_the_others(
    served: HttpApplication,
) -> None:
    async with unfinished(served, SHARE, CREATE, name="bob"):
        status, told = await ask(served, CREATE, name="bob")
        assert (status, told["reason"]) == (429, "TOO_MANY_CALLS")

        assert (await ask(served, CREATE, name="ann"))[0] == 201
        assert (await ask(served, SIGN_IN))[0] == 200


async def test_large_bodies_of_one_caller_come_a_few_at_once(served: HttpApplication) -> None:
    """Else a caller with a key would have us hold 4 MiB for each request that is on its way."""
    taken: Counter[str] = Counter()
    ends = asyncio.Event()

    def large(name: str) -> Iterator[bytes]:
        yield b"{"
        taken[name] += 1
        yield b" " * 1_000
        yield b"}"

    async def send_all(name: str) -> int:
        parts = large(name)
        status, _ = await ask(served, CREATE, name=name, parts=parts, slowly=ends)
        return status

    tasks = [asyncio.create_task(send_all(name)) for name in ["bob"] * 4 + ["ann"]]
    for _ in range(10):
        await asyncio.sleep(0)
    assert taken == {"bob": LARGE_AT_ONCE, "ann": 1}
    assert (await ask(served, CREATE, name="bob"))[0] == 201, "a small one needs no turn"

    ends.set()
    assert await asyncio.gather(*tasks) == [201] * 5
