"""The promises of Orders' store, kept on both engines."""

import asyncio
import sqlite3 as sqlite_driver
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from holdfast.chassis.clock import uuid7
from holdfast.chassis.database.seam import Conflict, KeyTaken
from holdfast.orders.application.ordering.change_orders import ChangeOrders
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.application.ports import (
    KnownDetails,
    OrderFilter,
    RecordedRequest,
    RequestKey,
)
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.details import NO_DETAILS
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, PaymentStatus
from holdfast.orders.infrastructure.ordering import store
from holdfast.orders.infrastructure.ordering.store import find_requests
from tests.contract import order_desk
from tests.contract.conftest import START, together
from tests.contract.order_desk import ADA, ANNA, DESK, LAMP, Desk, settle

desk = order_desk.desk


async def test_an_order_is_read_as_it_was_recorded(desk: Desk) -> None:
    order = desk.make("r-1", DESK, LAMP, OrderLine("DESK", 1, Money("GBP", 2**53 + 1), 0))

    assert await desk.store.record_orders([order]) == {}

    found = await desk.read(order.order_id)
    assert found == Order(
        order_id=order.order_id,
        customer_id="c-1",
        request_id="r-1",
        lines=order.lines,
        total=order.total,
        customer=ADA,
        state=OrderState(order.order_id, OrderStatus.PENDING, 1),
        shortages=(),
        placed_at=order.placed.at,
        updated_at=order.placed.at,
        history=found.history,
    )
    (placed,) = found.history
    assert (placed.version, placed.status, placed.reason) == (1, "PENDING", "order placed")
    assert placed.caller == Caller("anna")


async def test_an_order_and_its_event_are_recorded_together_or_not_at_all(desk: Desk) -> None:
    broken = desk.make("r-1")._replace(lines=(LAMP, LAMP))  # two of one number

    with pytest.raises(KeyTaken):
        await desk.store.record_orders([desk.make("r-0"), broken])
    placed = await desk.place("r-2")

    assert await desk.listed() == ["r-2"]
    assert await desk.outbox() == [("OrderPlaced", placed.order_id, 1)]


async def test_a_request_that_is_taken_is_left_out_and_its_holder_comes_back(desk: Desk) -> None:
    first = await desk.place("r-1")

    taken = await desk.store.record_orders([desk.make("r-1", DESK), desk.make("r-2")])

    ((key, holder),) = taken.items()
    assert (key, holder.request_hash, holder.state) == (("c-1", "r-1"), "hash of r-1", first)
    assert await desk.listed() == ["r-2", "r-1"]
    assert len(await desk.outbox()) == 2
    assert (await desk.read(first.order_id)).lines == (LAMP,)


async def test_of_two_batches_with_the_same_requests_at_once_each_request_is_recorded_once(
    desk: Desk,
) -> None:
    requests = [f"r-{number}" for number in range(20)]
    batches = [[desk.make(name) for name in names] for names in (requests, requests[::-1])]

    holding = asyncio.create_task(desk.begin_to_record(desk.make("r-10")))
    await asyncio.sleep(0.1)
    taken = await asyncio.gather(*map(desk.store.record_orders, batches))
    await holding

    assert sum(map(len, taken)) == 20
    assert sorted(await desk.listed()) == sorted(requests)
    assert len(await desk.outbox()) == 20


async def test_whose_key_is_taken_between_two_tries_is_left_out_and_the_rest_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [desk.make(f"r-{number}") for number in range(8)]
    await desk.place("r-0")
    others = iter(("r-1", "r-2", "r-3", "r-4", "r-5"))

    async def find_and_lose_the_next(*arguments: Any) -> dict[RequestKey, RecordedRequest]:
        found = await find_requests(*arguments)
        if other := next(others, ""):
            await desk.place(other)
        return found

    monkeypatch.setattr(store, "find_requests", find_and_lose_the_next)

    taken = await desk.store.record_orders(batch)

    assert sorted(taken) == [("c-1", f"r-{number}") for number in range(6)]
    assert sorted(await desk.listed()) == [f"r-{number}" for number in range(8)]


async def test_one_request_id_of_two_customers_is_two_orders(desk: Desk) -> None:
    await desk.place("r-1")
    await desk.place("r-1", customer_id="c-2")

    found = await desk.reader.find_requests([("c-1", "r-1"), ("c-2", "r-1"), ("c-2", "r-2")])

    assert found.keys() == {("c-1", "r-1"), ("c-2", "r-1")}
    assert len({held.state.order_id for held in found.values()}) == 2


async def test_a_change_of_another_version_is_a_conflict_and_changes_nothing(desk: Desk) -> None:
    placed, other = await desk.place("r-1"), await desk.place("r-2")
    await desk.record(settle(placed, START))
    before = await desk.read(placed.order_id), await desk.outbox()

    with pytest.raises(Conflict):
        await desk.record(settle(other, START), placed.cancel("late", START, ANNA))

    assert (await desk.read(placed.order_id), await desk.outbox()) == before
    assert (await desk.read(other.order_id)).state == other


async def test_a_change_that_would_skip_a_version_is_a_conflict(desk: Desk) -> None:
    placed = await desk.place("r-1")

    with pytest.raises(Conflict):
        await desk.record(settle(placed._replace(version=2), START))

    assert (await desk.read(placed.order_id)).state == placed


async def test_a_change_is_written_with_its_history_and_its_event(desk: Desk) -> None:
    placed = await desk.place("r-1")
    at, missing = START + timedelta(hours=1), (Shortage("LAMP-灯", 2, 0),)

    await desk.record(settle(placed, at, *missing))

    order = await desk.read(placed.order_id)
    assert order.state == OrderState(placed.order_id, OrderStatus.REJECTED, 2)
    assert (order.shortages, order.updated_at) == (missing, at)
    assert [change.status for change in order.history] == ["PENDING", "REJECTED"]
    assert (await desk.outbox())[1:] == [("OrderRejected", placed.order_id, 2)]


async def test_a_payment_of_a_rejected_order_leaves_what_was_missing_and_is_told(
    desk: Desk,
) -> None:
    placed = await desk.place("r-1")
    missing = (Shortage("LAMP-灯", 2, 0),)
    await desk.record(settle(placed, START, *missing))
    state = (await desk.read(placed.order_id)).state
    payment = Payment(PaymentKind.CAPTURED, "pi_1", Money("GBP", 700))

    await desk.record(state.record_payment(payment, PaymentStatus.PAID, START, ANNA))

    order = await desk.read(placed.order_id)
    assert order.shortages == missing
    assert [one.payment for one in order.payments] == [payment]
    assert order.history[-1].action is Action.PAYMENT_RECORDED
    assert (await desk.outbox())[1:] == [
        ("OrderRejected", placed.order_id, 2),
        ("PaymentRecorded", placed.order_id, 3),
    ]


async def test_commands_about_one_order_are_decided_one_after_the_other_in_one_transaction(
    desk: Desk,
) -> None:
    placed = await desk.place("r-1")
    amounts = {"pi_1": 300, "pi_2": 1_100, "pi_3": 1}
    payments = [
        RecordPayment(placed.order_id, Payment(PaymentKind.CAPTURED, name, Money("GBP", n)), ANNA)
        for name, n in amounts.items()
    ]
    refund = Payment(PaymentKind.REFUNDED, "re_1", Money("GBP", 1_402))

    refusals = await ChangeOrders(desk.store.begin, desk.clock)(
        [*payments, payments[0], RecordPayment(placed.order_id, refund, ANNA)]
    )

    order = await desk.read(placed.order_id)
    assert [type(one).__name__ for one in refusals] == 4 * ["NoneType"] + ["PaymentExceeds"]
    assert [one.payment.reference for one in order.payments] == list(amounts)
    assert [change.version for change in order.history] == [1, 2, 3, 4]
    async with desk.database.read() as reading:
        (found,) = await reading.fetch("SELECT status FROM payment_state")
    assert found["status"] == "OVERPAID"


async def test_new_customer_information_is_a_version_and_an_event(desk: Desk) -> None:
    placed = await desk.place("r-1")
    revised = ADA.revised({"email": "ada@example.com"})

    async with desk.store.begin() as work:
        states = await work.lock_states([placed.order_id])
        assert await work.known_of(placed.order_id) == KnownDetails(ADA, NO_DETAILS)
        await work.record([states[placed.order_id].update(revised, None, 1, START, ANNA)])

    assert (await desk.read(placed.order_id)).customer == revised
    assert (await desk.outbox())[1:] == [("OrderUpdated", placed.order_id, 2)]


async def test_those_who_wait_are_woken_after_the_commit_only(desk: Desk) -> None:
    placed = await desk.place("r-1")

    async with desk.store.begin() as work:
        await work.record([settle(placed, START)])
        before = list(desk.changed)

    assert before == []
    assert desk.changed == [placed.order_id]


async def test_a_locked_order_is_seen_by_others_only_as_it_is_after_the_change(desk: Desk) -> None:
    placed = [await desk.place(f"r-{number}") for number in range(6)]
    ids = [state.order_id for state in placed]
    seen: list[OrderStatus] = []
    all_began = together(desk.database, 3)

    async def confirm_or_look(order_ids: Iterable[str]) -> None:
        async with desk.store.begin() as work:
            await all_began.wait()
            states = (await work.lock_states(list(order_ids))).values()
            seen.extend(state.status for state in states)
            await asyncio.sleep(0.02)
            pending = [state for state in states if state.status is OrderStatus.PENDING]
            await work.record([settle(state, START) for state in pending])

    await asyncio.gather(confirm_or_look(ids), confirm_or_look(ids[::-1]), confirm_or_look(ids))

    assert seen.count(OrderStatus.PENDING) == 6
    assert seen.count(OrderStatus.CONFIRMED) == 12
    assert await desk.listed(OrderFilter(status=OrderStatus.CONFIRMED)) != []


async def test_an_unknown_order_is_no_order(desk: Desk) -> None:
    nobody = uuid7(0, bytes(10))

    async with desk.store.begin() as work:
        assert await work.lock_states([nobody]) == {}
        assert await work.lock_states([]) == {}
    assert await desk.reader.details([nobody]) == [None]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE orders SET total_minor = -1",
        "UPDATE orders SET answered = asked + 1",
        "UPDATE orders SET request_id = 'r-2'",
        "UPDATE order_line SET quantity = 0",
        "UPDATE order_line SET unit_price_minor = -1",
        "UPDATE order_history SET version = 1",
    ],
)
async def test_the_tables_refuse_what_no_order_can_be(desk: Desk, sql: str) -> None:
    placed = await desk.place("r-1")
    await desk.place("r-2")
    await desk.record(settle(placed, START))

    async def spoil() -> None:
        async with desk.database.begin() as work:
            await work.execute(sql)

    with pytest.raises((asyncpg.CheckViolationError, sqlite_driver.IntegrityError, Conflict)):
        await spoil()


async def test_a_status_that_the_domain_does_not_know_is_taken_for_none_that_it_knows(
    desk: Desk,
) -> None:
    placed = await desk.place("r-1")
    async with desk.database.begin() as work:
        await work.execute("UPDATE orders SET status = 'LOST'")

    with pytest.raises(ValueError, match="'LOST' is not a valid OrderStatus"):
        async with desk.store.begin() as work:
            await work.lock_states([placed.order_id])
