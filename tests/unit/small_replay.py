"""A small shop that serves, and small files of orders to replay into it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import grpc
import pytest

from holdfast.cli.replay_run import ReplayOptions
from holdfast.client import Holdfast
from holdfast.importing.reading import OrderFile, read_orders
from tests.unit.small_shop import Shop, handlers

HEADER = "order,product,description,quantity,date,price,customer\n"
EIGHTY = Decimal("0.8")
QUICK = ReplayOptions(cover=EIGHTY, settle_timeout_s=0.2, patience_s=0.3, concurrency=4)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Holdfast]:
    server, port = await serve(shop)
    async with client_of(port) as client:
        yield client
    await server.stop(grace=None)


async def serve(shop: Shop, port: int = 0) -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(shop))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server, port


def client_of(port: int) -> Holdfast:
    address = f"127.0.0.1:{port}"
    return Holdfast(address, address, deadline_s=2.0, retry_s=0.0)


def orders_of(folder: Path, *lines: str, customer: str = "17850") -> OrderFile:
    """Each line: number, product and quantity; a minute later than the one before."""
    first = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - without an offset it is UTC
    path = folder / "orders.csv"
    rows = [
        f"{number},{code},THING,{quantity},{first + timedelta(minutes=n)},2.55,{customer}\n"
        for n, (number, code, quantity) in enumerate(text.split() for text in lines)
    ]
    path.write_text(HEADER + "".join(rows))
    return read_orders(path)


def ten_orders(folder: Path) -> OrderFile:
    return orders_of(folder, *(f"{number} LAMP 10" for number in range(1, 11)))
