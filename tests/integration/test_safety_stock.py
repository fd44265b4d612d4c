"""Safety stock in both modes: it lowers what may be promised at each place, never what was."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
)
from tests.integration.test_transfers import levels, send, sound

ALIKE = True


async def keep_back(
    holdfast: RunningHoldfast, units: int, version: int = 1, product_id: str = "LAMP"
) -> pb.Product:
    product = pb.Product(product_id=product_id, version=version, safety_stock=units)
    request = pb.UpdateProductRequest(
        product=product, update_mask=FieldMask(paths=["safety_stock"])
    )
    return await holdfast.inventory.UpdateProduct(request, timeout=CALL_S_MAX)


async def shop(holdfast: RunningHoldfast) -> None:
    """Ten lamps at main and three at the shop, of which four are kept back at each."""
    await holdfast.product("LAMP", {"main": 10, "shop": 3})
    await keep_back(holdfast, 4)


async def available(holdfast: RunningHoldfast, view: pb.StockInfoView.ValueType) -> int:
    request = pb.BatchGetStockInfoRequest(product_ids=["LAMP"], view=view)
    answer = await holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX)
    return answer.results[0].info.available


async def status(holdfast: RunningHoldfast, units: int) -> str:
    answer = await holdfast.create(create(line("LAMP", units), wait_s=20))
    return orders_pb2.OrderStatus.Name(answer.status)


async def test_what_is_kept_back_is_not_promised(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    basket = pb.CheckAvailabilityRequest(lines=[pb.BasketLine(product_id="LAMP", quantity=7)])

    checked = await holdfast.inventory.CheckAvailability(basket, timeout=CALL_S_MAX)
    short = await refusal(holdfast.place(line("LAMP", 7)))
    all_of_it = await status(holdfast, 6)

    assert [(one.wanted, one.available) for one in checked.missing] == [(7, 6)]
    assert (short.code, short.reason) == (StatusCode.FAILED_PRECONDITION, "SHORT_OF_STOCK")
    assert all_of_it == "ORDER_STATUS_CONFIRMED"
    assert await levels(holdfast, "LAMP") == {"main": (10, 0, 0), "shop": (3, 0, 0)}
    for view in (pb.STOCK_INFO_VIEW_FULL, pb.STOCK_INFO_VIEW_BASIC):
        assert await available(holdfast, view) == 0
    question = pb.ExplainStockRequest(product_id="LAMP")
    explained = await holdfast.inventory.ExplainStock(question, timeout=CALL_S_MAX)
    assert [one.level.available for one in explained.levels] == [0, 0]
    await sound(holdfast)


@pytest.mark.parametrize("units", [0, 2])
async def test_a_product_has_it_from_the_beginning_or_by_an_update(
    holdfast: RunningHoldfast, units: int
) -> None:
    lamp = pb.Product(product_id="LAMP", unit_price=price(10), active=True, safety_stock=5)
    made = await holdfast.inventory.CreateProduct(
        pb.CreateProductRequest(product=lamp), timeout=CALL_S_MAX
    )
    await holdfast.set_stock("LAMP", 8)
    await holdfast.location("shop")
    await holdfast.set_stock("LAMP", 6, "shop")
    before = await levels(holdfast, "LAMP")

    changed = await keep_back(holdfast, units)
    stale = await refusal(keep_back(holdfast, 1))

    assert (made.safety_stock, changed.safety_stock, changed.version) == (5, units, 2)
    assert stale.code == StatusCode.ABORTED
    assert before == {"main": (8, 3, 0), "shop": (6, 1, 0)}
    assert await levels(holdfast, "LAMP") == {
        "main": (8, 8 - units, 0),
        "shop": (6, 6 - units, 0),
    }
    await sound(holdfast)


async def test_what_is_promised_already_stays_and_leaves(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP", 4))

    await keep_back(holdfast, 5)
    shipped = await holdfast.orders.ShipOrder(
        orders_pb2.ShipOrderRequest(order_id=order.order_id), timeout=CALL_S_MAX
    )

    assert shipped.status == orders_pb2.ORDER_STATUS_SHIPPED
    await holdfast.settled()
    await sound(holdfast)


async def test_what_is_kept_back_may_be_moved_and_put_aside(holdfast: RunningHoldfast) -> None:
    await shop(holdfast)
    aside = pb.QuarantineStockRequest(
        product_id="LAMP", quantity=1, location_id="shop", reason="wet"
    )

    await send(holdfast, {"LAMP": 2})
    await holdfast.inventory.QuarantineStock(aside, timeout=CALL_S_MAX)

    assert await levels(holdfast, "LAMP") == {"main": (10, 6, 2), "shop": (1, 0, 0)}
    await sound(holdfast)


async def test_a_repeated_change_of_stock_is_answered_as_the_first_time(
    holdfast: RunningHoldfast,
) -> None:
    await shop(holdfast)
    change = pb.UpdateStockRequest(product_id="LAMP", quantity=9, request_id="r-1")

    first = await holdfast.inventory.UpdateStock(change, timeout=CALL_S_MAX)
    again = await holdfast.inventory.UpdateStock(change, timeout=CALL_S_MAX)

    assert first.level.available == 5
    assert again == first


async def test_whoever_keeps_back_and_whoever_orders_wait_for_each_other(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 8)
    await holdfast.location("shop")

    orders = [create(line("LAMP", 1), request_id=f"o-{n}", wait_s=20) for n in range(6)]
    await asyncio.gather(
        *(holdfast.create(order) for order in orders[:3]),
        keep_back(holdfast, 2),
        holdfast.set_stock("LAMP", 1, "shop"),  # a new level refers to its product
        *(holdfast.create(order) for order in orders[3:]),
        return_exceptions=True,
    )
    await holdfast.settled()

    info = await holdfast.stock("LAMP")
    assert (info.reserved, info.product.safety_stock) == (6, 2)
    await sound(holdfast)
