"""Safety stock: what a book promises, and how the client and the command line say it."""

from holdfast.client import Holdfast, Money
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.stock.levels import NO_LOT, HeldStock, Short, Shortage, StockLevel
from tests.unit.holding import hold
from tests.unit.test_cli_commands import FOUR_FIFTY, holdfast
from tests.unit.test_client_network import Network, client, network
from tests.unit.test_stock import CAUSE, book_of

__all__ = ["client", "network"]  # fixtures


def test_what_is_kept_back_at_each_place_is_promised_to_nobody() -> None:
    book = book_of(
        StockLevel("LAMP", MAIN_LOCATION, 9, 2, safety_stock=4),  # as it stands at the gate
        StockLevel("LAMP", "annex", 6, priority=100),
        StockLevel("LAMP", "shop", 3, priority=100),
        StockLevel("DESK", MAIN_LOCATION, 3),
    )

    short = hold(book, (), {"LAMP": 6, "DESK": 4}, CAUSE)
    outcome = hold(book, (), {"LAMP": 5, "DESK": 3}, CAUSE)

    assert short == Short((Shortage("LAMP", 6, 5), Shortage("DESK", 4, 3)))
    assert outcome == (
        HeldStock("DESK", MAIN_LOCATION, NO_LOT, 3),
        HeldStock("LAMP", "annex", NO_LOT, 2),
        HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 3),
    )
    assert book.level("LAMP", Location("attic")).safety_stock == 4


def test_what_an_order_holds_of_what_is_kept_back_since_it_may_hold_anew() -> None:
    level = StockLevel("LAMP", MAIN_LOCATION, 5, 5, safety_stock=5)
    book = book_of(level)
    held = (HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 3),)

    same = hold(book, held, {"LAMP": 3}, CAUSE, moves=True)
    less = hold(book, held, {"LAMP": 2}, CAUSE)

    assert same == held
    assert less == (HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 2),)
    assert level.available == 0


async def test_a_product_keeps_units_back_by_the_client(network: Network, client: Holdfast) -> None:
    for method in ("CreateProduct", "UpdateProduct"):
        network.answer(method, inventory_pb2.Product(product_id="LAMP", safety_stock=5))

    price = Money("GBP", 1)
    made = await client.inventory.create_product("LAMP", unit_price=price, safety_stock=5)
    await client.inventory.update_product("LAMP", version=1, safety_stock=0)

    (create,) = network.asked(inventory_pb2.CreateProductRequest)
    (update,) = network.asked(inventory_pb2.UpdateProductRequest)
    assert made.safety_stock == create.product.safety_stock == 5
    assert (list(update.update_mask.paths), update.product.safety_stock) == (["safety_stock"], 0)


def test_a_product_keeps_units_back_by_the_command_line(network: Network) -> None:
    product = inventory_pb2.Product(
        product_id="MUG", unit_price=FOUR_FIFTY, version=3, safety_stock=5
    )
    info = inventory_pb2.StockInfo(product=product, on_hand=8, available=3)
    network.answer("GetStockInfo", info, info)
    network.answer("UpdateProduct", product)

    result = holdfast(network, "product", "update", "MUG", "--safety-stock", "5")
    shown = holdfast(network, "stock", "get", "MUG")
    none = holdfast(network, "product", "update", "MUG")

    (request,) = network.asked(inventory_pb2.UpdateProductRequest)
    assert list(request.update_mask.paths) == ["safety_stock"]
    assert request.product.safety_stock == 5
    assert all("safety stock" in one.stdout for one in (result, shown))
    assert none.exit_code == 2
