"""What tests of edits have in common: edits in short, and the books after each."""

from collections.abc import AsyncIterator

import pytest

from holdfast.orders.application.ordering.edit_orders import CancelUnits, EditOrder
from holdfast.orders.domain.errors import (
    OrdersError,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import EditedLine
from holdfast.verification import verify
from tests.integration.two_services import ANNA, TwoServices


def edit_of(
    order: Order, *charges: Charge, prices: dict[str, int] | None = None, **quantities: int
) -> EditOrder:
    """An edit that gives an order these units, each product on one line; 0 removes it."""
    numbers = {line.product_id: line.line_no for line in order.lines}
    lines = tuple(
        EditedLine(
            numbers.get(name, 0),
            name,
            units,
            Money("GBP", prices[name]) if prices and name in prices else None,
        )
        for name, units in quantities.items()
        if units
    )
    version = order.state.version
    return EditOrder(order.state.order_id, version, lines, charges or None, ANNA)


def units(order: Order) -> dict[str, int]:
    return {line.product_id: line.quantity for line in order.lines}


def actions(order: Order) -> list[str]:
    return [change.action or change.status for change in order.history]


async def edit(shop: TwoServices, command: EditOrder | CancelUnits) -> Order:
    """Edit an order, and let the edit be decided."""
    assert await shop.edit_orders([command]) == [None]
    await shop.deliver()
    return await shop.order(command.order_id)


async def refusal(shop: TwoServices, command: EditOrder | CancelUnits) -> OrdersError:
    before = await shop.reader.details([command.order_id])
    (refused,) = await shop.edit_orders([command])
    assert refused is not None
    assert await shop.reader.details([command.order_id]) == before
    return refused


async def movements(shop: TwoServices) -> list[tuple[str, int]]:
    """What the ledger says of reserved units, in its order."""
    sql = "SELECT kind, reserved_delta FROM stock_movement WHERE order_id IS NOT NULL"
    async with shop.inventory.read() as reading:
        rows = await reading.fetch(sql)
    return sorted((row["kind"], row["reserved_delta"]) for row in rows)


@pytest.fixture(autouse=True)
async def sound(shop: TwoServices) -> AsyncIterator[None]:
    """Whatever a test does, the books agree after it."""
    yield
    await shop.deliver()
    report = await verify(*shop.urls)
    assert report.ok, report.contradictions
