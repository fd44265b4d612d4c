"""Races for the last units, with two hundred callers at once: exactly what fits is confirmed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from holdfast.client import (
    Holdfast,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Placed,
    ShortOfStock,
)
from tests.e2e.callers import promised
from tests.e2e.conftest import System

SOME, MANY = 5, pytest.param(20, marks=pytest.mark.proof)
CLIENTS = 200
LAST_UNITS = 50
REPEATS = 50
PLENTY = 1_000_000
WAIT_S = 30.0
PRICE = Money("GBP", 100)

# What the callers of a round want of the hot product, in turns.
WISHES = ([1], [3], [1, 2, 5, 7], [50], [49, 2])


async def shelve(client: Holdfast, stock: dict[str, int]) -> None:
    for product_id, units in stock.items():
        await client.inventory.create_product(product_id, name="", unit_price=PRICE)
        await client.inventory.set_stock(product_id, units)


async def order(client: Holdfast, customer: str, lines: Sequence[OrderLine]) -> Placed | None:
    """The order with its outcome; None if it was refused at the stock check."""
    try:
        return await client.orders.create(customer, lines, wait_s=WAIT_S)
    except ShortOfStock:
        return None


async def race(clients: list[Holdfast], products: Sequence[str], wishes: Sequence[int]) -> None:
    """All clients at once order the hot product, which is the first one, and two others."""
    hot, *others = products
    wanted = [wishes[number % len(wishes)] for number in range(len(clients))]

    told = await asyncio.gather(
        *(
            order(client, f"c-{n}", [OrderLine(hot, wanted[n]), *(OrderLine(o, 1) for o in others)])
            for n, client in enumerate(clients)
        )
    )

    recorded = [one async for one in clients[0].orders.list(product_id=hot, page_size=1_000)]
    require_what_was_told(told, recorded)
    confirmed = promised(recorded)
    left = LAST_UNITS - confirmed[hot]
    won = {one.order_id for one in recorded if one.status is OrderStatus.CONFIRMED}
    lost = [
        wish
        for wish, one in zip(wanted, told, strict=True)
        if one is None or one.order_id not in won
    ]
    assert left >= 0, "oversold"
    assert all(wish > left for wish in lost), f"{left} left, and somebody was refused {min(lost)}"
    for product_id in products:
        stock = await clients[0].inventory.get_stock(product_id)
        assert stock.reserved == confirmed[product_id], product_id
        assert stock.available == stock.on_hand - stock.reserved >= 0, product_id
    if len(wishes) == 1:
        assert len(won) == LAST_UNITS // wishes[0]


def require_what_was_told(told: Sequence[Placed | None], recorded: Sequence[Order]) -> None:
    """Who was told of an order finds it, as it was told; there is no other."""
    said = {one.order_id: one.status for one in told if one is not None}
    assert said == {one.order_id: one.status for one in recorded}
    assert set(said.values()) <= {OrderStatus.CONFIRMED, OrderStatus.REJECTED}
    for one in told:
        if one is not None:
            assert bool(one.shortages) == (one.status is OrderStatus.REJECTED)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("rounds", [SOME, MANY])
async def test_of_200_callers_for_the_last_50_units_exactly_those_that_fit_win_every_time(
    system: System, rounds: int
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(system.client()) for _ in range(CLIENTS)]
        for number in range(rounds):
            stock = {f"HOT-{number}": LAST_UNITS, f"A-{number}": PLENTY, f"B-{number}": PLENTY}
            await shelve(clients[0], stock)

            await race(clients, list(stock), WISHES[number % len(WISHES)])

    await asyncio.to_thread(system.require_soundness)


@pytest.mark.timeout(120)
async def test_an_order_that_lacks_one_product_takes_nothing_of_the_others(system: System) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(system.client()) for _ in range(CLIENTS)]
        await shelve(clients[0], {"SCARCE": 30, "SCARCER": 20, "PLENTY": PLENTY})
        lines = [OrderLine("SCARCE", 1), OrderLine("PLENTY", 5), OrderLine("SCARCER", 1)]

        await asyncio.gather(*(order(client, f"c-{n}", lines) for n, client in enumerate(clients)))

        reserved = {
            product_id: (await clients[0].inventory.get_stock(product_id)).reserved
            for product_id in ("SCARCE", "SCARCER", "PLENTY")
        }
    assert reserved == {"SCARCE": 20, "SCARCER": 20, "PLENTY": 100}
    await asyncio.to_thread(system.require_soundness)


@pytest.mark.timeout(120)
async def test_the_same_request_sent_50_times_at_once_makes_one_order(system: System) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(system.client()) for _ in range(REPEATS)]
        await shelve(clients[0], {"LAMP": 500, "MUG": 500})
        lines = [OrderLine("LAMP", 2), OrderLine("MUG", 1), OrderLine("LAMP", 1)]

        told = await asyncio.gather(
            *(
                client.orders.create("c-17", lines, request_id="once", wait_s=WAIT_S)
                for client in clients
            )
        )

        recorded = [one async for one in clients[0].orders.list(customer_id="c-17")]
        movements = [one async for one in clients[0].inventory.list_movements(product_id="LAMP")]
        lamp = await clients[0].inventory.get_stock("LAMP")
    assert len(recorded) == 1
    assert set(told) == {Placed(recorded[0].order_id, OrderStatus.CONFIRMED)}
    assert lamp.reserved == 3
    assert Counter(one.order_id for one in movements)[recorded[0].order_id] == 1
    await asyncio.to_thread(system.require_soundness)
