"""What both services make of goods and places when questions are lost, late or refused."""

import pytest

from holdfast.inventory.application.stock.change_stock import SetOnHand
from holdfast.inventory.domain.errors import LocationInactive
from holdfast.orders.application.ordering.edit_orders import CancelRest, EditOrder
from holdfast.orders.application.returns.return_goods import OpenReturn
from holdfast.orders.domain.errors import EditUnderWay
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import EditState
from holdfast.orders.domain.ordering.sourcing import Sourcing, Strategy
from holdfast.orders.domain.returns.errors import OverReturn
from holdfast.orders.domain.returns.returned import AskedReturnLine, Disposition
from holdfast.orders.domain.shipping.errors import BelowShipped, NotHeldThere
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import edit, edit_of, refusal
from tests.integration.goods import (
    close_return,
    deactivate,
    leaving,
    locate,
    move,
    open_return,
    receive,
    record,
    ship,
)
from tests.integration.test_verification import live
from tests.integration.two_services import ANNA, BOB, LATE_S, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound

AT_SHOP = Sourcing(Strategy.PINNED, ("shop",))
AT_MAIN = Sourcing(Strategy.PINNED, ("main",))
UNSPLIT = Sourcing(may_split=False)


async def sourced(shop: TwoServices, order: Order, sourcing: Sourcing | None = None) -> Order:
    """Edit where an order's stock is to come from, and let that be decided."""
    wish = EditOrder(order.order_id, order.state.version, None, None, ANNA, sourcing=sourcing)
    return await edit(shop, wish)


async def stocked(shop: TwoServices) -> None:
    """Two lamps at main and two at the shop."""
    live(shop)
    await shop.supply(LAMP=2)
    await locate(shop, "shop", LAMP=2)


def held(order: Order) -> dict[str, int]:
    return {part.location_id: part.quantity for part in order.stock}


async def on_hand(shop: TwoServices) -> int:
    return (await shop.stock.stock_info(["LAMP"]))["LAMP"].on_hand


async def test_a_shipment_is_booked_once_though_two_questions_tell_of_it(
    shop: TwoServices,
) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))

    await record(shop, leaving(order, "one", (1, 1)))
    await heard(shop)
    await record(shop, leaving(order, "two", (1, 1)))
    await shop.deliver()

    assert await on_hand(shop) == 2


async def test_every_question_tells_of_all_that_left_since_the_last_answer(
    shop: TwoServices,
) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))

    await record(shop, leaving(order, "one", (1, 1)))
    await shop.forget_told(shop.orders)
    await move(shop, leaving(order, "two", (1, 1)))

    assert await on_hand(shop) == 2


async def test_the_rest_is_cancelled_and_what_left_unheard_is_told(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))
    await record(shop, leaving(order, "one", (1, 1)))
    await shop.forget_told(shop.orders)

    version = (await shop.order(order.order_id)).state.version
    assert await shop.edit_orders([CancelRest(order.order_id, version, ANNA, "")]) == [None]
    await shop.deliver()

    assert await on_hand(shop) == 3
    assert await shop.reserved("LAMP") == 0


async def test_an_edit_under_way_is_dropped_when_the_rest_is_cancelled(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))
    await move(shop, leaving(order, "one", (1, 1)))
    order = await shop.order(order.order_id)
    assert await shop.edit_orders([edit_of(order, LAMP=2)]) == [None]

    version = order.state.version + 1
    assert await shop.edit_orders([CancelRest(order.order_id, version, ANNA, "")]) == [None]
    await shop.deliver()

    edits = await shop.reader.edits(order.order_id, 0)
    assert [(one.edition, one.state) for one in edits] == [
        (2, EditState.DROPPED),
        (3, EditState.APPLIED),
    ]
    assert await on_hand(shop) == 3


async def test_what_left_and_is_not_answered_for_does_not_leave_again(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))
    assert held(order) == {"main": 2, "shop": 1}

    await record(shop, leaving(order, "one", (1, 2), at="main"))
    refused = await record(shop, leaving(order, "two", (1, 1), at="main"))

    assert isinstance(refused, NotHeldThere)


async def test_nothing_leaves_while_an_edit_is_under_way(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=1)]) == [None]

    assert isinstance(await record(shop, leaving(order, "one", (1, 1))), EditUnderWay)


async def test_with_its_last_unit_an_order_is_over(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))

    await ship(shop, order, "one", (1, 1))
    await ship(shop, order, "two")

    assert await shop.reserved("LAMP") == 0


async def test_an_edit_goes_no_lower_than_what_has_left(shop: TwoServices) -> None:
    await stocked(shop)
    order = await ship(shop, await shop.confirmed(asks("r-1", LAMP=3)), "one", (1, 2))

    assert isinstance(await refusal(shop, edit_of(order, LAMP=1)), BelowShipped)


async def test_what_has_come_counts_though_its_return_is_closed(shop: TwoServices) -> None:
    await stocked(shop)
    order = await ship(shop, await shop.confirmed(asks("r-1", LAMP=2)), "one")
    closed = await open_return(shop, order, "r-1", (1, 2))
    await receive(shop, order, closed, "p-1", (1, 1, Disposition.RESTOCK))
    await close_return(shop, order, closed)

    lines = (AskedReturnLine(1, 2, ""),)
    again = OpenReturn(order.order_id, shop.clock.new_id(), "r-2", lines, ANNA)

    assert isinstance(await move(shop, again), OverReturn)


async def test_a_receipt_is_booked_once_though_two_questions_tell_of_it(
    shop: TwoServices,
) -> None:
    await stocked(shop)
    order = await ship(shop, await shop.confirmed(asks("r-1", LAMP=2)), "one")
    to = await open_return(shop, order, "r-1", (1, 2))

    await receive(shop, order, to, "p-1", (1, 1, Disposition.RESTOCK), heard=False)
    await heard(shop)
    await receive(shop, order, to, "p-2", (1, 1, Disposition.QUARANTINE))

    assert await on_hand(shop) == 4


async def test_a_location_that_is_not_active_promises_nothing(shop: TwoServices) -> None:
    await stocked(shop)
    (placed,) = await shop.place(asks("r-1", LAMP=4))
    await deactivate(shop, "shop")
    await shop.deliver()

    assert await shop.statuses(placed) == ["REJECTED"]
    (shortage,) = (await shop.order(placed.order_id)).shortages
    assert (shortage.wanted, shortage.available) == (4, 2)


async def test_a_location_that_is_not_active_receives_nothing(shop: TwoServices) -> None:
    await stocked(shop)
    await deactivate(shop, "shop")

    (refused,) = await shop.change_stock([SetOnHand("LAMP", "shop", 3, None, "", "", BOB)])

    assert isinstance(refused, LocationInactive)
    assert await on_hand(shop) == 4


@pytest.mark.parametrize("sourcing", [AT_SHOP, UNSPLIT])
async def test_what_its_places_cant_fill_comes_from_no_other(
    shop: TwoServices, sourcing: Sourcing
) -> None:
    await stocked(shop)

    order = await shop.confirmed(asks("r-1", LAMP=3)._replace(sourcing=sourcing))

    assert order.state.status == "REJECTED"
    assert [(one.wanted, one.available) for one in order.shortages] == [(3, 2)]


async def test_by_another_sourcing_all_is_held_elsewhere_or_all_stays(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=2)._replace(sourcing=AT_MAIN))
    other = await shop.confirmed(asks("r-2", LAMP=1)._replace(sourcing=AT_SHOP))

    refused = await sourced(shop, order, AT_SHOP)
    await shop.cancel(other.order_id, "", ANNA)
    moved = await sourced(shop, refused, AT_SHOP)

    assert refused.edit is not None
    assert refused.edit.state is EditState.REFUSED
    assert (refused.sourcing, held(refused)) == (AT_MAIN, {"main": 2})
    assert (moved.sourcing, held(moved)) == (AT_SHOP, {"shop": 2})


async def test_a_question_is_asked_again_with_its_sourcing(shop: TwoServices) -> None:
    await stocked(shop)
    (placed,) = await shop.place(asks("r-1", LAMP=1)._replace(sourcing=AT_SHOP))
    await shop.forget_told(shop.orders)

    await asked_again(shop)

    assert held(await shop.order(placed.order_id)) == {"shop": 1}


async def test_a_question_is_asked_again_with_what_has_left(shop: TwoServices) -> None:
    await stocked(shop)
    order = await shop.confirmed(asks("r-1", LAMP=3))
    await record(shop, leaving(order, "one", (1, 1)))
    await shop.forget_told(shop.orders)

    await asked_again(shop)

    assert await on_hand(shop) == 3
    assert await shop.reserved("LAMP") == 2


async def heard(shop: TwoServices) -> None:
    """Let Inventory hear what Orders tells; the answers wait."""
    async with shop.consuming():
        await shop.orders_relay.relay_batch()


async def asked_again(shop: TwoServices) -> None:
    shop.clock.advance(LATE_S + 1)
    await shop.chase()
    await shop.deliver()
