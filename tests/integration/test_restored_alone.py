"""One service was restored to an older moment than the other: what docs/operating.md says to do
then, to the letter, brings the two together again.
"""

import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import pytest

from holdfast import verification
from holdfast.chassis.database.seam import Database
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.editing import edit, edit_of, units
from tests.integration.goods import ship
from tests.integration.two_services import ANNA, LATE_S, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

DOCUMENT = Path(__file__).parents[2] / "docs" / "operating.md"
COLUMNS = {  # but for those that are computed
    "postgresql": """
SELECT table_name AS at, column_name AS name
  FROM information_schema.columns
 WHERE table_schema = 'public' AND is_generated = 'NEVER'
""",
    "sqlite": """
SELECT tables.name AS at, columns.name AS name
  FROM sqlite_master AS tables
  JOIN pragma_table_xinfo(tables.name) AS columns
 WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%' AND hidden = 0
""",
}
AS_THEY_WERE = {"postgresql": "OVERRIDING SYSTEM VALUE", "sqlite": ""}
REFERRED_TO = ("product",)  # by others, which are there after it and gone before it


@pytest.fixture(autouse=True)
def nothing_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)


async def tables(database: Database) -> dict[str, str]:
    """The columns of each table."""
    async with database.read() as reading:
        rows = await reading.fetch(COLUMNS[database.engine])
    found = defaultdict(list)
    for row in rows:
        found[row["at"]].append(row["name"])
    names = sorted(found, key=lambda name: name not in REFERRED_TO)
    return {name: ", ".join(found[name]) for name in names if not name.startswith("saved_")}


async def save(database: Database) -> None:
    for table, columns in (await tables(database)).items():
        await database.execute(f"CREATE TABLE saved_{table} AS SELECT {columns} FROM {table}")


async def restore(database: Database) -> None:
    found = await tables(database)
    for table in reversed(found):
        await database.execute(f"DELETE FROM {table}")
    how = AS_THEY_WERE[database.engine]
    for table, columns in found.items():
        rows = f"SELECT {columns} FROM saved_{table}"
        await database.execute(f"INSERT INTO {table} ({columns}) {how} {rows}")


async def contradictions(shop: TwoServices) -> list[str]:
    return (await verify(*shop.urls)).contradictions


def ids_in(found: Collection[str]) -> set[str]:
    return {one[0] for line in found for one in [re.findall("[0-9a-f-]{36}", line)] if one}


async def as_documented(database: Database, of: str, order_ids: Collection[str]) -> None:
    """Run the statements for a service's database, with these ids for the one that stands there."""
    (text,) = re.findall(
        rf"```sql\n-- in the database of {of}\b[^\n]*\n(.*?)```", DOCUMENT.read_text(), re.DOTALL
    )
    listed = ", ".join(f"'{order_id}'" for order_id in sorted(order_ids))
    text, places = re.subn(r"order_id IN \('[^)]*'\)", f"order_id IN ({listed})", text)
    assert places == 1, "the ids stand there once"
    for statement in filter(None, map(str.strip, text.split(";"))):
        if statement not in ("BEGIN", "COMMIT"):
            await database.execute(statement)


async def ask_anew(shop: TwoServices, order_ids: Collection[str]) -> None:
    await as_documented(shop.orders, "Orders", order_ids)
    shop.clock.advance(LATE_S + 1)
    while await shop.chase():
        await shop.deliver()


async def test_an_inventory_that_was_restored_alone_learns_what_orders_want(
    shop: TwoServices,
) -> None:
    await shop.supply(A=100)
    edited, cancelled, shipped, same = [
        await shop.confirmed(asks(name, A=2)) for name in ("edited", "cancelled", "shipped", "same")
    ]
    await save(shop.inventory)
    for count in (5, 6):
        await edit(shop, edit_of(await shop.order(edited.order_id), A=count))
    await shop.cancel(cancelled.order_id, "", ANNA)
    await shop.deliver()
    await ship(shop, shipped, "s-1")
    placed = await shop.confirmed(asks("placed", A=3))

    await restore(shop.inventory)
    named = ids_in(await contradictions(shop))
    await ask_anew(shop, named)

    assert named == {one.order_id for one in (edited, cancelled, shipped, placed)}
    assert await contradictions(shop) == []
    assert await shop.reserved("A") == 6 + 3 + 2
    again = await edit(shop, edit_of(await shop.order(edited.order_id), A=1))
    await ship(shop, again, "s-2")
    await ship(shop, same, "s-3")
    assert await contradictions(shop) == []


async def test_orders_that_were_restored_alone_have_inventory_hold_what_they_want(
    shop: TwoServices,
) -> None:
    await shop.supply(A=100)
    edited, fewer, cancelled = [
        await shop.confirmed(asks(name, A=2)) for name in ("edited", "fewer", "cancelled")
    ]
    await save(shop.orders)
    for count in (5, 6):
        await edit(shop, edit_of(await shop.order(edited.order_id), A=count))
    await edit(shop, edit_of(fewer, A=1))
    await shop.cancel(cancelled.order_id, "", ANNA)
    await shop.deliver()

    await restore(shop.orders)
    found = await contradictions(shop)
    over = ids_in([line for line in found if "Inventory has it OVER" in line])
    living = ids_in(found) - over
    await as_documented(shop.inventory, "Inventory", living)
    await ask_anew(shop, living)
    for order_id in over:
        await shop.cancel(order_id, "", ANNA)
    await shop.deliver()

    assert (living, over) == ({edited.order_id, fewer.order_id}, {cancelled.order_id})
    assert await contradictions(shop) == []
    assert await shop.reserved("A") == 2 + 2
    again = await edit(shop, edit_of(await shop.order(edited.order_id), A=4))
    await ship(shop, again, "s-1")
    await ship(shop, await shop.order(fewer.order_id), "s-2")
    assert units(again) == {"A": 4}
    assert await contradictions(shop) == []
