"""What every process of the Notifier tells of it, whether it is the one that works or stands by."""

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.metrics import REGISTRY
from holdfast.notifier.infrastructure.metrics import MAILS_STUCK, Measuring


@pytest.fixture
def service() -> str:
    return "notifier"


def told(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_whether_the_database_answers_is_told(database: Database) -> None:
    leadership = database.leadership("notifier")
    measure = Measuring(database, leadership)
    await measure()
    assert told("holdfast_database_up", service="notifier") == 1

    async with database.begin() as work:
        await work.fetch("ALTER TABLE delivery RENAME TO gone")
    with pytest.raises(Exception, match="delivery"):
        await measure()

    assert told("holdfast_database_up", service="notifier") == 0
    await leadership.release()


async def test_who_no_longer_sends_mails_no_longer_tells_that_one_waits(database: Database) -> None:
    ours, theirs = database.leadership("notifier"), database.leadership("notifier")
    measure = Measuring(database, ours)
    assert await ours.held()
    MAILS_STUCK.set(1)

    await measure()
    while_ours = told("holdfast_mails_for_the_operator")
    if database.engine == "sqlite":
        assert while_ours == 1
        return  # one process owns the file
    await ours.release()
    assert await theirs.held()
    await measure()

    assert (while_ours, told("holdfast_mails_for_the_operator")) == (1, 0)
    for right in (ours, theirs):
        await right.release()
