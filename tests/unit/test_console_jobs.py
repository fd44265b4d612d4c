"""Jobs of the console: one under each id, few at a time, and none goes on where nobody answers."""

import asyncio

import pytest

from holdfast.console import jobs
from holdfast.console.jobs import Job, Jobs, Row, RowFailed, RowState, TooManyJobs


async def test_the_rest_is_left_where_nobody_answers() -> None:
    job = Job("j", "cancel", {}, [Row(str(number), 1) for number in range(14)])

    async def nobody(_: Row) -> None:
        raise RowFailed("Unavailable", "nobody is there")

    begun, others = Jobs(), asyncio.Event()
    for number in range(jobs.RUNNING_MAX - 1):
        begun.begin(Job(str(number), "cancel", {}, [Row("1", 1)]), forever, others)
    begun.begin(job, nobody, others)
    with pytest.raises(TooManyJobs):
        begun.begin(Job("one more", "cancel", {}, [Row("1", 1)]), nobody, others)
    assert begun.begin(Job("j", "cancel", {}, []), nobody, others) is job
    assert job.task is not None
    await job.task
    await begun.close()

    assert (job.count(RowState.FAILED), job.count(RowState.LEFT)) == (jobs.AWAY_MAX, 6)


async def forever(_: Row) -> None:
    await asyncio.Event().wait()
