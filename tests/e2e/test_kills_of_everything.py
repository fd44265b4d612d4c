"""Services and servers are killed while partners are told and followers follow: none misses any."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from holdfast.client import DeadlineExceeded, Holdfast, Overloaded, Unavailable
from testbed.servers import PostgresServer, RabbitmqServer
from testbed.waiting import until
from tests.e2e.conftest import Clustered
from tests.e2e.test_notifier import (
    ALIVE_S_MAX,
    STORIES,
    a_story,
    first_arrivals,
    telling,
    whole_feed,
)
from tests.integration.test_webhooks import Partner, stories

KILLS, SERVER_KILLS = 500, 40  # the second of the first
TELLERS = 3  # who place and cancel orders meanwhile
REFUSED, UNANSWERED = 0.01, 0.01  # of what the partner gets: it comes again later
QUIET_S, ALL_S_MAX = 8.0, 420.0  # a third attempt comes five minutes after the second

Followed = dict[str, list[dict[str, Any]]]


@pytest.mark.proof
@pytest.mark.timeout(5_400)
async def test_500_kills_of_everything_leave_no_gap_with_partners_and_followers(
    notified: Clustered, postgres_server: PostgresServer, rabbitmq_server: RabbitmqServer
) -> None:
    chance = random.Random(500)
    victims = drawn_victims(chance, notified, postgres_server, rabbitmq_server)
    async with telling(notified) as (client, shop, _mails), following(notified) as followed:
        shop.status = moody(random.Random(501))
        orders: list[str] = []
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(killed_one_by_one(victims, chance))
            for teller in range(TELLERS):
                group.create_task(stories_told(client, teller, orders, until=killing))

        assert len(orders) > KILLS
        for feed in STORIES:
            await require_no_gap(client, feed, shop, followed)
        cancelled = stories(followed["orders"])
        assert all(cancelled[order_id][-1] == "OrderCancelled" for order_id in orders)
    await asyncio.to_thread(notified.require_soundness)


def drawn_victims(
    chance: random.Random,
    system: Clustered,
    postgres_server: PostgresServer,
    rabbitmq_server: RabbitmqServer,
) -> Sequence[Callable[[], None]]:
    """What is killed and started, one after the other."""

    def part(name: str) -> None:
        system.kill(name)
        system.start(name)

    def server(one: PostgresServer | RabbitmqServer) -> None:
        one.kill()
        one.start()

    servers: list[PostgresServer | RabbitmqServer] = [postgres_server, rabbitmq_server]
    drawn = [partial(server, chance.choice(servers)) for _ in range(SERVER_KILLS)]
    drawn += [partial(part, chance.choice(system.parts)) for _ in range(KILLS - SERVER_KILLS)]
    chance.shuffle(drawn)
    return drawn


async def killed_one_by_one(victims: Sequence[Callable[[], None]], chance: random.Random) -> None:
    for kill_and_start in victims:
        await asyncio.sleep(chance.uniform(0, ALIVE_S_MAX))
        await asyncio.to_thread(kill_and_start)


async def stories_told(
    client: Holdfast, teller: int, orders: list[str], *, until: "asyncio.Task[None]"
) -> None:
    number = 0
    while not until.done():
        try:
            orders.append(await a_story(client, teller * 1_000_000 + number))
        except (Unavailable, DeadlineExceeded, Overloaded):
            continue  # the same again, under the same request id
        number += 1


def moody(chance: random.Random) -> Callable[[dict[str, Any]], int]:
    """A partner that now and then refuses, or hangs up, when an event comes for the first time."""
    seen: set[str] = set()

    def status(event: dict[str, Any]) -> int:
        drawn = 1.0 if event["id"] in seen else chance.random()
        seen.add(event["id"])
        return 500 if drawn < REFUSED else 0 if drawn < REFUSED + UNANSWERED else 204

    return status


@asynccontextmanager
async def following(system: Clustered) -> AsyncIterator[Followed]:
    """By feed, what a follower was given so far."""
    found: Followed = {feed: [] for feed in STORIES}

    async def follow(client: Holdfast, feed: str) -> None:
        async for one in client.events.follow(feed=feed, after="earliest"):
            found[feed].append({"id": one.id, "subject": one.subject, "type": one.type})

    async with system.client() as client:
        tasks = [asyncio.create_task(follow(client, feed)) for feed in STORIES]
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended


async def require_no_gap(client: Holdfast, feed: str, shop: Partner, followed: Followed) -> None:
    """Both have the whole feed: the follower once and in order, the partner by subject in order."""
    whole = await whole_and_quiet(client, feed)
    wanted = [event["id"] for event in whole]
    async with asyncio.timeout(ALL_S_MAX):
        while len(followed[feed]) < len(whole):
            await asyncio.sleep(0.2)
    assert [event["id"] for event in followed[feed]] == wanted

    def came() -> list[dict[str, Any]]:
        return [one for one in first_arrivals(shop.arrived) if f".{feed}." in one["type"]]

    def lost() -> int:
        return len(set(wanted) - {one["id"] for one in came()})

    def failure() -> AssertionError:
        return AssertionError(f"{lost()} events never came")

    await until(lambda: not lost(), ALL_S_MAX, failure, look_s=1.0)
    assert len(came()) == len(wanted)
    assert stories(came()) == stories(whole)
    print(f"{feed}: {len(whole)} events, {len(shop.events)} deliveries to the partner of all feeds")


async def whole_and_quiet(client: Holdfast, feed: str) -> list[dict[str, Any]]:
    """The feed, once nothing has come for a while."""
    async with asyncio.timeout(ALL_S_MAX):
        before, whole = -1, await whole_feed(client, feed)
        while before != len(whole):
            before = len(whole)
            await asyncio.sleep(QUIET_S)
            whole = await whole_feed(client, feed)
    return whole
