"""Cancellations of a file become returns of what was sold before, each unit once, or are told."""

import csv
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.replay_report import ReplayReport, facts, told_flaws, told_outcomes
from holdfast.cli.replay_run import ReplayOptions, replay_orders
from holdfast.client import (
    Disposition,
    Holdfast,
    Order,
    OrderStatus,
    ReceiptLine,
    ReturnLine,
    ReturnState,
)
from holdfast.importing.flaws import Flaw
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.reading import OrderFile, read_orders
from tests.integration.conftest import RunningHoldfast, eventually

ALIKE = True
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ADA, BOB, EVE, GUEST = "17850.0", "13047.0", "12346.0", ""
OPTIONS = ReplayOptions(cover=Decimal("0.8"), concurrency=1, settle_timeout_s=20.0)

Row = tuple[str, str, int | str, str, str]
SHOP: list[Row] = [
    ("C999", "LAMP", -2, "08:00", ADA),  # 2: before she ever bought anything
    ("1001", "LAMP", 6, "09:00", ADA),
    ("1001", "LAMP", 2, "09:00", ADA),
    ("1002", "LAMP", 5, "10:00", ADA),
    ("1002", "MUG", 3, "10:00", ADA),
    ("1003", "MUG", 4, "10:01", BOB),
    ("1004", "RARE", 10, "10:02", ADA),  # 8: refused
    ("1005", "LAMP", 5, "10:03", GUEST),
    ("C1006", "LAMP", -6, "11:00", ADA),  # 10: five of 1002, and one of 1001
    ("C1006", "POST", -1, "11:00", ADA),
    ("C1007", "LAMP", -20, "12:00", ADA),  # 12: the other seven of 1001, and no more
    ("C1007", "MUG", -1, "12:00", ADA),
    ("C1008", "RARE", -10, "12:01", ADA),
    ("C1009", "MUG", -1, "12:02", GUEST),
    ("C1010", "MUG", -1, "12:03", EVE),
    ("C1011", "LAMP", -1, "12:04", BOB),
    ("C1012", "MUG", "few", "12:05", BOB),  # 18
    ("1013", "LAMP", 20, "13:00", BOB),  # refused, though what came back would do
    ("1014", "MUG", 20, "13:00", BOB),  # refused
]
CAME_BACK = {
    "1001": {"C1006": {2: 1}, "C1007": {2: 1, 1: 6}},
    "1002": {"C1006": {1: 5}, "C1007": {2: 1}},
}
ON_HAND = {"LAMP": 30 - 13 + 13, "MUG": 21 - 3 + 1, "RARE": 8}
RESERVED = {"LAMP": 5, "MUG": 4, "RARE": 0}


def written(folder: Path, rows: list[Row]) -> OrderFile:
    path = folder / "retail.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for order, product, units, at, customer in rows:
            when = f"2010-12-01 {at}:00"
            writer.writerow([order, product, "THING", units, when, "2.55", customer, "EIRE"])
    return read_orders(path, ReadOptions(Format.ONLINE_RETAIL))


async def orders_of(client: Holdfast) -> dict[str, Order]:
    """All orders, whole, by the number of their invoice."""
    listed = [order.order_id async for order in client.orders.list()]
    orders = [await client.orders.get(order_id) for order_id in listed]
    return {order.request_id.removeprefix("invoice-"): order for order in orders}


def came_back(orders: dict[str, Order]) -> dict[str, dict[str, dict[int, int]]]:
    """Units by line, by order and cancellation; every return is received and closed."""
    found: dict[str, dict[str, dict[int, int]]] = {}
    for number, order in orders.items():
        for one in order.returns:
            assert one.state is ReturnState.CLOSED
            (receipt,) = one.receipts
            cancellation = receipt.request_id.removeprefix("return-")
            lines = {line.line_no: line.quantity for line in receipt.lines}
            assert lines == {line.line_no: line.quantity for line in one.lines}
            assert {line.disposition for line in receipt.lines} == {Disposition.RESTOCK}
            assert {line.reason for line in one.lines} == {f"cancelled by invoice {cancellation}"}
            assert cancellation not in found.setdefault(number, {}), "once an order"
            found[number][cancellation] = lines
    return found


async def require_stock(holdfast: RunningHoldfast) -> None:
    async def stock() -> tuple[dict[str, int], dict[str, int]]:
        infos = [await holdfast.client.inventory.get_stock(one) for one in ON_HAND]
        return (
            {info.product.product_id: info.on_hand for info in infos},
            {info.product.product_id: info.reserved for info in infos},
        )

    await eventually(stock, lambda seen: seen == (ON_HAND, RESERVED), "stock as it must be")


async def replay_shop(client: Holdfast, file: OrderFile) -> ReplayReport:
    """Replay it in two parts, so that the last orders find the stock of the first ones reserved and
    are refused. Otherwise they may overtake the reservations, and are placed and rejected.
    """
    await replay_orders(client, file, replace(OPTIONS, limit=4))
    return await replay_orders(client, file, OPTIONS)


async def test_each_cancellation_takes_back_what_was_sold_before_or_is_told(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    file = written(tmp_path, SHOP)

    report = await replay_shop(holdfast.client, file)

    orders = await orders_of(holdfast.client)
    assert came_back(orders) == CAME_BACK
    await require_stock(holdfast)
    statuses = {number: order.status for number, order in orders.items()}
    shipped, confirmed = OrderStatus.SHIPPED, OrderStatus.CONFIRMED
    assert statuses == {"1001": shipped, "1002": shipped, "1003": confirmed, "1005": confirmed}
    assert (report.confirmed, report.shipped, report.refused, report.failed) == (2, 2, 3, 0)
    assert (report.units_confirmed, report.units_shipped) == (25, 16)
    require_account(report)
    assert told_unmatched(report) == [
        (2, "C999", "2 x LAMP cannot be taken back: customer 17850 has no earlier order here"),
        (
            12,
            "C1007",
            "13 of 20 x LAMP cannot be taken back: customer 17850 had no more of it that could "
            "come back",
        ),
        (
            14,
            "C1008",
            "10 x RARE cannot be taken back: the order that asked for it was not filled",
        ),
        (
            15,
            "C1009",
            "1 x MUG cannot be taken back: it names no customer, and guests are not told apart",
        ),
        (16, "C1010", "1 x MUG cannot be taken back: customer 12346 has no earlier order here"),
        (17, "C1011", "1 x LAMP cannot be taken back: no earlier order of customer 13047 has it"),
    ]


def require_account(report: ReplayReport, *, already_there: int = 0) -> None:
    returns = report.returns
    assert (returns.cancellations, returns.held_back, returns.lines) == (8, 1, 8)
    assert (returns.units, returns.units_returned) == (42, 14)
    assert returns.unmatched == {
        "unknown_customer": 3,
        "more_than_sold": 13,
        "order_not_filled": 10,
        "guest": 1,
        "no_earlier_sale": 1,
    }
    assert returns.units == returns.units_returned + sum(returns.unmatched.values())
    assert (returns.returns, returns.orders, returns.already_there) == (4, 2, already_there)
    assert (returns.failures, returns.units_failed, returns.units_not_tried) == ([], 0, 0)


def told_unmatched(report: ReplayReport) -> list[tuple[int, str, str]]:
    flaws = [(one.line, one.order, one.problem) for one in report.returns.unmatched_lines]
    assert all(
        f"{report.file}:{line}: order {order}: {problem}" in told_outcomes(report)
        for line, order, problem in flaws
    )
    return flaws


async def test_a_broken_line_of_a_cancellation_is_told_and_costs_no_order(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    file = written(tmp_path, SHOP)
    mended = written(
        tmp_path, [row if row[2] != "few" else (*row[:2], -1, *row[3:]) for row in SHOP]
    )

    first = await replay_orders(holdfast.client, file, OPTIONS)
    second = await replay_orders(holdfast.client, mended, OPTIONS)

    assert told_flaws(file) == [
        f"{file.path}:18: order C1012: the quantity 'few' is no plain number, "
        "because of 'f' (U+0066 LATIN SMALL LETTER F): write digits only",
        "held back for these lines: 1 cancellation. Mend them and run the "
        "file again: what is placed already is not placed twice",
    ]
    assert (first.ok, first.failed, first.returns.held_back) == (False, 0, 1)
    assert (second.ok, second.returns.held_back, second.returns.units_returned) == (True, 0, 15)
    orders = await orders_of(holdfast.client)
    assert came_back(orders) == {**CAME_BACK, "1003": {"C1012": {1: 1}}}


async def test_a_repeated_replay_changes_nothing_and_sells_nothing_of_what_came_back(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    file = written(tmp_path, SHOP)
    first = await replay_shop(holdfast.client, file)
    await require_stock(holdfast)
    orders, everything = await orders_of(holdfast.client), await holdfast.everything()

    again = await replay_orders(holdfast.client, file, OPTIONS)

    assert await orders_of(holdfast.client) == orders
    assert await holdfast.everything() == everything
    require_account(again, already_there=4)
    assert (again.placed, again.already_there, again.refused) == (4, 4, 3)
    assert (again.confirmed, again.shipped) == (first.confirmed, first.shipped)
    assert again.returns.orders_shipped == 0
    told = told_outcomes(again)
    short = (
        "refused as before, leaving aside what came back, short of LAMP: wanted 20, available 12"
    )
    assert f"{file.path}:19: order 1013: {short}" in told


class Killed(Exception):
    """What ends a replay here, at no moment of its own choice."""


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", ["ship", "open_return", "receive_return", "close_return"])
async def test_a_replay_that_is_killed_again_and_again_goes_on_to_the_same_end(
    holdfast: RunningHoldfast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    is_done: bool,
) -> None:
    file, orders = written(tmp_path, SHOP), holdfast.client.orders
    report, kills = None, 0
    while report is None:
        with monkeypatch.context() as patched:
            patched.setattr(orders, call, killed_in(kills + 1, getattr(orders, call), is_done))
            try:
                report = await replay_orders(holdfast.client, file, OPTIONS)
            except* Killed:
                kills += 1

    assert kills > 0
    assert came_back(await orders_of(holdfast.client)) == CAME_BACK
    await require_stock(holdfast)
    assert (report.returns.units_returned, report.returns.returns) == (14, 4)
    assert report.returns.failures == []


def killed_in(
    turn: int, call: Callable[..., Awaitable[Any]], is_done: bool
) -> Callable[..., Awaitable[Any]]:
    """The call, but for this turn, in which the caller ends before or after it."""
    turns = count(1)

    async def made(*arguments: Any, **options: Any) -> Any:
        if next(turns) != turn:
            return await call(*arguments, **options)
        if is_done:
            await call(*arguments, **options)
        raise Killed

    return made


async def test_what_somebody_else_took_back_is_not_taken_back_again(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    file = written(tmp_path, SHOP)
    await replay_orders(holdfast.client, file, replace(OPTIONS, limit=2))
    order = (await orders_of(holdfast.client))["1002"]
    await holdfast.client.orders.ship(order.order_id)
    theirs = await holdfast.client.orders.open_return(order.order_id, [ReturnLine(1, 4, "broken")])
    came = [ReceiptLine(1, 3, Disposition.WRITE_OFF)]
    await holdfast.client.orders.receive_return(theirs.return_id, came)

    report = await replay_orders(holdfast.client, file, OPTIONS)

    orders = await orders_of(holdfast.client)
    units = {
        (number, one.lines[0].reason): {line.line_no: line.quantity for line in one.lines}
        for number, order in orders.items()
        for one in order.returns
    }
    assert units == {
        ("1002", "broken"): {1: 4},  # one of them may still come
        ("1002", "cancelled by invoice C1006"): {1: 1},
        ("1001", "cancelled by invoice C1006"): {2: 2, 1: 3},
        ("1001", "cancelled by invoice C1007"): {1: 3},
        ("1002", "cancelled by invoice C1007"): {2: 1},
    }
    assert report.returns.unmatched["more_than_sold"] == 13 + 4


async def test_a_mended_sale_is_taken_back_by_what_found_none_before_and_by_nothing_twice(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    broken = [row if row[:2] != ("1002", "MUG") else (*row[:2], "three", *row[3:]) for row in SHOP]
    first = await replay_orders(holdfast.client, written(tmp_path, broken), OPTIONS)

    second = await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)

    assert came_back(await orders_of(holdfast.client)) == {
        "1001": {"C1006": {2: 2, 1: 4}, "C1007": {1: 2}},
        "1002": {"C1007": {1: 5, 2: 1}},
    }
    assert (first.returns.units_returned, second.returns.units_returned) == (8, 14)
    assert second.returns.failures == []


async def test_an_erased_customer_returns_nothing_twice(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    file = written(tmp_path, SHOP)
    await replay_orders(holdfast.client, file, OPTIONS)
    await holdfast.client.customers.erase("17850")
    before = await orders_of(holdfast.client)

    again = await replay_orders(holdfast.client, file, OPTIONS)

    assert await orders_of(holdfast.client) == before
    require_account(again, already_there=4)


async def test_a_limited_replay_takes_back_what_comes_before_the_first_order_it_leaves_out(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    rows = [*SHOP[:4], ("C1000", "LAMP", -1, "09:30", ADA), *SHOP[4:]]

    report = await replay_orders(
        holdfast.client, written(tmp_path, rows), replace(OPTIONS, limit=1)
    )

    assert came_back(await orders_of(holdfast.client)) == {"1001": {"C1000": {2: 1}}}
    assert (report.returns.cancellations, report.returns.held_back) == (3, 1)
    assert report.returns.unmatched == {"unknown_customer": 2}


async def test_a_return_that_is_refused_is_told_and_the_others_are_made(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    file = written(tmp_path, SHOP)
    await replay_orders(holdfast.client, file, replace(OPTIONS, limit=2))
    order = (await orders_of(holdfast.client))["1002"]
    await holdfast.client.orders.ship(order.order_id)
    theirs = [ReturnLine(2, 1, "not ours, under the name of ours")]
    await holdfast.client.orders.open_return(order.order_id, theirs, request_id="return-C1006")

    report = await replay_orders(holdfast.client, file, OPTIONS)

    assert not report.ok
    ((line, number, problem),) = [
        (flaw.line, flaw.order, flaw.problem) for flaw in report.returns.failures
    ]
    assert (line, number) == (10, "C1006")
    assert problem.startswith("5 units were not taken back: ")
    assert Flaw(line, number, problem) in report.returns.failures
    assert (report.returns.units_failed, report.returns.units_returned) == (5, 9)
    assert facts(report)["  NOT TAKEN BACK"] == "5 units"
