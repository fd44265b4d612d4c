"""Who is served when the queue of a product is: in which order, in how many pages, and when not."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from holdfast.inventory.application.catalog.update_product import UpdateProduct
from holdfast.inventory.application.ports import Work
from holdfast.inventory.application.reservations import serve_backorders
from holdfast.inventory.application.reservations.hear_orders import StockQuestion
from holdfast.inventory.application.reservations.serve_backorders import ServeBackorders
from holdfast.inventory.application.stock.change_stock import (
    AdjustOnHand,
    EndQuarantine,
    Quarantine,
)
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer, CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.reservations.reservation import Wanted
from holdfast.inventory.domain.stock.facts import ShippedUnits
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY, Sourcing, Strategy
from holdfast.orders.domain.returns.returned import Disposition
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.editing import edit, edit_of
from tests.integration.goods import locate, open_return, receive, ship
from tests.integration.two_services import BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

# By their ids they stand the other way round than they ask.
FIRST, SECOND, THIRD = (f"01a21e6a-0000-7000-8000-00000000000{n}" for n in (3, 2, 1))
PLACES = {FIRST: 1, SECOND: 2, THIRD: 3}


async def awaited(shop: TwoServices, units_max: int = UNLIMITED) -> None:
    """Make a product that may be waited for, of which there is none."""
    lamp = Product("LAMP", "", "", "GBP", 350, active=True, backorder_max=units_max)
    await shop.create_product(lamp)


def asking(
    shop: TwoServices,
    order_id: str,
    units: int,
    revision: int = 1,
    *,
    sourcing: Sourcing = BY_PRIORITY,
    later_s: int = 0,
) -> StockQuestion:
    asked_at = shop.clock.now() + timedelta(seconds=PLACES[order_id] + later_s)
    wanted = {"LAMP": units} if units else {}
    question = Wanted(order_id, revision, wanted, not units, sourcing, asked_at=asked_at)
    return StockQuestion(f"{order_id}-{revision}-{later_s}", question, "placed", BOB)


async def hear(shop: TwoServices, *questions: StockQuestion) -> None:
    for question in questions:
        await shop.hear_orders([question])


async def change(shop: TwoServices, delta: int, *, displace: bool = False, at: str = "main") -> Any:
    change = AdjustOnHand("LAMP", at, delta, "counted", "", "", BOB, displace=displace)
    (outcome,) = await shop.change_stock([change])
    return outcome


async def serve(shop: TwoServices) -> int:
    """Serve until nothing is to be served; how many queues were."""
    served, serve_one = 0, ServeBackorders(shop.stock.begin, shop.stock, shop.clock)
    while await serve_one():
        served += 1
        assert served < 20, "serving comes to an end"
    return served


async def stand(shop: TwoServices) -> dict[str, tuple[int, int]]:
    """What each order holds, and what it waits for."""
    async with shop.stock.begin() as work:
        found = await work.reservations(PLACES)
    return {
        order_id: (
            sum(part.quantity for part in one.stock),
            sum(part.quantity for part in one.queued),
        )
        for order_id, one in found.items()
    }


async def test_who_asked_first_is_served_first_whoever_was_heard_first(shop: TwoServices) -> None:
    await awaited(shop)
    await hear(shop, *(asking(shop, order_id, 1) for order_id in (THIRD, FIRST, SECOND)))
    await change(shop, 2)

    await serve(shop)

    assert await stand(shop) == {FIRST: (1, 0), SECOND: (1, 0), THIRD: (0, 1)}


@pytest.mark.parametrize("rows_max", [1, 2, 1_000])
async def test_a_queue_is_served_page_by_page_and_then_left_alone(
    shop: TwoServices, rows_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_backorders, "ROWS_MAX", rows_max)
    await awaited(shop)
    pinned = Sourcing(Strategy.PINNED, ("shop",))
    await locate(shop, "shop")
    await hear(shop, asking(shop, FIRST, 1, sourcing=pinned))
    await hear(shop, *(asking(shop, order_id, 2) for order_id in (SECOND, THIRD)))
    await change(shop, 3)

    served = await serve(shop)

    assert await stand(shop) == {FIRST: (0, 1), SECOND: (2, 0), THIRD: (1, 1)}
    assert (served, await serve(shop)) == (1, 0)


async def test_whatever_frees_units_wakes_the_queue(shop: TwoServices) -> None:
    await awaited(shop)
    await change(shop, 1)
    await hear(shop, *(asking(shop, order_id, 1) for order_id in PLACES))

    await hear(shop, asking(shop, FIRST, 0, 2))
    assert await serve(shop) == 1
    await change(shop, 1)
    assert await serve(shop) == 1

    assert await stand(shop) == {FIRST: (0, 0), SECOND: (1, 0), THIRD: (1, 0)}


Bring = Callable[[], Awaitable[object]]


async def sold(shop: TwoServices) -> Bring:
    """It has left, and comes back."""
    order = await ship(shop, await shop.confirmed(asks("r-1", LAMP=1)), "s-1")
    back = await open_return(shop, order, "back", (1, 1))
    return lambda: receive(shop, order, back, "p-1", (1, 1, Disposition.RESTOCK))


async def put_aside(shop: TwoServices) -> Bring:
    """It is in quarantine, and found to be fine."""
    await shop.change_stock([Quarantine("LAMP", "main", 1, "odd", "", BOB)])
    fine = EndQuarantine("LAMP", "main", 1, False, "fine", "", BOB)
    return lambda: shop.change_stock([fine])


async def on_its_way(shop: TwoServices) -> Bring:
    """It is nowhere, and comes to another place."""
    await locate(shop, "shop")
    begin, clock, units = shop.stock.begin, shop.clock, {"LAMP": 1}
    asked = AskedTransfer(clock.new_id(), "main", "shop", units, "", None, "", BOB)
    sent = await CreateTransfer(begin, clock, clock.new_id)(asked)
    arrive = ReceiveTransfer(begin, clock, clock.new_id)
    return lambda: arrive(sent.transfer_id, units, "", BOB)


async def promised(shop: TwoServices) -> Bring:
    """An order has it, and wants it no more."""
    await shop.supply(MUG=1)
    order = await shop.confirmed(asks("r-1", LAMP=1, MUG=1))
    return lambda: edit(shop, edit_of(order, MUG=1))


async def kept_back(shop: TwoServices) -> Bring:
    """It is the product's safety stock, and then there is none."""
    update = UpdateProduct(shop.stock.begin, shop.clock)
    await update("LAMP", 1, {"safety_stock": 1})
    return lambda: update("LAMP", 2, {"safety_stock": 0})


WHERE_IT_IS = (sold, put_aside, on_its_way, promised, kept_back)


@pytest.mark.parametrize("where", WHERE_IT_IS, ids=lambda where: where.__name__)
async def test_whatever_brings_a_unit_gives_it_to_who_waits(
    shop: TwoServices, where: Callable[[TwoServices], Awaitable[Bring]]
) -> None:
    await awaited(shop)
    await change(shop, 1)
    bring = await where(shop)
    placed = await shop.confirmed(asks("r-2", LAMP=1))
    await serve(shop)
    await shop.deliver()
    before = await shop.order(placed.order_id)

    await bring()
    await serve(shop)
    await shop.deliver()

    after = await shop.order(placed.order_id)
    for order, held, waits in ((before, 0, 1), (after, 1, 0)):
        assert sum(part.quantity for part in order.stock) == held
        assert sum(part.quantity for part in order.queued) == waits
    info = (await shop.stock.stock_info(["LAMP"]))["LAMP"]
    assert (info.on_hand, info.reserved, info.available, info.queue.units) == (1, 1, 0, 0)


async def test_who_waits_for_another_place_from_now_on_is_served_from_there(
    shop: TwoServices,
) -> None:
    await awaited(shop)
    await locate(shop, "shop")
    await change(shop, 1)
    pinned = Sourcing(Strategy.PINNED, ("shop",))
    await hear(shop, asking(shop, FIRST, 1, sourcing=pinned))
    await serve(shop)
    assert await stand(shop) == {FIRST: (0, 1)}

    await hear(shop, asking(shop, FIRST, 1, 2))
    await serve(shop)

    assert await stand(shop) == {FIRST: (1, 0)}


async def test_who_asked_before_and_is_heard_between_two_pages_is_not_overtaken(
    shop: TwoServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_backorders, "ROWS_MAX", 1)
    await awaited(shop)
    await hear(shop, *(asking(shop, order_id, 1) for order_id in (SECOND, THIRD)))
    await change(shop, 2)

    await serve_with(shop, lambda: hear(shop, asking(shop, FIRST, 1)))
    await serve(shop)

    assert await stand(shop) == {FIRST: (1, 0), SECOND: (1, 0), THIRD: (0, 1)}


async def test_units_that_come_while_a_queue_is_served_are_not_forgotten(
    shop: TwoServices,
) -> None:
    await awaited(shop)
    await hear(shop, *(asking(shop, order_id, 1) for order_id in PLACES))
    await change(shop, 1)

    await serve_with(shop, lambda: change(shop, 2))
    await serve(shop)

    assert await stand(shop) == dict.fromkeys(PLACES, (1, 0))


async def serve_with(shop: TwoServices, meanwhile: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Serve one queue, while something else happens after its first page."""
    pages = 0

    @asynccontextmanager
    async def begin() -> AsyncIterator[Work]:
        nonlocal pages
        async with shop.stock.begin() as work:
            yield work
        pages += 1
        if pages == 1:
            await meanwhile()

    await ServeBackorders(begin, shop.stock, shop.clock)()


async def test_what_is_asked_again_keeps_its_place(shop: TwoServices) -> None:
    await awaited(shop)
    await hear(shop, asking(shop, SECOND, 1))
    await hear(shop, asking(shop, FIRST, 1), asking(shop, FIRST, 1, later_s=60))
    await change(shop, 1)

    await serve(shop)

    assert await stand(shop) == {FIRST: (1, 0), SECOND: (0, 1)}


async def test_an_edit_that_adds_keeps_the_place_of_what_waits(shop: TwoServices) -> None:
    await awaited(shop)
    await hear(shop, asking(shop, FIRST, 1), asking(shop, SECOND, 1))
    await hear(shop, asking(shop, FIRST, 3, 2, later_s=60))

    await change(shop, 1)
    await serve(shop)
    first_served = await stand(shop)
    await change(shop, 1)
    await serve(shop)

    assert first_served == {FIRST: (1, 2), SECOND: (0, 1)}
    assert await stand(shop) == {FIRST: (1, 2), SECOND: (1, 0)}


async def test_no_more_wait_than_may_with_those_who_wait_already(shop: TwoServices) -> None:
    await awaited(shop, units_max=3)

    await hear(shop, asking(shop, FIRST, 2), asking(shop, SECOND, 2), asking(shop, THIRD, 1))

    assert await stand(shop) == {FIRST: (0, 2), SECOND: (0, 0), THIRD: (0, 1)}


async def test_nobody_is_promised_what_the_queue_is_owed(shop: TwoServices) -> None:
    await awaited(shop)
    await hear(shop, asking(shop, FIRST, 2))
    await change(shop, 3)

    await hear(shop, asking(shop, SECOND, 2))

    assert await stand(shop) == {FIRST: (0, 2), SECOND: (1, 1)}


async def test_who_wants_less_gives_up_what_waits_before_what_is_held(shop: TwoServices) -> None:
    await awaited(shop)
    await change(shop, 2)
    await hear(shop, asking(shop, FIRST, 4), asking(shop, FIRST, 3, 2))

    assert await stand(shop) == {FIRST: (2, 1)}


async def test_who_is_over_leaves_the_queue_of_every_product(shop: TwoServices) -> None:
    await awaited(shop)
    await hear(shop, asking(shop, FIRST, 2), asking(shop, FIRST, 0, 2), asking(shop, SECOND, 1))
    await change(shop, 2)

    await serve(shop)

    assert await stand(shop) == {FIRST: (0, 0), SECOND: (1, 0)}
    info = (await shop.stock.stock_info(["LAMP"]))["LAMP"]
    assert (info.queue.units, info.available) == (0, 1)


@pytest.mark.parametrize("aside", [False, True])
async def test_the_youngest_promises_give_way_to_what_is_missing_and_no_other(
    shop: TwoServices, aside: bool
) -> None:
    await awaited(shop, units_max=0)
    await change(shop, 5)
    await hear(shop, *(asking(shop, order_id, 2) for order_id in (SECOND, FIRST)))
    await hear(shop, asking(shop, THIRD, 1))

    if aside:
        await shop.change_stock([Quarantine("LAMP", "main", 2, "odd", "", BOB, displace=True)])
    else:
        await change(shop, -2, displace=True)
    assert await stand(shop) == {FIRST: (1, 1), SECOND: (2, 0), THIRD: (0, 1)}
    await change(shop, 1)
    await serve(shop)

    assert await stand(shop) == {FIRST: (2, 0), SECOND: (2, 0), THIRD: (0, 1)}


WHOLE = Sourcing(may_split=False)


async def beside_a_lamp(shop: TwoServices) -> None:
    """An order that must not be split has a lamp, and the mug that it waits for is elsewhere."""
    await shop.supply(LAMP=1, MUG=1)
    await locate(shop, "shop")
    units = {"LAMP": 1, "MUG": 1}
    wanted = Wanted(FIRST, 1, units, False, WHOLE, asked_at=shop.clock.now())
    await hear(shop, StockQuestion("asked", wanted, "placed", BOB))
    lost = AdjustOnHand("MUG", "main", -1, "lost", "", "", BOB, displace=True)
    await shop.change_stock([lost])
    await shop.change_stock([AdjustOnHand("MUG", "shop", 1, "found", "", "", BOB)])
    await serve(shop)
    assert await stand(shop) == {FIRST: (1, 1)}


async def held(shop: TwoServices) -> list[tuple[object, ...]]:
    async with shop.stock.begin() as work:
        (now,) = (await work.reservations({FIRST})).values()
    return [part[:4] for part in now.stock]


async def test_who_lost_all_and_must_not_be_split_gets_the_rest_from_elsewhere(
    shop: TwoServices,
) -> None:
    await beside_a_lamp(shop)
    await change(shop, -1, displace=True)

    await serve(shop)

    assert await held(shop) == [("MUG", "shop", "", 1)]


async def test_whose_goods_left_and_whose_edit_is_short_gets_the_rest_from_elsewhere(
    shop: TwoServices,
) -> None:
    await beside_a_lamp(shop)
    left = (ShippedUnits("s-1", "LAMP", "main", 1),)
    wanted = Wanted(FIRST, 2, {"LAMP": 5, "MUG": 1}, False, WHOLE, left)
    await hear(shop, StockQuestion("edit", wanted, "edited", BOB))

    await serve(shop)

    assert await held(shop) == [("MUG", "shop", "", 1)]
