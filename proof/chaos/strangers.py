"""Callers who must not come in, at every process and through all faults: the fifteenth promise.

One has no key, one a key that nobody made, one a key that was revoked, and one a key for reading,
which it tries to write with. Whatever happens to services, databases and broker, none is let in.
"""

import asyncio
from asyncio import CancelledError
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
# What only those are told who have come in: of what there is, and whether it can be done.
INSIDE = {
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.OUT_OF_RANGE,
}


# What each of them is told, as often as anybody answers.
REFUSALS = {
    "nobody": "UNAUTHENTICATED",
    "a forger": "UNAUTHENTICATED",
    "somebody dismissed": "UNAUTHENTICATED",
    "a reader": "PERMISSION_DENIED",
}


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
        self._told: Counter[tuple[str, str]] = Counter()
        self._broken: list[str] = []
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
            ends = await asyncio.gather(*trying, return_exceptions=True)
            self._broken += [repr(end) for end in ends if not isinstance(end, CancelledError)]

    async def _known(self) -> list[Stranger]:
        here = self._addresses[0]
        async with Holdfast(here.orders, here.inventory) as holdfast:
            revoked = await holdfast.keys.create("dismissed", ["admin"])
            reader = await holdfast.keys.create("reader", ["viewer"])
            await holdfast.keys.revoke(revoked.key.key_id)
        await asyncio.sleep(REVOKED_S)
        return [
            Stranger(name, key, writes=REFUSALS[name] == "PERMISSION_DENIED")
            for name, key in zip(
                REFUSALS, ("", keys.make(), revoked.text, reader.text), strict=True
            )
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
                        code = grpc.StatusCode.OK
                    except grpc.aio.AioRpcError as error:
                        code = error.code()
                    self._told[one.name, code.name] += 1
                    if code is grpc.StatusCode.OK or code in INSIDE:
                        text = f"was let in: {type(request).__name__}, {code.name}"
                        self.let_in.append(Violation(15, one.name, text))
                    await asyncio.sleep(PAUSE_S)

    @property
    def told(self) -> dict[str, int]:
        """How often each code was the answer."""
        told: Counter[str] = Counter()
        for (_, code), times in self._told.items():
            told[code] += times
        return dict(told.most_common())

    def findings(self) -> list[str]:
        """What is wrong beside those that were let in: one was never refused, or gave up trying."""
        return [f"a stranger ended: {end}" for end in self._broken] + [
            f"{one} was never told {code}"
            for one, code in REFUSALS.items()
            if not self._told[one, code]
        ]


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
