"""A day with orders: why they wait, paid for, shipped, cancelled and come back."""

from holdfast.client import (
    Backorder,
    BackorderMode,
    Customer,
    LocationKind,
    OrderStatus,
    PaymentStatus,
)
from tests.e2e.console.journeys import AT_CONSOLE, KEYBOARD, SCRIPTS, journey
from tests.e2e.console.people import Person
from tests.e2e.console.window import Desk

pytestmark = AT_CONSOLE


@journey()
async def test_an_order_is_found_by_email_and_says_why_it_waits(person: Person, desk: Desk) -> None:
    lamp = await desk.goods(1, backorder=Backorder(BackorderMode.UNLIMITED))
    ada = Customer(name="Ada", email=f"{lamp}@example.org")
    order_id = await desk.placed(lamp, 3, customer=ada)

    await person.follow("Orders")
    await person.unfold("Customer, product, reference, time")
    await person.fill("E-mail", f"{lamp}@example.org")
    await person.press("Show")
    await person.follow(order_id)

    await person.sees(f"{lamp}: 2 are waited for")


@journey(on_every_change=KEYBOARD)
async def test_an_order_is_found_by_its_id_and_confirmed_with_a_payment(
    person: Person, desk: Desk
) -> None:
    order_id = await desk.placed(hold_s=900.0)

    await person.fill("Find: scan, or type an id", order_id)
    await person.send()
    await person.is_at(order_id)
    await person.unfold("Confirm")
    await person.fill("Payment reference", "pay-1")
    await person.choose("What the provider did", "Captured")
    await person.press("Confirm")
    await person.sees("The order is confirmed.")
    await person.sees("Captured 25.00 GBP · pay-1")

    order = await desk.client.orders.get(order_id)
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, PaymentStatus.PAID)


@journey()
async def test_all_of_an_order_is_shipped(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    order_id = await desk.placed(lamp)

    await person.follow("To ship")
    await person.fill("Product", lamp)
    await person.press("Show")
    await person.follow(f"Ship order {order_id}")
    await person.fill("Carrier", "Post")
    await person.fill("Tracking number", "T-1")
    await person.press("Ship")
    await person.sees("The shipment is recorded.")

    order = await desk.client.orders.get(order_id)
    assert order.status is OrderStatus.SHIPPED
    assert order.shipments[0].tracking_number == "T-1"


@journey()
async def test_a_part_is_shipped_from_one_location(person: Person, desk: Desk) -> None:
    lamp = await desk.goods(2)
    shop = f"shop-{lamp}".lower()
    await desk.client.inventory.create_location(shop, kind=LocationKind.SHOP)
    await desk.client.inventory.set_stock(lamp, 3, location_id=shop)
    order_id = await desk.placed(lamp, 5)

    await person.follow("To ship")
    await person.choose("Location", shop)
    await person.press("Show")
    await person.follow(f"Ship order {order_id}")
    await person.finds(f"Units of {lamp}, at most 3", "3")
    await person.fill("Carrier", "Parcel")
    await person.press("Ship")
    await person.sees("The shipment is recorded.")
    await person.sees("Partly shipped")

    order = await desk.client.orders.get(order_id)
    sent = [(one.location_id, one.quantity) for one in order.shipments[0].items]
    assert sent == [(shop, 3)]


@journey()
async def test_one_line_of_an_order_is_cancelled(person: Person, desk: Desk) -> None:
    lamp, shade = await desk.goods(), await desk.goods()
    order_id = await desk.placed([lamp, shade])

    await person.go(f"/orders/{order_id}")
    await person.unfold("Cancel")
    await person.tick("Only these:")
    await person.press("Cancel")
    await person.sees("Say how many units of at least one line.")
    await person.fill(f"Units of {shade}, at most 2", "2")
    await person.fill("Reason", "out of fashion")
    await person.press("Cancel")
    await person.sees("It is cancelled.")

    order = await desk.client.orders.get(order_id)
    assert {one.product_id: one.quantity for one in order.lines if one.quantity} == {lamp: 2}
    assert "out of fashion" in [change.reason for change in order.history]


@journey(on_every_change=SCRIPTS)
async def test_a_return_is_opened_received_and_closed(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    order_id = await desk.placed(lamp, 3)
    await desk.client.orders.ship(order_id)

    await person.go(f"/orders/{order_id}")
    await person.unfold("Open a return")
    await person.fill(f"Units of {lamp}, at most 3", "2")
    await person.fill("Reason", "too red")
    await person.press("Open a return")
    await person.sees("The return is open.")
    await person.unfold("Receive a return")
    await person.fill(f"Units of {lamp}, at most 2", "1")
    await person.choose("What becomes of them", "Into quarantine")
    await person.press("Receive a return")
    await person.sees("What came is recorded.")
    await person.unfold("Receive a return")
    await person.press("Nothing more will come")
    await person.sees("The return is closed.")
    await person.sees(f"{lamp}: 1 of 2 came")

    assert (await desk.client.inventory.get_stock(lamp)).quarantined == 1


@journey()
async def test_a_hold_is_extended(person: Person, desk: Desk) -> None:
    order_id = await desk.placed(hold_s=300.0)
    before = await desk.client.orders.get(order_id)

    await person.go(f"/orders/{order_id}")
    await person.unfold("Extend the hold")
    await person.fill("Minutes from now", "soon")
    await person.press("Extend the hold")
    await person.is_told("Minutes from now")
    await person.fill("Minutes from now", "90")
    await person.press("Extend the hold")
    await person.sees("The hold ends later.")

    after = await desk.client.orders.get(order_id)
    assert before.expires_time is not None
    assert after.expires_time is not None
    assert (after.expires_time - before.expires_time).total_seconds() > 4_800


@journey(on_every_change=KEYBOARD)
async def test_two_people_on_one_order_see_each_other(person: Person, desk: Desk) -> None:
    lamp = await desk.goods()
    order_id = await desk.placed(lamp, 5)

    await person.go(f"/orders/{order_id}")
    await person.unfold("Ship")
    await person.fill("Carrier", "Parcel & Co")
    await one_less(desk, order_id)
    await person.press("Ship")

    await person.sees("Somebody was faster")
    await person.sees("one less")
    await person.finds("Carrier", "Parcel & Co")
    await person.fill(f"Units of {lamp}, at most 4", "4")
    await person.press("Ship")
    await person.sees("The shipment is recorded.")
    assert (await desk.client.orders.get(order_id)).status is OrderStatus.SHIPPED


@journey(on_every_change=SCRIPTS)
async def test_a_change_in_another_window_shows_here(person: Person, desk: Desk) -> None:
    order_id = await desk.placed(quantity=5)

    await person.go(f"/orders/{order_id}")
    await person.sees_not("one less")
    await one_less(desk, order_id)

    await person.sees_soon("one less")


async def one_less(desk: Desk, order_id: str) -> None:
    """What somebody else does meanwhile."""
    version = (await desk.client.orders.get(order_id)).version
    await desk.client.orders.cancel(
        order_id, lines={1: 1}, version=version, reason="one less", wait_s=10.0
    )
