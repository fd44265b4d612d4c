"""What is given out is what there is, and taken in again it changes nothing."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from holdfast.client import (
    Backorder,
    BackorderMode,
    Customer,
    Details,
    Holdfast,
    Money,
    OrderLine,
)
from holdfast.exchange.exports import COLUMNS, Wanted, rows
from holdfast.exchange.writing import whole_file, writer
from holdfast.importing.tables import Cell, FileKind
from tests.integration.conftest import RunningHoldfast
from tests.integration.taking_in import DRY, take_in

ALIKE = True
ALL = Wanted()
HOSTILE = '=HYPERLINK("http://x"),;|\t"quoted"\nsecond line'


@pytest.fixture
def client(holdfast: RunningHoldfast) -> Holdfast:
    return holdfast.client


async def give_out(
    client: Holdfast, kind: str, path: Path, file_kind: FileKind, wanted: Wanted = ALL
) -> list[list[Cell]]:
    found: list[list[Cell]] = []
    with whole_file(path) as stream, writer(stream, file_kind, COLUMNS[kind]) as out:
        async for row in rows(client, kind, wanted):
            out.row(row)
            found.append(row)
    return found


async def fill(client: Holdfast) -> None:
    """A small shop in which everything has an unpleasant name."""
    await client.inventory.create_product(
        "=LAMP", unit_price=Money("GBP", 1250), name=HOSTILE, description="a\r\nb"
    )
    await client.inventory.create_product(
        "007",
        unit_price=Money("JPY", 500),
        name="'-Mug",
        active=True,
        backorder=Backorder(BackorderMode.LIMITED, 5, date(2027, 1, 15)),
        safety_stock=1,
    )
    await client.inventory.create_product("1E+05", unit_price=Money("KWD", 1), active=False)
    await client.inventory.create_location("-shop", name="Shop")
    await client.inventory.set_stock("=LAMP", 9)
    await client.inventory.set_stock("=LAMP", 0, location_id="-shop")
    await client.inventory.set_stock("007", 7, location_id="-shop")
    await client.customers.update(
        "@ada", version=0, name="+Ada", email="a@x.example", address="1\n2"
    )
    await client.orders.create(
        "@ada",
        [OrderLine("=LAMP", 2), OrderLine("=LAMP", 1, Money("GBP", 1))],
        request_id="=1+1",
        customer=Customer(name="-Ada", phone="+44 1"),
        details=Details(reference="-R1", channel="web", note=HOSTILE),
        wait_s=20,
    )
    await client.orders.create("bob", [OrderLine("007", 1)], request_id="r-2", wait_s=20)


@pytest.mark.parametrize("file_kind", FileKind)
async def test_an_export_taken_in_again_changes_nothing(
    client: Holdfast, tmp_path: Path, file_kind: FileKind
) -> None:
    await fill(client)
    movements = [one async for one in client.inventory.list_movements()]
    items = {"products": 3, "prices": 3, "stock": 2, "customers": 1, "orders": 2}

    for kind, count in items.items():
        path = tmp_path / kind
        before = await give_out(client, kind, path, file_kind)
        for how in (DRY, replace(DRY, how=replace(DRY.how, dry_run=False))):
            report = await take_in(client, kind, path, how)
            assert report.problems == []
            assert (report.created, report.changed, report.unchanged) == (0, 0, count), kind
        after = await give_out(client, kind, path, file_kind)
        assert after == before

    assert [one async for one in client.inventory.list_movements()] == movements


async def test_an_export_makes_the_same_shop_elsewhere(client: Holdfast, tmp_path: Path) -> None:
    """What is given out is all that an import needs; what is for people to read is no trouble."""
    await fill(client)
    path = tmp_path / "orders.csv"
    first = await give_out(client, "orders", path, FileKind.CSV)
    text = path.read_text()

    path.write_text(text.replace("r-2", "r-3").replace("'=1+1", "'=1+2"))
    report = await take_in(client, "orders", path)

    assert (report.lines, report.created, report.refused) == (3, 2, 0)
    again = await give_out(client, "orders", path, FileKind.CSV)
    told = len(COLUMNS["orders"]) - 7
    assert {tuple(row[1:told]) for row in again} == {tuple(row[1:told]) for row in first}
    assert len(again) == 2 * len(first)


async def test_no_cell_of_an_export_is_a_formula_to_a_spreadsheet(
    client: Holdfast, tmp_path: Path
) -> None:
    await fill(client)
    for kind in ("products", "stock", "customers", "orders"):
        path = tmp_path / kind
        await give_out(client, kind, path, FileKind.CSV)
        for line in path.read_bytes().decode().split("\r\n"):
            for cell in line.split(","):
                assert not cell.lstrip('"').startswith(("=", "+", "-", "@")), line


async def test_orders_are_given_out_by_the_time_of_their_making(
    client: Holdfast, tmp_path: Path
) -> None:
    await fill(client)
    (mine,) = [one async for one in client.orders.list(customer_id="bob")]
    moment = mine.create_time
    behind = moment + timedelta(microseconds=1)

    for wanted, ids in (
        (Wanted(moment, behind), {"r-2"}),
        (Wanted(created_before=moment), {"=1+1"}),
        (Wanted(created_from=behind), set()),
    ):
        found = await give_out(client, "orders", tmp_path / "o", FileKind.CSV, wanted)
        assert {row[0] for row in found} == ids
