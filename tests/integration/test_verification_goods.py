"""What verify says of places, shipments and returns: each rule finds what it is there for."""

import pytest

from holdfast import verification
from holdfast.inventory.application.stock.change_stock import Quarantine, SetOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.orders.application.ordering.place_orders import AskedLine
from holdfast.orders.domain.ordering.sourcing import Sourcing, Strategy
from holdfast.orders.domain.returns.returned import Disposition
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.damages import INVENTORY, LEVELS, SOURCING, WAITING, Damage, is_told
from tests.integration.damages_to_goods import RETURNS, SHIPMENTS
from tests.integration.goods import (
    cancel_rest,
    close_return,
    deactivate,
    locate,
    open_return,
    receive,
    ship,
)
from tests.integration.lived import Lived, lived
from tests.integration.two_services import BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop = two_services.shop

UNSPLIT = Sourcing(Strategy.FEWEST_SHIPMENTS, (), may_split=False)
DAMAGES = LEVELS | INVENTORY | SHIPMENTS | RETURNS | SOURCING | WAITING
assert len(DAMAGES) == sum(map(len, (LEVELS, INVENTORY, SHIPMENTS, RETURNS, SOURCING, WAITING)))


async def trade(shop: TwoServices) -> dict[str, str]:
    """Orders wherever goods can be; return their ids, and a closed return's, by name."""
    await shop.supply(LAMP=9, MUG=9, DESK=1)
    tray = Product("TRAY", "", "", "GBP", 350, active=True, backorder_max=UNLIMITED)
    await shop.create_product(tray)
    await shop.change_stock([SetOnHand("TRAY", "main", 1, None, "", "", BOB)])
    await locate(shop, "shop", LAMP=3, DESK=3)
    await locate(shop, "attic", MUG=4)
    await deactivate(shop, "attic")
    await shop.change_stock([Quarantine("LAMP", "main", 2, "scratched", "", BOB)])
    wishes = {
        "whole": asks("whole", DESK=2),
        "pinned": asks("pinned", LAMP=1)._replace(sourcing=Sourcing(Strategy.PINNED, ("shop",))),
        "unsplit": asks("unsplit", LAMP=1)._replace(sourcing=UNSPLIT),
        "short": asks("short", DESK=1)._replace(sourcing=Sourcing(Strategy.PINNED, ("main",))),
        "part": asks("part")._replace(
            lines=(AskedLine("LAMP", 2, None), AskedLine("LAMP", 1, None))
        ),
        "cut": asks("cut", LAMP=2),
        "gone": asks("gone", LAMP=2, MUG=3),
        "waits": asks("waits", TRAY=3),
    }
    orders = {name: await shop.confirmed(wish) for name, wish in wishes.items()}
    await ship(shop, orders["part"], "part", (1, 2))
    await cancel_rest(shop, await ship(shop, orders["cut"], "cut", (1, 1)))
    gone = orders["gone"]
    await ship(shop, gone, "one", (1, 1), (2, 1))
    await ship(shop, gone, "two", (1, 1))
    await ship(shop, gone, "three")
    closed = await open_return(shop, gone, "r-1", (1, 2))
    await receive(shop, gone, closed, "p-1", (1, 1, Disposition.RESTOCK))
    await close_return(shop, gone, closed)
    open_ = await open_return(shop, gone, "r-2", (1, 1), (2, 3))
    aside, lost = Disposition.QUARANTINE, Disposition.WRITE_OFF
    await receive(shop, gone, open_, "p-2", (2, 1, aside), (2, 1, lost))
    return {name: order.order_id for name, order in orders.items()} | {"closed": closed}


traded = lived(trade)


@pytest.fixture
def urls(traded: Lived) -> list[str]:
    return traded.urls


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_goods_are_recomputed_from_their_records(
    shop: TwoServices, traded: Lived, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)  # nothing is on its way
    await is_told(shop, damage, traded.named)
