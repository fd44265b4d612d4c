"""What is deleted for its age is old by both clocks: a process's may have been set."""

from datetime import datetime, timedelta

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.messaging.feed import FeedSettings, Trimming
from holdfast.chassis.messaging.inbox import Inbox
from tests.contract import post_office
from tests.contract.post_office import PostOffice, events

office = post_office.office

A_DAY = FeedSettings(feed_days=1)
FAR_AHEAD = timedelta(days=400)


class FastClock(SystemClock):
    """Far ahead of all others."""

    def now(self) -> datetime:
        return super().now() + FAR_AHEAD


async def test_a_clock_set_ahead_deletes_nothing_that_is_young_by_the_databases(
    office: PostOffice,
) -> None:
    now = SystemClock().now()
    await office.append([one._replace(time=now) for one in events(1, 2, 3)])
    async with office.consuming():
        while not await office.relay.relay_batch():
            pass
    async with office.database.begin() as work:
        await Inbox(office.database, SystemClock(), "queue").first_seen(work, ["e-4"])
        await work.execute("DELETE FROM inbox WHERE event_id <> 'e-4'")

    cut = await Trimming(office.database, FastClock(), A_DAY)()
    forgotten = await Inbox(office.database, FastClock(), "queue").forget_old()

    has_a_clock = office.database.engine == "postgresql"
    assert (cut, forgotten) == ((0, 0) if has_a_clock else (2, 1))
