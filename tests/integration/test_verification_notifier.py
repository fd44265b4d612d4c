"""What verify says of a Notifier that has not told what happened."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from holdfast import verification
from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.notifier.application.manage_webhooks import Place
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.domain.webhook import WebhookState
from holdfast.verification import Report, verify
from tests.contract import conftest as contract
from tests.contract.conftest import NewDatabase
from tests.integration.notifying import (
    CANCELLED,
    CONFIRMED,
    FAILED,
    INVENTORY,
    PLACED,
    Notifying,
    always,
    notifying,
    subjects,
)

engine, new_database = contract.engine, contract.new_database

SERVICES = ("orders", "inventory", "notifier")
WELL, BAD, CALM = "http://well/", "http://bad/", "http://calm/"
LONG_AGO = timedelta(hours=1)
NOBODY = "01a21e6a-0000-7000-8000-000000000000"
Urls = dict[str, str]


@pytest.fixture
def urls(new_database: NewDatabase) -> Urls:
    return {service: new_database(service) for service in SERVICES}


@pytest.fixture
async def told(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Notifying]:
    """Three orders, each placed, confirmed and cancelled, and a product, which all were told of
    but `BAD`, who was told of nothing, and of which one order's line is open.
    """
    monkeypatch.setattr(verification, "SETTLE_S_MAX", 0.0)
    async with AsyncExitStack() as opened:
        databases = {
            service: await opened.enter_async_context(connect(url)) for service, url in urls.items()
        }
        notifier = await opened.enter_async_context(notifying(databases, SystemClock()))
        outside = notifier.outside
        outside.behave[BAD] = always(FAILED)
        await notifier.hook(WELL)
        await notifier.hook(BAD, PLACED, CONFIRMED, CANCELLED)
        await notifier.hook(CALM, PLACED, in_order=True)
        await notifier.sql("UPDATE webhook SET whole_since = $1", notifier.clock.now() - LONG_AGO)
        await notifier.sql("UPDATE followed SET since = $1", notifier.clock.now() - LONG_AGO)
        await notifier.happen(*subjects("a", "b", "c"))
        await notifier.happen(("holdfast.inventory.v1.StockAdjusted", "LAMP", 1), feed=INVENTORY)
        for feed in FeedName:
            await notifier.follow(feed)
        await notifier.deliver_all()
        await notifier.send_mails()
        yield notifier


async def verified(urls: Urls) -> Report:
    return await verify(*urls.values())


async def test_who_has_told_everything_has_nothing_to_report(told: Notifying, urls: Urls) -> None:
    report = await verified(urls)

    assert report.contradictions == []
    assert report.notes == []
    assert report.checked["deliveries"] == 9 + 1 + 9 + 3
    assert report.checked["mails"] == 6
    assert report.checked["events of orders compared with who was told"] == 9
    assert report.checked["events of inventory compared with who was told"] == 1


WELL_S = f"(SELECT webhook_id FROM webhook WHERE url = '{WELL}')"
BAD_S = f"(SELECT webhook_id FROM webhook WHERE url = '{BAD}')"
FIRST = "(SELECT event_id FROM event WHERE subject = 'a' AND type LIKE '%Placed')"
LAST = "(SELECT event_id FROM event WHERE subject = 'c' AND type LIKE '%Cancelled')"
OF_FIRST = f"webhook_id = {BAD_S} AND event_id = {FIRST}"

# Statements that each change one row, by the database, and all that is then said.
DAMAGES: dict[str, tuple[dict[str, tuple[str, ...]], tuple[str, ...]]] = {
    "nobody is next in a line": (
        {"notifier": (f"UPDATE delivery SET state = 'QUEUED' WHERE {OF_FIRST}",)},
        ("has 0 deliveries wait that are first in line 'orders/a' or said to be",),
    ),
    "two are next in a line": (
        {
            "notifier": (
                f"UPDATE delivery SET state = 'WAITING' WHERE webhook_id = {BAD_S}"
                " AND event_id = (SELECT event_id FROM event WHERE subject = 'a'"
                " AND type LIKE '%Confirmed')",
            )
        },
        ("has 2 deliveries wait that are first in line 'orders/a' or said to be",),
    ),
    "not the first is next in a line": (
        {
            "notifier": (
                f"UPDATE delivery SET state = 'QUEUED' WHERE {OF_FIRST}",
                f"UPDATE delivery SET state = 'WAITING' WHERE webhook_id = {BAD_S}"
                " AND event_id = (SELECT event_id FROM event WHERE subject = 'a'"
                " AND type LIKE '%Confirmed')",
            )
        },
        ("has 1 deliveries wait that are first in line 'orders/a' or said to be",),
    ),
    "open, and ended": (
        {
            "notifier": (
                f"UPDATE delivery SET ended_at = next_at WHERE webhook_id = {BAD_S}"
                " AND event_id = (SELECT event_id FROM event WHERE subject = 'a'"
                " AND type LIKE '%Cancelled')",
            )
        },
        ("is QUEUED and ended at",),
    ),
    "delivered, and not ended": (
        {
            "notifier": (
                f"UPDATE delivery SET ended_at = NULL WHERE webhook_id = {WELL_S}"
                f" AND event_id = {LAST}",
            )
        },
        ("is DELIVERED and ended at None", "has 0 deliveries wait"),
    ),
    "delivered by no attempt": (
        {
            "notifier": (
                f"UPDATE delivery SET attempts = 0 WHERE webhook_id = {WELL_S}"
                f" AND event_id = {LAST}",
            )
        },
        ("is DELIVERED by 0 attempts",),
    ),
    "delivered, and answered with a redirection": (
        {
            "notifier": (
                f"UPDATE delivery SET status = 302 WHERE webhook_id = {WELL_S}"
                f" AND event_id = {LAST}",
            )
        },
        ("answered with 302",),
    ),
    "open for who is sent nothing": (
        {"notifier": (f"UPDATE webhook SET state = 'INACTIVE' WHERE webhook_id = {BAD_S}",)},
        ("is INACTIVE, and 9 deliveries to it are open",),
    ),
    "in another's line": (
        {
            "notifier": (
                f"UPDATE delivery SET line = 'orders/b' WHERE webhook_id = {WELL_S}"
                f" AND event_id = {LAST}",
            )
        },
        ("stands in line 'orders/b', its place is 'orders/c'",),
    ),
    "catching up while it is sent nothing": (
        {
            "notifier": (
                "INSERT INTO catch_up (webhook_id, feed, cursor) SELECT webhook_id, 'inventory',"
                f" 'earliest' FROM webhook WHERE webhook_id = {WELL_S}",
                f"UPDATE webhook SET state = 'DISABLED' WHERE webhook_id = {WELL_S}",
            )
        },
        ("is being sent what it missed of inventory, and is no webhook that is ACTIVE",),
    ),
    "a state that there is not": (
        {"notifier": (f"UPDATE mail SET state = 'LOST' WHERE event_id = {LAST}",)},
        ("the state of a mail is LOST",),
    ),
    "a mail that was sent by no attempt": (
        {"notifier": (f"UPDATE mail SET attempted_at = NULL WHERE event_id = {LAST}",)},
        ("is SENT by 1 attempts, the last at None",),
    ),
    "a webhook was never to be told": (
        {"notifier": (f"DELETE FROM delivery WHERE webhook_id = {WELL_S} AND event_id = {LAST}",)},
        (f"was never to be told of event {{last}} ({CANCELLED} of c)",),
    ),
    "the place is behind an event that was taken": (
        {
            "notifier": (
                "UPDATE followed SET cursor = (SELECT cursor FROM event WHERE subject = 'b'"
                " AND type LIKE '%Cancelled') WHERE feed = 'orders'",
            )
        },
        ("a mail tells of event {last}, which is behind its place",),
    ),
    "the place is beyond the feed": (
        {
            "orders": (
                "DELETE FROM feed WHERE position = 9",
                "UPDATE feed_head SET last = 8",
            )
        },
        ("its place in the feed of orders is at 9, the feed ends at 8",),
    ),
    "another event is at the place": (
        {"orders": ("UPDATE feed SET event_id = 'another' WHERE position = 9",)},
        ("its place in the feed of orders is at 9, and another event is there",),
    ),
    "the place is of another feed": (
        {"orders": ("UPDATE feed_head SET feed_id = '0123456789ab'",)},
        ("its place in the feed of orders is of another feed",),
    ),
    "the place is none": (
        {"notifier": ("UPDATE followed SET cursor = 'here' WHERE feed = 'orders'",)},
        ("its place in the feed of orders is no cursor: here",),
    ),
    "kept as something else": (
        {"notifier": (f"UPDATE event SET type = '{PLACED}' WHERE event_id = {LAST}",)},
        ("event {last} is not kept as the feed has it",),
    ),
    "a mail of another order": (
        {"notifier": (f"UPDATE mail SET order_id = 'a' WHERE event_id = {LAST}",)},
        ("the mail cancelled of order a does not tell event {last}",),
    ),
    "a mail of another kind": (
        {"notifier": (f"UPDATE mail SET kind = 'expired' WHERE event_id = {LAST}",)},
        ("the mail expired of order c does not tell event {last}",),
    ),
    "a mail of no event": (
        {"notifier": (f"UPDATE mail SET event_id = 'nothing' WHERE event_id = {LAST}",)},
        ("the mail cancelled of order c is of event nothing, which is not in the feed",),
    ),
    "told of what never was": (
        {
            "notifier": (
                "INSERT INTO event (event_id, feed, cursor, type, subject, happened_at, kept_at,"
                " body) SELECT 'nothing', feed, cursor, type, subject, happened_at, kept_at, body"
                f" FROM event WHERE event_id = {LAST}",
            )
        },
        (f"event nothing ({CANCELLED} of c) is told to webhooks, and is not in the feed",),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_was_not_told_as_it_was_is_found(
    told: Notifying, urls: Urls, damage: str
) -> None:
    (last,) = await told.rows(f"SELECT {LAST} AS event_id")
    by_service, says = DAMAGES[damage]
    for service, statements in by_service.items():
        for statement in statements:
            assert await told.sql(statement, service=service) == 1
    found = (await verified(urls)).contradictions

    assert len(found) == len(says), found
    for text in says:
        expected = text.format(last=last["event_id"])
        assert sum(expected in one for one in found) == 1, (expected, found)


async def test_of_who_listens_since_then_or_is_catching_up_nothing_older_is_asked(
    told: Notifying, urls: Urls
) -> None:
    await told.sql(f"DELETE FROM delivery WHERE webhook_id = {WELL_S} AND event_id = {LAST}")
    was_whole = (await verified(urls)).contradictions

    (row,) = await told.rows(f"SELECT webhook_id FROM webhook WHERE url = '{WELL}'")
    webhook_id = str(row["webhook_id"])
    await told.activate(webhook_id, WebhookState.INACTIVE)
    await told.activate(webhook_id, WebhookState.ACTIVE)
    revived = (await verified(urls)).contradictions
    await told.sql("UPDATE webhook SET whole_since = $1", told.clock.now() - LONG_AGO)
    again = (await verified(urls)).contradictions
    await told.replay(webhook_id, Place({FeedName.ORDERS: "earliest"}))
    replayed = (await verified(urls)).contradictions
    await told.sql("UPDATE webhook SET whole_since = $1", told.clock.now() - LONG_AGO)
    while await told.catch_up():
        pass
    await told.deliver_all()
    caught_up = (await verified(urls)).contradictions

    assert [len(one) for one in (was_whole, revived, again, replayed, caught_up)] == [1, 0, 1, 0, 0]


async def test_what_is_not_kept_any_more_is_not_asked_for(told: Notifying, urls: Urls) -> None:
    await told.store.forget(told.clock.now(), -timedelta(seconds=1))
    missed = await verified(urls)
    forgotten = await verify(*urls.values(), kept_days=1e-6)

    assert len(missed.contradictions) == 9 + 1 + 3
    assert forgotten.contradictions == []


async def test_a_kind_of_mail_that_nobody_was_to_get_is_noted(told: Notifying, urls: Urls) -> None:
    await told.sql("DELETE FROM mail WHERE kind = 'confirmed'")

    report = await verified(urls)

    assert report.contradictions == []
    assert report.notes == [
        "notifier: 3 events have no mail of kind confirmed: it was switched off then, "
        "or there was no mail server"
    ]


async def test_a_place_that_is_lost_or_cut_off_is_noted(told: Notifying, urls: Urls) -> None:
    await told.happen(*((PLACED, f"later-{number}", 1) for number in range(3)))
    await told.sql("DELETE FROM feed WHERE position < 11", service="orders")
    cut_off = await verified(urls)
    await told.follow()
    lost = await verified(urls)
    while await told.follow():
        pass
    anew = await verified(urls)

    assert [one.contradictions for one in (cut_off, lost, anew)] == [[], [], []]
    assert "was cut off for its age" in cut_off.notes[0]
    assert "is lost: it begins anew" in lost.notes[0]
