"""A Notifier whose clock was wrong for a while keeps nobody waiting once it is right."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.notifier.application.bring_forward import BringForward
from holdfast.notifier.domain.mail import Later, Sent
from tests.contract import conftest as contract
from tests.contract.conftest import NewDatabase
from tests.integration.notifying import (
    CANCELLED,
    CONFIRMED,
    FAILED,
    Notifying,
    always,
    notifying,
    well,
)

engine, new_database = contract.engine, contract.new_database

SHOP = "http://shop/"
A_MONTH = timedelta(days=31)


class MovedClock(SystemClock):
    """The machine's clock, and how far ahead of it this one is."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def urls(new_database: NewDatabase) -> dict[str, str]:
    return {service: new_database(service) for service in ("orders", "inventory", "notifier")}


@pytest.fixture
async def told(urls: dict[str, str]) -> AsyncIterator[Notifying]:
    async with AsyncExitStack() as opened:
        databases = {
            service: await opened.enter_async_context(connect(url)) for service, url in urls.items()
        }
        yield await opened.enter_async_context(notifying(databases, MovedClock()))


def set_ahead(told: Notifying, ahead: timedelta) -> None:
    assert isinstance(told.clock, MovedClock)
    told.clock.ahead = ahead


async def bring_forward(told: Notifying) -> int:
    return await BringForward(told.store, told.clock)()


async def send_mails(told: Notifying) -> None:
    while await told.send_mails():
        pass


async def test_what_a_clock_far_ahead_has_put_off_is_sent_as_soon_as_it_is_right(
    told: Notifying,
) -> None:
    await told.hook(SHOP)
    set_ahead(told, A_MONTH)
    told.outside.behave[SHOP] = always(FAILED)
    told.outside.post_office = lambda _: Later("away")
    failed = await told.happen((CONFIRMED, "a", 1))
    await told.follow()
    await told.deliver_all()
    await send_mails(told)
    fresh = await told.happen((CANCELLED, "b", 1))  # due at once, by that clock
    await told.follow()

    set_ahead(told, timedelta())
    told.outside.behave[SHOP] = well
    told.outside.post_office = lambda _: Sent()
    told.outside.arrivals.clear()
    told.outside.letters.clear()
    await told.deliver_all()
    before = list(told.outside.arrivals)
    brought = await bring_forward(told)
    await told.deliver_all()
    await send_mails(told)

    assert before == []
    assert brought == 4
    assert sorted(told.outside.ids(SHOP)) == sorted(failed + fresh)
    assert len(told.outside.letters) == 2
    assert await bring_forward(told) == 0


async def test_what_waits_for_the_longest_pause_is_not_brought_forward(told: Notifying) -> None:
    await told.hook(SHOP)
    told.outside.behave[SHOP] = always(FAILED)
    told.outside.post_office = lambda _: Later("away")
    await told.happen((CONFIRMED, "a", 1))
    await told.follow()
    for attempts, table in ((8, "delivery"), (10, "mail")):  # the last but one
        await told.sql(f"UPDATE {table} SET attempts = $1", attempts)
    await told.deliver_all()
    await send_mails(told)

    assert await bring_forward(told) == 0
    assert len(told.outside.arrivals) == len(told.outside.letters) == 1
