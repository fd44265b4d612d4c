"""Files of products, prices and stock, taken in: by line, once, and only what they say."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from holdfast.client import (
    Backorder,
    BackorderMode,
    Holdfast,
    MovementKind,
    OrderLine,
    StockReason,
    StockRequest,
    Unavailable,
)
from holdfast.client._errors import Failure
from holdfast.exchange.files import FileOptions
from holdfast.exchange.imports import Import, ImportOptions
from holdfast.exchange.journal import Journal, digest_of
from holdfast.exchange.kinds import DoneBefore, Plan, Problem
from holdfast.exchange.stock import Count, Stock
from holdfast.exchange.values import ValueOptions
from holdfast.importing.flaws import UnreadableFile
from holdfast.importing.locales import Locale
from holdfast.importing.opening import open_table
from holdfast.importing.tables import TableOptions
from tests.integration.conftest import RunningHoldfast
from tests.integration.taking_in import (
    DRY,
    counts,
    options,
    product_of,
    stock_of,
    take_in,
    written,
)

ALIKE = True
PRODUCTS = (
    "product_id,name,unit_price,active,backorder_mode,backorder_units_max,safety_stock",
    "LAMP,Red lamp,12.50,yes,,,",
    "00042,Mug,4,no,LIMITED,10,3",
    "1E+05,Pan,5.00,,,,",
)


@pytest.fixture
def client(holdfast: RunningHoldfast) -> Holdfast:
    return holdfast.client


async def make_products(client: Holdfast, folder: Path) -> None:
    report = await take_in(client, "products", written(folder, *PRODUCTS, name="products.csv"))
    assert report.ok


async def test_a_file_of_products_makes_them_and_once_more_changes_nothing(
    client: Holdfast, tmp_path: Path
) -> None:
    path = written(tmp_path, *PRODUCTS)

    dry = await take_in(client, "products", path, DRY)
    assert [one async for one in client.inventory.list_products()] == []
    first = await take_in(client, "products", path)
    again = await take_in(client, "products", path)

    assert (counts(dry), counts(first), counts(again)) == ((3, 0, 0, 0), (3, 0, 0, 0), (0, 0, 3, 0))
    mug = await product_of(client, "00042")
    assert (mug.name, mug.active, mug.safety_stock, mug.version) == ("Mug", False, 3, 1)
    assert mug.backorder == Backorder(BackorderMode.LIMITED, 10)
    assert (await product_of(client, "LAMP")).active is True
    assert [(note.line, note.column) for note in first.warnings] == [(4, "product_id")]


async def test_only_what_a_file_says_is_changed(client: Holdfast, tmp_path: Path) -> None:
    await make_products(client, tmp_path)
    header = "product_id,description,backorder_expected_date"
    path = written(tmp_path, header, '00042,"For tea,\nor coffee",2027-01-15')

    report = await take_in(client, "products", path)

    mug = await product_of(client, "00042")
    assert counts(report) == (0, 1, 0, 0)
    assert (mug.name, mug.description, mug.version) == ("Mug", "For tea,\nor coffee", 2)
    assert mug.backorder == Backorder(BackorderMode.LIMITED, 10, date(2027, 1, 15))


async def test_prices_are_changed_and_no_product_is_made(client: Holdfast, tmp_path: Path) -> None:
    await make_products(client, tmp_path)
    path = written(tmp_path, "product_id,unit_price", "LAMP,13.50", "NEW,1.00", "00042,4.00")

    report = await take_in(client, "prices", path)

    assert counts(report) == (0, 1, 1, 1)
    assert str((await product_of(client, "LAMP")).unit_price) == "13.50 GBP"
    assert [(note.line, note.column) for note in report.problems] == [(3, "product_id")]


async def test_a_product_without_a_price_is_not_made(client: Holdfast, tmp_path: Path) -> None:
    path = written(tmp_path, "product_id,name", "LAMP,Lamp")

    for how in (DRY, options()):
        report = await take_in(client, "products", path, how)
        (note,) = report.problems
        assert (note.line, note.column) == (2, "unit_price")


async def test_lines_that_are_refused_are_told_with_their_columns_and_cost_no_other(
    client: Holdfast, tmp_path: Path
) -> None:
    await make_products(client, tmp_path)
    path = written(
        tmp_path,
        "product_id,location_id,on_hand,reason,reason_code",
        "LAMP,,5,counted,found",
        "NONE,,5,,",
        "LAMP,nowhere,5,,",
        "00042,main,-1,,",
        "00042,main,many,,",
        "00042,main,,,",
        "00042,main",
        "00042,main,7,,bad luck",
        "1E+05,Main,8,,",
    )

    dry = await take_in(client, "stock", path, DRY)
    assert (await stock_of(client, "LAMP")).levels == ()
    report = await take_in(client, "stock", path)

    assert counts(report) == counts(dry) == (1, 0, 0, 8)
    assert [(note.line, note.column) for note in report.problems] == [
        *((3, "product_id"), (4, "location_id"), (5, "on_hand"), (6, "on_hand"), (7, "on_hand")),
        *((8, ""), (9, "reason_code"), (10, "location_id")),
    ]
    assert report.problems == dry.problems
    (movement,) = [one async for one in client.inventory.list_movements(product_id="LAMP")]
    assert (movement.kind, movement.on_hand_after) == (MovementKind.RECEIPT, 5)
    assert (movement.reason, movement.reason_code) == ("counted", StockReason.FOUND)


async def test_below_what_is_promised_only_displace_goes(client: Holdfast, tmp_path: Path) -> None:
    await make_products(client, tmp_path)
    await client.inventory.set_stock("LAMP", 5)
    await client.orders.create("c-1", [OrderLine("LAMP", 3)], wait_s=20)
    path = written(tmp_path, "product_id,on_hand", "LAMP,2")

    for how in (DRY, options()):
        report = await take_in(client, "stock", path, how)
        assert counts(report) == (0, 0, 0, 1)
        assert "below the 3 that are promised" in report.problems[0].problem
    displaced = await take_in(client, "stock", path, options(displace=True))

    assert counts(displaced) == (0, 1, 0, 0)
    assert (await stock_of(client, "LAMP")).on_hand == 2


async def test_the_same_file_later_leaves_what_is_so_and_tells_what_is_not(
    client: Holdfast, tmp_path: Path
) -> None:
    """The request ids are the file's: without `again` a repeat would silently do nothing."""
    await make_products(client, tmp_path)
    path = written(tmp_path, "product_id,on_hand", "LAMP,5", "00042,7")
    await take_in(client, "stock", path)
    await client.inventory.set_stock("LAMP", 9)

    without = await take_in(client, "stock", path)
    displacing = await take_in(client, "stock", path, options(displace=True))
    assert (await stock_of(client, "LAMP")).on_hand == 9
    again = await take_in(client, "stock", path, options(again=True))

    assert (counts(without), counts(again)) == ((0, 0, 1, 1), (0, 1, 1, 0))
    assert counts(displacing) == (0, 0, 1, 1)
    assert "an earlier import of this very file did it" in without.problems[0].problem
    assert (await stock_of(client, "LAMP")).on_hand == 5


async def test_of_a_level_that_stands_twice_the_last_line_counts(
    client: Holdfast, tmp_path: Path
) -> None:
    await make_products(client, tmp_path)
    lines = [f"LAMP,{number}" for number in range(1, 40)]

    report = await take_in(client, "stock", written(tmp_path, "product_id,on_hand", *lines))

    assert counts(report) == (1, 0, 38, 0)
    assert (await stock_of(client, "LAMP")).on_hand == 39
    assert len([one async for one in client.inventory.list_movements(product_id="LAMP")]) == 1
    assert report.warned == 38
    assert "line 40 says it anew" in report.warnings[0].problem


async def test_a_line_that_does_not_count_displaces_no_promise_and_is_no_refusal_later(
    client: Holdfast, tmp_path: Path
) -> None:
    await make_products(client, tmp_path)
    await client.inventory.set_stock("LAMP", 50)
    await client.orders.create("c-1", [OrderLine("LAMP", 30)], wait_s=20)
    path = written(tmp_path, "product_id,on_hand", "LAMP,20", "LAMP,60")

    dry = await take_in(client, "stock", path, DRY)
    first = await take_in(client, "stock", path, options(displace=True))
    again = await take_in(client, "stock", path, options(displace=True))

    assert counts(dry) == counts(first) == (0, 1, 1, 0)
    assert counts(again) == (0, 0, 2, 0)
    assert (await stock_of(client, "LAMP")).on_hand == 60
    moved = [one async for one in client.inventory.list_movements(product_id="LAMP")]
    assert {one.on_hand_after for one in moved} == {50, 60}, "it was never 20"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("LAMP,main,20", " LAMP ,,60"),
        ("LAMP,,20", "LAMP, main ,60"),
    ],
)
async def test_a_level_is_the_same_however_its_cells_are_written(
    client: Holdfast, tmp_path: Path, first: str, last: str
) -> None:
    await make_products(client, tmp_path)
    path = written(tmp_path, "product_id,location_id,on_hand", first, last)

    assert counts(await take_in(client, "stock", path)) == (1, 0, 1, 0)
    assert (await stock_of(client, "LAMP")).on_hand == 60


@pytest.mark.parametrize("last", ["LAMP,main,many", "LAMP,Main,60"])
async def test_a_level_whose_last_line_is_of_no_use_stays_as_it_is(
    client: Holdfast, tmp_path: Path, last: str
) -> None:
    await make_products(client, tmp_path)
    path = written(tmp_path, "product_id,location_id,on_hand", "LAMP,main,20", last)

    report = await take_in(client, "stock", path)

    assert counts(report) == (0, 0, 1, 1)
    assert [note.line for note in (*report.warnings, *report.problems)] == [2, 3]
    assert (await stock_of(client, "LAMP")).levels == ()


async def test_of_a_price_that_stands_twice_the_last_line_counts(
    client: Holdfast, tmp_path: Path
) -> None:
    await make_products(client, tmp_path)
    path = written(tmp_path, "product_id,unit_price", "LAMP,1.00", "LAMP ,13.50")

    first = await take_in(client, "prices", path)
    again = await take_in(client, "prices", path)

    assert (counts(first), counts(again)) == ((0, 1, 1, 0), (0, 0, 2, 0))
    lamp = await product_of(client, "LAMP")
    assert (str(lamp.unit_price), lamp.version) == ("13.50 GBP", 2)


async def test_a_german_count_of_a_thousand_is_asked_for_and_never_one(
    client: Holdfast, tmp_path: Path
) -> None:
    await make_products(client, tmp_path)
    path = written(tmp_path, "product_id;on_hand", "LAMP;1.000", "00042;6.0")

    for how in (DRY, options()):
        report = await take_in(client, "stock", path, how)
        assert counts(report) == (1, 0, 0, 1)
        assert "may mean 1 or 1000" in report.problems[0].problem
    assert (await stock_of(client, "LAMP")).levels == ()

    german = FileOptions(how=ImportOptions(values=ValueOptions(locale=Locale.DE)))
    mended = written(tmp_path, "product_id;on_hand", "LAMP;1.000", name="mended.csv")
    await take_in(client, "stock", mended, german)
    assert (await stock_of(client, "LAMP")).on_hand == 1_000


async def test_a_file_of_no_use_changes_nothing(client: Holdfast, tmp_path: Path) -> None:
    for content, told in (("", "0 bytes"), ("product_id,on_hand\n", "no line below")):
        path = tmp_path / "stock.csv"
        path.write_text(content)
        with pytest.raises(UnreadableFile, match=told):
            await take_in(client, "stock", path)
        assert not list(tmp_path.glob("*-import")), "no journal of nothing"


class Stops(Stock):
    """Stock of which nothing comes after the second batch, which was done and not written down."""

    def __init__(self, client: Holdfast, journal: Journal) -> None:
        super().__init__(client, journal.run)
        self._journal, self._is_over = journal, False

    async def plan(self, items: Sequence[Count]) -> Sequence[Plan[Count]]:
        if self._is_over:
            raise Unavailable(Failure("UNAVAILABLE", "cut off"))
        return await super().plan(items)

    async def carry_out(
        self, plans: Sequence[Plan[Count]]
    ) -> Sequence[Problem | DoneBefore | None]:
        done = await super().carry_out(plans)
        if any(plan.item.product_id == "P-2" for plan in plans):
            while "through" not in self._journal.path.read_text():
                await asyncio.sleep(0.01)
            self._is_over = True
            raise Unavailable(Failure("UNAVAILABLE", "cut off"))
        return done


async def end_after_two_batches(client: Holdfast, path: Path, kept: Journal) -> None:
    with kept as journal:
        table = open_table(path, Stock.shape, TableOptions())
        how = ImportOptions(patience_s=0.2, batch=3)
        await Import(Stops(client, journal), table, how, journal).run()


async def test_an_import_that_ended_in_the_middle_goes_on_and_does_nothing_twice(
    client: Holdfast, tmp_path: Path
) -> None:
    """What was done and not written down is done once only, though an order was placed since."""
    await make_products(client, tmp_path)
    await client.inventory.set_stock_batch([StockRequest("LAMP", 1), StockRequest("1E+05", 1)])
    ids = ["LAMP", *(f"P-{number}" for number in range(4)), "1E+05"]
    made = written(tmp_path, "product_id,unit_price", *(f"{one},1" for one in ids[1:-1]), name="p")
    assert (await take_in(client, "products", made)).created == 4
    path = written(tmp_path, "product_id,on_hand", *(f"{one},5" for one in ids), "NONE,5")
    subject = {"kind": "stock", "file": digest_of(path).digest, "into": ""}
    beside = path.with_name(f"{path.name}.stock-import")
    with pytest.raises(Unavailable):
        await end_after_two_batches(client, path, Journal(beside, subject, subject["file"]))
    assert beside.exists()
    await client.orders.create("c-1", [OrderLine("LAMP", 1)], wait_s=20)
    await client.inventory.adjust_stock("1E+05", 1, reason="found one")

    report = await take_in(client, "stock", path)

    assert report.lines == len(ids) + 1
    assert report.resumed_after == 4, "the header, and a batch of three"
    assert (report.created + report.changed + report.unchanged, report.refused) == (len(ids), 1)
    assert not beside.exists(), "all is done"
    assert (await stock_of(client, "1E+05")).on_hand == 6, "set once, before one was found"
    movements = [one async for one in client.inventory.list_movements(product_id="P-1")]
    assert [one.on_hand_after for one in movements] == [5]


class Stutters(Stock):
    """Stock of which every second answer is lost: it was done, and nobody knows."""

    calls = 0

    async def carry_out(
        self, plans: Sequence[Plan[Count]]
    ) -> Sequence[Problem | DoneBefore | None]:
        done = await super().carry_out(plans)
        self.calls += 1
        if self.calls % 2:
            raise Unavailable(Failure("UNAVAILABLE", "lost"))
        return done


async def test_what_got_no_answer_is_asked_again_and_counts_as_what_it_was(
    client: Holdfast, tmp_path: Path
) -> None:
    await make_products(client, tmp_path)
    await client.inventory.set_stock("00042", 1)
    path = written(tmp_path, "product_id,on_hand", "LAMP,5", "00042,5", "1E+05,5", "NONE,5")
    table = open_table(path, Stock.shape, TableOptions())
    how = ImportOptions(patience_s=5.0, batch=1)

    found = await Import(Stutters(client, "a run"), table, how).run()

    assert (found.created, found.changed, found.unchanged, found.refused) == (2, 1, 0, 1)
    moved = [one.product_id async for one in client.inventory.list_movements()]
    assert sorted(moved) == ["00042", "00042", "1E+05", "LAMP"]
