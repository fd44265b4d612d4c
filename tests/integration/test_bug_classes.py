"""What users of other order systems report again and again, tried here; each test bears the name of
its class of bugs.
"""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.broker import Event
from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.ordering.edit_orders import CancelUnits
from holdfast.orders.application.ordering.end_holds import EndHolds
from holdfast.orders.domain.errors import IllegalTransition, OrdersError
from holdfast.orders.domain.ordering.order import OrderState
from tests.contract import conftest as contract
from tests.integration import editing, two_services
from tests.integration.editing import edit, edit_of, movements, units
from tests.integration.two_services import (
    ANNA,
    LATE_S,
    TwoServices,
    asks,
    failing_at,
    reserve,
)

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls
sound = editing.sound

PRODUCTS = ("LAMP", "MUG", "DESK")
STEPS = 80
HELD = ("RESERVED", "CONFIRMED")


class Trade:
    """People who order, edit and cancel at random; what is told is lost, repeated and shuffled."""

    def __init__(self, shop: TwoServices, seed: int) -> None:
        self.shop, self.dice = shop, random.Random(seed)
        self.orders: list[str] = []

    async def step(self) -> None:
        act = self.dice.choice((self.place, self.place, self.edit, self.edit, self.end, self.move))
        await act()

    async def place(self) -> None:
        wanted: dict[str, Any] = dict.fromkeys(
            self.dice.sample(PRODUCTS, 2), self.dice.randint(1, 3)
        )
        hold = self.dice.choice((None, timedelta(days=30)))
        request = asks(f"r-{len(self.orders)}", **wanted)._replace(hold=hold)
        (outcome,) = await self.shop.place_orders([request])
        if isinstance(outcome, OrderState):
            self.orders.append(outcome.order_id)

    async def edit(self) -> None:
        if not self.orders:
            return
        order = await self.shop.order(self.dice.choice(self.orders))
        wanted: dict[str, Any] = {name: self.dice.randint(0, 3) for name in PRODUCTS}
        line = self.dice.choice(order.lines)
        name, version = order.state.order_id, order.state.version
        some = CancelUnits(name, version, ((line.line_no, 1),), ANNA, "")
        whole = edit_of(order, **(wanted if any(wanted.values()) else {"LAMP": 1}))
        await self.shop.edit_orders([self.dice.choice((whole, whole, some))])  # some are refused

    async def end(self) -> None:
        if not self.orders:
            return
        order_id = self.dice.choice(self.orders)
        if self.dice.random() < 0.5:
            await self.shop.change_orders([ConfirmOrder(order_id, "pi_1", ANNA)])
            return
        try:
            await self.shop.cancel(order_id, "", ANNA)
        except IllegalTransition:
            return

    async def move(self) -> None:
        """Deliver what waits in some order, some of it twice, some never."""
        shop = self.shop
        for database, receiver in (
            (shop.orders, shop.inventory_receiver),
            (shop.inventory, shop.orders_receiver),
        ):
            events: list[Event] = []
            for event in await shop.waiting(database):
                events += [event] * self.dice.choice((0, 1, 1, 2))
            self.dice.shuffle(events)
            for event in events:
                await receiver.receive([event])
            await shop.forget_told(database)
        if self.dice.random() < 0.3:
            await self.rest()

    async def rest(self) -> None:
        """Let every question be asked until it has its answer."""
        for _ in range(4):
            self.shop.clock.advance(20 * LATE_S)
            await self.shop.chase()
            await self.shop.deliver()


@pytest.mark.parametrize("seed", range(3))
async def test_reserved_counts_drift_through_no_history(shop: TwoServices, seed: int) -> None:
    await shop.supply(LAMP=20, MUG=20, DESK=20)
    trade = Trade(shop, seed)

    for _ in range(STEPS):
        await trade.step()
    await trade.rest()

    promised = Counter[str]()
    for order_id in trade.orders:
        order = await shop.order(order_id)
        if order.state.status in HELD:
            promised.update(order.contents.demand)
    assert {name: await shop.reserved(name) for name in PRODUCTS} == {
        name: promised[name] for name in PRODUCTS
    }
    assert len(trade.orders) > 10
    await end_all(shop, trade.orders)


async def end_all(shop: TwoServices, order_ids: list[str]) -> None:
    """Whatever happened before, an order that ends gives back all that it held."""
    for order_id in order_ids:
        if not (await shop.order(order_id)).state.status.is_final:
            await shop.cancel(order_id, "", ANNA)
    await shop.deliver()
    assert [await shop.reserved(name) for name in PRODUCTS] == [0, 0, 0]


async def test_stock_held_by_abandoned_orders_comes_back(shop: TwoServices) -> None:
    await shop.supply(LAMP=2)
    abandoned = await shop.confirmed(asks("r-1", LAMP=2)._replace(hold=timedelta(microseconds=1)))
    (refused,) = await shop.place_orders([asks("r-2", customer_id="c-2", LAMP=1)])
    shop.clock.advance(1)

    assert await EndHolds(shop.begin, shop.reader, shop.clock)() == 1
    await shop.deliver()
    bought = await shop.confirmed(asks("r-3", customer_id="c-2", LAMP=2))

    assert isinstance(refused, OrdersError)
    assert (await shop.order(abandoned.state.order_id)).state.status == "EXPIRED"
    assert bought.state.status == "CONFIRMED"


async def test_retries_make_no_second_order_and_repeated_messages_no_second_effect(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=9)
    request = asks("r-1", LAMP=2)
    first, second = await shop.place(request, request)
    (third,) = await shop.place(request)
    for receiver, database in (
        (shop.inventory_receiver, shop.orders),
        (shop.orders_receiver, shop.inventory),
    ):
        events = await shop.waiting(database)
        await receiver.receive(events + events)
        await receiver.receive(events)
    (after,) = await shop.place(request)

    assert {one.order_id for one in (first, second, third, after)} == {first.order_id}
    assert await shop.reserved("LAMP") == 2
    assert await movements(shop) == [("RESERVATION", 2)]


async def test_cancelling_puts_back_what_is_held_whatever_the_order_says(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=9, MUG=9)
    order = await shop.confirmed(asks("r-1", LAMP=3, MUG=1))
    order = await edit(shop, edit_of(order, LAMP=5))
    # Asked for and not answered: the order has five, and wants one and a mug.
    assert await shop.edit_orders([edit_of(order, LAMP=1, MUG=1)]) == [None]

    await shop.cancel(order.state.order_id, "", ANNA)
    await shop.deliver()

    assert (await shop.reserved("LAMP"), await shop.reserved("MUG")) == (0, 0)
    assert sum(delta for _, delta in await movements(shop)) == 0
    info = await shop.stock.stock_info(["LAMP", "MUG"])
    assert [one.on_hand for one in info.values()] == [9, 9]


async def test_editing_an_order_corrupts_no_stock(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, MUG=5)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    before = await contents(shop.inventory)

    dearer = await edit(shop, edit_of(order, prices={"LAMP": 999}, LAMP=2))
    after_price = await contents(shop.inventory)
    more = await edit(shop, edit_of(dearer, LAMP=4, MUG=1))
    await edit(shop, edit_of(more, LAMP=1))

    assert after_price == before
    assert (units(more), await shop.reserved("LAMP")) == ({"LAMP": 4, "MUG": 1}, 1)
    assert await shop.reserved("MUG") == 0
    info = await shop.stock.stock_info(["LAMP", "MUG"])
    assert [one.on_hand for one in info.values()] == [5, 5]


async def contents(database: Database) -> dict[str, list[str]]:
    """All that Inventory has of stock and reservations."""
    tables = ("stock_level", "stock_movement", "reservation", "outbox", "inbox")
    found: dict[str, list[str]] = {}
    async with database.read() as reading:
        for name in tables:
            rows: Any = await reading.fetch(f"SELECT * FROM {name}")
            found[name] = sorted(repr(dict(row)) for row in rows)
    return found


async def test_no_order_is_orphaned_when_its_stock_step_fails(shop: TwoServices) -> None:
    await shop.supply(LAMP=1)
    (placed,) = await shop.place(asks("r-1", LAMP=1))
    question = reserve(placed.order_id, LAMP=1)
    with failing_at("levels changed"), pytest.raises(RuntimeError):
        await shop.hear_orders([question])
    pending, held = await shop.statuses(placed), await shop.reserved("LAMP")

    await shop.deliver()
    order = await shop.order(placed.order_id)
    with failing_at("orders changed"), pytest.raises(RuntimeError):
        await shop.edit_orders([edit_of(order, prices={"LAMP": 1}, LAMP=1)])
    confirmed = await shop.statuses(placed), await shop.reserved("LAMP")

    assert (pending, held) == (["PENDING"], 0)
    assert confirmed == (["CONFIRMED"], 1)
    assert await shop.order(placed.order_id) == order
