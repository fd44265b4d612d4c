"""Files of orders and customers, taken in: an order whole or not at all, and one for ever."""

from pathlib import Path

import pytest

from holdfast.client import Customer, Holdfast, Money, OrderStatus
from tests.integration.conftest import RunningHoldfast, eventually
from tests.integration.taking_in import DRY, counts, options, take_in, written

HEADER = "request_id,customer_id,product_id,quantity,unit_price,reference,customer_email"


@pytest.fixture
async def client(holdfast: RunningHoldfast) -> Holdfast:
    for product_id, units in (("LAMP", 9), ("MUG", 9)):
        await holdfast.client.inventory.create_product(product_id, unit_price=Money("GBP", 500))
        await holdfast.client.inventory.set_stock(product_id, units)
    return holdfast.client


async def test_orders_are_placed_once_and_told_where_they_differ(
    client: Holdfast, tmp_path: Path
) -> None:
    lines = ["1001,ada,LAMP,2,4.50,W-17,a@x.example", "1001,ada,MUG,1,,W-17,a@x.example"]
    path = written(tmp_path, HEADER, *lines, "1002,bob,MUG,3,,,")

    dry = await take_in(client, "orders", path, DRY)
    assert [one async for one in client.orders.list()] == []
    first = await take_in(client, "orders", path)
    again = await take_in(client, "orders", path)
    other = written(tmp_path, HEADER, *lines, "1002,bob,MUG,4,,,", name="other")
    differing = await take_in(client, "orders", other)

    assert (dry.created, first.created, first.lines) == (2, 2, 3)
    assert (again.created, again.unchanged) == (0, 2)
    assert (differing.unchanged, differing.refused) == (1, 1)
    (note,) = differing.problems
    assert (note.line, note.column) == (4, "request_id")
    (ada,) = [one async for one in client.orders.list(customer_id="ada")]
    assert (str(ada.total), ada.details.reference) == ("14.00 GBP", "W-17")
    assert ada.customer == Customer(email="a@x.example")

    async def statuses() -> set[OrderStatus]:
        return {one.status async for one in client.orders.list()}

    assert await eventually(statuses, lambda found: OrderStatus.PENDING not in found) == {
        OrderStatus.CONFIRMED
    }


async def test_an_order_of_which_a_line_is_of_no_use_is_not_placed_at_all(
    client: Holdfast, tmp_path: Path
) -> None:
    path = written(
        tmp_path,
        HEADER,
        "1,ada,LAMP,1,,,",
        "1,ada,MUG,none,,,",
        "2,ada,LAMP,1,,,",
        "2,ada,LAMP,1,,another reference,",
        "3,ada,NONE,1,,,",
        "4,ada,LAMP,100,,,",
        "5,ada,LAMP,1,,,",
        "6,ada,LAMP,1",
        "7,ada,LAMP,1,,,",
        "8,ada,LAMP,1,,,",
    )

    report = await take_in(client, "orders", path)

    assert [(note.line, note.column) for note in report.problems] == [
        *((3, "quantity"), (5, ""), (6, "product_id"), (7, "quantity"), (9, ""), (10, "")),
    ]
    assert "short of LAMP: wanted 100" in report.problems[3].problem
    assert "line 9, right before it, may be of this order" in report.problems[5].problem
    assert (report.created, report.refused) == (1, 6)
    assert [one.request_id async for one in client.orders.list()] == ["8"]


async def test_profiles_are_made_and_changed_in_what_the_file_says(
    client: Holdfast, tmp_path: Path
) -> None:
    both = written(tmp_path, "customer_id,name,email", "ada,Ada,a@x.example", "bob,,")
    names = written(tmp_path, "customer_id,name", "ada,Ada L.", "bob,", name="names")

    dry = await take_in(client, "customers", both, DRY)
    first = await take_in(client, "customers", both)
    then = await take_in(client, "customers", names, options())

    assert counts(dry) == counts(first) == (2, 0, 0, 0)
    assert counts(then) == (0, 1, 1, 0)
    ada = await client.customers.get("ada")
    assert ada.customer == Customer(name="Ada L.", email="a@x.example")
    assert [one.customer_id async for one in client.customers.list()] == ["ada", "bob"]
