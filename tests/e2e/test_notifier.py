"""The Notifier as a process of a cluster: it tells all that happens, however often it is killed."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.client import Customer, Event, Holdfast, Money, OrderLine, Unauthenticated
from testbed.mail_server import MailServer, receiving_mail
from testbed.services import Service, free_addresses, settings_of
from testbed.waiting import until
from tests.e2e.conftest import Clustered
from tests.integration.test_webhooks import Partner, partner, stories

pytestmark = pytest.mark.timeout(240)

ALL_S_MAX = 60.0
ALIVE_S_MAX = 0.5  # between two kills
LAMP = "LAMP-RED"
ADA = Customer("Ada", "ada@example.org")
# What the feed of Orders, and that of Inventory, say of an order that is confirmed and cancelled.
STORIES = {"orders": ["OrderPlaced", "OrderConfirmed", "OrderCancelled"]}
STORIES["inventory"] = ["StockReserved", "ReservationReleased"]


@asynccontextmanager
async def telling(
    system: Clustered,
) -> AsyncIterator[tuple[Holdfast, Partner, MailServer]]:
    """A cluster that tells a partner of everything, and customers by mail."""
    async with receiving_mail() as mail_server, partner() as shop:
        system.process_environment |= settings_of(
            "notifier",
            smtp=f"smtp://127.0.0.1:{mail_server.port}",
            mail_from="orders@shop.example",
        )
        await asyncio.to_thread(system.start_all)
        await feeds_are_followed(system)
        async with system.client() as client:
            await client.inventory.create_product(LAMP, unit_price=Money.parse("12.50", "GBP"))
            await client.inventory.set_stock(LAMP, 10_000)
            made = await client.webhooks.create(
                shop.url, after={"orders": "earliest", "inventory": "earliest"}
            )
            shop.secrets = [made.secret]
            yield client, shop, mail_server


async def feeds_are_followed(system: Clustered) -> None:
    """From then on mails are written: there are none of what was before."""
    async with connect(system.databases["notifier"]) as database:

        async def followed() -> int:
            async with database.read() as reading:
                return len(await reading.fetch("SELECT feed FROM followed"))

        async with asyncio.timeout(ALL_S_MAX):
            while await followed() < 2:
                await asyncio.sleep(0.05)


async def a_story(client: Holdfast, number: int) -> str:
    """An order that is confirmed and then cancelled; return its id."""
    placed = await client.orders.create(
        f"c-{number}", [OrderLine(LAMP, 1)], customer=ADA, request_id=f"r-{number}", wait_s=20
    )
    await client.orders.cancel(placed.order_id)
    return placed.order_id


async def whole_feed(client: Holdfast, feed: str) -> list[dict[str, Any]]:
    """Every event of a feed, as far as a partner is to get it alike."""
    found: list[Event] = []
    page = await client.events.read(feed=feed, limit=1_000)
    while page.events:
        found += page.events
        page = await client.events.read(feed=feed, limit=1_000, after=page.next_cursor)
    return [{"id": one.id, "subject": one.subject, "type": one.type} for one in found]


async def require_all_told(client: Holdfast, shop: Partner, orders: Sequence[str]) -> None:
    """The partner gets every event of the feeds, each order's in its order, and nothing else."""
    for feed, story in STORIES.items():
        whole = await finished(client, feed, dict.fromkeys(orders, story))
        await all_came(shop, {event["id"] for event in whole})
        came = [event for event in first_arrivals(shop.events) if f".{feed}." in event["type"]]
        assert {event["id"] for event in came} == {event["id"] for event in whole}
        assert stories(came) == stories(whole)
    bodies: dict[str, set[bytes]] = {}
    for event, body in zip(shop.events, shop.bodies, strict=True):
        bodies.setdefault(event["id"], set()).add(body)
    assert all(len(found) == 1 for found in bodies.values()), "a repeat has the same bytes"


async def all_came(shop: Partner, wanted: set[str]) -> None:
    def lost() -> set[str]:
        return wanted - {event["id"] for event in shop.events}

    def failure() -> AssertionError:
        return AssertionError(f"of {len(wanted)} events {len(lost())} never came")

    await until(lambda: not lost(), ALL_S_MAX, failure)


async def finished(
    client: Holdfast, feed: str, expected: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """A feed, once it has all of these stories."""
    async with asyncio.timeout(ALL_S_MAX):
        while True:
            whole = await whole_feed(client, feed)
            if expected.items() <= stories(whole).items():
                return whole
            await asyncio.sleep(0.2)


def first_arrivals(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each event where it came for the first time."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        found.setdefault(event["id"], event)
    return list(found.values())


async def test_an_order_is_told_to_a_receiver_and_to_its_customer(notified: Clustered) -> None:
    async with telling(notified) as (client, shop, mail_server):
        order_id = await a_story(client, 1)

        await require_all_told(client, shop, [order_id])
        await until(
            lambda: len(mail_server.mails) >= 2, ALL_S_MAX, lambda: AssertionError("no mails")
        )

    assert [mail.recipients for mail in mail_server.mails] == [("ada@example.org",)] * 2
    assert {mail.sender for mail in mail_server.mails} == {"orders@shop.example"}
    confirmed, cancelled = mail_server.mails
    assert "confirmed" in confirmed.message["subject"]
    assert "cancelled" in cancelled.message["subject"]


async def test_a_key_is_good_and_no_longer_good_at_the_notifier_soon_after_it_is_at_orders(
    notified: Clustered,
) -> None:
    async with telling(notified) as (client, _, _mails):
        made = await client.keys.create("partner", ["admin"])
        async with notified.client(key=made.text) as other:
            await answered(other, good=True)
            await client.keys.revoke(made.key.key_id)
            await answered(other, good=False)


async def answered(client: Holdfast, *, good: bool) -> None:
    """Return when the Notifier knows the key, or when it knows it no more."""
    async with asyncio.timeout(ALL_S_MAX):
        while True:
            try:
                [one async for one in client.webhooks.list()]
            except Unauthenticated:
                if not good:
                    return
            else:
                if good:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.proof  # the next test kills it on every change
@pytest.mark.parametrize("kills", [4, 10])
async def test_killing_the_notifier_again_and_again_leaves_no_event_untold(
    notified: Clustered, kills: int
) -> None:
    chance = random.Random(10)
    async with telling(notified) as (client, shop, mail_server):
        orders: list[str] = []
        for _ in range(kills):
            *placed, _ = await asyncio.gather(
                *(a_story(client, len(orders) + number) for number in range(3)),
                killed_and_started(notified, after_s=chance.uniform(0, ALIVE_S_MAX)),
            )
            orders += filter(None, placed)

        await require_all_told(client, shop, orders)

        def subjects() -> set[str]:
            return {str(mail.message["subject"]) for mail in mail_server.mails}

        # A mail whose answer was lost is sent again: each order has one of either kind, or more.
        await until(
            lambda: len(subjects()) == 2 * len(orders),
            ALL_S_MAX,
            lambda: AssertionError(f"{len(subjects())} mails of {len(orders)} orders"),
        )


async def killed_and_started(system: Clustered, *, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await asyncio.to_thread(system.kill, "notifier")
    await asyncio.to_thread(system.start, "notifier")


async def test_of_two_notifiers_one_stands_by_and_goes_on_where_the_other_is_killed(
    notified: Clustered, tmp_path: Path
) -> None:
    async with telling(notified) as (client, shop, _), another(notified, tmp_path) as other:
        orders = [await a_story(client, number) for number in range(5)]
        await require_all_told(client, shop, orders)
        assert len(shop.events) == len(first_arrivals(shop.events)), "one of them told it"

        await asyncio.to_thread(notified.kill, "notifier")  # it was there first, and leads
        orders += [await a_story(client, number) for number in range(5, 10)]
        await require_all_told(client, shop, orders)
        other.program.wait_until(other.is_serving, 1.0, "has ended")


@asynccontextmanager
async def another(system: Clustered, folder: Path) -> AsyncIterator[Service]:
    """A second Notifier, running on the same database."""
    address, admin = (free_addresses(["notifier"])["notifier"] for _ in range(2))
    service = Service(
        "notifier-2",
        ["notifier", "serve"],
        folder=folder,
        addresses=[address],
        environment=system.process_environment
        | settings_of("notifier", listen=address, admin=admin),
    )
    try:
        await asyncio.to_thread(service.start)
        yield service
    finally:
        await asyncio.to_thread(service.stop)
