"""A day's work by the hundred: many orders at once, files, and what needs somebody first."""

from pathlib import Path

from holdfast.client import Backorder, BackorderMode, OrderStatus
from tests.e2e.console.journeys import AT_CONSOLE, NO_SCRIPTS, SCRIPTS, journey
from tests.e2e.console.people import Person
from tests.e2e.console.window import Desk

pytestmark = AT_CONSOLE
ALL = "All that the list shows, on every page, up to 1,000"


@journey()
async def test_orders_are_confirmed_together(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    orders = [await desk.placed(lamp, hold_s=900.0) for _ in range(2)]

    await person.go(f"/orders?product_id={lamp}")
    for one in orders:
        await person.tick(f"Choose order {one}")
    await person.press("Confirm…")
    await person.sees("2 orders will be confirmed.")
    await person.fill("Payment reference of each", "pay-{order}")
    await person.choose("What the provider did, with the total of each", "Authorised")
    await person.press("Confirm: 2")
    await person.sees_soon("It is over.")
    await person.sees("Done: 2 of 2. Failed: 0.")

    found = [await desk.client.orders.get(one) for one in orders]
    assert [one.payments[0].reference for one in found] == [f"pay-{one}" for one in orders]


@journey(on_every_change=SCRIPTS)
async def test_orders_are_shipped_together_and_one_has_changed(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    orders = [await desk.placed(lamp) for _ in range(3)]

    await person.go(f"/to-ship?product_id={lamp}")
    await person.choose("With which orders", ALL)
    await person.press("Ship…")
    await person.sees("3 orders will be shipped: 6 of 6 units that have not left.")
    await desk.client.orders.cancel(orders[1])
    await person.fill("Carrier", "Post")
    await person.press("Ship: 3")
    await person.sees_soon("It is over.")
    await person.sees("Done: 2 of 3. Failed: 1.")
    await person.sees("It has changed since you looked: it is Cancelled now.")
    await person.press("Look at those not done again…")
    await person.sees("There is nothing to do.")

    statuses = [(await desk.client.orders.get(one)).status for one in orders]
    assert statuses == [OrderStatus.SHIPPED, OrderStatus.CANCELLED, OrderStatus.SHIPPED]


@journey()
async def test_orders_are_cancelled_together(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    orders = [await desk.placed(lamp) for _ in range(2)]

    await person.go(f"/orders?product_id={lamp}")
    await person.press("Cancel…")
    await person.sees("No order is chosen")
    await person.go(f"/orders?product_id={lamp}")
    await person.press("Choose all on this page")
    await person.press("Cancel…")
    await person.sees("2 orders will be cancelled: 4 units that have not left.")
    await person.fill("Reason", "recalled")
    await person.press("Cancel: 2")
    await person.sees_soon("It is over.")
    await person.sees("Done: 2 of 2. Failed: 0.")

    found = [await desk.client.orders.get(one) for one in orders]
    assert {one.status for one in found} == {OrderStatus.CANCELLED}


@journey(on_every_change=NO_SCRIPTS)
async def test_a_file_is_looked_at_mended_and_taken_in(
    person: Person, desk: Desk, tmp_path: Path
) -> None:
    lamp = await desk.goods(4)
    flawed, whole = tmp_path / "flawed.csv", tmp_path / "whole.csv"
    flawed.write_text(f"product_id,on_hand\n{lamp},seven\n")
    whole.write_text(f"product_id,on_hand\n{lamp},7\n")

    await person.follow("Files")
    await person.choose("What is in it", "Stock")
    await person.bring("File", flawed)
    await person.press("See what would change")
    await person.sees_soon("Looked at")
    await person.sees("seven")
    await person.press("Remove it from here")
    await person.choose("What is in it", "Stock")
    await person.bring("File", whole)
    await person.press("See what would change")
    await person.sees_soon("Would be changed")
    await person.press("Take it in")
    await person.sees_soon("Taken in")

    assert (await desk.client.inventory.get_stock(lamp)).on_hand == 7


@journey()
async def test_orders_are_fetched_as_a_file(person: Person, desk: Desk) -> None:
    order_id = await desk.placed()

    await person.follow("Files")
    await person.choose("What is in it", "Orders", which=1)
    await person.choose("Written as", "JSON lines")
    await person.fill("Placed from", "2020-01-01")
    await person.choose("Status", "Confirmed")
    fetched = await person.download("button", "Download")

    assert order_id in fetched.read_text()


@journey()
async def test_what_needs_somebody_today_leads_to_its_next_step(person: Person, desk: Desk) -> None:
    held = await desk.placed(hold_s=120.0)
    scarce = await desk.goods(2)
    await desk.placed(scarce)
    awaited = await desk.goods(0, backorder=Backorder(BackorderMode.UNLIMITED))
    waiting = await desk.placed(awaited)

    await person.follow("Today")
    await person.follow(held)
    await person.unfold("Extend the hold")
    await person.press("Extend the hold")
    await person.sees("The hold ends later.")
    await person.follow("Today")
    await person.follow(scarce)
    await person.unfold("Receive")
    await person.fill("Units", "5")
    await person.press("Receive")
    await person.sees("What came in is recorded.")
    await person.follow("Today")
    await person.sees_not(scarce)
    await person.follow(waiting)
    await person.sees(f"{awaited}: 2 are waited for")
