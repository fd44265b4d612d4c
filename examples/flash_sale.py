"""Fifty callers race for the last ten tickets. See who wins, and that nobody wins too much.

Start `holdfast up` in another terminal first.
"""

import asyncio
import os
import random
from uuid import uuid4

from holdfast.client import Holdfast, Money, OrderLine, OrderStatus, ShortOfStock

ORDERS = os.environ.get("HOLDFAST_ORDERS", "127.0.0.1:7001")
INVENTORY = os.environ.get("HOLDFAST_INVENTORY", "127.0.0.1:7002")

TICKETS = 10
CUSTOMERS = 50
TICKET = f"TICKET-{uuid4().hex[:8]}"  # a new one, so that every run is a new sale


async def buy(holdfast: Holdfast, customer: str) -> int:
    """Try to buy one or two tickets; how many it became."""
    wanted = random.choice([1, 2])
    try:
        placed = await holdfast.orders.create(customer, [OrderLine(TICKET, wanted)], wait_s=10)
    except ShortOfStock:
        return 0  # the stock check saw it coming
    return wanted if placed.status is OrderStatus.CONFIRMED else 0


async def main() -> None:
    async with Holdfast(ORDERS, INVENTORY) as holdfast:
        price = Money.parse("99.00", "GBP")
        await holdfast.inventory.create_product(TICKET, name="Last ticket", unit_price=price)
        await holdfast.inventory.set_stock(TICKET, TICKETS)

        customers = [f"customer-{number}" for number in range(CUSTOMERS)]
        bought = await asyncio.gather(*(buy(holdfast, customer) for customer in customers))

        for customer, tickets in zip(customers, bought, strict=True):
            if tickets:
                print(f"{customer} has {tickets}")
        stock = await holdfast.inventory.get_stock(TICKET)
        print(f"{sum(bought)} of {TICKETS} sold, {stock.available} left")
        assert sum(bought) == stock.reserved <= TICKETS, "never oversold"


asyncio.run(main())
