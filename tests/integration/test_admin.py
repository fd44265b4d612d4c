"""The admin port answers those who read, and rubbish, slow callers and crowds do not disturb it."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from holdfast.chassis.process import admin as admin_port
from holdfast.chassis.process.addresses import AddressInUse
from holdfast.chassis.process.admin import CONNECTIONS_MAX, HEAD_BYTES_MAX, admin
from testbed.processes import free_port


async def ask(address: str, request: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:  # it has not read all of it
        return b""
    finally:
        writer.close()


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/healthz"), 200),
        (get("/metrics"), 200),
        (get("/metrics?name=x"), 200),
        (get("/readyz"), 503),
        (get("/"), 404),
        (get("/../etc/passwd"), 404),
        (get("/metrics", "POST"), 405),
        (get("/metrics", "DELETE"), 405),
        (b"\r\n\r\n", 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        ("GET /metrics\u2028 HTTP/1.1\r\n\r\n".encode(), 404),
    ],
)
async def test_every_request_has_its_status(request_: bytes, status: int) -> None:
    async with admin("127.0.0.1:0") as told:
        answer = await ask(told.address, request_)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Length: {len(body)}".encode() in head
    assert (b"Allow: GET, HEAD" in head) == (status == 405)


async def test_a_head_has_no_body() -> None:
    async with admin("127.0.0.1:0") as told:
        answer = await ask(told.address, get("/metrics", "HEAD"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


async def test_it_is_ready_as_long_as_it_is_told_so() -> None:
    async with admin("127.0.0.1:0") as told:
        with told.ready():
            assert b" 200 " in await ask(told.address, get("/readyz"))
        assert b" 503 " in await ask(told.address, get("/readyz"))


async def test_who_says_too_much_or_nothing_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admin_port, "CONNECTION_S_MAX", 0.3)
    async with admin("127.0.0.1:0") as told:
        with capture_logs() as logs:
            assert await ask(told.address, b"GET /" + b"a" * 2 * HEAD_BYTES_MAX) == b""
            began = time.monotonic()
            assert await ask(told.address, b"GET /met") == b""
            assert time.monotonic() - began < 5
        assert b" 200 " in await ask(told.address, get("/healthz"))

    assert not logs


async def test_a_crowd_is_hung_up_on_and_leaves_room_when_it_goes() -> None:
    async with admin("127.0.0.1:0") as told:
        host, _, port = told.address.rpartition(":")
        crowd = [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS_MAX)]
        assert await ask(told.address, get("/healthz")) == b""

        for _, writer in crowd:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.1)

        assert b" 200 " in await ask(told.address, get("/healthz"))


async def test_a_taken_address_is_told_and_none_means_nowhere() -> None:
    async with admin("127.0.0.1:0") as first:
        with pytest.raises(AddressInUse, match=first.address):
            async with admin(first.address):
                pass
    async with admin("") as told:
        assert told.address == ""


async def test_the_third_worker_listens_two_ports_on() -> None:
    port = free_port()
    async with admin(f"127.0.0.1:{port}", worker=3) as told:
        assert told.address == f"127.0.0.1:{port + 2}"
