"""What verify says of who waits for stock: each rule finds what it is there for."""

import pytest

from holdfast import verification
from holdfast.inventory.application.stock.change_stock import AdjustOnHand, SetOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.damages import Damage, is_told
from tests.integration.damages_to_queues import ONE_MORE, QUEUES
from tests.integration.goods import locate
from tests.integration.test_verification import live
from tests.integration.two_services import ANNA, BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def trade(shop: TwoServices) -> dict[str, str]:
    """Trays of which two are held, two are waited for, and one gave way; return orders by name."""
    tray = Product("TRAY", "", "", "GBP", 350, active=True, backorder_max=UNLIMITED)
    await shop.create_product(tray)
    await shop.change_stock([SetOnHand("TRAY", "main", 3, None, "", "", BOB)])
    await shop.supply(CUP=1)
    await locate(shop, "shop", CUP=1)
    over = await shop.confirmed(asks("over", TRAY=1))
    await shop.cancel(over.order_id, "", ANNA)
    await shop.deliver()
    _, waits = await shop.place(asks("has", TRAY=2), asks("waits", TRAY=2))
    await shop.deliver()
    gone = AdjustOnHand("TRAY", "main", -1, "lost", "", "", BOB, displace=True)
    await shop.change_stock([gone])
    await shop.deliver()
    return {"over": over.order_id, "waits": waits.order_id}


async def damage_inventory(shop: TwoServices, *statements: str) -> None:
    for sql in statements:
        assert await shop.inventory.execute(sql) == 1


@pytest.mark.parametrize("damage", QUEUES.values(), ids=QUEUES)
async def test_queues_are_recomputed_from_their_records(
    shop: TwoServices, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)  # nothing is on its way
    live(shop)
    await is_told(shop, damage, await trade(shop))


async def test_a_unit_that_is_free_until_the_queue_is_served_is_no_contradiction(
    shop: TwoServices,
) -> None:
    live(shop)
    await trade(shop)
    await damage_inventory(shop, *ONE_MORE, "INSERT INTO to_serve VALUES ('TRAY', 3, 2)")

    assert (await verify(*shop.urls)).contradictions == []


async def test_a_unit_where_a_pinned_order_must_not_have_it_from_is_no_contradiction(
    shop: TwoServices,
) -> None:
    live(shop)
    named = await trade(shop)
    wish = '["PINNED", ["shop"], true, false]'
    await damage_inventory(
        shop,
        *ONE_MORE,
        f"UPDATE reservation SET sourcing = '{wish}' WHERE order_id = '{named['waits']}'",
    )
    its = f"'{named['waits']}', 1, 'PINNED', '[\"shop\"]', true, false"
    assert await shop.orders.execute(f"INSERT INTO order_sourcing VALUES ({its})") == 1

    assert (await verify(*shop.urls)).contradictions == []
