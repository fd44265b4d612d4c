"""The promises of Orders' lists: exact filters, and pages that hold while orders come in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from re import findall

import pytest

from holdfast.orders.application.ports import OrderFilter
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.details import Details
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, PaymentStatus
from holdfast.orders.infrastructure.ordering import reader
from holdfast.orders.infrastructure.ordering.sql import SQL
from tests.contract import order_desk
from tests.contract.conftest import START
from tests.contract.order_desk import ANNA, DESK, LAMP, Desk, settle

desk = order_desk.desk


@pytest.fixture
async def shelf(desk: Desk) -> Desk:
    """Six orders, one a second, of every kind."""
    placed = [
        await desk.place("r-0"),
        await desk.place("r-1", DESK),
        await desk.place("r-2", LAMP, DESK, LAMP, customer_id="c-2"),
        await desk.place("r-3", customer_id="c-2"),
        await desk.place("r-4", DESK),
        await desk.place("r-5"),
    ]
    await desk.record(*(settle(placed[number], START) for number in (0, 2, 4)))
    await desk.record(settle(placed[5], START, Shortage("LAMP", 2, 1)))
    return desk


SECONDS = [START + timedelta(seconds=n) for n in range(8)]  # r-0 was placed at the first


FILTERS = [
    (OrderFilter(), "543210"),
    (OrderFilter(customer_id="c-2"), "32"),
    (OrderFilter(customer_id="c-3"), ""),
    (OrderFilter(status=OrderStatus.CONFIRMED), "420"),
    (OrderFilter(status=OrderStatus.PENDING), "31"),
    (OrderFilter(status=OrderStatus.PENDING, created_from=SECONDS[3]), "3"),
    (OrderFilter(status=OrderStatus.PENDING, created_before=SECONDS[3]), "1"),
    (OrderFilter(status=OrderStatus.PENDING, customer_id="c-2"), "3"),
    (OrderFilter(status=OrderStatus.PENDING, product_id="DESK"), "1"),
    (OrderFilter(status=OrderStatus.REJECTED), "5"),
    (OrderFilter(status=OrderStatus.REJECTED, created_from=SECONDS[6]), "5"),
    (OrderFilter(status=OrderStatus.REJECTED, created_before=SECONDS[6]), ""),
    (OrderFilter(status=OrderStatus.REJECTED, product_id="DESK"), ""),
    (OrderFilter(status=OrderStatus.CANCELLED), ""),
    (OrderFilter(product_id="DESK"), "421"),
    (OrderFilter(product_id="LAMP"), "5320"),
    (OrderFilter(customer_id="c-1", status=OrderStatus.CONFIRMED, product_id="DESK"), "4"),
    (OrderFilter(created_from=SECONDS[3]), "5432"),
    (OrderFilter(created_before=SECONDS[3]), "10"),
    (OrderFilter(created_from=SECONDS[2], created_before=SECONDS[4]), "21"),
    (OrderFilter(created_from=SECONDS[4], created_before=SECONDS[2]), ""),
    (OrderFilter(created_from=datetime.min.replace(tzinfo=UTC)), "543210"),
    (OrderFilter(created_before=datetime.max.replace(tzinfo=UTC)), "543210"),
    (OrderFilter(created_before=datetime.min.replace(tzinfo=UTC)), ""),
    (OrderFilter(request_ids=("r-0", "r-4", "r-9")), "40"),
    (OrderFilter(request_ids=("r-9",)), ""),
    (OrderFilter(request_ids=("r-1", "r-2", "r-3"), customer_id="c-2"), "32"),
    (OrderFilter(request_ids=("r-1", "r-2", "r-3"), status=OrderStatus.PENDING), "31"),
    (OrderFilter(request_ids=("r-1", "r-2", "r-3"), product_id="DESK"), "21"),
    (OrderFilter(request_ids=("r-1", "r-2", "r-3"), created_from=SECONDS[3]), "32"),
]


async def test_a_filter_lists_what_it_says_newest_first(shelf: Desk) -> None:
    found = [(wanted, await shelf.listed(wanted)) for wanted, _ in FILTERS]

    assert found == [(wanted, [f"r-{number}" for number in numbers]) for wanted, numbers in FILTERS]


async def test_a_request_id_is_found_whoever_used_it(desk: Desk) -> None:
    for customer_id in ("c-1", "c-2", "c-3"):
        await desk.place("r-1", customer_id=customer_id)
    await desk.place("r-2")

    found = await desk.reader.orders(OrderFilter(request_ids=("r-1",)), before="", limit=9)

    assert [order.customer_id for order in found.orders] == ["c-3", "c-2", "c-1"]


@pytest.mark.parametrize(
    "wanted",
    [
        OrderFilter(),
        OrderFilter(customer_id="c-1"),
        OrderFilter(product_id="LAMP"),
        OrderFilter(status=OrderStatus.PENDING),
        OrderFilter(request_ids=tuple(f"r-{number}" for number in range(7))),
    ],
)
async def test_pages_have_every_order_once_although_new_ones_come_in(
    desk: Desk, wanted: OrderFilter
) -> None:
    placed = [await desk.place(f"r-{number}") for number in range(7)]
    found: list[str] = []

    async for page in desk.pages(wanted, 3):
        found += [order.order_id for order in page]
        await desk.place(f"new {len(found)}")

    assert found == [state.order_id for state in reversed(placed)]
    assert all(newer > older for newer, older in pairwise(found))


async def test_pages_of_orders_that_ended_have_each_once_whenever_it_ended(desk: Desk) -> None:
    placed = [await desk.place(f"r-{number}") for number in range(9)]
    for state in (placed[7], placed[1], placed[4], placed[2]):
        await desk.record(state.cancel("", START, ANNA))
    await desk.record(placed[5].expire(START, ANNA), settle(placed[3], START))
    cancelled = OrderFilter(status=OrderStatus.CANCELLED)
    found: list[str] = []

    async for page in desk.pages(cancelled, 3):
        found += [order.request_id for order in page]

    assert found == ["r-7", "r-4", "r-2", "r-1"]


async def test_an_order_that_ended_is_listed_once_whatever_is_recorded_of_it_afterwards(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "STRETCH", 2)
    placed = [await desk.place(f"r-{number}") for number in range(3)]
    for state in placed:
        cancelled = state.cancel("", START, ANNA)
        await desk.record(cancelled)
        state = state.after(cancelled)
        for reference in ("p-1", "p-2"):
            fact = Payment(PaymentKind.CAPTURED, reference, Money("GBP", 1))
            paid = state.record_payment(fact, PaymentStatus.PARTIALLY_PAID, START, ANNA)
            await desk.record(paid)
            state = state.after(paid)
    every = OrderFilter(status=OrderStatus.CANCELLED)
    found: list[list[str]] = []

    for wanted in (every, replace(every, product_id="LAMP")):
        for size in (1, 2, 9):
            pages = desk.pages(wanted, size)
            found.append([order.request_id async for page in pages for order in page])

    assert found == [["r-2", "r-1", "r-0"]] * 6


async def test_an_order_whose_id_is_older_than_its_moment_is_listed_from_that_moment(
    desk: Desk,
) -> None:
    early = desk.clock.new_id()
    desk.clock.advance(0.9)
    order = desk.make("r-1")
    late_order = NewOrder(early, *(getattr(order, name) for name in FIELDS_AFTER_ID))
    await desk.store.record_orders([late_order])

    moment = late_order.placed.at
    assert await desk.listed(OrderFilter(created_from=moment)) == ["r-1"]
    until = OrderFilter(created_before=moment + timedelta(microseconds=1))
    assert await desk.listed(until) == ["r-1"]


SEARCHED = (
    OrderFilter(status=OrderStatus.CONFIRMED),
    OrderFilter(status=OrderStatus.REJECTED, location_id="main"),
    OrderFilter(status=OrderStatus.CONFIRMED, payment_status=PaymentStatus.NONE, channel="shop"),
    OrderFilter(customer_id="c-1", status=OrderStatus.SHIPPED),
    OrderFilter(owner="c-1", channel="elsewhere"),
    OrderFilter(status=OrderStatus.RESERVED),
    OrderFilter(to_ship=True),
    OrderFilter(channel="shop", location_id="main"),
    OrderFilter(by_hold_end=True, channel="elsewhere"),
)


@pytest.mark.parametrize("wanted", SEARCHED, ids=repr)
async def test_a_page_looks_at_so_many_orders_and_no_more_however_few_fit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wanted: OrderFilter
) -> None:
    monkeypatch.setattr(reader, "STRETCH", 3)
    monkeypatch.setattr(reader, "LOOKS_MAX", 2)
    for number in range(20):  # each with a hold that runs, so that none is RESERVED yet
        order = desk.make(f"r-{number}")._replace(details=Details(channel="shop"))
        await desk.store.record_orders([order._replace(expires_at=START + timedelta(hours=1))])
        if wanted.status is OrderStatus.REJECTED:
            state = OrderState(order.order_id, OrderStatus.PENDING, 1)
            await desk.record(settle(state, START, Shortage("LAMP", 2, 1)))

    pages = [page async for page in desk.pages(wanted, 5)]

    assert pages[:3] == [[], [], []]
    assert len(pages) == 20 // (3 * 2) + 1


FIELDS_AFTER_ID = "customer_id request_id request_hash lines total customer placed".split()

LOOKED_UP = (
    "(status=? AND order_id=?)",
    "(order_id=?)",
    "(order_id=? AND edition=?)",
    "(product_id=? AND order_id=?)",
    "(product_id=? AND order_id=? AND edition=?)",
)
LED_BY = {
    "LIST_ORDERS": "orders_1 (order_id>? AND order_id<?)",
    "LIST_ORDERS_OF_CUSTOMER": "by_customer (customer_id=? AND order_id>? AND order_id<?)",
    "SEARCH_BY_PENDING": "unanswered USING PRIMARY KEY (order_id>? AND order_id<?)",
    "LIST_ENDED_ORDERS": "of_ends (status=? AND order_id>? AND order_id<?)",
    "SEARCH_BY_PRODUCT": "by_product (product_id=? AND order_id>? AND order_id<?)",
    "LIST_ORDERS_OF_REQUESTS": "orders_2 (request_id=?)",
    "CLAIM_LATE": "SCAN unanswered",
    "CLAIM_EXPIRED": "SCAN unanswered",
}


async def test_on_sqlite_a_list_is_led_by_an_index_in_its_order_and_looks_the_orders_up(
    desk: Desk,
) -> None:
    if desk.database.engine != "sqlite":
        return  # test_plans.py counts what PostgreSQL looks at
    for name, leading in LED_BY.items():
        sql = "EXPLAIN QUERY PLAN " + getattr(SQL["sqlite"], name)
        async with desk.database.read() as reading:
            first, *rest = await reading.fetch(
                sql, *[""] * max(map(int, findall(r"\?([0-9]+)", sql)))
            )

        assert first["detail"].endswith(leading)
        looked_at = [step["detail"] for step in rest if " order" in step["detail"]]
        assert looked_at
        assert [one for one in looked_at if not one.endswith(LOOKED_UP)] == []
