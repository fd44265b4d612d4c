"""A day with goods: counted, taken out of sale, made, priced, sent on, and waited for."""

from holdfast.client import Backorder, BackorderMode, Money
from tests.e2e.console.journeys import AT_CONSOLE, NO_SCRIPTS, SCRIPTS, journey
from tests.e2e.console.people import Person
from tests.e2e.console.window import Desk

pytestmark = AT_CONSOLE


@journey()
async def test_stock_is_adjusted(person: Person, desk: Desk) -> None:
    lamp = await desk.goods(10)

    await person.follow("Products")
    await person.fill("Product id begins with", lamp)
    await person.press("Show")
    await person.is_at(lamp)
    await person.unfold("Adjust the stock")
    await person.fill("Units to add", "-3")
    await person.choose("Kind of reason", "Damaged")
    await person.press("Adjust the stock")
    await person.is_told("Reason")
    await person.fill("Reason", "fell down")
    await person.press("Adjust the stock")
    await person.sees("The stock is changed.")
    await person.sees("fell down")

    assert (await desk.client.inventory.get_stock(lamp)).on_hand == 7


@journey(on_every_change=NO_SCRIPTS)
async def test_stock_is_counted_while_some_goes(person: Person, desk: Desk) -> None:
    lamp = await desk.goods(10)

    await person.go(f"/stock?id={lamp}")
    await person.unfold("Set what was counted")
    await person.fill("Units that were counted", "9")
    await desk.client.inventory.adjust_stock(lamp, -1, reason="sold at the door")
    await person.press("Set what was counted")
    await person.sees("Units came or went since you counted")
    await person.finds("Units that were counted", "9")
    await person.fill("Units that were counted", "8")
    await person.press("Set what was counted")
    await person.sees("The stock is what was counted.")

    assert (await desk.client.inventory.get_stock(lamp)).on_hand == 8


@journey()
async def test_units_are_quarantined_and_released(person: Person, desk: Desk) -> None:
    lamp = await desk.goods(10)

    await person.go(f"/stock?id={lamp}")
    await person.unfold("Take out of sale")
    await person.fill("Units", "4")
    await person.fill("Reason", "damp")
    await person.press("Take out of sale")
    await person.sees("They are in quarantine.")
    await person.unfold("End a quarantine")
    await person.fill("Units", "5")
    await person.fill("Reason", "dry again")
    await person.press("End a quarantine")
    await person.finds("Reason", "dry again")
    await person.fill("Units", "3")
    await person.press("End a quarantine")
    await person.sees("They have left quarantine.")

    stock = await desk.client.inventory.get_stock(lamp)
    assert (stock.available, stock.quarantined) == (9, 1)


@journey()
async def test_a_product_is_made_and_received(person: Person, desk: Desk) -> None:
    shade = f"SHADE-{await desk.goods()}"

    await person.follow("Products")
    await person.follow("New product")
    await person.fill("Product id", shade)
    await person.fill("Unit price", "12.50.1")
    await person.fill("Currency", "gbp")
    await person.press("Make it")
    await person.is_told("Unit price")
    await person.fill("Unit price", "4.50")
    await person.press("Make it")
    await person.sees("The product is made.")
    await person.unfold("Receive")
    await person.fill("Units", "12")
    await person.choose("Location", "main")
    await person.press("Receive")
    await person.sees("What came in is recorded.")

    stock = await desk.client.inventory.get_stock(shade)
    assert (stock.product.unit_price, stock.on_hand) == (Money("GBP", 450), 12)


@journey()
async def test_two_people_change_one_price(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    product = (await desk.client.inventory.get_stock(lamp)).product

    await person.go(f"/stock?id={lamp}")
    await person.follow("Change it")
    await person.fill("Unit price", "13.00")
    await desk.client.inventory.update_product(
        lamp, version=product.version, unit_price=Money("GBP", 1400)
    )
    await person.press("Change it")
    await person.sees("What it is now")
    await person.sees("14.00")
    await person.finds("Unit price", "13.00")
    await person.press("Change it")
    await person.sees("The product is changed.")

    product = (await desk.client.inventory.get_stock(lamp)).product
    assert product.unit_price == Money("GBP", 1300)


@journey(on_every_change=SCRIPTS)
async def test_two_products_are_transferred_and_come_in_parts(person: Person, desk: Desk) -> None:
    lamp, shade = await desk.goods(10), await desk.goods(10)
    shop = f"shop-{lamp}".lower()
    await desk.client.inventory.create_location(shop)

    await person.follow("Transfers")
    await person.go(f"/transfers/new?product={lamp}")
    await person.choose("From", "main")
    await person.choose("To", shop)
    await person.fill("Units 1", "11")
    await person.fill("Product 2", shade)
    await person.fill("Units 2", "2")
    await person.press("Send them")
    await person.is_told("Units 1")
    await person.fill("Units 1", "5")
    await person.press("Send them")
    await person.sees("They are on their way.")
    await person.fill(f"Units of {lamp}, at most 5", "3")
    await person.press("Receive what came")
    await person.sees("What came is recorded.")
    await person.fill(f"Units of {lamp}, at most 2", "1")
    await person.press("Receive what came")
    await person.sees("What came is recorded.")
    await person.unfold("Nothing more will come")
    await person.press("Nothing more will come")
    await person.sees("The transfer is closed.")

    stocks = (
        await desk.client.inventory.get_stock(lamp),
        await desk.client.inventory.get_stock(shade),
    )
    held = [{level.location_id: level.on_hand for level in one.levels} for one in stocks]
    assert held == [{"main": 5, shop: 4}, {"main": 8, shop: 2}]


@journey()
async def test_a_location_is_made_and_taken_out_of_use(person: Person, desk: Desk) -> None:
    shop = f"shop-{await desk.goods()}".lower()

    await person.follow("Locations")
    await person.follow("New location")
    await person.fill("Location id", shop)
    await person.choose("What it is", "Shop")
    await person.fill("Country", "Britain")
    await person.press("Make it")
    await person.is_told("Country")
    await person.fill("Country", "GB")
    await person.press("Make it")
    await person.sees("The location is made.")
    await person.follow(shop)
    await person.untick("In use")
    await person.press("Change it")
    await person.sees("The location is changed.")

    found = [one async for one in desk.client.inventory.list_locations()]
    made = next(one for one in found if one.location_id == shop)
    assert (made.active, made.address and made.address.country) == (False, "GB")


@journey()
async def test_who_waits_is_told_and_served_when_units_come(person: Person, desk: Desk) -> None:
    lamp = await desk.goods(0, backorder=Backorder(BackorderMode.UNLIMITED))
    waiting = [await desk.placed(lamp, 2, hold_s=900.0) for _ in range(2)]

    await person.go(f"/backorders?id={lamp}")
    await person.sees(waiting[0])
    await person.sees(waiting[1])
    await person.follow("Receive")
    await person.unfold("Receive")
    await person.fill("Units", "2")
    await person.choose("Location", "main")
    await person.press("Receive")
    await person.sees("What came in is recorded.")
    await person.go(f"/backorders?id={lamp}")
    await person.sees_no_more(waiting[0])
    await person.sees(waiting[1])
