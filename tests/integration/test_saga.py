"""An order's way through both services: settled once, never left pending, events in any order."""

import asyncio
from collections.abc import Awaitable
from itertools import pairwise
from typing import TypeVar

import pytest

from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.dead_letters import DeadLetterRow, list_dead_letters
from holdfast.chassis.wakeups import Wakeups
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.errors import Shortage
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.two_services import (
    ANNA,
    EXPIRE_S,
    LATE_S,
    TwoServices,
    answer,
    asks,
    failing_at,
    release,
    reserve,
)

Result = TypeVar("Result")

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def letters(shop: TwoServices) -> list[DeadLetterRow]:
    return [letter for url in shop.urls for letter in await list_dead_letters(url)]


async def test_an_answer_confirms_or_rejects_its_order_once(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    good, bad, open_ = await shop.place(*(asks(f"r-{n}", LAMP=1) for n in range(3)))
    missing = Shortage("LAMP", 1, 0)
    answers = [
        answer(good.order_id, event_id="a-1"),
        answer(good.order_id, missing),
        answer(bad.order_id, missing, event_id="a-2"),
        answer(shop.clock.new_id()),
    ]

    await shop.hear_inventory(answers)
    await asyncio.gather(*(shop.hear_inventory(answers) for _ in range(2)))

    assert await shop.statuses(good, bad, open_) == ["CONFIRMED", "REJECTED", "PENDING"]
    assert (await shop.order(bad.order_id)).shortages == (missing,)
    assert (await shop.told(shop.orders))[3:] == [
        ("OrderConfirmed", good.order_id),
        ("OrderRejected", bad.order_id),
    ]


async def test_a_late_answer_for_a_cancelled_order_is_ignored_and_its_stock_comes_back(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    async with shop.consuming():
        await shop.orders_relay.relay_batch()
    assert await shop.reserved("LAMP") == 2

    await shop.cancel(placed.order_id, "changed my mind", ANNA)
    await shop.deliver()

    assert await shop.statuses(placed) == ["CANCELLED"]
    assert await shop.reserved("LAMP") == 0
    assert await letters(shop) == []
    assert [change.status for change in (await shop.order(placed.order_id)).history] == [
        "PENDING",
        "CANCELLED",
    ]


async def test_an_order_goes_through_both_services_and_back_when_it_is_cancelled(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    placed = await shop.place(*(asks(f"r-{number}", LAMP=2) for number in range(3)))

    await shop.deliver()
    settled = await shop.statuses(*placed)
    await shop.cancel(placed[0].order_id, "", ANNA)
    await shop.cancel(placed[0].order_id, "again", ANNA)
    await shop.deliver()

    assert settled == ["CONFIRMED", "CONFIRMED", "REJECTED"]
    assert await shop.statuses(*placed) == ["CANCELLED", "CONFIRMED", "REJECTED"]
    assert await shop.reserved("LAMP") == 2
    assert await letters(shop) == []


async def test_every_event_of_a_whole_trade_may_come_three_times(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    placed = await shop.place(*(asks(f"r-{number}", LAMP=2) for number in range(3)))

    for database, receiver in (
        (shop.orders, shop.inventory_receiver),
        (shop.inventory, shop.orders_receiver),
    ):
        events = [event for event in await shop.waiting(database) if "Level" not in event.type]
        for _ in range(3):
            await receiver.receive(events)

    assert await shop.statuses(*placed) == ["CONFIRMED", "CONFIRMED", "REJECTED"]
    assert await shop.reserved("LAMP") == 4
    ends = [kind for kind, _ in (await shop.told(shop.orders))[3:]]
    assert sorted(ends) == ["OrderConfirmed", "OrderConfirmed", "OrderRejected"]


async def test_an_answer_that_is_late_is_asked_for_again_and_again_until_it_comes(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    await shop.forget_told(shop.orders)  # lost on the way

    chased = [await shop.chase()]
    for wait_s in (LATE_S + 1, LATE_S + 2):
        shop.clock.advance(wait_s)
        chased += [await shop.chase(), await shop.chase()]
    await shop.deliver()
    shop.clock.advance(LATE_S + 1)

    assert chased == [0, 1, 0, 1, 0]
    assert await shop.statuses(placed) == ["CONFIRMED"]
    assert await shop.reserved("LAMP") == 2
    assert await shop.chase() == 0


async def test_an_answer_that_was_lost_comes_again_when_it_is_asked_for(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    async with shop.consuming():
        await shop.orders_relay.relay_batch()
    await shop.forget_told(shop.inventory)  # lost on the way
    assert await shop.statuses(placed) == ["PENDING"]

    shop.clock.advance(LATE_S + 1)
    await shop.chase()
    await shop.deliver()

    assert await shop.statuses(placed) == ["CONFIRMED"]
    assert await shop.reserved("LAMP") == 2


async def test_a_question_whose_decision_failed_counts_as_never_seen(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    question = reserve(shop.clock.new_id(), LAMP=2)

    with failing_at("levels changed"), pytest.raises(RuntimeError):
        await shop.hear_orders([question])
    assert await shop.reserved("LAMP") == 0
    await shop.hear_orders([question])

    assert await shop.reserved("LAMP") == 2


async def test_an_answer_whose_settling_failed_counts_as_never_seen(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    told = answer(placed.order_id)

    with failing_at("orders changed"), pytest.raises(RuntimeError):
        await shop.hear_inventory([told])
    await shop.hear_inventory([told])

    assert await shop.statuses(placed) == ["CONFIRMED"]


async def test_the_longer_an_answer_stays_away_the_less_often_it_is_asked_for(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    asked_after_s: list[int] = []

    for second in range(0, int(EXPIRE_S), 5):
        await shop.forget_told(shop.orders)  # lost on the way, every time
        asked_after_s += [second] * await shop.chase()
        shop.clock.advance(5)

    assert 6 <= len(asked_after_s) <= 7
    assert LATE_S < asked_after_s[0] <= LATE_S + 5
    assert all(2 * before <= now <= 2 * before + 5 for before, now in pairwise(asked_after_s))
    assert await shop.statuses(placed) == ["PENDING"]


async def test_nothing_is_asked_again_while_the_question_waits_for_the_broker(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=20)
    placed = await shop.place(*(asks(f"r-{number}", LAMP=1) for number in range(10)))

    chased: list[int] = []
    while len(chased) < 110:  # the broker is away for 55 minutes
        shop.clock.advance(30.5)
        with pytest.raises(BrokerUnavailable):
            await shop.orders_relay.relay_batch()
        assert not await shop.orders_relay.is_empty()
        chased.append(await shop.chase())
    waiting = await shop.told(shop.orders)
    await shop.deliver()

    assert sum(chased) == 0
    assert waiting == [("OrderPlaced", order.order_id) for order in placed]
    assert await shop.statuses(*placed) == ["CONFIRMED"] * 10


async def test_an_order_expires_also_while_its_question_waits_for_the_broker(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    shop.clock.advance(EXPIRE_S + 1)

    assert not await shop.orders_relay.is_empty()
    assert await shop.chase() == 1

    assert await shop.statuses(placed) == ["EXPIRED"]


async def test_a_watcher_sees_the_shortages_with_the_rejection_and_not_before(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=1))
    missing = Shortage("LAMP", 1, 0)
    told = WatchOrder(shop.named, shop.reader.edits, Wakeups())(OrderRef(placed.order_id))

    first = await anext(told)
    await shop.update(placed.order_id, 1, {"name": "Ada"}, {}, ANNA)
    await shop.hear_inventory([answer(placed.order_id, missing)])
    rest = [order async for order in told]

    assert [(order.state.status, order.shortages) for order in [first, *rest]] == [
        ("PENDING", ()),
        ("PENDING", ()),
        ("REJECTED", (missing,)),
    ]


async def test_an_order_without_an_answer_expires_and_what_was_reserved_comes_back(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    async with shop.consuming():
        await shop.orders_relay.relay_batch()
    await shop.forget_told(shop.inventory)  # the answer is lost

    shop.clock.advance(EXPIRE_S + 1)
    assert await shop.chase() == 1
    await shop.deliver()

    assert await shop.statuses(placed) == ["EXPIRED"]
    assert await shop.reserved("LAMP") == 0
    assert await shop.chase() == 0
    assert await letters(shop) == []


@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_the_stock_of_a_cancelled_order_comes_back_though_the_cancellation_was_lost(
    shop: TwoServices, is_confirmed: bool
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    async with shop.consuming():
        await shop.orders_relay.relay_batch()
    if is_confirmed:
        await shop.deliver()
    await shop.cancel(placed.order_id, "changed my mind", ANNA)
    await shop.forget_told(shop.orders)  # lost on the way

    for _ in range(3):
        shop.clock.advance(EXPIRE_S + 1)
        await shop.chase()
        await shop.deliver()

    assert await shop.reserved("LAMP") == 0


async def test_an_expiry_that_overtakes_its_order_leaves_nothing_reserved(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (placed,) = await shop.place(asks("r-1", LAMP=2))
    shop.clock.advance(EXPIRE_S + 1)
    await shop.chase()

    for event in reversed(await shop.waiting(shop.orders)):
        await shop.inventory_receiver.receive([event])

    assert await shop.reserved("LAMP") == 0
    assert await shop.statuses(placed) == ["EXPIRED"]


async def test_every_outcome_stands_in_the_feed_once_also_after_a_crash(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    placed = await shop.place(*(asks(f"r-{number}", LAMP=2) for number in range(3)))
    async with shop.consuming():
        await shop.orders_relay.relay_batch()
        await shop.inventory_relay.relay_batch()

        with failing_at("events confirmed"), pytest.raises(RuntimeError):
            await shop.orders_relay.relay_batch()  # published, and not in the feed yet
        await shop.orders_relay.relay_batch()

    async with shop.orders.read() as reading:
        rows = await reading.fetch("SELECT type, subject, sequence FROM feed WHERE sequence > 1")
    told = [(row["type"].rpartition(".")[2], row["subject"], row["sequence"]) for row in rows]
    outcomes = ("OrderConfirmed", "OrderConfirmed", "OrderRejected")
    assert told == [(kind, one.order_id, 2) for kind, one in zip(outcomes, placed, strict=True)]


# One statement more per order would cost an order's time for each: five hundred must cost as five.
BATCHES = (5, 500)
# What a batch costs in statements on both databases together, whatever its size.
COSTS = {
    "place": 2,
    "place again": 3,
    "reserve": 5,
    "reserve again": 3,
    "settle": 4,
    "settle again": 2,
    "release": 6,
    "ask again": 6,
    "expire": 4,
}


async def test_a_batch_costs_as_many_statements_as_a_single_order(shop: TwoServices) -> None:
    costs: dict[str, list[int]] = {}
    await shop.supply(LAMP=10**6, DESK=10**6)
    for size in BATCHES:
        requests = [asks(f"{size}-{n}", LAMP=1, DESK=1) for n in range(size)]
        cost = Costs(shop, costs)
        placed = await cost.of("place", shop.place(*requests))
        ids = [order.order_id for order in placed]
        await cost.of("place again", shop.place(*requests))
        await cost.of("reserve", shop.hear_orders([reserve(id_, LAMP=1, DESK=1) for id_ in ids]))
        await cost.of("reserve again", shop.hear_orders([reserve(id_, LAMP=1) for id_ in ids]))
        await cost.of("settle", shop.hear_inventory([answer(id_) for id_ in ids]))
        await cost.of("settle again", shop.hear_inventory([answer(id_) for id_ in ids]))
        await cost.of("release", shop.hear_orders([release(id_) for id_ in ids]))
        late = await shop.place(*(asks(f"late {size}-{n}", LAMP=1) for n in range(size)))
        shop.clock.advance(LATE_S + 1)
        assert await cost.of("ask again", shop.chase()) == size
        shop.clock.advance(EXPIRE_S)
        assert await cost.of("expire", shop.chase()) == size
        assert await shop.statuses(late[-1]) == ["EXPIRED"]
        await shop.hear_inventory([answer(order.order_id, revision=2) for order in late])

    assert costs == {name: [cost] * len(BATCHES) for name, cost in COSTS.items()}


class Costs:
    """What each verb costs in statements on both databases."""

    def __init__(self, shop: TwoServices, found: dict[str, list[int]]) -> None:
        self._shop, self._found = shop, found

    async def of(self, name: str, verb: Awaitable[Result]) -> Result:
        before = self._shop.orders.statements + self._shop.inventory.statements
        outcome = await verb
        after = self._shop.orders.statements + self._shop.inventory.statements
        self._found.setdefault(name, []).append(after - before)
        return outcome
