"""What verify says of who waits for stock: each rule finds what it is there for."""

import pytest

from holdfast import verification
from holdfast.inventory.application.stock.change_stock import AdjustOnHand, SetOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.orders.domain.ordering.sourcing import Sourcing
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.damages import Damage, is_told
from tests.integration.damages_to_queues import NOBODYS, QUEUES
from tests.integration.goods import locate
from tests.integration.lived import Lived, lived
from tests.integration.two_services import ANNA, BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop = two_services.shop


async def trade(shop: TwoServices) -> dict[str, str]:
    """Trays of which two are held, two are waited for, and one gave way, and two bowls of which one
    gave way that an order has which must not be split; return orders by name.
    """
    tray = Product("TRAY", "", "", "GBP", 350, active=True, backorder_max=UNLIMITED)
    await shop.create_product(tray)
    await shop.change_stock([SetOnHand("TRAY", "main", 3, None, "", "", BOB)])
    await shop.supply(CUP=1, BOWL=2)
    await locate(shop, "shop", CUP=1)
    over = await shop.confirmed(asks("over", TRAY=1))
    await shop.cancel(over.order_id, "", ANNA)
    await shop.deliver()
    _, waits = await shop.place(asks("has", TRAY=2), asks("waits", TRAY=2))
    await shop.deliver()
    wish = asks("unsplit", BOWL=2)._replace(sourcing=Sourcing(may_split=False))
    unsplit = await shop.confirmed(wish)
    for product_id in ("TRAY", "BOWL"):
        gone = AdjustOnHand(product_id, "main", -1, "lost", "", "", BOB, displace=True)
        await shop.change_stock([gone])
    await shop.deliver()
    return {"over": over.order_id, "waits": waits.order_id, "unsplit": unsplit.order_id}


traded = lived(trade)


@pytest.fixture
def urls(traded: Lived) -> list[str]:
    return traded.urls


@pytest.mark.parametrize("damage", QUEUES.values(), ids=QUEUES)
async def test_queues_are_recomputed_from_their_records(
    shop: TwoServices, traded: Lived, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)  # nothing is on its way
    await is_told(shop, damage, traded.named)


@pytest.mark.parametrize("harmless", NOBODYS.values(), ids=NOBODYS)
async def test_a_unit_that_nobody_who_waits_may_have_is_no_contradiction(
    shop: TwoServices, traded: Lived, harmless: Damage
) -> None:
    await is_told(shop, harmless, traded.named)
