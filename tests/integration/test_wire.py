"""Bytes of HTTP/2 that no gRPC library would send: each gets its status, and nobody else is harmed.

What gRPC refuses by itself, below our code, it calls INTERNAL (13) or resets: nothing of ours has
run then, nothing is logged, and no detail leaves.
"""

import asyncio
import gzip
from collections.abc import Callable

import pytest
import structlog

from holdfast.chassis.grpc import receiving
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from testbed.http2 import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
    Heard,
    RawConnection,
    frame,
    message,
    request_headers,
)
from tests.integration.conftest import RunningHoldfast, eventually, line

ALIKE = True
PATH = "/holdfast.orders.v1.OrderService/GetOrderDetails"
SIGN_IN = "/holdfast.identity.v1.UserService/SignIn"
GOOD = pb.GetOrderDetailsRequest(
    order_id="00000000-0000-0000-0000-000000000000"
).SerializeToString()
OK, INVALID, DEADLINE, NOT_FOUND = "grpc 0", "grpc 3", "grpc 4", "grpc 5"
EXHAUSTED, UNIMPLEMENTED, GRPC_ITSELF = "grpc 8", "grpc 12", "grpc 13"
UNAUTHENTICATED = "grpc 16"
MEBIBYTE = 1024 * 1024

Say = Callable[[RawConnection], bytes]


def data(*bodies: bytes) -> bytes:
    """A request's bytes, in frames, and its end."""
    return b"".join(frame(DATA, 0, 1, body) for body in bodies) + frame(DATA, END_STREAM, 1)


def call(*bodies: bytes, **instead: str | None) -> Say:
    """A call with these bytes as its request, and a header replaced or left out."""
    return lambda raw: raw.begin(1, request_headers(PATH, **instead)) + data(*bodies)


def with_header(name: str, value: str) -> Say:
    return lambda raw: raw.begin(1, request_headers(PATH, (name, value))) + data(message(GOOD))


def compressed(body: bytes, encoding: str) -> Say:
    header = ("grpc-encoding", encoding)
    return lambda raw: (
        raw.begin(1, request_headers(PATH, header)) + data(message(body, compressed=1))
    )


MESSAGES: dict[str, tuple[Say, str]] = {
    "good": (call(message(GOOD)), NOT_FOUND),
    "in many frames": (call(*(bytes([one]) for one in message(GOOD))), NOT_FOUND),
    "truncated": (call(message(GOOD)[:-3]), INVALID),
    "prefix larger than the body": (call(message(GOOD, length=500)), INVALID),
    "prefix alone": (call(message(GOOD)[:5]), INVALID),
    "half a prefix": (call(message(GOOD)[:3]), INVALID),
    "prefix of 4 GB": (call(message(GOOD, length=2**32 - 1)), EXHAUSTED),
    "no message at all": (call(), INVALID),
    "headers and the end": (
        lambda raw: raw.begin(1, request_headers(PATH), flags=END_HEADERS | END_STREAM),
        INVALID,
    ),
    "an empty message": (call(message(b"")), INVALID),
    "two messages: the first one counts": (call(message(GOOD) * 2), NOT_FOUND),
    "no half-close: the message is whole": (
        lambda raw: raw.begin(1, request_headers(PATH)) + frame(DATA, 0, 1, message(GOOD)),
        NOT_FOUND,
    ),
    "compressed flag without an encoding": (call(message(b"rubbish", compressed=1)), INVALID),
    "compressed flag with rubbish": (compressed(b"rubbish", "gzip"), GRPC_ITSELF),
    "unknown compression": (compressed(b"rubbish", "br"), GRPC_ITSELF),
    "gzip": (compressed(gzip.compress(GOOD), "gzip"), NOT_FOUND),
    "gzip bomb": (compressed(gzip.compress(bytes(10 * MEBIBYTE)), "gzip"), INVALID),
}
HEADERS_SENT: dict[str, tuple[Say, str]] = {
    "timeout 0": (with_header("grpc-timeout", "0n"), DEADLINE),
    "timeout negative": (with_header("grpc-timeout", "-1S"), GRPC_ITSELF),
    "timeout of 11,000 years": (with_header("grpc-timeout", "99999999H"), NOT_FOUND),
    "timeout without a unit": (with_header("grpc-timeout", "1"), GRPC_ITSELF),
    "timeout empty": (with_header("grpc-timeout", ""), GRPC_ITSELF),
    "binary metadata that is no base64": (with_header("x-bin", "@@@"), GRPC_ITSELF),
    "line break in a header": (with_header("x", "a\r\nb: c"), NOT_FOUND),
    "upper case header": (with_header("X-Upper", "v"), GRPC_ITSELF),
    "an empty traceparent": (with_header("traceparent", ""), NOT_FOUND),
    "metadata of 20 kB": (with_header("x-large", "a" * 20_000), EXHAUSTED),
    "method GET": (call(message(GOOD), method="GET"), "reset 2"),
    "no te": (call(message(GOOD), te=None), "reset 2"),
    "unknown method": (
        lambda raw: raw.begin(1, request_headers("/x/y")) + data(message(GOOD)),
        UNIMPLEMENTED,
    ),
    "path that climbs": (
        lambda raw: raw.begin(1, request_headers("/../../etc/passwd")) + data(message(GOOD)),
        UNIMPLEMENTED,
    ),
}
FRAMES: dict[str, Say] = {
    "DATA on no stream": lambda raw: frame(DATA, 0, 0, b"x"),
    "a stream of the server's": lambda raw: raw.begin(2, request_headers(PATH)),
    "SETTINGS of half an entry": lambda raw: frame(SETTINGS, 0, 0, b"abc"),
    "CONTINUATION of nothing": lambda raw: frame(CONTINUATION, 0, 1, b"x"),
    "a frame of 16 MB": lambda raw: b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
    "headers that are no HPACK": lambda raw: frame(HEADERS, END_HEADERS, 1, b"\xff" * 100),
}


async def ask(address: str, say: Say, *, within_s: float = 30.0) -> Heard:
    async with await RawConnection.open(address) as raw:
        await raw.send(say(raw))
        return await raw.hear(1, within_s=within_s)


async def is_well(holdfast: RunningHoldfast) -> bool:
    """Whether strangers are served as if nothing had been."""
    return (await ask(holdfast.addresses.orders, call(message(GOOD)))).told == NOT_FOUND


@pytest.mark.parametrize("table", [MESSAGES, HEADERS_SENT], ids=["messages", "headers"])
async def test_what_no_library_sends_gets_its_status(
    holdfast: RunningHoldfast, table: dict[str, tuple[Say, str]]
) -> None:
    await holdfast.product("LAMP", 9)
    await holdfast.place(line("LAMP"))
    before = await holdfast.everything()
    with structlog.testing.capture_logs() as logs:
        found = {
            name: (await ask(holdfast.addresses.orders, say)).told
            for name, (say, _) in table.items()
        }

    assert found == {name: told for name, (_, told) in table.items()}
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical")]
    assert await holdfast.everything() == before


async def test_a_request_that_never_comes_is_given_up(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "RECEIVE_S_MAX", 0.2)
    monkeypatch.setattr(receiving, "LOOK_S", 0.1)

    def slowly(raw: RawConnection) -> bytes:
        return raw.begin(1, request_headers(PATH)) + frame(DATA, 0, 1, message(GOOD)[:7])

    for _ in range(2):  # the second when nobody is looked for any more
        heard = await ask(holdfast.addresses.orders, slowly)

        assert heard.told == DEADLINE
        assert heard.headers["grpc-message"].startswith("the request did not come")


async def test_who_may_not_call_is_told_so_before_the_request_is_there(
    holdfast: RunningHoldfast,
) -> None:
    """Else strangers would have us hold 16 MiB for each of their calls."""

    def begin(raw: RawConnection) -> bytes:
        headers = request_headers(PATH, authorization="Bearer hf_live_nobody")
        return raw.begin(1, headers) + frame(DATA, 0, 1, message(GOOD)[:7])

    assert (await ask(holdfast.addresses.orders, begin)).told == UNAUTHENTICATED


async def test_a_request_has_no_longer_to_come_because_others_have_their_turn(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody is asked who they are, two of an address are received at once."""
    monkeypatch.setattr(receiving, "RECEIVE_S_MAX", 0.2)
    monkeypatch.setattr(receiving, "LOOK_S", 0.1)
    streams = range(1, 2 * 100, 2)
    async with await RawConnection.open(holdfast.addresses.orders) as raw:
        for stream in streams:
            begin = raw.begin(stream, request_headers(SIGN_IN))
            await raw.send(begin, frame(DATA, 0, stream, message(GOOD)[:7]))

        assert (await raw.hear(streams[-1])).told == DEADLINE


async def tasks_now() -> int:
    return len(asyncio.all_tasks())


async def test_calls_without_a_request_take_nobody_s_place(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gRPC would keep each of them as long as its connection, and refuse everybody after 10,000."""
    monkeypatch.setattr(receiving, "RECEIVING_MAX", 50)
    address = holdfast.addresses.orders
    tasks = await tasks_now()
    async with await RawConnection.open(address) as raw:
        for stream in range(1, 101, 2):
            await raw.send(raw.begin(stream, request_headers(PATH)))
        # gRPC hands calls over in any order: first those that find room.
        await eventually(tasks_now, lambda now: now >= tasks + 50, "waiting for requests")
        for stream in range(101, 400, 2):
            await raw.send(raw.begin(stream, request_headers(PATH)))
        refused = await raw.hear(399)
        assert refused.told == EXHAUSTED
        for stream in range(1, 101, 2):
            await raw.send(frame(DATA, END_STREAM, stream))
        heard = await raw.hear(99)
        assert heard.told == INVALID
        for stream in range(401, 4_401, 2):
            await raw.send(raw.begin(stream, request_headers(PATH)), frame(DATA, 1, stream, b"\0"))
        # More at once than a connection may have are refused, and may be sent again.
        assert (await raw.hear(4_399)).told in (INVALID, "reset 7")
        assert await is_well(holdfast)
        assert await tasks_now() < tasks + 20


async def test_frames_out_of_turn_harm_nobody_else(holdfast: RunningHoldfast) -> None:
    for name, say in FRAMES.items():
        heard = await ask(holdfast.addresses.orders, say, within_s=0.2)

        assert heard.told not in (OK, NOT_FOUND), name
        assert await is_well(holdfast), name


async def test_floods_harm_nobody_else(holdfast: RunningHoldfast) -> None:
    """Calls begun and reset (CVE-2023-44487), pings, settings: at most the connection ends."""
    address = holdfast.addresses.orders
    headers = request_headers(PATH)

    async def flood(one: Callable[[RawConnection, int], bytes], count: int) -> None:
        async with await RawConnection.open(address) as raw:
            for start in range(0, count, 100):
                await raw.send(*(one(raw, number) for number in range(start, start + 100)))

    def reset(raw: RawConnection, number: int) -> bytes:
        stream = 2 * number + 1
        return raw.begin(stream, headers) + frame(RST_STREAM, 0, stream, bytes([0, 0, 0, 8]))

    async with asyncio.timeout(30):
        await flood(reset, 2_000)
        await flood(lambda raw, _: frame(PING, 0, 0, bytes(8)), 2_000)
        await flood(lambda raw, _: frame(SETTINGS, 0, 0), 2_000)
        await flood(lambda raw, number: raw.begin(2 * number + 1, headers), 2_000)

    assert await is_well(holdfast)
    await holdfast.product("LAMP", 9)
    assert (await holdfast.place(line("LAMP"))).status == pb.ORDER_STATUS_CONFIRMED
