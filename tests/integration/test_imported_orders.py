"""Files of orders and customers, taken in: an order whole or not at all, and one for ever."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast.client import Customer, Holdfast, Money, OrderRequest, OrderStatus, Unavailable
from holdfast.client._errors import Failure
from holdfast.exchange.files import ImportReport
from holdfast.exchange.imports import Import, ImportOptions
from holdfast.exchange.journal import Journal, digest_of
from holdfast.exchange.kinds import DoneBefore, Plan, Problem
from holdfast.exchange.orders import Orders
from holdfast.importing.opening import open_table
from holdfast.importing.tables import TableOptions
from tests.integration.conftest import RunningHoldfast, eventually
from tests.integration.taking_in import DRY, counts, options, take_in, written

ALIKE = True
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


async def test_what_only_orders_knows_is_told_by_the_columns_of_the_file(
    client: Holdfast, tmp_path: Path
) -> None:
    header = "request_id,customer_id,product_id,quantity,unit_price,currency,customer_email"
    dollars = ["1,ada,MUG,1,,GBP,", "1,ada,LAMP,1,4.50,USD,"]
    path = written(tmp_path, header, *dollars, "2,bob,MUG,1,,,nobody")

    told = await take_in(client, "orders", path)

    assert [(note.line, note.column) for note in told.problems] == [
        (2, "unit_price"),
        (4, "customer_email"),
    ]


async def test_an_order_that_found_its_stock_taken_is_told_as_often_as_it_is_imported(
    client: Holdfast, tmp_path: Path
) -> None:
    """Each is possible alone, so all are recorded, and only then it is seen who was late."""
    header = "request_id,customer_id,product_id,quantity"
    path = written(tmp_path, header, "1,ada,LAMP,6", "2,bob,LAMP,6", "3,cleo,MUG,1")

    first = await take_in(client, "orders", path)
    again = await take_in(client, "orders", path)
    exported = written(tmp_path, f"{header},status", "2,bob,LAMP,6,REJECTED", name="exported")

    assert (first.created, first.refused) == (2, 1)
    assert (again.created, again.unchanged, again.refused) == (0, 2, 1)
    for report in (first, again):
        (note,) = report.problems
        assert (note.line, note.column) == (3, "quantity")
        assert "is REJECTED, and nothing is held for it (short of LAMP: wanted 6" in note.problem
    assert (await take_in(client, "orders", exported)).unchanged == 1


async def test_an_order_that_was_over_elsewhere_is_not_placed_anew(
    client: Holdfast, tmp_path: Path
) -> None:
    header = "request_id,customer_id,product_id,quantity,status"
    over = ["1,ada,LAMP,1,CANCELLED", "2,ada,LAMP,1,Partially shipped", "2,ada,MUG,1,"]
    path = written(tmp_path, header, *over, "3,ada,MUG,1,CONFIRMED", "4,ada,MUG,1,")

    told = await take_in(client, "orders", path)

    assert [(note.line, note.column) for note in told.problems] == [(2, "status"), (3, "status")]
    assert (told.created, told.refused) == (2, 2)
    placed = [one async for one in client.orders.list()]
    assert {one.request_id for one in placed} == {"3", "4"}
    await client.orders.cancel(placed[0].order_id)
    mine = f"{placed[0].request_id},ada,MUG,1,CANCELLED"
    again = await take_in(client, "orders", written(tmp_path, header, mine, name="again"))
    assert again.unchanged == 1


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


SHORT = "request_id,customer_id,product_id,quantity"


async def placed(client: Holdfast) -> dict[tuple[str, str], list[str]]:
    """What was placed: the products of each order, by request id and customer."""
    return {
        (one.request_id, one.customer_id): [line.product_id for line in one.lines]
        async for one in client.orders.list()
    }


async def looked_and_taken_in(client: Holdfast, path: Path) -> ImportReport:
    """Take it in, having seen that a dry run tells the very same."""
    dry = await take_in(client, "orders", path, DRY)
    report = await take_in(client, "orders", path)
    assert (dry.created, dry.refused, dry.problems) == (
        *(report.created, report.refused),
        report.problems,
    )
    return report


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("1,ada,LAMP,1", "1,,MUG,2"), [2, 3]),
        (("1,ada,LAMP,1", ",ada,MUG,2"), [3]),
        (("1,ada,LAMP,1", ",,MUG,2"), [3, 3]),
        (("1,,LAMP,1", "1,ada,MUG,2"), [2, 3]),
        ((",,LAMP,1", "1,ada,MUG,2"), [2, 2, 3]),
        (("1,ada,LAMP,1", "1\u200b,ada,MUG,2"), [3]),
        (("1,ada,LAMP,1", "1,ad\u00ada,MUG,2"), [3]),
        (("1,ada,LAMP,1", "'1,ada,MUG,2"), [3]),
        (("1,ada,LAMP,1", "1.0,ada,MUG,2"), [3]),
        (("1,ada,LAMP,1", "1,\ue000,MUG,2"), [2, 3]),
    ],
    ids=[
        *(
            "no customer",
            "no number",
            "neither",
            "no customer in the first",
            "neither in the first",
        ),
        *("invisible in the number", "invisible in the customer", "a mark for text"),
        *("a number with decimals", "a customer that is none"),
    ],
)
async def test_a_line_that_tells_its_order_in_part_or_otherwise_holds_it_back(
    client: Holdfast, tmp_path: Path, lines: Sequence[str], told: list[int]
) -> None:
    path = written(tmp_path, SHORT, *lines)

    report = await looked_and_taken_in(client, path)

    assert await placed(client) == {}
    assert [note.line for note in report.problems] == told
    assert not report.ok

    mended = written(tmp_path, SHORT, "1,ada,LAMP,1", "1,ada,MUG,2", name="mended.csv")
    assert (await take_in(client, "orders", mended)).created == 1
    assert await placed(client) == {("1", "ada"): ["LAMP", "MUG"]}


@pytest.mark.parametrize(
    "lines",
    [
        (SHORT, "1,ada,LAMP,1", "1 ,ada,MUG,2"),
        (SHORT, "1,ada,LAMP,1", " 1, ada ,MUG,2"),
        (
            '{"request_id": "1", "customer_id": "ada", "product_id": "LAMP", "quantity": 1}',
            '{"request_id": 1, "customer_id": "ada", "product_id": "MUG", "quantity": 2}',
        ),
    ],
    ids=["space at the end", "spaces", "text and number"],
)
async def test_lines_that_tell_one_order_are_one_however_their_cells_are_written(
    client: Holdfast, tmp_path: Path, lines: Sequence[str]
) -> None:
    report = await looked_and_taken_in(client, written(tmp_path, *lines))

    assert (report.created, report.refused, report.lines) == (1, 0, 2)
    assert await placed(client) == {("1", "ada"): ["LAMP", "MUG"]}


async def test_a_line_that_tells_no_order_holds_back_those_right_before_and_behind_it(
    client: Holdfast, tmp_path: Path
) -> None:
    lines = ("1,ada,LAMP,1", "2,ada,LAMP,1", ",,MUG,1", "3,bob,MUG,1", "4,bob,MUG,1")

    report = await looked_and_taken_in(client, written(tmp_path, SHORT, *lines))

    assert (report.created, report.refused) == (2, 2)
    assert set(await placed(client)) == {("1", "ada"), ("4", "bob")}
    assert "line 4, right before it, may be of this order" in report.problems[-1].problem


async def test_a_line_without_a_customer_holds_back_no_order_of_another_number(
    client: Holdfast, tmp_path: Path
) -> None:
    lines = ("1,ada,LAMP,1", "2,,LAMP,1", "3,bob,MUG,1")

    report = await looked_and_taken_in(client, written(tmp_path, SHORT, *lines))

    assert [(note.line, note.column) for note in report.problems] == [(3, "customer_id")]
    assert set(await placed(client)) == {("1", "ada"), ("3", "bob")}


@pytest.mark.parametrize("between", [("2,bob,MUG,1",), ("2,bob,MUG,1", "3,ada,MUG,1")])
async def test_an_order_whose_lines_stand_apart_is_not_placed_at_all(
    client: Holdfast, tmp_path: Path, between: Sequence[str]
) -> None:
    """Wherever the rest of it stands: nothing of it is placed before that is found."""
    lines = ("1,ada,LAMP,1", *between, "1,ada,MUG,1")

    report = await looked_and_taken_in(client, written(tmp_path, SHORT, *lines))

    last = 3 + len(between)
    assert [(note.line, note.column) for note in report.problems] == [
        *((2, "request_id"), (last, "request_id"))
    ]
    assert f"line {last}" in report.problems[0].problem
    assert "line 2" in report.problems[1].problem
    assert ("1", "ada") not in await placed(client)
    assert report.created == len(between)


async def test_a_line_without_a_customer_holds_back_its_number_wherever_it_stands(
    client: Holdfast, tmp_path: Path
) -> None:
    lines = ("1,ada,LAMP,1", "2,bob,MUG,1", "1,,MUG,1")

    report = await looked_and_taken_in(client, written(tmp_path, SHORT, *lines))

    assert [note.line for note in report.problems] == [2, 4]
    assert set(await placed(client)) == {("2", "bob")}


async def test_one_number_of_two_customers_is_two_orders(client: Holdfast, tmp_path: Path) -> None:
    lines = ("1,ada,LAMP,1", "1,bob,MUG,1")

    report = await looked_and_taken_in(client, written(tmp_path, SHORT, *lines))

    assert report.ok
    assert set(await placed(client)) == {("1", "ada"), ("1", "bob")}


class Dies(Orders):
    """Orders of which none is placed any more: the program is ended."""

    async def carry_out(
        self, plans: Sequence[Plan[OrderRequest]]
    ) -> Sequence[Problem | DoneBefore | None]:
        raise Unavailable(Failure("UNAVAILABLE", "cut off"))


async def die_at_the_first_order(client: Holdfast, path: Path, kept: Journal) -> None:
    with kept as journal:
        table = open_table(path, Orders.shape, TableOptions())
        how = ImportOptions(patience_s=0.2, batch=2)
        await Import(Dies(client), table, how, journal).run()


async def test_an_import_that_goes_on_holds_back_what_one_without_a_break_would(
    client: Holdfast, tmp_path: Path
) -> None:
    """The line right before where it goes on may be of the order behind it."""
    lines = ("1,ada,LAMP,1", "1,ada,MUG", "2,bob,MUG,1", "3,bob,MUG,1")
    path = written(tmp_path, SHORT, *lines)
    subject = {"kind": "orders", "file": digest_of(path).digest, "into": ""}
    beside = path.with_name(f"{path.name}.orders-import")
    with pytest.raises(Unavailable):
        await die_at_the_first_order(client, path, Journal(beside, subject, subject["file"]))

    report = await take_in(client, "orders", path)

    assert report.resumed_after == 3
    assert (report.created, report.refused) == (1, 2)
    assert set(await placed(client)) == {("3", "bob")}
