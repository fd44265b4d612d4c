"""Callers who must not come in, at every process and through all faults: the fifteenth promise.

One has no key, one a key that nobody made, one a key that was revoked, and one a key for reading,
which it tries to write with. Whatever happens to services, databases and broker, none is let in.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc

from holdfast.chassis.identity import keys
from holdfast.client import Holdfast
from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from holdfast.contracts.orders.v1 import orders_pb2 as orders
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from proof.callers import Address
from proof.chaos.probing import PRODUCT_ID
from proof.run_record import Violation
from testbed.keys import bearer

PAUSE_S = 0.2
CALL_S_MAX = 5.0
REVOKED_S = 5.0  # after so long nobody takes a revoked key any more
REFUSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}


class Stranger(NamedTuple):
    """One caller.

    :param writes: whether it may read, and tries to write.
    """

    name: str
    key: str
    writes: bool = False


class Strangers:
    """All of them, and what they were told."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses
        self.told: Counter[str] = Counter()
        self.let_in: list[Violation] = []

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Try again and again while the block runs."""
        known = await self._known()
        trying = [
            asyncio.create_task(self._try_on(address, one))
            for address in self._addresses
            for one in known
        ]
        try:
            yield
        finally:
            for task in trying:
                task.cancel()
            await asyncio.gather(*trying, return_exceptions=True)

    async def _known(self) -> list[Stranger]:
        here = self._addresses[0]
        async with Holdfast(here.orders, here.inventory) as holdfast:
            revoked = await holdfast.keys.create("dismissed", ["admin"])
            reader = await holdfast.keys.create("reader", ["viewer"])
            await holdfast.keys.revoke(revoked.key.key_id)
        await asyncio.sleep(REVOKED_S)
        return [
            Stranger("nobody", ""),
            Stranger("a forger", keys.make()),
            Stranger("somebody dismissed", revoked.text),
            Stranger("a reader", reader.text, writes=True),
        ]

    async def _try_on(self, address: Address, one: Stranger) -> None:
        metadata = bearer(one.key) if one.key else ()
        async with (
            grpc.aio.insecure_channel(address.orders) as to_orders,
            grpc.aio.insecure_channel(address.inventory) as to_inventory,
        ):
            calls = _calls(OrderServiceStub(to_orders), InventoryServiceStub(to_inventory), one)
            while True:
                for method, request in calls:
                    try:
                        await method(request, metadata=metadata, timeout=CALL_S_MAX)
                    except grpc.aio.AioRpcError as error:
                        self.told[error.code().name] += 1
                    else:
                        text = f"was let in: {type(request).__name__}"
                        self.let_in.append(Violation(15, one.name, text))
                    await asyncio.sleep(PAUSE_S)

    def findings(self) -> list[str]:
        """What is wrong beside those that were let in: nobody was even refused."""
        refused = sum(self.told[code.name] for code in REFUSED)
        return [] if refused else [f"no stranger was refused, they were told {dict(self.told)}"]


def _calls(to_orders: Any, to_inventory: Any, one: Stranger) -> list[tuple[Any, Any]]:
    if one.writes:
        level = inventory.UpdateStockRequest(product_id=PRODUCT_ID, quantity=0)
        line = orders.OrderLine(product_id=PRODUCT_ID, quantity=1)
        create = orders.CreateOrderRequest(customer_id="c-1", lines=[line])
        return [(to_inventory.UpdateStock, level), (to_orders.CreateOrder, create)]
    return [
        (to_orders.ListOrders, orders.ListOrdersRequest()),
        (to_inventory.GetStockInfo, inventory.GetStockInfoRequest(product_id=PRODUCT_ID)),
    ]
