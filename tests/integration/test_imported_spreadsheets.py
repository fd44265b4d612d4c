"""Files as spreadsheets and hurried people leave them: told, and never taken in by half."""

from pathlib import Path

import pytest

from holdfast.client import Holdfast, Money, OrderLine, Unavailable
from holdfast.client._errors import Failure
from holdfast.exchange.files import FileOptions, import_file
from holdfast.exchange.imports import ImportOptions
from holdfast.exchange.values import ValueOptions
from holdfast.importing.flaws import UnreadableFile
from holdfast.importing.locales import Locale
from tests.integration.conftest import RunningHoldfast
from tests.integration.taking_in import DRY, options, product_of, stock_of, take_in, written

ALIKE = True
HEADER = "request_id,customer_id,product_id,quantity"
PRICED = f"{HEADER},unit_price,currency"


@pytest.fixture
async def client(holdfast: RunningHoldfast) -> Holdfast:
    for product_id in ("LAMP", "MUG"):
        await holdfast.client.inventory.create_product(product_id, unit_price=Money("GBP", 500))
        await holdfast.client.inventory.set_stock(product_id, 9)
    return holdfast.client


async def test_an_order_in_two_currencies_is_told_by_its_line_also_when_only_looked_at(
    client: Holdfast, tmp_path: Path
) -> None:
    path = written(tmp_path, PRICED, "1,ada,LAMP,1,5.00,GBP", "1,ada,MUG,1,5.00,EUR")

    for how in (DRY, options()):
        report = await take_in(client, "orders", path, how)

        assert (report.created, report.refused) == (0, 1)
        ((line, column, problem),) = [(n.line, n.column, n.problem) for n in report.problems]
        assert (line, column) == (3, "currency")
        assert problem == "is EUR, and GBP before: an order has one currency"


async def test_a_file_that_is_written_while_it_is_read_places_no_part_of_an_order(
    client: Holdfast, tmp_path: Path
) -> None:
    """A copy that was under way, or a file that was saved once more: half of it was of each."""
    path = written(tmp_path, HEADER, *(f"{one},ada,LAMP,1" for one in range(2_500)))
    whole = path.read_bytes()

    def cut(lines: int, _total: int) -> None:
        if lines == 1_000:
            path.write_bytes(whole[: len(whole) // 2 + 3])

    with pytest.raises(UnreadableFile, match="somebody changed it while it was read"):
        await import_file(client, "orders", path, DRY, cut)
    path.write_bytes(whole)
    report = await take_in(client, "orders", path, DRY)

    assert report.created == 2_500


@pytest.mark.parametrize(("price", "column"), [("5.00", "unit_price"), ("", "currency")])
async def test_a_currency_that_is_not_the_product_s_is_told_also_when_only_looked_at(
    client: Holdfast, tmp_path: Path, price: str, column: str
) -> None:
    """Beside no price it counted for nothing, and the order was placed in another currency."""
    path = written(tmp_path, PRICED, f"1,ada,LAMP,1,{price},EUR", f"2,ada,LAMP,1,{price},GBP")

    for how in (DRY, options()):
        report = await take_in(client, "orders", path, how)

        assert (report.created, report.refused) == (1, 1)
        ((line, at, problem),) = [(n.line, n.column, n.problem) for n in report.problems]
        assert (line, at) == (2, column)
        assert problem == "is in EUR, but LAMP is sold in GBP: name that currency"


async def test_what_a_dry_run_can_know_of_customers_it_tells(
    client: Holdfast, tmp_path: Path
) -> None:
    await client.customers.update("eve", version=0, name="Eve")
    await client.customers.erase("eve")
    lines = ["ada,nope", "bob,b\u200b@x.example", "eve,e@x.example", "joe,j@x.example"]
    path = written(tmp_path, "customer_id,email", *lines)
    order = written(
        tmp_path,
        "request_id,customer_id,product_id,quantity,customer_email",
        "1,ada,LAMP,1,nope",
        name="orders.csv",
    )

    looked, taken = [await take_in(client, "customers", path, how) for how in (DRY, options())]
    dry = await take_in(client, "orders", order, DRY)

    assert looked.problems == taken.problems
    assert (looked.created, taken.created) == (1, 1)
    assert [(note.line, note.column) for note in looked.problems] == [
        *[(2, "email"), (3, "email"), (4, "customer_id")]
    ]
    assert [(note.line, note.column) for note in dry.problems] == [(2, "customer_email")]


@pytest.mark.parametrize(
    "eaten", ["1001.0,ada", "1.001E+03,ada", '="1001",ada', "1001,nan", "1001,17850.0", "#N/A,ada"]
)
async def test_a_number_that_a_spreadsheet_has_eaten_is_no_second_order(
    client: Holdfast, tmp_path: Path, eaten: str
) -> None:
    """The same invoice, saved by a spreadsheet or a program, was placed once more."""
    await take_in(client, "orders", written(tmp_path, HEADER, "1001,ada,LAMP,1"))
    path = written(tmp_path, HEADER, f"{eaten},LAMP,1", name="saved.csv")

    for how in (DRY, options()):
        report = await take_in(client, "orders", path, how)

        assert (report.created, report.refused) == (0, 1)
    assert len([one async for one in client.orders.list()]) == 1


async def test_an_order_that_is_called_so_is_found_to_be_there(
    client: Holdfast, tmp_path: Path
) -> None:
    lines = [OrderLine("LAMP", 1)]
    await client.orders.create("null", lines, request_id="8311.0")
    path = written(tmp_path, HEADER, "8311.0,null,LAMP,1", name="out.csv")

    report = await take_in(client, "orders", path)

    assert (report.unchanged, report.refused) == (1, 0)


async def test_a_count_without_its_location_beside_others_that_name_one_is_told(
    client: Holdfast, tmp_path: Path
) -> None:
    """A merged cell, or one that is only written at its first line: the rest went to main."""
    lines = ["LAMP,main,5", "MUG,,7"]
    path = written(tmp_path, "product_id,location_id,on_hand", *lines)

    report = await take_in(client, "stock", path, DRY)

    ((line, column, told),) = [(n.line, n.column, n.problem) for n in report.warnings]
    assert (line, column) == (3, "location_id")
    assert told == "is empty, and taken for main: write it down"


async def test_the_rest_of_a_file_is_not_taken_in_otherwise_than_its_beginning(
    client: Holdfast, tmp_path: Path
) -> None:
    """Broken off because an option was wrong: the lines before were never set right."""
    others = (f"NONE-{number},5" for number in range(1_500))
    path = written(tmp_path, "product_id,on_hand", "LAMP,1.000", *others, "MUG,5")
    german = FileOptions(how=ImportOptions(values=ValueOptions(Locale.DE)))

    def stop(lines: int, _total: int) -> None:
        if lines >= 1_000:  # the first batch is written down
            raise Unavailable(Failure("UNAVAILABLE", "broken off"))

    with pytest.raises(Unavailable):
        await import_file(client, "stock", path, german, stop)
    assert (await stock_of(client, "LAMP")).on_hand == 1_000
    plain = await take_in(client, "stock", path)

    assert plain.resumed_after == 0
    assert (plain.problems[0].line, plain.problems[0].column) == (2, "on_hand")
    assert (await stock_of(client, "MUG")).on_hand == 5


@pytest.mark.parametrize("kind", ["prices", "products"])
async def test_what_a_product_is_sold_in_is_changed_by_its_name_alone(
    client: Holdfast, tmp_path: Path, kind: str
) -> None:
    """705 yen became 705 pounds, where nobody had named a currency."""
    yen = Money("JPY", 705)
    await client.inventory.create_product("YEN", unit_price=yen)
    bare = written(tmp_path, "product_id,unit_price", "YEN,710", "LAMP,6.00")
    named = written(tmp_path, "product_id,unit_price,currency", "YEN,7.10,GBP", name="named.csv")

    for how in (DRY, options()):
        report = await take_in(client, kind, bare, how)

        assert (report.changed, report.refused) == (1, 1)
        ((line, column, problem),) = [(n.line, n.column, n.problem) for n in report.problems]
        assert (line, column) == (2, "unit_price")
        assert "is 710.00 GBP, but YEN is sold in JPY: give --currency JPY" in problem
    assert (await product_of(client, "YEN")).unit_price == yen
    assert (await take_in(client, kind, named)).changed == 1
    assert (await product_of(client, "YEN")).unit_price == Money("GBP", 710)


async def test_another_currency_without_a_price_is_told(client: Holdfast, tmp_path: Path) -> None:
    path = written(tmp_path, "product_id,name,unit_price,currency", "LAMP,Lamp,,EUR")

    report = await take_in(client, "products", path)

    (note,) = report.problems
    assert (note.line, note.column) == (2, "currency")
    assert note.problem.startswith("is 'EUR', but LAMP is sold in GBP, and no price stands beside")
    assert (await product_of(client, "LAMP")).name != "Lamp"
