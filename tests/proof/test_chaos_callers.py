"""Callers of a chaos run on the real embedded system: what they were told is all on disk."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import count, groupby, pairwise
from pathlib import Path

import pytest

from holdfast.embedded import running
from holdfast.home import in_folder
from proof import workload
from proof.callers import Address, Callers, Habits
from proof.history import Call, Facts, History, Journal, read
from proof.workload import MIX, Shop
from testbed.keys import KEY

CALLERS, CALLS = 8, 600


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[Address]:
    async with running(in_folder(tmp_path / "data"), operator_key=KEY) as at:
        yield Address(at.orders, at.inventory)


async def work(
    address: Address, path: Path, *, seed: int, batch: int = 1, methods: Collection[str] = ()
) -> list[Call]:
    """Let callers work until enough calls were made, of each of the methods at least one; the calls
    as its file has them.
    """
    ticks = count(1)
    history = History(lambda: float(next(ticks)), path)
    habits = Habits(callers=CALLERS, pause_s=0.0, batch=batch)
    callers = Callers([address], history, seed=seed, shop=Shop(units=200), habits=habits)
    await callers.open_shop()
    async with callers.working():
        while len(history.calls) < CALLS or not {one.method for one in history.calls} >= {*methods}:
            await asyncio.sleep(0.01)
    history.close()
    assert callers.bugs == callers.nonsense == []
    with path.open("rb") as lines:
        calls = read(lines)
    assert calls == history.calls
    return calls


async def test_every_call_is_on_disk_with_what_its_caller_was_told(
    address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "HURRY_S", (0.0001, 0.001))  # too short on any machine
    calls = await work(address, tmp_path / "history", seed=1, methods=MIX)

    assert len(calls) >= CALLS
    assert {call.method for call in calls} == MIX.keys() | {"CreateProduct", "CreateLocation"}
    assert {call.outcome for call in calls} == {"ok", "fail", "info"}
    assert all(call.ended_at is not None for call in calls), "each caller ended its last call"
    assert all((call.value is not None) == (call.outcome == "ok") for call in calls)
    codes = {(call.outcome, call.code) for call in calls if call.outcome != "ok"}
    assert {("fail", "FAILED_PRECONDITION"), ("info", "DEADLINE_EXCEEDED")} <= codes


async def test_a_caller_makes_one_call_after_the_other(address: Address, tmp_path: Path) -> None:
    calls = await work(address, tmp_path / "history", seed=2)

    for name in {call.client for call in calls}:
        mine = [call for call in calls if call.client == name]
        for before, after in pairwise(mine):
            assert before.ended_at is not None
            assert before.ended_at < after.invoked_at


async def test_a_doubt_is_asked_again_with_the_same_request(
    address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "HURRIED", 0.5)
    monkeypatch.setattr(workload, "HURRY_S", (0.0001, 0.001))
    calls = await work(address, tmp_path / "history", seed=3)

    by_client = [[call for call in calls if call.client == name] for name in names_of(calls)]
    doubts = [
        (doubt, after)
        for mine in by_client
        for doubt, after in pairwise(mine)
        if doubt.outcome == "info"
    ]
    assert any(after.request == doubt.request for doubt, after in doubts)


def names_of(calls: Sequence[Call]) -> set[str]:
    return {call.client for call in calls}


async def test_orders_of_one_batch_are_calls_of_their_own(address: Address, tmp_path: Path) -> None:
    calls = await work(address, tmp_path / "history", seed=4, batch=10)

    outcomes = Counter(call.outcome for call in calls if call.method == "CreateOrder")
    assert outcomes["ok"] > CALLS / 4
    assert outcomes["fail"] > 0


async def test_callers_want_the_same_for_the_same_seed(tmp_path: Path) -> None:
    first = [await wishes(tmp_path / f"{run}", seed=5) for run in range(2)]

    assert first[0] == first[1] != await wishes(tmp_path / "other", seed=6)


async def wishes(folder: Path, *, seed: int) -> list[Facts]:
    """What the first calls of a lone caller ask for, on a system of their own."""
    folder.mkdir()
    async with running(in_folder(folder / "data"), operator_key=KEY) as at:
        history = History(lambda: 0.0, folder / "history")
        habits = Habits(callers=1, pause_s=0.0, mix={"CreateOrder": 1})
        address = Address(at.orders, at.inventory)
        callers = Callers([address], history, seed=seed, shop=Shop(), habits=habits)
        await callers.open_shop()
        async with callers.working():
            while len(history.calls) < 60:
                await asyncio.sleep(0.01)
        history.close()
    # A doubt may be asked again at once or not: that depends on the machine.
    return [request for request, _ in groupby(call.request for call in history.calls)][:40]


async def test_lines_of_many_share_an_fsync_and_none_goes_on_before_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    journal, syncs = Journal(path), list[int]()
    monkeypatch.setattr("os.fsync", syncs.append)

    async def keep(number: int) -> None:
        journal.add({"number": number})
        await journal.on_disk()
        assert b'{"number": %d}\n' % number in path.read_bytes()

    await asyncio.gather(*(keep(number) for number in range(50)))

    assert len(path.read_bytes().splitlines()) == 50
    assert 0 < len(syncs) < 10
    journal.close()
