"""Place an order, watch it become final, and take it back.

Start `holdfast up` in another terminal first.
"""

import asyncio
import os

from holdfast.client import Holdfast, Money, OrderLine, ShortOfStock

ORDERS = os.environ.get("HOLDFAST_ORDERS", "127.0.0.1:7001")
INVENTORY = os.environ.get("HOLDFAST_INVENTORY", "127.0.0.1:7002")


async def main() -> None:
    async with Holdfast(ORDERS, INVENTORY) as holdfast:
        price = Money.parse("12.50", "GBP")
        await holdfast.inventory.create_product("LAMP-RED", name="Red lamp", unit_price=price)
        await holdfast.inventory.set_stock("LAMP-RED", 10, reason="delivery")

        placed = await holdfast.orders.create("c-17", [OrderLine("LAMP-RED", 3)], wait_s=5)
        print(f"order {placed.order_id} is {placed.status}")

        stock = await holdfast.inventory.get_stock("LAMP-RED")
        print(f"{stock.on_hand} on hand, {stock.reserved} reserved, {stock.available} available")

        try:
            await holdfast.orders.create("c-18", [OrderLine("LAMP-RED", stock.available + 1)])
        except ShortOfStock as error:
            for short in error.shortages:
                print(f"{short.product_id}: wanted {short.wanted}, available {short.available}")

        order = await holdfast.orders.cancel(placed.order_id, reason="changed my mind")
        for change in order.history:
            print(f"{change.change_time:%H:%M:%S} {change.status} {change.reason}")


asyncio.run(main())
