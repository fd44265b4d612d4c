"""ExplainStock beside the ledger, in both modes: who waits for a product, and what is coming."""

from datetime import UTC, datetime

from holdfast.client import Backorder, BackorderMode, OrderLine, StockExplanation
from holdfast.inventory.application.stock import explain_stock
from tests.integration.conftest import RunningHoldfast, eventually

ALIKE = True
LIMITED = Backorder(BackorderMode.LIMITED, 100)


async def waiting(holdfast: RunningHoldfast, units: int) -> str:
    """An order of lamps that its service knows to be promised; its id."""
    lines = [OrderLine("LAMP", units)]
    return (await holdfast.client.orders.create("c-1", lines, wait_s=20)).order_id


async def explained(holdfast: RunningHoldfast) -> StockExplanation:
    return await holdfast.client.inventory.explain("LAMP")


async def test_what_is_available_is_told_less_what_the_queue_is_owed(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", {"main": 5, "shop": 0})
    inventory = holdfast.client.inventory
    await inventory.update_product("LAMP", version=1, backorder=LIMITED)
    first = await waiting(holdfast, 7)
    second = await waiting(holdfast, 3)

    found = await explained(holdfast)

    info = await inventory.get_stock("LAMP")
    assert (found.available, found.queued) == (info.available, info.queued) == (0, 5)
    assert [
        (one.position, one.order_id, one.quantity, one.units_ahead) for one in found.backorders
    ] == [(1, first, 2, 0), (2, second, 3, 2)]
    assert found.backorder_rows == 2
    assert [one async for one in inventory.list_backorders("LAMP")] == [*found.backorders]


async def test_a_product_with_only_a_queue_says_who_waits_and_a_long_one_how_many(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP")
    await holdfast.client.inventory.update_product("LAMP", version=1, backorder=LIMITED)
    orders = [await waiting(holdfast, 1) for _ in range(explain_stock.QUEUE_ROWS_MAX + 2)]

    found = await explained(holdfast)

    assert (found.levels, found.available, found.queued) == ((), 0, len(orders))
    assert [one.order_id for one in found.backorders] == orders[:-2]
    assert found.backorder_rows == len(orders)


async def test_a_level_says_what_is_on_its_way_there_and_by_which_transfers(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 50)
    await holdfast.location("shop")
    await holdfast.location("attic")
    inventory = holdfast.client.inventory
    expected = datetime(2030, 5, 1, 8, tzinfo=UTC)
    partly = await inventory.create_transfer(
        {"LAMP": 5}, origin="main", target="shop", expected_time=expected
    )
    await inventory.receive_transfer(partly.transfer_id, {"LAMP": 2})
    done = await inventory.create_transfer({"LAMP": 1}, origin="main", target="shop")
    await inventory.receive_transfer(done.transfer_id)
    others = [
        await inventory.create_transfer({"LAMP": 1}, origin="main", target="attic")
        for _ in range(explain_stock.INCOMING_MAX + 1)
    ]

    found = await explained(holdfast)

    attic, main, shop = found.levels
    assert [one.level for one in found.levels] == [*(await inventory.get_stock("LAMP")).levels]
    assert (shop.level.in_transit, shop.incoming_transfers) == (3, 1)
    (coming,) = shop.incoming
    assert (coming.transfer_id, coming.origin, coming.quantity) == (partly.transfer_id, "main", 3)
    assert (coming.create_time, coming.expected_time) == (partly.create_time, expected)
    assert (main.level.in_transit, main.incoming, main.incoming_transfers) == (0, (), 0)
    assert (attic.level.in_transit, attic.incoming_transfers) == (len(others), len(others))
    assert [one.transfer_id for one in attic.incoming] == [one.transfer_id for one in others[:-1]]
    assert (attic.movements, attic.level.version) == ((), 0)
    (alone,) = (await inventory.explain("LAMP", location="attic")).levels
    assert alone == attic


async def test_of_a_moment_in_the_past_neither_is_told(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 2)
    await holdfast.location("shop")
    inventory = holdfast.client.inventory
    await inventory.update_product("LAMP", version=1, backorder=LIMITED)
    await inventory.create_transfer({"LAMP": 1}, origin="main", target="shop")
    await waiting(holdfast, 3)
    (*_, newest) = await holdfast.movements()
    then = newest.create_time.ToDatetime(tzinfo=UTC)

    found = await inventory.explain("LAMP", as_of=then)

    assert (found.available, found.queued, found.backorders) == (None, None, ())
    assert [one.level.location_id for one in found.levels] == ["main"]
    now = await eventually(lambda: explained(holdfast), lambda one: one.queued == 2, "the queue")
    assert [one.level.in_transit for one in now.levels] == [0, 1]
