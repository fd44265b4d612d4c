"""Orders placed over HTTP/JSON by the load generator: a connection for each caller, kept."""

import asyncio
import json
from collections.abc import Iterator

from holdfast.contracts.orders.v1 import orders_pb2
from testbed.keys import KEY

_KEY = KEY.encode()
PLACE = "POST /v1/orders"


class HttpFailed(Exception):
    """An answer that is no success, by its status."""


class HttpCall:
    """Sends a body, and returns the answer's; one request at a time."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> None:
        self._streams = await asyncio.open_connection(self._host, int(self._port))

    async def __call__(self, request: bytes, /, *, timeout: float) -> bytes:  # noqa: ASYNC109 - as gRPC has it
        assert self._streams, "it is connected"
        reader, writer = self._streams
        writer.write(
            b"POST /v1/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n"
            % (_KEY, len(request))
            + request
        )
        async with asyncio.timeout(timeout):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
        status = head.split(b" ", 2)[1].decode()
        if status != "201":
            raise HttpFailed(status)
        return body

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()


def in_json(requests: Iterator[bytes]) -> Iterator[bytes]:
    """Requests of CreateOrder as an HTTP client writes them."""
    for request in requests:
        order = orders_pb2.CreateOrderRequest.FromString(request)
        lines = [{"product_id": one.product_id, "quantity": one.quantity} for one in order.lines]
        content = {"request_id": order.request_id, "customer_id": order.customer_id, "lines": lines}
        yield json.dumps(content).encode()
