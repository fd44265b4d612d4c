"""Webhooks from the order to the receiver: in order, signed, each once, whatever breaks between."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from holdfast.chassis.database.engines import connect
from holdfast.client import (
    Delivery,
    DeliveryState,
    NotFound,
    Refused,
    WebhookSecret,
    WebhookState,
)
from tests.integration.conftest import (
    EMBEDDED_ON_POSTGRES,
    Ground,
    RunningHoldfast,
    eventually,
    line,
    running,
)
from tests.integration.webhook_receivers import HERE, Visit, receiving, saying

ALSO = [EMBEDDED_ON_POSTGRES]
NOTIFIES = True
NOW = "CURRENT_TIMESTAMP"


@dataclass
class Partner:
    """A receiver that checks every signature, and answers as it is told.

    :param status: what it answers to an event; 0: nothing, it hangs up.
    """

    status: Callable[[dict[str, Any]], int] = lambda _: 204
    secrets: list[str] = field(default_factory=list)
    port: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)  # with its headers, as they came
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}/hook"

    @property
    def arrived(self) -> list[dict[str, Any]]:
        """Those that it answered well."""
        return [one for one in self.events if one["answered"] == 204]

    async def __call__(self, visit: Visit) -> None:
        while True:
            head, _, body = (await visit.request()).partition(b"\r\n\r\n")
            pairs = (text.split(": ", 1) for text in head.decode().split("\r\n")[1:])
            headers = {name.lower(): value for name, value in pairs}
            for secret in self.secrets:
                Verifier(secret).verify(body.decode(), headers)
            event = json.loads(body)
            assert event["id"] == headers["webhook-id"]
            event["answered"] = self.status(event)
            self.events.append(event)
            self.bodies.append(body)
            if not event["answered"]:
                return
            await visit.say(saying(f"{event['answered']} As Told"))


@asynccontextmanager
async def partner(
    status: Callable[[dict[str, Any]], int] = lambda _: 204,
) -> AsyncIterator[Partner]:
    found = Partner(status)
    async with receiving(found) as server:
        found.port = server.port
        yield found


async def hook(holdfast: RunningHoldfast, to: Partner, **how: Any) -> WebhookSecret:
    made = await holdfast.client.webhooks.create(to.url, **how)
    to.secrets = [made.secret]
    return made


async def orders(holdfast: RunningHoldfast, count: int, *, cancelled: bool = False) -> list[str]:
    """Orders that are confirmed, and then perhaps cancelled."""
    placed = await asyncio.gather(
        *(holdfast.place(line("LAMP"), request_id=f"r-{number}") for number in range(count))
    )
    if cancelled:
        await asyncio.gather(*(holdfast.cancel(one.order_id) for one in placed))
    return [one.order_id for one in placed]


def stories(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    """By subject, the types of its events as they came."""
    found: dict[str, list[str]] = {}
    for event in events:
        found.setdefault(event["subject"], []).append(event["type"].rpartition(".")[2])
    return found


async def deliveries(
    holdfast: RunningHoldfast, made: WebhookSecret, state: DeliveryState | None = None
) -> list[Delivery]:
    listed = holdfast.client.webhooks.deliveries(made.webhook.webhook_id, state=state)
    return [one async for one in listed]


async def due_now(holdfast: RunningHoldfast) -> None:
    """As if the pauses of the schedule were over."""
    await holdfast.sql("notifier", f"UPDATE delivery SET next_at = {NOW} WHERE state = 'WAITING'")


STORY = ["OrderPlaced", "OrderConfirmed", "OrderCancelled"]


async def test_every_event_comes_once_signed_and_each_orders_in_its_order(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 100)
    async with partner() as shop:
        await hook(holdfast, shop, types=STORY)

        ids = await orders(holdfast, 10, cancelled=True)
        await eventually(lambda: _count(shop), lambda count: count >= 30, "all arrive")

        assert stories(shop.events) == dict.fromkeys(ids, STORY)
        assert len({event["id"] for event in shop.events}) == 30
        assert all(event["specversion"] == "1.0" and event["cursor"] for event in shop.events)


async def _count(shop: Partner) -> int:
    return len(shop.arrived)


async def test_what_fails_is_sent_again_as_it_was_and_holds_up_its_own_subject_alone(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 100)
    (first,) = await orders(holdfast, 1)

    def refused(event: dict[str, Any]) -> int:
        return 500 if event["subject"] == first and len(shop.arrived) < 3 else 204

    async with partner(refused) as shop:
        await hook(holdfast, shop, types=STORY, after={"orders": "earliest"})
        await holdfast.cancel(first)
        second = (await holdfast.place(line("LAMP"), request_id="second")).order_id
        await holdfast.cancel(second)
        await eventually(lambda: _count(shop), lambda count: count >= 3, "the other arrives")
        before = {event["id"]: body for event, body in zip(shop.events, shop.bodies, strict=True)}
        await eventually(lambda: _again(holdfast, shop), lambda count: count >= 6, "all arrive")

    assert stories(shop.arrived) == {first: STORY, second: STORY}
    again = [place for place, event in enumerate(shop.events) if event["id"] in before][-1]
    assert shop.bodies[again] == before[shop.events[again]["id"]], "the same bytes"


async def _again(holdfast: RunningHoldfast, shop: Partner) -> int:
    await due_now(holdfast)
    return await _count(shop)


async def test_what_happens_while_the_notifier_is_away_comes_when_it_is_back(
    ground: Ground,
) -> None:
    async with partner() as shop:
        async with running(ground) as holdfast:
            await holdfast.product("LAMP", 100)
            await hook(holdfast, shop, types=STORY)
            shop.status = lambda _: 0
            ids = await orders(holdfast, 5, cancelled=True)
        shop.status = lambda _: 204
        async with running(ground) as holdfast:
            await eventually(lambda: _again(holdfast, shop), lambda n: n >= 15, "all arrive")

    assert stories(shop.arrived) == dict.fromkeys(ids, STORY)


async def test_a_dead_receiver_holds_up_nobody_else(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 100)
    async with partner() as well, partner(lambda _: 0) as dead:
        for _ in range(3):
            await hook(holdfast, dead, types=STORY)
        dead.secrets = []
        await hook(holdfast, well, types=STORY)

        ids = await orders(holdfast, 5, cancelled=True)
        await eventually(lambda: _count(well), lambda count: count >= 15, "all arrive")

    assert stories(well.events) == dict.fromkeys(ids, STORY)
    assert dead.events
    assert not dead.arrived


async def test_a_replay_brings_everything_again_under_its_ids_and_in_its_order(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 100)
    ids = await orders(holdfast, 5, cancelled=True)
    async with partner() as shop:
        made = await hook(holdfast, shop, types=STORY, after={"orders": "earliest"})
        await eventually(lambda: _count(shop), lambda count: count >= 15, "all arrive")
        assert stories(shop.events) == dict.fromkeys(ids, STORY)

        again = await holdfast.client.webhooks.replay(
            made.webhook.webhook_id, {"orders": "earliest"}
        )
        assert again.catching_up
        late = (await holdfast.place(line("LAMP"), request_id="late")).order_id
        await eventually(lambda: _count(shop), lambda count: count >= 32, "all come again")

    assert stories(shop.events[15:]) == dict.fromkeys(ids, STORY) | {late: STORY[:2]}
    before, after = ({one["id"] for one in some} for some in (shop.events[:15], shop.events[15:]))
    assert before < after


async def test_what_was_given_up_comes_again_when_asked_for(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 100)
    async with partner(lambda _: 0) as shop:
        made = await hook(holdfast, shop, types=STORY)
        (order_id,) = await orders(holdfast, 1, cancelled=True)
        await eventually(
            lambda: deliveries(holdfast, made), lambda found: len(found) == 3, "all are there"
        )
        client, webhook_id = holdfast.client.webhooks, made.webhook.webhook_id
        stopped = await client.update(webhook_id, version=1, active=False)
        given_up = await deliveries(holdfast, made, DeliveryState.FAILED)

        assert stopped.state is WebhookState.INACTIVE
        assert len(given_up) == 3
        for sent_again in (client.replay(webhook_id), client.redeliver(webhook_id, "x")):
            with pytest.raises(Refused) as refused:
                await sent_again
            assert refused.value.reason == "WEBHOOK_INACTIVE"

        shop.status = lambda _: 204
        await client.update(webhook_id, version=2, active=True)
        await client.replay(webhook_id)
        await eventually(lambda: _count(shop), lambda count: count >= 3, "all arrive")
        assert stories(shop.arrived) == {order_id: STORY}
        await eventually(
            lambda: deliveries(holdfast, made, DeliveryState.DELIVERED),
            lambda found: len(found) == 3,
            "all are recorded",
        )

        await client.redeliver(webhook_id, given_up[0].event_id)
        await eventually(lambda: _count(shop), lambda count: count >= 4, "one comes again")
        assert shop.arrived[-1]["id"] == given_up[0].event_id
        with pytest.raises(NotFound):
            await client.redeliver(webhook_id, "no-such-event")


async def test_a_webhook_that_says_it_is_gone_is_disabled_and_told_so(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 100)
    async with partner(lambda _: 410) as shop:
        made = await hook(holdfast, shop, types=STORY)
        await orders(holdfast, 1)

        async def state() -> WebhookState:
            return (await holdfast.client.webhooks.get(made.webhook.webhook_id)).state

        await eventually(state, lambda found: found is WebhookState.DISABLED, "it is disabled")

    assert {one.state for one in await deliveries(holdfast, made)} == {DeliveryState.FAILED}


async def test_nothing_but_failures_for_five_days_disable_a_webhook(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 100)
    async with partner(lambda _: 500) as shop:
        made = await hook(holdfast, shop, types=["OrderPlaced"])
        await orders(holdfast, 1)
        client, webhook_id = holdfast.client.webhooks, made.webhook.webhook_id

        async def since() -> Any:
            return (await client.get(webhook_id)).failing_since

        await eventually(since, lambda found: found is not None, "it fails")
        assert (await client.get(webhook_id)).state is WebhookState.ACTIVE
        await holdfast.sql(
            "notifier", "UPDATE webhook SET failing_since = '2026-01-01T00:00:00+00:00'"
        )
        await due_now(holdfast)

        async def state() -> WebhookState:
            return (await client.get(webhook_id)).state

        await eventually(state, lambda found: found is WebhookState.DISABLED, "it is disabled")


async def test_after_a_rotation_both_secrets_sign(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 100)
    async with partner() as shop:
        made = await hook(holdfast, shop, types=["OrderPlaced"])
        rotated = await holdfast.client.webhooks.rotate(made.webhook.webhook_id)
        assert rotated.secret != made.secret
        assert made.secret not in repr(made)

        shop.secrets = [made.secret, rotated.secret]
        await orders(holdfast, 1)
        await eventually(lambda: _count(shop), lambda count: count >= 1, "it arrives")

        attempt = await holdfast.client.webhooks.test(made.webhook.webhook_id)
        assert attempt.delivered
        assert shop.events[-1]["type"] == "holdfast.notifier.v1.Test"


async def test_one_line_for_all_where_the_order_of_all_counts(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 100)
    async with partner() as shop:
        await hook(holdfast, shop, types=STORY, in_order=True)
        await orders(holdfast, 5, cancelled=True)
        await eventually(lambda: _count(shop), lambda count: count >= 15, "all arrive")

    places = [int(event["cursor"].split("-")[1]) for event in shop.events]
    assert places == sorted(places)


async def test_what_nobody_wants_is_passed_by_and_nothing_of_it_comes_later(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 100)
    await orders(holdfast, 3, cancelled=True)

    async def is_at_the_end() -> bool:
        url = holdfast.databases["notifier"]
        async with connect(url, wait=False) as database, database.read() as reading:
            sql = "SELECT cursor FROM followed WHERE feed = 'orders'"
            (row,) = await reading.fetch(sql)
        cancelled = await holdfast.client.events.read(types=["OrderCancelled"])
        latest = await holdfast.client.events.latest("orders")
        return len(cancelled.events) == 3 and bool(row["cursor"] == latest)

    await eventually(is_at_the_end, bool, "it goes on behind all there is")
    async with partner() as shop:
        await hook(holdfast, shop, types=["OrderConfirmed"])
        await hook(holdfast, shop, types=["OrderCancelled"])
        shop.secrets = []
        (late,) = [(await holdfast.place(line("LAMP"), request_id="late")).order_id]
        await holdfast.cancel(late)
        await eventually(lambda: _count(shop), lambda count: count >= 2, "both arrive")

    assert {event["subject"] for event in shop.events} == {late}
    assert stories(shop.events)[late] in (STORY[1:], STORY[:0:-1])
