"""WatchOrder: every version once and in order, and an end after a final one."""

from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import RunningHoldfast, line


async def test_smoke(holdfast: RunningHoldfast) -> None:
    lamp = await holdfast.product("LAMP", 5)
    order = await holdfast.place(line(lamp, 2))
    assert order.status == pb.ORDER_STATUS_CONFIRMED
    assert await holdfast.available(lamp) == 3


async def test_smoke2(holdfast: RunningHoldfast) -> None:
    lamp = await holdfast.product("LAMP", 5)
    order = await holdfast.place(line(lamp, 2))
    assert order.status == pb.ORDER_STATUS_CONFIRMED
    assert await holdfast.available(lamp) == 3
