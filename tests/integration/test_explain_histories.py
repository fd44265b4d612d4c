"""Random histories, explained at every moment of them, against a replay of their movements."""

import asyncio
import random

import pytest

from holdfast.client import (
    Disposition,
    Order,
    OrderLine,
    ReceiptLine,
    Refused,
    ReturnLine,
    ShipmentItem,
    StaleVersion,
)
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.stock import explain_stock
from tests.integration.conftest import (
    EMBEDDED_ON_POSTGRES,
    RunningHoldfast,
    eventually,
)
from tests.integration.explaining import agrees_with_a_replay, explained, numbers, replayed

ALSO = [EMBEDDED_ON_POSTGRES]


async def settled(holdfast: RunningHoldfast) -> list[pb.Movement]:
    """All movements, once no more come."""

    async def still() -> bool:
        before = len(await holdfast.movements())
        await asyncio.sleep(0.3)
        return before == len(await holdfast.movements())

    await eventually(still, bool, "all is booked")
    return await holdfast.movements()


class Shop:
    """A random life of two products at two locations; what is refused changes nothing."""

    def __init__(self, holdfast: RunningHoldfast, seed: int) -> None:
        self.client, self.random = holdfast.client, random.Random(seed)
        self.orders: list[str] = []

    async def live(self, steps: int) -> None:
        deeds = [self.count, self.aside, self.order, self.order, self.edit, self.cancel]
        deeds += [self.ship, self.ship, self.take_back]
        await self.order()
        for _ in range(steps):
            try:
                await self.random.choice(deeds)()
            except (Refused, StaleVersion):
                continue

    def place(self) -> tuple[str, str]:
        return self.random.choice(("LAMP", "MUG")), self.random.choice(("main", "shop"))

    async def count(self) -> None:
        product_id, location_id = self.place()
        await self.client.inventory.set_stock(
            product_id, self.random.randint(5, 40), location_id=location_id
        )

    async def aside(self) -> None:
        product_id, location_id = self.place()
        inventory, units = self.client.inventory, self.random.randint(1, 3)
        if self.random.random() < 0.6:
            await inventory.quarantine(product_id, units, reason="wet", location_id=location_id)
        else:
            await inventory.release_quarantine(
                product_id,
                units,
                reason="dry",
                location_id=location_id,
                write_off=self.random.random() < 0.5,
            )

    async def order(self) -> None:
        lines = [OrderLine(name, self.random.randint(1, 6)) for name in ("LAMP", "MUG")]
        placed = await self.client.orders.create("c-1", lines, wait_s=20)
        self.orders.append(placed.order_id)

    async def any_order(self) -> Order:
        return await self.client.orders.get(self.random.choice(self.orders))

    async def edit(self) -> None:
        order = await self.any_order()
        lines = [OrderLine("LAMP", self.random.randint(1, 6))]
        await self.client.orders.edit(order.order_id, version=order.version, lines=lines, wait_s=20)

    async def cancel(self) -> None:
        await self.client.orders.cancel((await self.any_order()).order_id)

    async def ship(self) -> None:
        order = await self.any_order()
        some = [ShipmentItem(order.lines[0].line_no, 1)]
        await self.client.orders.ship(order.order_id, self.random.choice((None, some)))

    async def take_back(self) -> None:
        order = await self.any_order()
        line_no = order.lines[0].line_no
        opened = await self.client.orders.open_return(order.order_id, [ReturnLine(line_no, 1)])
        disposition = self.random.choice(
            (Disposition.RESTOCK, Disposition.QUARANTINE, Disposition.WRITE_OFF)
        )
        location_id = self.place()[1]
        await self.client.orders.receive_return(
            opened.return_id, [ReceiptLine(line_no, 1, disposition, location_id)]
        )


async def test_sums_over_what_was_before_make_each_number_and_no_hold_is_told_wrong(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await holdfast.product("LAMP", {"main": 30, "shop": 20})
    await holdfast.product("MUG", 30)
    await Shop(holdfast, 3).live(50)
    movements = await settled(holdfast)
    monkeypatch.setattr(explain_stock, "STEPS_MAX", 7)

    cut, partly = 0, 0
    for at in {move.create_time.ToNanoseconds(): move.create_time for move in movements}.values():
        until = [one for one in movements if one.create_time.ToNanoseconds() <= at.ToNanoseconds()]
        told = await explained(holdfast, "LAMP", as_of=at)
        for level, whole in zip(told, replayed(until, "LAMP"), strict=True):
            assert numbers(level.level) == numbers(whole.level)
            changes = [(one.on_hand, one.reserved, one.quarantined) for one in level.sums]
            made = map(sum, zip(numbers(level.earlier), *changes, strict=True))
            assert tuple(made) == numbers(level.level)
            assert sum(one.movements for one in level.sums) == min(whole.level.version, 7)
            assert level.HasField("summed_from") == (whole.level.version > 7)
            assert list(level.holds) == list(whole.holds)[: len(level.holds)]
            assert level.hold_units == sum(hold.quantity for hold in level.holds)
            cut += level.HasField("summed_from")
            partly += 0 < level.hold_units < level.level.reserved
    assert min(cut, partly) > 0, "the history is long enough"


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_happened_every_moment_of_it_equals_a_replay_of_the_movements(
    holdfast: RunningHoldfast, seed: int
) -> None:
    await holdfast.product("LAMP", {"main": 30, "shop": 20})
    await holdfast.product("MUG", 30)
    shop = Shop(holdfast, seed)

    await shop.live(60)

    kinds = {move.kind for move in await settled(holdfast)}
    assert {pb.MOVEMENT_KIND_SHIPMENT, pb.MOVEMENT_KIND_RETURN, pb.MOVEMENT_KIND_RELEASE} <= kinds
    for product_id in ("LAMP", "MUG"):
        await agrees_with_a_replay(holdfast, product_id)
        levels = await explained(holdfast, product_id)
        assert [one.level for one in levels] == list((await holdfast.stock(product_id)).levels)
        assert all(one.hold_units == one.level.reserved for one in levels)
