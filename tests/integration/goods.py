"""What tests of goods have in common: places, shipments and returns in short, without a server."""

from holdfast.inventory.application.locations.create_location import CreateLocation
from holdfast.inventory.application.locations.update_location import UpdateLocation
from holdfast.inventory.application.stock.change_stock import SetOnHand
from holdfast.inventory.domain.locations.location import Location
from holdfast.orders.application.ordering.edit_orders import CancelRest
from holdfast.orders.application.returns.return_goods import (
    CloseReturn,
    OpenReturn,
    ReceiveReturn,
)
from holdfast.orders.application.shipping.move_goods import GoodsCommand
from holdfast.orders.application.shipping.ship_order import ShipOrder
from holdfast.orders.domain.errors import OrdersError
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.returns.returned import (
    AskedReceiptLine,
    AskedReturnLine,
    Disposition,
)
from holdfast.orders.domain.shipping.shipment import AskedItem
from tests.integration.two_services import ANNA, BOB, TwoServices


async def locate(shop: TwoServices, location_id: str, **quantities: int) -> None:
    """Make a location with so many units of each."""
    await CreateLocation(shop.stock.begin)(Location(location_id))
    await shop.change_stock(
        [
            SetOnHand(product_id, location_id, quantity, None, "", "", BOB)
            for product_id, quantity in quantities.items()
        ]
    )


async def deactivate(shop: TwoServices, location_id: str) -> None:
    await UpdateLocation(shop.stock.begin)(location_id, 1, {"active": False})


def leaving(order: Order, shipment_id: str, *items: tuple[int, int], at: str = "") -> ShipOrder:
    """A shipment of units of lines, by their numbers; of all that is held if none are named."""
    asked = tuple(AskedItem(line_no, units, "") for line_no, units in items)
    return ShipOrder(order.order_id, shipment_id, asked, at, "", "", "", ANNA)


async def record(shop: TwoServices, command: GoodsCommand) -> OrdersError | None:
    """Do it, and let nobody hear of it yet; return why it is refused."""
    (outcome,) = await shop.move_goods([command])
    return outcome if isinstance(outcome, OrdersError) else None


async def move(shop: TwoServices, command: GoodsCommand) -> OrdersError | None:
    """Do it, and let Inventory hear of it; return why it is refused."""
    refused = await record(shop, command)
    await shop.deliver()
    return refused


async def ship(
    shop: TwoServices, order: Order, shipment_id: str, *items: tuple[int, int], at: str = ""
) -> Order:
    assert await move(shop, leaving(order, shipment_id, *items, at=at)) is None
    return await shop.order(order.order_id)


async def open_return(
    shop: TwoServices, order: Order, request_id: str, *lines: tuple[int, int]
) -> str:
    """Let units of lines come back, by their numbers; return the return's id."""
    asked = tuple(AskedReturnLine(line_no, units, "") for line_no, units in lines)
    return_id = shop.clock.new_id()
    opening = OpenReturn(order.order_id, return_id, request_id, asked, ANNA)
    assert await move(shop, opening) is None
    return return_id


async def receive(
    shop: TwoServices,
    order: Order,
    return_id: str,
    request_id: str,
    *lines: tuple[int, int, Disposition],
    at: str = "main",
    heard: bool = True,
) -> None:
    asked = tuple(AskedReceiptLine(*line, at) for line in lines)
    parcel = ReceiveReturn(order.order_id, return_id, request_id, asked, ANNA)
    assert await (move if heard else record)(shop, parcel) is None


async def close_return(shop: TwoServices, order: Order, return_id: str) -> None:
    assert await move(shop, CloseReturn(order.order_id, return_id, ANNA)) is None


async def levels(shop: TwoServices) -> dict[str, dict[str, tuple[int, int, int]]]:
    """All levels that anything ever moved: on hand, reserved and in quarantine, by place."""
    sql = """
  SELECT product_id, location_id, on_hand, reserved, quarantined
    FROM stock_level
   WHERE version > 0
"""
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    async with shop.inventory.read() as reading:
        for row in await reading.fetch(sql):
            numbers = row["on_hand"], row["reserved"], row["quarantined"]
            found.setdefault(row["product_id"], {})[row["location_id"]] = numbers
    return found


async def cancel_rest(shop: TwoServices, order: Order) -> None:
    rest = CancelRest(order.order_id, order.state.version, ANNA, "enough")
    assert await shop.edit_orders([rest]) == [None]
    await shop.deliver()
