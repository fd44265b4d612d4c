"""What both services make of orders that wait for stock when messages are lost or late."""

from datetime import timedelta

from holdfast.chassis.messaging.broker import Event
from holdfast.inventory.application.stock.change_stock import AdjustOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.orders.application.ordering.place_orders import PlaceOrder
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import EditState
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.presentation.subscriptions import read
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import edit_of
from tests.integration.goods import leaving, record
from tests.integration.test_verification import live
from tests.integration.two_services import ANNA, BOB, LATE_S, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound


async def stocked(shop: TwoServices, units: int) -> None:
    """So many lamps, which orders may wait for."""
    live(shop)
    lamp = Product("LAMP", "", "", "GBP", 350, active=True, backorder_max=UNLIMITED)
    await shop.create_product(lamp)
    if units:
        await comes(shop, units)


async def comes(shop: TwoServices, units: int) -> None:
    """So many lamps come, or go, and those who wait are served; nobody hears of it yet."""
    change = AdjustOnHand("LAMP", "main", units, "", "", "", BOB, displace=units < 0)
    await shop.change_stock([change])
    await shop.serve()


async def decided(shop: TwoServices, request: PlaceOrder) -> OrderState:
    """An order that Inventory has decided, and whose answer nobody has heard."""
    (placed,) = await shop.place(request)
    await hear_questions(shop)
    return placed


async def hear_questions(shop: TwoServices) -> None:
    """Inventory hears what Orders has to tell, and answers."""
    async with shop.consuming():
        await shop.orders_relay.relay_batch()


async def told(shop: TwoServices) -> dict[str, Event]:
    """What Inventory has to tell, by type; of each the newest."""
    events = await shop.waiting(shop.inventory)
    await shop.forget_told(shop.inventory)
    return {event.type.rpartition(".")[2]: event for event in events}


async def hear(shop: TwoServices, event: Event) -> None:
    await shop.hear_inventory([read(event)])


def promise(order: Order) -> tuple[int, int]:
    """How many lamps an order holds, and how many it waits for, as far as it knows."""
    return sum(one.quantity for one in order.stock), sum(one.quantity for one in order.queued)


async def queue(shop: TwoServices) -> list[tuple[str, int]]:
    rows = await shop.stock.backorders("LAMP", after=None, limit=99)
    return [(row.order_id, row.quantity) for row in rows]


async def test_what_changed_by_itself_confirms_an_order_whose_answer_was_lost(
    shop: TwoServices,
) -> None:
    await stocked(shop, 1)
    placed = await decided(shop, asks("r-1", LAMP=3))
    await comes(shop, 1)

    events = await told(shop)
    await hear(shop, events["ReservationChanged"])

    order = await shop.order(placed.order_id)
    assert order.state.status is OrderStatus.CONFIRMED
    assert promise(order) == (2, 1)
    await hear(shop, events["StockReserved"])
    assert await shop.order(placed.order_id) == order


async def test_an_answer_that_was_overtaken_takes_nothing_back(shop: TwoServices) -> None:
    await stocked(shop, 0)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    await comes(shop, 1)
    first = (await told(shop))["ReservationChanged"]
    await comes(shop, 1)
    second = (await told(shop))["ReservationChanged"]

    for event in (second, first, second):
        await hear(shop, event)

    assert promise(await shop.order(order.order_id)) == (2, 0)


async def test_what_changed_by_itself_applies_an_edit_whose_answer_was_lost(
    shop: TwoServices,
) -> None:
    await stocked(shop, 2)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=4)]) == [None]
    await hear_questions(shop)
    await told(shop)
    await comes(shop, 1)

    await hear(shop, (await told(shop))["ReservationChanged"])

    edited = await shop.order(order.order_id)
    assert edited.edit is not None
    assert edited.edit.state is EditState.APPLIED
    assert promise(edited) == (3, 1)


async def test_what_changed_by_itself_refuses_an_edit_whose_answer_was_lost(
    shop: TwoServices,
) -> None:
    await stocked(shop, 1)
    await shop.supply(MUG=1)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    assert await shop.edit_orders([edit_of(order, LAMP=2, MUG=1)]) == [None]
    await shop.change_stock([AdjustOnHand("MUG", "main", -1, "", "", "", BOB)])
    await hear_questions(shop)
    await told(shop)
    await comes(shop, 1)

    await hear(shop, (await told(shop))["ReservationChanged"])

    kept = await shop.order(order.order_id)
    assert kept.edit is not None
    assert kept.edit.state is EditState.REFUSED
    assert promise(kept) == (2, 0)


async def test_what_nobody_heard_is_told_by_the_next_answer(shop: TwoServices) -> None:
    await stocked(shop, 0)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    await comes(shop, 1)
    await told(shop)
    assert promise(await shop.order(order.order_id)) == (0, 2)

    edit = edit_of(await shop.order(order.order_id), LAMP=3)
    assert await shop.edit_orders([edit]) == [None]
    await shop.deliver()

    assert promise(await shop.order(order.order_id)) == (1, 2)


async def test_a_question_that_was_lost_keeps_its_place_in_the_queue(shop: TwoServices) -> None:
    await stocked(shop, 0)
    (first,) = await shop.place(asks("r-1", LAMP=1))
    await shop.forget_told(shop.orders)
    second = await shop.confirmed(asks("r-2", LAMP=1))
    shop.clock.advance(LATE_S + 1)

    assert await shop.chase() == 1
    await shop.deliver()

    assert await queue(shop) == [(first.order_id, 1), (second.order_id, 1)]
    await comes(shop, 1)
    await shop.deliver()
    assert promise(await shop.order(first.order_id)) == (1, 0)


async def test_an_edit_that_was_lost_keeps_its_place_in_the_queue(shop: TwoServices) -> None:
    await stocked(shop, 1)
    order = await shop.confirmed(asks("r-1", LAMP=1))
    assert await shop.edit_orders([edit_of(order, LAMP=2)]) == [None]
    await shop.forget_told(shop.orders)
    shop.clock.advance(1)
    second = await shop.confirmed(asks("r-2", LAMP=1))
    shop.clock.advance(LATE_S + 1)

    assert await shop.chase() == 1
    await shop.deliver()

    assert await queue(shop) == [(order.order_id, 1), (second.order_id, 1)]


async def test_units_that_give_way_wait_since_their_order_was_placed(shop: TwoServices) -> None:
    await stocked(shop, 2)
    first = await shop.confirmed(asks("r-1", LAMP=2))
    shop.clock.advance(1)
    second = await shop.confirmed(asks("r-2", LAMP=1))

    await comes(shop, -1)
    await shop.deliver()

    assert await queue(shop) == [(first.order_id, 1), (second.order_id, 1)]
    assert promise(await shop.order(first.order_id)) == (1, 1)


async def test_what_left_before_it_was_known_to_have_given_way_is_booked_all_the_same(
    shop: TwoServices,
) -> None:
    await stocked(shop, 3)
    order = await shop.confirmed(asks("r-1", LAMP=3))
    await comes(shop, -2)  # two were lost, says who counts; and two leave

    assert await record(shop, leaving(order, "one", (1, 2))) is None
    await shop.deliver()
    await shop.serve()
    await shop.deliver()

    after = await shop.order(order.order_id)
    assert after.state.status is OrderStatus.PARTIALLY_SHIPPED
    assert sum(promise(after)) == 1


async def test_an_order_that_ends_unheard_leaves_the_queue_when_inventory_is_asked_again(
    shop: TwoServices,
) -> None:
    await stocked(shop, 0)
    order = await shop.confirmed(asks("r-1", LAMP=2)._replace(hold=timedelta(hours=1)))
    assert order.state.status is OrderStatus.RESERVED
    await shop.cancel(order.order_id, "no", ANNA)
    await shop.forget_told(shop.orders)
    shop.clock.advance(LATE_S + 1)

    assert await shop.chase() == 1
    await shop.deliver()

    assert await queue(shop) == []
