"""Whoever sends large requests, known or not, makes no service hold many of them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from grpc import aio

from holdfast.chassis.grpc.sizes import RECEIVE_BYTES_MAX
from testbed.keys import BEARER
from tests.e2e.conftest import Embedded

CALLS, CONNECTIONS = 60, 3
GROWS_MIB_MAX = 500  # of 960 that are sent; 16 requests of 16 MiB are read at once
ASK = "/holdfast.orders.v1.OrderService/GetOrderDetails"
CHECK = "/grpc.health.v1.Health/Check"
SIGN_IN = "/holdfast.identity.v1.UserService/SignIn"
NOBODY: Sequence[tuple[str, str]] = ()


def resident_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) // 1024


async def send_all(address: str, method: str, metadata: Sequence[tuple[str, str]]) -> Counter[str]:
    """Send the largest requests that gRPC takes, all at once, and count how they are refused."""
    body = bytes(RECEIVE_BYTES_MAX - 1)
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    channels = [aio.insecure_channel(address, options=options) for _ in range(CONNECTIONS)]
    asks: list[aio.UnaryUnaryMultiCallable[bytes, bytes]] = [
        channel.unary_unary(method) for channel in channels
    ]
    calls = [
        ask(body, timeout=60, metadata=metadata) for ask in asks for _ in range(CALLS // len(asks))
    ]
    codes: Counter[str] = Counter()
    for call in calls:
        codes[(await call.code()).name] += 1
    await asyncio.gather(*(channel.close() for channel in channels))
    return codes


@pytest.mark.parametrize(
    ("method", "metadata", "refused"),
    [
        (ASK, NOBODY, "UNAUTHENTICATED"),
        (SIGN_IN, NOBODY, "INVALID_ARGUMENT"),
        (ASK, BEARER, "INVALID_ARGUMENT"),
        (CHECK, NOBODY, "INVALID_ARGUMENT"),
    ],
    ids=["by nobody", "as anybody may", "by an operator", "of its health"],
)
async def test_large_requests_are_not_held_all_at_once(
    embedded: Embedded, method: str, metadata: Sequence[tuple[str, str]], refused: str
) -> None:
    embedded.start_all()
    pid = embedded.program("up").pid
    before = resident_mib(pid)

    assert await send_all(embedded.addresses["orders"], method, metadata) == {refused: CALLS}

    assert resident_mib(pid) - before < GROWS_MIB_MAX
