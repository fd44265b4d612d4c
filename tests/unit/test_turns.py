"""Each caller has a few at once, whoever else calls; the others of theirs come in order."""

import asyncio
from contextlib import suppress

from holdfast.chassis.turns import Counts, Turns


class Block:
    """What runs in a caller's turn until it is ended."""

    def __init__(self, turns: Turns, caller: str) -> None:
        self.runs = False
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._run(turns, caller))

    async def _run(self, turns: Turns, caller: str) -> None:
        async with turns.one_of(caller):
            self.runs = True
            await self._end.wait()

    async def end(self) -> None:
        self._end.set()
        await self.task
        await asyncio.sleep(0)


async def begun(turns: Turns, *callers: str) -> list[Block]:
    blocks = [Block(turns, caller) for caller in callers]
    await asyncio.sleep(0)
    return blocks


async def test_a_caller_has_so_many_at_once_and_the_others_of_theirs_come_in_order() -> None:
    first, second, third, fourth, of_bob = await begun(Turns(2), *["ann"] * 4, "bob")
    assert [one.runs for one in (first, second, third, fourth)] == [True, True, False, False]
    assert of_bob.runs

    await second.end()
    assert (third.runs, fourth.runs) == (True, False)

    for one in (first, fourth, third, of_bob):
        await one.end()


async def test_who_gives_up_takes_nobody_s_turn_and_nothing_is_kept_of_who_has_gone() -> None:
    turns = Turns(1)
    first, gone, second = await begun(turns, *["ann"] * 3)
    gone.task.cancel()
    with suppress(asyncio.CancelledError):
        await gone.task

    await first.end()

    assert second.runs
    await second.end()
    assert not turns._names


def test_a_name_is_counted_as_often_as_its_blocks_run_and_forgotten_after_them() -> None:
    counts = Counts()
    with counts.one_of("ann"), counts.one_of("ann"), counts.one_of("bob"):
        assert (counts.of("ann"), counts.of("bob"), counts.of("eve"), counts.total()) == (
            2,
            1,
            0,
            3,
        )

    with suppress(ValueError), counts.one_of("ann"):
        raise ValueError

    assert not counts._counts
