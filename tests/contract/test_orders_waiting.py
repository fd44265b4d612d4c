"""Orders whose question is not answered yet: who is late, who is claimed, what is asked again."""

import asyncio
import json
from datetime import UTC, timedelta

import pytest

from holdfast.chassis.database.seam import instant
from holdfast.chassis.metrics import REGISTRY
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.orders.application.ports import StockNews
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.stock import HeldStock, QueuedUnits, StockAnswer
from holdfast.orders.infrastructure.metrics import holds
from testbed.servers import PostgresServer
from tests.contract import order_desk
from tests.contract.conftest import START
from tests.contract.order_desk import ANNA, DESK, LAMP, Desk, answer_to, settle
from tests.contract.post_office import eventually

desk = order_desk.desk

HELD_UP = """
ALTER TABLE unanswered RENAME TO unanswered_row;
CREATE VIEW unanswered AS
       SELECT * FROM unanswered_row WHERE pg_advisory_xact_lock_shared(1) IS NOT NULL;
"""

NEXT_VERSION = """
INSERT INTO order_history (order_id, version, status, changed_at, reason, actor, action)
     SELECT order_id, 2, 'CONFIRMED', changed_at, '', 'eve', ''
       FROM order_history
      WHERE order_id = '{}'
"""


async def test_late_and_expired_orders_are_the_pending_ones_before_a_moment(desk: Desk) -> None:
    placed = [await desk.place(f"r-{number}") for number in range(5)]
    await desk.hear(placed[0])
    await desk.record(placed[1].cancel("no", START, ANNA))
    async with desk.store.begin() as work:
        (cancelled,) = (await work.lock_states([placed[1].order_id])).values()
    await desk.hear(cancelled)
    third = (await desk.read(placed[2].order_id)).placed_at

    async with desk.store.begin() as work:
        until = third + timedelta(microseconds=1)
        assert await work.claim_expired(placed_before=third, limit=9) == []
        assert await work.claim_expired(placed_before=until, limit=9) == [placed[2]]
        now = desk.clock.now()
        assert await work.claim_late(now, asked_before=now, limit=1) == [placed[2]]
        await work.ask_again([placed[2]], now)
        assert await work.claim_late(now, asked_before=now, limit=9) == [placed[3]]


async def test_an_order_is_late_again_after_twice_the_time_it_had_waited(desk: Desk) -> None:
    placed = await desk.place("r-1")
    start = desk.clock.now()

    async def is_late(after_s: float) -> bool:
        at = start + timedelta(seconds=after_s)
        async with desk.store.begin() as work:
            return await work.claim_late(at, asked_before=at, limit=9) == [placed]

    async with desk.store.begin() as work:
        await work.ask_again([placed], start + timedelta(seconds=30))

    # Fractions of a second count, on both engines.
    assert [await is_late(after_s) for after_s in (31, 59.9, 60.1)] == [False, False, True]


@pytest.mark.parametrize(("ahead_s", "is_late"), [(29, False), (31, True), (31 * 86_400, True)])
async def test_an_order_that_a_clock_far_ahead_has_dated_is_late(
    desk: Desk, ahead_s: float, is_late: bool
) -> None:
    placed = await desk.place("r-1")
    at = (await desk.read(placed.order_id)).placed_at - timedelta(seconds=ahead_s)
    before = at - timedelta(seconds=30)

    async with desk.store.begin() as work:
        claimed = await work.claim_late(at, asked_before=before, limit=9)
        await work.ask_again(claimed, at)

        assert claimed == [placed] * is_late
        assert await work.claim_late(at, asked_before=before, limit=9) == []


async def test_two_who_chase_at_once_claim_different_orders(desk: Desk) -> None:
    if desk.database.engine == "sqlite":
        return  # one writer: the second waits, and finds what the first has left
    placed = [await desk.place(f"r-{number}") for number in range(4)]
    later = desk.clock.now() + timedelta(days=1)

    async with desk.store.begin() as first, desk.store.begin() as second:
        mine = await first.claim_late(later, asked_before=later, limit=2)
        theirs = await second.claim_late(later, asked_before=later, limit=9)
        expired = await second.claim_expired(placed_before=later, limit=9)

    assert (mine, theirs, expired) == (placed[:2], placed[2:], placed[2:])


async def test_an_order_that_a_transaction_settles_is_not_claimed_by_it_afterwards(
    desk: Desk,
) -> None:
    placed, other = await desk.place("r-1"), await desk.place("r-2")
    later = desk.clock.now() + timedelta(days=1)

    async with desk.store.begin() as work:
        told = answer_to(placed)
        await work.record([settle(placed, later)], [StockNews(placed.hear(told), told)])
        late = await work.claim_late(later, asked_before=later, limit=9)
        expired = await work.claim_expired(placed_before=later, limit=9)

    assert (late, expired) == ([other], [other])


@pytest.mark.parametrize("verb", ["claim_late", "claim_expired"])
async def test_an_order_that_is_settled_while_it_is_being_claimed_is_not_claimed(
    desk: Desk, postgres_server: PostgresServer, url: str, verb: str
) -> None:
    if desk.database.engine == "sqlite":
        return  # one writer: nothing is settled in between
    await desk.place("r-1")
    later = desk.clock.now() + timedelta(days=1)
    postgres_server.sql(HELD_UP, database=url.rpartition("/")[2])

    async def claim() -> list[OrderState]:
        async with desk.store.begin() as work:
            if verb == "claim_late":
                return await work.claim_late(later, asked_before=later, limit=9)
            return await work.claim_expired(placed_before=later, limit=9)

    async def is_held_up() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return postgres_server.sql(waiting) == "1"

    async with asyncio.TaskGroup() as group, desk.database.begin() as settling:
        await settling.fetch("SELECT pg_advisory_xact_lock(1)")
        claiming = group.create_task(claim())
        await eventually(is_held_up)
        await settling.execute("UPDATE orders SET status = 'CONFIRMED', version = 2, answered = 1")

    assert claiming.result() == []


async def test_asking_again_asks_the_newest_question_under_a_new_event_id(desk: Desk) -> None:
    placed, other = await desk.place("r-1", LAMP, DESK, LAMP), await desk.place("r-2")
    await desk.record(other.cancel("no", START, ANNA))

    async with desk.store.begin() as work:
        await work.ask_again([], desk.clock.now())
        await work.ask_again([placed], START)
        states = await work.lock_states([other.order_id])
        await work.ask_again(list(states.values()), START)

    async with desk.database.read() as reading:
        rows = await reading.fetch("SELECT * FROM outbox ORDER BY position")
    assert len({row["event_id"] for row in rows}) == 5
    first = events_pb2.OrderPlaced.FromString(rows[0]["data"])
    cancelled = events_pb2.OrderCancelled.FromString(rows[2]["data"])
    again = [events_pb2.StockAskedAgain.FromString(row["data"]) for row in rows[3:]]
    assert [one.order_id for one in again] == [placed.order_id, other.order_id]
    # Word for word, and when it was asked first: units that wait for stock keep their place.
    asked_at = [one.wanted.asked_time.ToDatetime(tzinfo=UTC) for one in again]
    assert asked_at == [instant(rows[0]["happened_at"]), instant(rows[2]["happened_at"])]
    for one in again:
        one.wanted.ClearField("asked_time")
    assert [one.wanted for one in again] == [first.wanted, cancelled.wanted]
    assert {p.product_id: p.quantity for p in first.wanted.products} == {"LAMP": 4, "DESK": 2}
    assert (cancelled.wanted.revision, cancelled.wanted.over) == (2, True)


async def test_what_is_known_of_the_stock_is_replaced_by_newer_news_only(desk: Desk) -> None:
    placed = await desk.place("r-1")
    await desk.hear(placed)
    async with desk.store.begin() as work:
        (state,) = (await work.lock_states([placed.order_id])).values()
        assert not state.waits
        old = StockAnswer(placed.order_id, 1, 1, (), ())
        await work.record([], [StockNews(state, old)])

    assert (state.asked, state.answered, state.stock_sequence) == (1, 1, 1)
    async with desk.database.read() as reading:
        (row,) = await reading.fetch("SELECT stock, stock_revision FROM orders")
        waiting = await reading.fetch("SELECT * FROM unanswered")
    assert json.loads(row["stock"]) == [["LAMP", "main", 2]]
    assert (row["stock_revision"], list(waiting)) == (1, [])


async def test_what_waits_for_stock_is_kept_beside_what_is_held_and_is_not_held(
    desk: Desk,
) -> None:
    placed = await desk.place("r-1")
    held = (HeldStock("LAMP", "main", 1, "PINNED"), HeldStock("LAMP", "shop", 2))
    waits = (QueuedUnits("DESK", 3), QueuedUnits("LAMP", 4))
    told = StockAnswer(placed.order_id, 1, 1, held, (), waits)

    async with desk.store.begin() as work:
        change = placed.settle(told, desk.clock.now(), ANNA)
        assert change is not None
        await work.record([change], [StockNews(placed.hear(told), told)])
        whole = (await work.whole_orders([placed.order_id]))[placed.order_id]

    for order in (whole, await desk.read(placed.order_id)):
        assert (order.stock, order.to_ship, order.queued) == (held, held, waits)
    served = StockAnswer(placed.order_id, 2, 1, (), ())
    async with desk.store.begin() as work:
        states = await work.lock_states([placed.order_id])
        await work.record([], [StockNews(states[placed.order_id].hear(served), served)])
    order = await desk.read(placed.order_id)
    assert (order.stock, order.queued) == ((), ())


async def test_an_order_whose_next_version_is_there_holds_up_none_of_those_that_end_with_it(
    desk: Desk,
) -> None:
    """It can't be recorded, as its key is taken; and in a batch with it nobody could."""
    held = desk.make("r-3")._replace(expires_at=desk.clock.now())
    spoilt_held = desk.make("r-4")._replace(expires_at=desk.clock.now())
    spoilt, sound = await desk.place("r-1"), await desk.place("r-2")
    await desk.store.record_orders([spoilt_held, held])
    for order_id in (spoilt.order_id, spoilt_held.order_id):
        await desk.database.execute(NEXT_VERSION.format(order_id))
    later = desk.clock.now() + timedelta(days=1)

    async with desk.store.begin() as work:
        holds = await work.claim_ended_holds(later, limit=9)
        await work.record([state.expire(later, ANNA) for state in holds])
        expired = await work.claim_expired(placed_before=later, limit=9)
        await work.record([state.expire(later, ANNA) for state in expired])

    assert [state.order_id for state in holds] == [held.order_id]
    assert expired == [sound]


async def test_a_hold_that_outlives_its_end_is_told_with_its_age(desk: Desk) -> None:
    look = holds(desk.database.engine, desk.clock)

    async def told() -> tuple[float | None, float | None]:
        async with desk.database.read() as reading:
            await look(reading)
        names = "holdfast_holds", "holdfast_holds_overdue_age_seconds"
        running, age_s = map(REGISTRY.get_sample_value, names)
        return running, age_s

    assert await told() == (0, 0)
    ends_at = desk.clock.now() + timedelta(seconds=60)
    held = desk.make("r-1")._replace(expires_at=ends_at)
    longer = desk.make("r-2")._replace(expires_at=ends_at + timedelta(hours=1))
    await desk.store.record_orders([longer, held])
    assert await told() == (2, 0)

    desk.clock.advance((ends_at - desk.clock.now()).total_seconds() + 90)
    assert await told() == (2, 90)


async def test_who_asks_anew_waits_anew(desk: Desk) -> None:
    placed = await desk.place("r-1")
    await desk.hear(placed)
    async with desk.store.begin() as work:
        (confirmed,) = (await work.lock_states([placed.order_id])).values()
        await work.record([confirmed.cancel("no", desk.clock.now(), ANNA)])
    later = desk.clock.now() + timedelta(days=1)

    async with desk.store.begin() as work:
        (cancelled,) = await work.claim_late(later, asked_before=later, limit=9)
        assert await work.claim_expired(placed_before=later, limit=9) == []

    assert (cancelled.status, cancelled.asked, cancelled.answered) == ("CANCELLED", 2, 1)
    await desk.hear(cancelled)
    async with desk.store.begin() as work:
        assert await work.claim_late(later, asked_before=later, limit=9) == []
