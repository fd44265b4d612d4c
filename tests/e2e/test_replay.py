"""`holdfast replay` as people run it, in both modes, held against a second opinion."""

import asyncio
import json
import os
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.sample import write_sample
from holdfast.client import Order, OrderStatus
from tests.e2e.callers import World, look
from tests.e2e.conftest import Clustered, Embedded, System, command
from tests.e2e.recomputation import (
    Expected,
    contradictions,
    expected_of,
    first_invoices,
    level_contradictions,
    number_of,
    places_of,
    real_file,
)
from tests.modes import mostly

SAMPLE_INVOICES = 600
REAL_INVOICES = 800
REAL_INVOICES_OF_LOCATIONS = 500
LOCATIONS = ("main", "warehouse-2", "warehouse-3")
REPLAY_S_MAX = 300
FOLLOWS_S_MAX = 20.0

Report = dict[str, Any]
# Real orders are replayed on every change from three locations.
MOSTLY_OF_THE_SAMPLE = mostly("invoices", "sample", "real")


@pytest.fixture
def invoices(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file that is quickly replayed."""
    path = tmp_path / "invoices.csv"
    if request.param == "sample":
        write_sample(path, invoices=SAMPLE_INVOICES, seed=352)
    else:
        first_invoices(real_file(), path, invoices=REAL_INVOICES)
    return path


@pytest.fixture
def all_invoices() -> Path:
    if not os.environ.get("HOLDFAST_FULL"):
        pytest.skip("the full file takes minutes: HOLDFAST_FULL=1 runs this too")
    return real_file()


def replay(path: Path, *where: str, env: dict[str, str] | None = None) -> Report:
    """The report of a replay that succeeds."""
    rules = ("--format", "online-retail", "--cover", "0.8")
    done = command("replay", str(path), *rules, *where, "--output", "json", env=env)
    assert done.returncode == 0, done.stderr
    report: Report = json.loads(done.stdout)
    require_sums(report)
    told = done.stderr.splitlines()
    assert all(line.startswith(f"{path}:") for line in told)
    short = [line for line in told if ", short of " in line]
    assert len(short) == len(report["refusals"]), "every order that was short"
    unmatched = [line for line in told if " cannot be taken back: " in line]
    assert len(unmatched) == len(report["returns"]["unmatched_lines"])
    assert len(told) == len(short) + len(unmatched), "and nothing else"
    return report


def require_sums(report: Report) -> None:
    """Every line and every order is accounted for, once."""
    outcomes = (
        "confirmed",
        "shipped",
        "rejected",
        "cancelled",
        "expired",
        "pending",
        "unread",
        "lost",
    )
    assert report["ok"] is True
    assert len(report["refusals"]) == report["refused"] + report["rejected"]
    assert report["placed"] == sum(report[outcome] for outcome in outcomes)
    answers = ("placed", "refused", "failed", "unanswered", "not_tried")
    assert report["orders"] == sum(report[answer] for answer in answers)
    assert report["units_confirmed"] <= report["units_ordered"]
    assert report["stock_set"] + report["stock_present"] <= (  # four fifths of one are none
        report["products_created"] + report["products_present"]
    )
    assert 0 < report["latency_ms_p50"] <= report["latency_ms_p99"]
    assert report["orders_per_second"] > 0


def require_the_file_in(report: Report, expected: Expected, world: World) -> None:
    """The report, the file and what everybody can read afterwards are three times the same."""
    assert contradictions(expected, world) == []
    assert report["lines"] == expected.line_count
    cancelled_lines = sum(len(one.lines) for one in expected.cancellations)
    used = expected.order_line_count + cancelled_lines
    assert sum(report["skipped_lines"].values()) == expected.line_count - used
    assert report["orders"] == len(expected.invoices)
    assert report["units_ordered"] == expected.demand.total()
    assert report["products_created"] + report["products_present"] == len(expected.demand)
    statuses = Counter(order.status for order in world.orders.values())
    assert (report["confirmed"], report["shipped"], report["rejected"]) == (
        statuses[OrderStatus.CONFIRMED],
        statuses[OrderStatus.SHIPPED],
        statuses[OrderStatus.REJECTED],
    )
    assert report["placed"] == len(world.orders)
    assert report["refused"] == len(expected.invoices) - len(world.orders)
    reserved = sum(info.reserved for info in world.stock.values())
    assert report["units_confirmed"] == reserved + report["units_shipped"]
    require_the_returns_in(report["returns"], expected, world)
    assert report["refused"] + report["rejected"] > 0, "with four units of five some are short"


def require_the_returns_in(report: Report, expected: Expected, world: World) -> None:
    returns = expected.returns(world)
    lines = [line for one in expected.cancellations for line in one.lines]
    assert report["cancellations"] == len(expected.cancellations)
    assert (report["lines"], report["units"]) == (len(lines), sum(units for _, units in lines))
    assert report["unmatched"] == returns.unmatched
    came_back = sum(units.total() for units in returns.units.values())
    assert report["units_returned"] == came_back > 0
    assert report["units"] == came_back + returns.unmatched.total()
    assert (report["returns"], report["orders"]) == (len(returns.units), len(returns.shipped))


def require_nothing_twice(first: Report, again: Report) -> None:
    assert again["products_created"] == again["stock_set"] == 0
    assert again["placed"] == again["already_there"] == first["placed"]
    returns = dict(first["returns"], already_there=first["returns"]["returns"], orders_shipped=0)
    assert {**again["returns"], "seconds": 0} == {**returns, "seconds": 0}
    same = (
        "confirmed",
        "shipped",
        "rejected",
        "refused",
        "units_confirmed",
        "lines",
        "skipped_lines",
    )
    assert {name: again[name] for name in same} == {name: first[name] for name in same}


async def world_of(system: System) -> World:
    async with system.client() as client:
        return await look(client)


async def world_in_agreement(system: System, expected: Expected) -> World:
    """The world, soon after: stock follows what left and what came back."""
    ends_at = time.monotonic() + FOLLOWS_S_MAX
    while contradictions(expected, world := await world_of(system)):
        if time.monotonic() > ends_at:
            break
        await asyncio.sleep(0.1)
    return world


@MOSTLY_OF_THE_SAMPLE
@pytest.mark.timeout(REPLAY_S_MAX)
async def test_a_replay_into_a_folder_leaves_the_stock_that_the_file_implies(
    embedded: Embedded, invoices: Path
) -> None:
    await replay_into_folder(embedded, invoices)


@pytest.mark.proof  # from three locations on every change
@MOSTLY_OF_THE_SAMPLE
@pytest.mark.timeout(REPLAY_S_MAX)
async def test_a_replay_into_a_cluster_leaves_the_stock_that_the_file_implies(
    clustered: Clustered, invoices: Path
) -> None:
    await replay_into_cluster(clustered, invoices)


@pytest.mark.timeout(REPLAY_S_MAX)
async def test_real_orders_come_from_three_locations_and_returns_go_back_there(
    embedded: Embedded, tmp_path: Path
) -> None:
    path, here = tmp_path / "invoices.csv", ("--data", str(embedded.data))
    first_invoices(real_file(), path, invoices=REAL_INVOICES_OF_LOCATIONS)
    expected = expected_of(path)

    report = replay(path, "--locations", "3", *here)
    embedded.start_all()
    world = await world_of(embedded)
    async with embedded.client() as client:
        whole = {order_id: await client.orders.get(order_id) for order_id in world.orders}

    require_the_file_in(report, expected, world)
    assert level_contradictions(expected, replace(world, orders=whole), LOCATIONS) == []
    units: Counter[str] = Counter()
    orders: Counter[int] = Counter()
    for order in whole.values():
        if order.status is not OrderStatus.REJECTED:
            units += places_of(order)
            orders[len(places_of(order))] += 1
    assert report["sourcing"]["units"] == units
    assert report["sourcing"]["orders"] == {str(count): n for count, n in orders.items()}
    assert set(orders) == {1, 2, 3}, "some come from each number of them"
    assert [number_of(order) for order in whole.values() if +(came_to(order) - left(order))] == []
    embedded.stop_all()
    embedded.require_soundness()


def left(order: Order) -> Counter[tuple[int, str]]:
    """Units that left, by line and location."""
    units: Counter[tuple[int, str]] = Counter()
    for item in (item for shipment in order.shipments for item in shipment.items):
        units[item.line_no, item.location_id] += item.quantity
    return units


def came_to(order: Order) -> Counter[tuple[int, str]]:
    """Units that came back, by line and location."""
    units: Counter[tuple[int, str]] = Counter()
    for receipt in (receipt for one in order.returns for receipt in one.receipts):
        for line in receipt.lines:
            units[line.line_no, line.location_id] += line.quantity
    return units


@pytest.mark.timeout(REPLAY_S_MAX)
async def test_all_the_real_invoices_go_into_a_folder(
    embedded: Embedded, all_invoices: Path
) -> None:
    await replay_into_folder(embedded, all_invoices)


@pytest.mark.timeout(REPLAY_S_MAX)
async def test_all_the_real_invoices_go_into_a_cluster(
    clustered: Clustered, all_invoices: Path
) -> None:
    await replay_into_cluster(clustered, all_invoices)


async def replay_into_folder(embedded: Embedded, path: Path) -> None:
    here = ("--data", str(embedded.data))

    first = replay(path, *here)
    embedded.start_all()
    world = await world_of(embedded)
    embedded.stop_all()
    again = replay(path, *here)

    require_the_file_in(first, expected_of(path), world)
    require_nothing_twice(first, again)
    embedded.require_soundness()
    embedded.start_all()
    assert await world_of(embedded) == world


async def replay_into_cluster(clustered: Clustered, path: Path) -> None:
    clustered.start_all()
    there = dict(clustered.environment)

    first = replay(path, env=there)
    world = await world_in_agreement(clustered, expected_of(path))
    again = replay(path, "--batch", "50", "--concurrency", "4", env=there)

    require_the_file_in(first, expected_of(path), world)
    require_nothing_twice(first, again)
    clustered.require_soundness()
    assert await world_of(clustered) == world


def test_flawed_lines_are_told_by_file_and_number_and_mended_they_are_placed(
    tmp_path: Path,
) -> None:
    path, here = tmp_path / "partly broken.csv", ("--data", str(tmp_path / "data"))
    write_sample(path, invoices=20, seed=1)
    header, *sound = path.read_bytes().splitlines(keepends=True)
    broken = [
        b"1,CODE,NAME,many,2010-12-01 08:26:00,2.55,17850.0,EIRE\n",
        b'2,CODE,"NAME,1,2010-12-01 08:26:00,2.55,17850.0,EIRE\n',
        b"3,CODE,NAME,1,yesterday,2.55,17850.0,EIRE\n",
        b"3,CODE,NAME,1,2010-12-01 08:26:00,cheap,17850.0,EIRE\n",
    ]
    mended = [
        b"1,CODE,NAME,2,2010-12-01 08:26:00,2.55,17850.0,EIRE\n",
        b'2,CODE,"NAME",1,2010-12-01 08:26:00,2.55,17850.0,EIRE\n',
        b"3,CODE,NAME,1,2010-12-01 08:26:00,2.55,17850.0,EIRE\n",
        b"3,CODE,NAME,1,2010-12-01 08:26:00,1.55,17850.0,EIRE\n",
    ]
    replay_it = ("replay", str(path), "--format", "online-retail", "--cover", "1", *here)

    path.write_bytes(b"".join([header, *broken[:2], *sound, *broken[2:]]))
    done = command(*replay_it, "--output", "json")
    path.write_bytes(b"".join([header, *mended[:2], *sound, *mended[2:]]))
    again = command(*replay_it, "--output", "json")

    numbers = [2, 3, *(4 + len(sound) + at for at in range(2))]
    told = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert [int(line.removeprefix(f"{path}:").partition(":")[0]) for line in told[:4]] == numbers
    assert told[4].startswith("held back for these lines: 3 orders.")
    report = json.loads(done.stdout)
    assert [(one["line"], one["order"]) for one in report["flaws"]] == list(
        zip(numbers, "1233", strict=True)
    )
    assert (report["orders"], report["placed"], report["failed"]) == (23, 20, 3)
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    assert (report["orders"], report["placed"], report["already_there"]) == (23, 23, 20)
    assert command("verify", *here).returncode == 0
