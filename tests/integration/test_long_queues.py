"""What it takes to serve a queue in which many can't be served from where units are free."""

from contextlib import AbstractAsyncContextManager

from holdfast.inventory.application.ports import Work
from holdfast.inventory.application.reservations.hear_orders import StockQuestion
from holdfast.inventory.application.reservations.serve_backorders import ServeBackorders
from holdfast.inventory.domain.stock.sourcing import Sourcing, Strategy
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.goods import locate
from tests.integration.test_serving_queues import THIRD, asking, awaited, change, hear, stand
from tests.integration.two_services import TwoServices

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

PINNED = Sourcing(Strategy.PINNED, ("shop",))


def pinned(shop: TwoServices, number: int) -> StockQuestion:
    """Asked by an order of its own, before THIRD asks."""
    question = asking(shop, THIRD, 1, sourcing=PINNED, later_s=number - 60)
    order_id = f"01a21e6a-0000-7000-8000-{number + 100:012d}"
    return question._replace(wanted=question.wanted._replace(order_id=order_id))


async def test_many_who_are_passed_over_take_few_transactions(shop: TwoServices) -> None:
    await awaited(shop)
    await locate(shop, "shop")
    await shop.hear_orders([pinned(shop, number) for number in range(50)])
    await hear(shop, asking(shop, THIRD, 1))
    await change(shop, 2)
    begun = 0

    def begin() -> AbstractAsyncContextManager[Work]:
        nonlocal begun
        begun += 1
        return shop.stock.begin()

    await ServeBackorders(begin, shop.stock, shop.clock)()

    assert (await stand(shop))[THIRD] == (1, 0)
    assert begun <= 3
