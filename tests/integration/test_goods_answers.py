"""What is answered about goods: the order as a reader finds it, each command for itself."""

from collections.abc import Sequence

from holdfast.orders.application.returns.return_goods import (
    CloseReturn,
    OpenReturn,
    ReceiveReturn,
)
from holdfast.orders.application.shipping.move_goods import GoodsCommand, MovedBefore
from holdfast.orders.application.shipping.ship_order import UpdateShipment
from holdfast.orders.domain.errors import InventoryUnavailable, OrdersError, UnknownLocations
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.returns.errors import ReturnNotFound
from holdfast.orders.domain.returns.returned import (
    AskedReceiptLine,
    AskedReturnLine,
    Disposition,
)
from holdfast.orders.presentation.ordering.wire import order_message
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.goods import leaving
from tests.integration.two_services import ANNA, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

NEVER_MADE = "00000000-0000-7000-8000-000000000001"


async def bought(shop: TwoServices) -> Order:
    await shop.supply(LAMP=9)
    return await shop.confirmed(asks("r-1", LAMP=3))


def opening(order: Order, return_id: str) -> OpenReturn:
    return OpenReturn(order.order_id, return_id, "o-1", (AskedReturnLine(1, 2, "torn"),), ANNA)


def parcel(return_id: str, request_id: str, *, at: str = "main") -> ReceiveReturn:
    came = AskedReceiptLine(1, 1, Disposition.RESTOCK, at)
    return ReceiveReturn("", return_id, request_id, (came,), ANNA)


def names(outcomes: Sequence[Order | OrdersError]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


async def test_the_answer_about_goods_is_what_a_reader_finds(shop: TwoServices) -> None:
    order, return_id = await bought(shop), shop.clock.new_id()
    commands: list[GoodsCommand] = [
        leaving(order, "s-1", (1, 1)),
        UpdateShipment(order.order_id, "s-1", "DHL", "T1", None, shop.clock.now(), ANNA),
        leaving(order, "s-2", (1, 1)),
        opening(order, return_id),
        parcel(return_id, "p-1"),
        CloseReturn("", return_id, ANNA),
        leaving(order, "s-3"),
    ]

    for command in commands:
        for is_again in (False, True):
            (answered,) = await shop.move_goods([command])
            assert isinstance(answered, Order)
            assert isinstance(answered, MovedBefore) is is_again
            assert order_message(answered) == order_message(await shop.order(order.order_id))
        await shop.deliver()


async def test_each_command_of_a_batch_is_refused_alone(shop: TwoServices) -> None:
    order, return_id = await bought(shop), shop.clock.new_id()
    await shop.move_goods([leaving(order, "s-1"), opening(order, return_id)])
    asked = shop.stock_check.asked

    outcomes = await shop.move_goods(
        [
            parcel(NEVER_MADE, "p-1"),
            parcel(return_id, "p-2", at="attic"),
            parcel(return_id, "p-3"),
            CloseReturn("", NEVER_MADE, ANNA),
            CloseReturn("", return_id, ANNA),
        ]
    )

    unknown, nowhere = ReturnNotFound.__name__, UnknownLocations.__name__
    assert names(outcomes) == [unknown, nowhere, "Order", unknown, "Order"]
    assert shop.stock_check.asked == asked + 1  # for all of them at once


async def test_a_receipt_that_is_recorded_needs_no_inventory(shop: TwoServices) -> None:
    order, return_id = await bought(shop), shop.clock.new_id()
    await shop.move_goods([leaving(order, "s-1"), opening(order, return_id)])
    assert names(await shop.move_goods([parcel(return_id, "p-1")])) == ["Order"]

    shop.stock_check.away = True
    outcomes = await shop.move_goods([parcel(return_id, "p-1"), parcel(return_id, "p-2")])

    assert names(outcomes) == ["MovedBefore", InventoryUnavailable.__name__]
