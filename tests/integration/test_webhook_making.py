"""Webhooks are made once by each request, and keep the secrets that were promised."""

import asyncio

import pytest
import standardwebhooks

from holdfast.chassis.database.seam import retrying
from holdfast.notifier.application.manage_webhooks import NewWebhook, Place, RotateSecret
from holdfast.notifier.domain.delivery import UrlRefused
from holdfast.notifier.domain.errors import RequestIdReused
from holdfast.notifier.domain.webhook import BOTH_SECRETS_FOR
from tests.integration import test_webhook_rules as rules
from tests.integration.notifying import PLACED, Notifying

engine, new_database, urls, told = rules.engine, rules.new_database, rules.urls, rules.told
SHOP, DEAD, EARLIEST = rules.SHOP, rules.DEAD, rules.EARLIEST


async def test_a_repeat_of_a_request_returns_its_webhook_whatever_became_of_it(
    told: Notifying,
) -> None:
    after = Place({}, told.clock.now())
    asked = NewWebhook(SHOP, "", (PLACED,), False, after, "r-1")
    made = await told.create(asked)
    await told.update(made.webhook_id, 1, {"url": DEAD, "description": "moved", "types": ()})
    told.outside.refused.add(SHOP)  # its name can't be looked up any more, say

    assert (await told.create(asked)).webhook_id == made.webhook_id
    for other in (
        asked._replace(url=DEAD),
        asked._replace(description="moved"),
        asked._replace(types=()),
        asked._replace(in_order=True),
        asked._replace(after=None),
        asked._replace(after=after._replace(since=told.clock.now())),
        asked._replace(after=EARLIEST),
    ):
        with pytest.raises(RequestIdReused):
            await told.create(other)
    with pytest.raises(UrlRefused):
        await told.create(asked._replace(request_id="r-2"))


async def test_requests_that_come_at_once_make_one_webhook(told: Notifying) -> None:
    create = retrying(told.create)
    asked = NewWebhook(SHOP, "", (), False, None, "r-1")
    made = await asyncio.gather(*(create(asked) for _ in range(5)))

    assert len({one.webhook_id for one in made}) == 1


async def test_a_second_rotation_cuts_off_nobody_who_has_the_secret_from_before_the_first(
    told: Notifying,
) -> None:
    rotate = RotateSecret(told.store.begin, told.signatures, told.clock)
    made = await told.store.webhook(await told.hook(SHOP))
    assert made is not None
    first = await rotate(made.webhook_id)
    second = await rotate(made.webhook_id)
    await told.happen((PLACED, "a", 1))
    await told.follow()
    await told.deliver_all()
    (arrival,) = told.outside.arrivals

    assert second.secrets.old_until == first.secrets.old_until
    for webhook in (made, second):
        secret = told.signatures.told(webhook)
        standardwebhooks.Webhook(secret).verify(arrival.body.decode(), dict(arrival.headers))
    later = first.secrets.rotated(b"later", told.clock.now() + BOTH_SECRETS_FOR)
    assert later.old == first.secrets.new
