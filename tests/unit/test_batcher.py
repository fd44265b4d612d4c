"""The promises of the batcher: order, fairness, one outcome per item, no idle waiting."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.chassis import callers
from holdfast.chassis.batcher import Batcher, OutcomeUnknown, Overloaded
from holdfast.chassis.process.lifecycle import background


class Gate:
    """Work that waits to be let through, one batch at a time."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.passes = asyncio.Semaphore(0)
        self.is_open = is_open

    async def __call__(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(batch))
        if not self.is_open:
            await self.passes.acquire()
        await asyncio.sleep(0)
        return [ValueError(f"{item}") if item < 0 else item * 10 for item in batch]


@asynccontextmanager
async def working(
    gate: Gate,
    *,
    batch_items_max: int = 3,
    queue_items_max: int = 100,
    crowd_items: int | None = None,
) -> AsyncIterator[Batcher[int, int]]:
    batcher = Batcher(
        gate,
        name="work",
        batch_items_max=batch_items_max,
        queue_items_max=queue_items_max,
        crowd_items=crowd_items,
    )
    worker = asyncio.create_task(batcher.run())
    try:
        yield batcher
    finally:
        worker.cancel()
        await asyncio.wait([worker])


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def submit_as(caller: str, item: int, batcher: Batcher[int, int]) -> int:
    callers.current.set(caller)
    return await batcher.submit(item)


async def test_an_idle_coalescer_works_at_once_on_a_single_item() -> None:
    gate = Gate(is_open=True)

    async with working(gate) as batcher:
        assert await batcher.submit(1) == 10
        assert await batcher.submit(2) == 20

    assert gate.batches == [[1], [2]]


async def test_what_arrives_during_a_batch_becomes_the_next_one_in_its_order() -> None:
    gate = Gate()

    async with working(gate) as batcher, asyncio.TaskGroup() as group:
        first = group.create_task(batcher.submit(1))
        await settle()
        others = [group.create_task(batcher.submit(item)) for item in (2, 3, 4, 5)]
        await settle()
        for _ in range(3):
            gate.passes.release()
        await settle()

    assert gate.batches == [[1], [2, 3, 4], [5]]
    assert [first.result(), *(task.result() for task in others)] == [10, 20, 30, 40, 50]


async def test_what_is_on_its_way_while_the_loop_turns_belongs_to_the_batch() -> None:
    gate = Gate(is_open=True)

    async with working(gate) as batcher, asyncio.TaskGroup() as group:
        for item in (1, 2, 3, 4):
            group.create_task(batcher.submit(item))
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    assert gate.batches == [[1, 2, 3], [4]]


async def test_a_stream_that_never_pauses_is_not_waited_for() -> None:
    gate = Gate(is_open=True)

    async with (
        working(gate, batch_items_max=1_000, queue_items_max=1_000) as batcher,
        asyncio.TaskGroup() as group,
    ):
        for item in range(150):
            group.create_task(batcher.submit(item))
            await asyncio.sleep(0)

    assert len(gate.batches) >= 4
    assert list(chain(*gate.batches)) == list(range(150))


async def test_a_crowd_gets_a_second_batch_beside_the_first_and_no_third() -> None:
    gate = Gate()

    async with (
        working(gate, crowd_items=2) as batcher,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(batcher.submit(1))]
        await settle()
        tasks.append(group.create_task(batcher.submit(2)))
        await settle()
        assert gate.batches == [[1]]  # one alone is no crowd
        for items in ((3, 4), (5, 6, 7)):
            tasks += [group.create_task(batcher.submit(item)) for item in items]
            await settle()
        assert gate.batches == [[1], [2, 3, 4]]
        for _ in range(3):
            gate.passes.release()
        await settle()

    assert gate.batches == [[1], [2, 3, 4], [5, 6, 7]]
    assert [task.result() for task in tasks] == [10, 20, 30, 40, 50, 60, 70]


async def test_others_do_not_wait_for_a_batch_that_is_mostly_one_caller_s() -> None:
    gate = Gate()

    async with working(gate, crowd_items=100) as batcher, asyncio.TaskGroup() as group:
        for caller, item in (("loud", 1), ("loud", 2), ("quiet", 3), ("shy", 4)):
            group.create_task(submit_as(caller, item, batcher))
            await settle()
        assert gate.batches == [[1], [3]], "theirs alone, and no third batch"
        for _ in range(3):
            gate.passes.release()
            await settle()
        gate.passes.release()

    assert gate.batches[2:] in ([[2, 4]], [[4], [2]])


async def test_callers_of_whom_none_has_most_of_a_batch_share_the_next_one() -> None:
    gate = Gate()

    async with working(gate, crowd_items=100) as batcher, asyncio.TaskGroup() as group:
        for caller, item in (("a", 1), ("b", 2)):
            group.create_task(submit_as(caller, item, batcher))
        await settle()
        for caller, item in (("c", 3), ("d", 4)):
            group.create_task(submit_as(caller, item, batcher))
            await settle()
        assert gate.batches == [[1, 2]]
        for _ in range(2):
            gate.passes.release()

    assert gate.batches == [[1, 2], [3, 4]]


async def test_a_group_stays_together_and_never_overtakes() -> None:
    gate = Gate()

    async with working(gate) as batcher, asyncio.TaskGroup() as group:
        group.create_task(batcher.submit(0))
        await settle()
        groups = [[1, 2], [3, 4], [5], [6, 7, 8, 9], [10]]
        tasks = [group.create_task(batcher.submit_all(items)) for items in groups]
        await settle()
        for _ in range(6):
            gate.passes.release()
        await settle()

    assert gate.batches == [[0], [1, 2], [3, 4, 5], [6, 7, 8, 9], [10]]
    assert [task.result() for task in tasks] == [[item * 10 for item in items] for items in groups]


@given(
    st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=7), min_size=1, max_size=30),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_every_item_is_worked_on_once_in_order_of_arrival_in_batches_within_the_limit(
    groups: list[list[int]], batch_items_max: int
) -> None:
    async def scenario() -> tuple[list[list[int]], list[Sequence[int | Exception]]]:
        gate = Gate(is_open=True)
        async with working(gate, batch_items_max=batch_items_max, queue_items_max=999) as batcher:
            outcomes = await asyncio.gather(*map(batcher.submit_all, groups))
        return gate.batches, outcomes

    batches, outcomes = asyncio.run(scenario())

    assert outcomes == [[item * 10 for item in items] for items in groups]
    assert list(chain(*batches)) == list(chain(*groups))
    assert all(len(batch) <= batch_items_max or batch in groups for batch in batches)


async def test_one_items_refusal_is_its_own() -> None:
    async with working(Gate(is_open=True)) as batcher:
        good, bad = await asyncio.gather(
            batcher.submit(1), batcher.submit(-1), return_exceptions=True
        )
        together = await batcher.submit_all([2, -2])

    assert good == 10
    assert isinstance(bad, ValueError)
    assert together[0] == 20
    assert isinstance(together[1], ValueError)


async def test_when_the_work_fails_everyone_in_the_batch_is_told_and_the_next_batch_goes_on() -> (
    None
):
    tries: list[int] = []

    async def fail_once(batch: Sequence[int]) -> Sequence[int | Exception]:
        tries.append(len(batch))
        if len(tries) == 1:
            raise RuntimeError("the database is away")
        return list(batch)

    batcher = Batcher(fail_once, name="work", batch_items_max=9, queue_items_max=9)
    worker = asyncio.create_task(batcher.run())
    failed = await asyncio.gather(*map(batcher.submit, (1, 2)), return_exceptions=True)
    assert await batcher.submit(3) == 3
    worker.cancel()
    await asyncio.wait([worker])

    assert [type(outcome) for outcome in failed] == [RuntimeError, RuntimeError]
    assert tries == [2, 1]


async def test_work_that_was_cancelled_under_the_coalescer_does_not_end_it() -> None:
    batches = 0

    async def work(batch: Sequence[int]) -> Sequence[int | Exception]:
        nonlocal batches
        batches += 1
        if batches == 1:
            raise asyncio.CancelledError("by a library that lost its connection")
        return list(batch)

    batcher = Batcher[int, int](work, name="work", batch_items_max=3, queue_items_max=100)
    async with background({"a batcher": batcher.run}):
        with pytest.raises(OutcomeUnknown):
            await batcher.submit(1)
        async with asyncio.timeout(1.0):
            assert await batcher.submit(2) == 2


@pytest.mark.parametrize("items", [1, 5])
async def test_a_request_to_stop_that_an_error_swallows_ends_the_coalescer_all_the_same(
    items: int,
) -> None:
    async def work(batch: Sequence[int]) -> Sequence[int | Exception]:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the transaction could not be rolled back")

    batcher = Batcher[int, int](
        work, name="work", batch_items_max=3, queue_items_max=100, crowd_items=2
    )
    running = asyncio.create_task(batcher.run())
    submitted = [asyncio.create_task(batcher.submit(item)) for item in range(items)]
    await settle()

    running.cancel()
    ended, _ = await asyncio.wait([running], timeout=1.0)

    assert ended
    told = await asyncio.gather(*submitted, return_exceptions=True)
    assert {type(one) for one in told} <= {RuntimeError, asyncio.CancelledError}


async def test_a_full_queue_refuses_the_whole_group_and_takes_again_when_it_has_room() -> None:
    gate = Gate()

    async with working(gate, queue_items_max=3) as batcher, asyncio.TaskGroup() as group:
        group.create_task(batcher.submit(0))
        await settle()
        group.create_task(batcher.submit_all([1, 2]))
        await settle()
        with pytest.raises(Overloaded):
            await batcher.submit_all([3, 4])
        last = group.create_task(batcher.submit(5))
        for _ in range(3):
            await settle()
            gate.passes.release()

    assert gate.batches == [[0], [1, 2, 5]]
    assert last.result() == 50


async def test_a_group_larger_than_the_queue_is_taken_when_nothing_else_waits() -> None:
    async with working(Gate(is_open=True), queue_items_max=2) as batcher:
        assert await batcher.submit_all([1, 2, 3, 4]) == [10, 20, 30, 40]


async def test_a_caller_that_leaves_does_not_disturb_its_neighbours() -> None:
    gate = Gate()

    async with working(gate) as batcher, asyncio.TaskGroup() as group:
        group.create_task(batcher.submit(0))
        await settle()
        leaving = asyncio.create_task(batcher.submit(1))
        staying = group.create_task(batcher.submit(2))
        await settle()
        leaving.cancel()
        await settle()
        gate.passes.release()
        gate.passes.release()
        await settle()

    assert gate.batches == [[0], [1, 2]]
    assert leaving.cancelled()
    assert staying.result() == 20


async def test_whoever_still_waits_when_the_coalescer_ends_is_told() -> None:
    gate = Gate()

    async with working(gate) as batcher:
        working_on = asyncio.create_task(batcher.submit(1))
        await settle()
        waiting = asyncio.create_task(batcher.submit(2))
        await settle()

    async with asyncio.timeout(1):
        await asyncio.wait([working_on, waiting])
    assert waiting.cancelled()
    assert working_on.cancelled()
