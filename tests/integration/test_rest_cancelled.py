"""The rest of an order is cancelled while something else happens to it."""

from types import SimpleNamespace
from typing import Any

import pytest

from holdfast.orders.application.ordering.edit_orders import CancelRest, EditOrder
from holdfast.orders.application.shipping.ship_order import ShipOrder
from holdfast.orders.domain.errors import IllegalTransition, StaleVersion
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.shipping.shipment import AskedItem
from holdfast.orders.presentation.servicer import OrderServicer
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import edit_of, units
from tests.integration.goods import leaving, move
from tests.integration.two_services import ANNA, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound


async def one_of_three_shipped(shop: TwoServices) -> Order:
    await shop.supply(LAMP=9)
    order_id = (await shop.confirmed(asks("r-1", LAMP=3))).order_id
    shipment = ShipOrder(order_id, "s-1", (AskedItem(1, 1, ""),), "", "", "", "", ANNA)
    assert await move(shop, shipment) is None
    return await shop.order(order_id)


async def test_an_edition_of_an_order_without_a_gap_ends_as_it_was_asked_for_or_is_dropped(
    shop: TwoServices,
) -> None:
    order = await one_of_three_shipped(shop)
    assert await shop.edit_orders([edit_of(order, LAMP=5)]) == [None]
    asked = await shop.order(order.order_id)

    rest = CancelRest(order.order_id, asked.state.version, ANNA, "enough")
    assert await shop.edit_orders([rest]) == [None]

    await shop.deliver()
    over = await shop.order(order.order_id)
    sql = "SELECT edition, state, ended_version FROM order_edit ORDER BY edition"
    async with shop.orders.read() as reading:
        rows = await reading.fetch(sql)
    editions = [(row["edition"], row["state"], row["ended_version"]) for row in rows]
    ended_at = asked.state.version + 1
    assert editions == [(2, "DROPPED", ended_at), (3, "APPLIED", ended_at)]
    assert (over.state.status, over.state.editions, units(over)) == (
        "SHIPPED",
        (3, 3, None),
        {"LAMP": 1},
    )
    assert await shop.reserved("LAMP") == 0


async def test_the_rest_of_an_order_is_cancelled_only_at_the_version_that_it_was_read_at(
    shop: TwoServices,
) -> None:
    """A version that somebody guesses may be there by the time the order is locked."""
    order = await one_of_three_shipped(shop)
    version = order.state.version
    postage = (Charge(ChargeKind.SHIPPING, 0, "post", Money("GBP", 500)),)
    charged = EditOrder(order.order_id, version, None, postage, ANNA)
    guessed = CancelRest(order.order_id, version + 1, ANNA, "enough")

    done, refused = await shop.edit_orders([charged, guessed])

    assert done is None
    assert isinstance(refused, StaleVersion)
    assert (refused.expected, refused.current) == (version + 1, version)
    after = await shop.order(order.order_id)
    assert (after.charges, units(after)) == (postage, {"LAMP": 3})
    assert (after.state.status, after.state.editions) == ("PARTIALLY_SHIPPED", (2, 2, None))


async def test_nobody_is_told_that_the_rest_is_cancelled_when_all_of_it_has_left_meanwhile(
    shop: TwoServices,
) -> None:
    order = await one_of_three_shipped(shop)

    async def edit_once_the_last_has_left(rest: CancelRest) -> None:
        if (await shop.order(order.order_id)).state.status != "SHIPPED":
            assert await move(shop, leaving(order, "s-2")) is None
        (refused,) = await shop.edit_orders([rest])
        if refused is not None:
            raise refused

    servicer: Any = SimpleNamespace(
        _use=SimpleNamespace(cancel_order=shop.cancel, edit_order=edit_once_the_last_has_left)
    )

    with pytest.raises(IllegalTransition, match="is SHIPPED and can't be"):
        await OrderServicer._cancel_whole(servicer, order.order_id, "enough", ANNA)
    assert units(await shop.order(order.order_id)) == {"LAMP": 3}
