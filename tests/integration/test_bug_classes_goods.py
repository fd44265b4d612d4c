"""What users of other order systems report again and again of places, parcels and queues, tried
here; each test bears the name of its class of bugs. See `test_bug_classes.py` for the others.
"""

import asyncio
from itertools import starmap
from typing import Any

from holdfast.inventory.application.reservations.hear_orders import HearOrders
from holdfast.inventory.application.stock.change_stock import AdjustOnHand, SetOnHand
from holdfast.inventory.application.stock.explain_stock import ExplainStock, Question
from holdfast.inventory.application.transfers.create_transfer import AskedTransfer, CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.infrastructure.ledger import Ledger
from holdfast.inventory.presentation.subscriptions import read
from holdfast.orders.application.ordering.place_orders import AskedLine, PlaceOrder
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import Shortage, ShortOfStock
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.sourcing import Sourcing, Strategy
from holdfast.orders.domain.returns.returned import Disposition
from holdfast.orders.domain.shipping.errors import OverShipment
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.goods import (
    cancel_rest,
    leaving,
    levels,
    locate,
    move,
    open_return,
    receive,
    ship,
)
from tests.integration.two_services import ANNA, BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound

PRODUCTS, PLACES = ("LAMP", "MUG", "DESK"), ("main", "shop")
CROWD = 12  # orders, and as many transfers
NUMBERS = (
    "SELECT on_hand, reserved, quarantined, queued, queued_max FROM stock_level",
    "SELECT on_hand_after, reserved_after, quarantined_after FROM stock_movement",
    "SELECT quantity FROM backorder",
)


def promise(order: Order) -> tuple[int, int]:
    """How many units an order holds, and how many it waits for, as far as it knows."""
    return sum(part.quantity for part in order.stock), sum(part.quantity for part in order.queued)


async def test_locks_asked_for_crosswise_deadlock_nobody(shop: TwoServices) -> None:
    """Nobody here tries again, so that whoever loses to another one fails it."""
    await shop.supply(**dict.fromkeys(PRODUCTS, 50))
    await locate(shop, "shop", **dict.fromkeys(PRODUCTS, 50))
    begin, clock = shop.stock.begin, shop.clock
    hear = HearOrders(begin, clock)
    send = CreateTransfer(begin, clock, clock.new_id)
    arrive = ReceiveTransfer(begin, clock, clock.new_id)
    ways = [1, -1] * (CROWD // 2)

    async def transfer(way: int) -> None:
        origin, target = PLACES[::way]
        units = dict.fromkeys(PRODUCTS[::way], 2)
        asked = AskedTransfer(clock.new_id(), origin, target, units, "", None, "", BOB)
        sent = await send(asked)
        await arrive(sent.transfer_id, units, "", BOB)

    def order(number: int, way: int) -> PlaceOrder:
        wanted: dict[str, Any] = dict.fromkeys(PRODUCTS[::way], 1)
        nearest = Sourcing(Strategy.NEAREST, PLACES[::way])
        return asks(f"r-{number}", **wanted)._replace(sourcing=nearest)

    placed = await shop.place(*starmap(order, enumerate(ways)))
    questions = [read(event) for event in await shop.waiting(shop.orders)]
    await asyncio.gather(*(hear([question]) for question in questions), *map(transfer, ways))
    await shop.deliver()

    assert await shop.statuses(*placed) == ["CONFIRMED"] * CROWD
    half = dict.fromkeys(PLACES, (50, CROWD // 2, 0))
    assert await levels(shop) == dict.fromkeys(PRODUCTS, half)


async def test_one_order_over_several_places_neither_fails_nor_counts_twice(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=2)
    await locate(shop, "attic", LAMP=3)
    await locate(shop, "shop", LAMP=2)

    placed = await shop.place(*(asks(f"r-{units}", LAMP=units) for units in (6, 1, 2)))
    await shop.deliver()
    taken = await levels(shop)
    (refused,) = await shop.place_orders([asks("r-9", LAMP=1)])
    await shop.cancel(placed[0].order_id, "", ANNA)
    await shop.deliver()

    assert await shop.statuses(*placed) == ["CANCELLED", "CONFIRMED", "REJECTED"]
    assert taken == {"LAMP": {"main": (2, 2, 0), "attic": (3, 3, 0), "shop": (2, 2, 0)}}
    assert isinstance(refused, ShortOfStock)
    assert await levels(shop) == {
        "LAMP": {"main": (2, 0, 0), "attic": (3, 0, 0), "shop": (2, 1, 0)}
    }


async def test_an_order_is_shipped_in_parts(shop: TwoServices) -> None:
    await shop.supply(LAMP=2, MUG=2)
    await locate(shop, "shop", LAMP=5)
    order = await shop.confirmed(asks("r-1", LAMP=4, MUG=1))

    part = await ship(shop, order, "s-1", (1, 3))
    between = await levels(shop)
    refused = await move(shop, leaving(order, "s-2", (1, 2)))
    await cancel_rest(shop, part)

    assert (part.state.status, promise(part)) == ("PARTIALLY_SHIPPED", (2, 0))
    assert between == {"LAMP": {"main": (0, 0, 0), "shop": (4, 1, 0)}, "MUG": {"main": (2, 1, 0)}}
    assert isinstance(refused, OverShipment)
    assert (await shop.order(order.order_id)).state.status == "SHIPPED"
    assert await levels(shop) == {
        "LAMP": {"main": (0, 0, 0), "shop": (4, 0, 0)},
        "MUG": {"main": (2, 0, 0)},
    }


async def test_back_orders_have_a_cap_and_a_queue_and_no_number_is_negative(
    shop: TwoServices,
) -> None:
    await shop.create_product(Product("LAMP", "", "", "GBP", 350, active=True, backorder_max=3))
    # Each passes the stock check, as nobody waits yet.
    placed = await shop.place(*(asks(f"r-{n}", LAMP=units) for n, units in enumerate((2, 2, 1))))
    await shop.deliver()
    (refused,) = await shop.place_orders([asks("r-9", LAMP=1)])

    seen = [await promises(shop, *placed)]
    for delta in (1, 1, -1):
        await shop.change_stock(
            [AdjustOnHand("LAMP", "main", delta, "", "", "", BOB, displace=True)]
        )
        await shop.serve()
        await shop.deliver()
        seen.append(await promises(shop, *placed))

    assert await shop.statuses(*placed) == ["CONFIRMED", "REJECTED", "CONFIRMED"]
    assert isinstance(refused, ShortOfStock)
    assert seen == [
        [(0, 2), (0, 0), (0, 1)],
        [(1, 1), (0, 0), (0, 1)],
        [(2, 0), (0, 0), (0, 1)],
        [(1, 1), (0, 0), (0, 1)],
    ]
    assert await levels(shop) == {"LAMP": {"main": (1, 1, 0)}}
    assert min(await numbers(shop)) >= 0


async def test_returns_are_made_through_the_api_and_restock(shop: TwoServices) -> None:
    await shop.supply(LAMP=3)
    order = await ship(shop, await shop.confirmed(asks("r-1", LAMP=3)), "s-1")
    sold_out = await levels(shop)
    back = await open_return(shop, order, "back", (1, 3))

    for _ in range(2):
        await receive(shop, order, back, "p-1", (1, 1, Disposition.RESTOCK))
        await receive(shop, order, back, "p-2", (1, 1, Disposition.QUARANTINE))
        await receive(shop, order, back, "p-3", (1, 1, Disposition.WRITE_OFF))
    bought = await shop.confirmed(asks("r-2", LAMP=1))

    assert sold_out == {"LAMP": {"main": (0, 0, 0)}}
    assert bought.state.status == "CONFIRMED"
    assert await levels(shop) == {"LAMP": {"main": (2, 1, 1)}}


async def test_why_on_hand_is_47_has_an_answer(shop: TwoServices) -> None:
    await shop.supply(LAMP=60)
    await shop.confirmed(asks("r-1", LAMP=4))
    order = await ship(shop, await shop.confirmed(asks("r-2", LAMP=10)), "s-1")
    broken = AdjustOnHand("LAMP", "main", -3, "broken", "note 7", "", BOB)
    await shop.change_stock([broken])

    explain = ExplainStock(shop.stock, Ledger(shop.inventory))
    (found,) = await explain(Question("LAMP", "", None), after="", limit=9)

    assert found.level.on_hand == sum(one.on_hand for one in found.sums) == 47
    moves = [one.movement for one in reversed(found.movements) if one.movement.on_hand_delta]
    assert [(one.kind, one.on_hand_delta, one.order_id, one.reason) for one in moves] == [
        ("RECEIPT", 60, None, ""),
        ("SHIPMENT", -10, order.order_id, "order shipped"),
        ("ADJUSTMENT", -3, None, "broken"),
    ]
    assert [(one.actor, one.reference) for one in moves] == [
        ("bob", ""),
        ("orders", "s-1"),
        ("bob", "note 7"),
    ]
    assert await levels(shop) == {"LAMP": {"main": (47, 4, 0)}}


async def test_the_same_product_on_two_lines_counts_twice(shop: TwoServices) -> None:
    await shop.supply(LAMP=6)

    (refused,) = await shop.place_orders([on_two_lines("r-1", 4, 3)])
    (late,) = await shop.place(on_two_lines("r-2", 3, 3))
    await shop.change_stock([SetOnHand("LAMP", "main", 5, None, "", "", BOB)])
    await shop.deliver()
    untouched = await levels(shop)
    order = await shop.confirmed(on_two_lines("r-3", 3, 2))
    held = await levels(shop)
    await ship(shop, order, "s-1", (1, 1), (2, 2))

    assert isinstance(refused, ShortOfStock)
    assert list(refused.shortages) == [Shortage("LAMP", 7, 6)]
    assert await shop.statuses(late) == ["REJECTED"]
    assert (await shop.order(late.order_id)).shortages == (Shortage("LAMP", 6, 5),)
    assert (untouched, held) == (
        {"LAMP": {"main": (5, 0, 0)}},
        {"LAMP": {"main": (5, 5, 0)}},
    )
    assert await levels(shop) == {"LAMP": {"main": (2, 2, 0)}}


def on_two_lines(request_id: str, *units: int) -> PlaceOrder:
    lines = tuple(AskedLine("LAMP", quantity, None) for quantity in units)
    return PlaceOrder(request_id, "c-1", lines, Customer(), ANNA)


async def promises(shop: TwoServices, *placed: OrderState) -> list[tuple[int, int]]:
    return [promise(await shop.order(one.order_id)) for one in placed]


async def numbers(shop: TwoServices) -> list[int]:
    """All that Inventory states of units: levels, movements and queues."""
    found: list[int] = []
    async with shop.inventory.read() as reading:
        for sql in NUMBERS:
            rows: Any = await reading.fetch(sql)
            for row in rows:
                found += (units for units in dict(row).values() if units is not None)
    return found
