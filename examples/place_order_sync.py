"""Place an order from a program without an event loop, safely even if it is interrupted.

Start `holdfast up` in another terminal first.
"""

import os

from holdfast.client import HoldfastSync, Money, OrderLine, RequestIdReused

ORDERS = os.environ.get("HOLDFAST_ORDERS", "127.0.0.1:7001")
INVENTORY = os.environ.get("HOLDFAST_INVENTORY", "127.0.0.1:7002")


def main() -> None:
    with HoldfastSync(ORDERS, INVENTORY) as holdfast:
        price = Money.parse("4.50", "GBP")
        holdfast.inventory.create_product("MUG", name="Mug", unit_price=price)
        holdfast.inventory.adjust_stock("MUG", 6, reason="delivery", request_id="note-4711")

        # A request id of your own, such as a basket's, makes any repeat harmless, for ever.
        lines = [OrderLine("MUG", 2)]
        first = holdfast.orders.create("c-17", lines, request_id="basket-1", wait_s=5)
        again = holdfast.orders.create("c-17", lines, request_id="basket-1", wait_s=5)
        assert first.order_id == again.order_id
        print(f"order {first.order_id} is {first.status}, however often it is sent")

        try:
            holdfast.orders.create("c-17", [OrderLine("MUG", 3)], request_id="basket-1")
        except RequestIdReused as error:
            print(f"refused: {error}")

        for movement in holdfast.inventory.list_movements(product_id="MUG"):
            print(movement.kind, f"{movement.on_hand_delta:+}", f"{movement.reserved_delta:+}")


main()
