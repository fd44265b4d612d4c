"""Webhooks are made once, changed by version, and only where they may be."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.chassis.grpc.pages import make_token
from holdfast.client import AlreadyExists, InvalidRequest, NotFound, StaleVersion
from holdfast.contracts.notifier.v1 import notifier_pb2 as pb
from tests.integration.conftest import EMBEDDED_ON_POSTGRES, RunningHoldfast
from tests.integration.test_webhooks import partner

ALSO = [EMBEDDED_ON_POSTGRES]
NOTIFIES = True


async def test_a_webhook_is_made_once_however_often_it_is_asked_for(
    holdfast: RunningHoldfast,
) -> None:
    client = holdfast.client.webhooks
    async with partner() as shop:
        first = await client.create(shop.url, types=["OrderPlaced"], request_id="r-1")
        again = await client.create(shop.url, types=["OrderPlaced"], request_id="r-1")
        assert again == first

        with pytest.raises(AlreadyExists) as taken:
            await client.create(shop.url, request_id="r-1")
        assert taken.value.details["webhook_id"] == first.webhook.webhook_id

        changed = await client.update(first.webhook.webhook_id, version=1, description="till 3")
        assert (changed.description, changed.version) == ("till 3", 2)
        with pytest.raises(StaleVersion):
            await client.update(first.webhook.webhook_id, version=1, description="till 4")

        assert [one.webhook_id async for one in client.list()] == [first.webhook.webhook_id]
        await client.delete(first.webhook.webhook_id)
        assert [one async for one in client.list()] == []
        with pytest.raises(NotFound):
            await client.get(first.webhook.webhook_id)


@pytest.mark.parametrize("number", ["9" * 19, "9223372036854775808"])
async def test_a_page_token_forged_by_who_knows_how_is_refused(
    holdfast: RunningHoldfast, number: str
) -> None:
    client = holdfast.client
    made = (await client.webhooks.create("http://127.0.0.1:1/")).webhook.webhook_id
    with pytest.raises(InvalidRequest, match="page_token"):
        await client.webhooks.delivery_page(made, make_token(number, f"deliveries {made} None"))
    mails = pb.ListMailsRequest(page_token=make_token(number, "mails None "))
    with pytest.raises(InvalidRequest, match="page_token"):
        await client.mails._calls.ask(client.mails._stub.ListMails, mails, repeatable=True)


@pytest.mark.parametrize(
    ("url", "types"),
    [
        ("", []),
        ("ftp://shop.example/", []),
        ("https://10.0.0.1/hook", []),
        ("https://[::ffff:169.254.169.254]/latest/meta-data", []),
        ("http://user:password@127.0.0.1/", []),
        ("http://127.0.0.1:1/", ["OrderEaten"]),
        ("https://shop.example/" + "x" * 2_000, []),
    ],
)
async def test_what_may_not_be_called_and_what_does_not_happen_is_refused(
    holdfast: RunningHoldfast, url: str, types: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await holdfast.client.webhooks.create(url, types=types)

    assert [violation.field for violation in refused.value.violations] == (
        ["types[0]"] if types else ["url"]
    )
    assert [one async for one in holdfast.client.webhooks.list()] == []


async def test_a_place_that_is_none_is_refused_where_it_is_given(holdfast: RunningHoldfast) -> None:
    """It would be lost as soon as the feed is asked, and operators told of it."""
    client = holdfast.client.webhooks
    async with partner() as shop:
        with pytest.raises(InvalidRequest) as refused:
            await client.create(shop.url, after={"orders": "yesterday", "inventory": "earliest"})
        made = await client.create(shop.url)
        with pytest.raises(InvalidRequest) as replayed:
            await client.replay(made.webhook.webhook_id, after={"inventory": "x" * 200})
        with pytest.raises(InvalidRequest) as too_late:
            await client.replay(made.webhook.webhook_id, datetime.now(UTC) + timedelta(hours=1))

    assert [one.field for one in refused.value.violations] == ["after.orders"]
    assert [one.field for one in replayed.value.violations] == ["after.inventory"]
    assert [one.field for one in too_late.value.violations] == ["after.since"]
    assert "earliest" in refused.value.violations[0].description
