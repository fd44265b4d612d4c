"""Mails that go out by themselves, and what operators see of those that do not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from holdfast.client import Customer, Mail, MailState, OrderLine
from holdfast.notifier.settings import TellingSettings
from testbed.mail_server import MailServer, receiving_mail
from tests.integration.conftest import (
    EMBEDDED_ON_POSTGRES,
    Ground,
    RunningHoldfast,
    eventually,
    running,
)

ALSO = [EMBEDDED_ON_POSTGRES]
NOTIFIES = True
ADA = Customer("Ada", "ada@example.org")


@asynccontextmanager
async def mailing(
    ground: Ground, server: MailServer, **told: Any
) -> AsyncIterator[RunningHoldfast]:
    telling = TellingSettings(
        smtp=SecretStr(f"smtp://127.0.0.1:{server.port}"), mail_from="orders@shop.example", **told
    )
    async with running(ground, telling=telling) as holdfast:
        yield holdfast


async def placed(holdfast: RunningHoldfast, customer: Customer = ADA) -> str:
    lines = [OrderLine("LAMP", 1)]
    placed = await holdfast.client.orders.create("c-1", lines, customer=customer, wait_s=20)
    return placed.order_id


async def mails(
    holdfast: RunningHoldfast, order_id: str, until: Callable[[Mail], bool]
) -> list[Mail]:
    """The mails of an order, the oldest first, once each of them is as told."""

    async def look() -> list[Mail]:
        return [one async for one in holdfast.client.mails.list(order_id=order_id)][::-1]

    return await eventually(look, lambda found: bool(found) and all(map(until, found)), "mails")


def has_ended(mail: Mail) -> bool:
    return mail.state is not MailState.WAITING


async def test_what_happens_to_an_order_is_mailed_once(ground: Ground) -> None:
    async with receiving_mail() as server, mailing(ground, server) as holdfast:
        await holdfast.product("LAMP", 10)
        order_id = await placed(holdfast)
        await mails(holdfast, order_id, has_ended)
        await holdfast.client.orders.cancel(order_id)
        found = await mails(
            holdfast, order_id, lambda one: has_ended(one) and len(server.mails) > 1
        )

    assert [(one.kind, one.state, one.attempts) for one in found] == [
        ("confirmed", MailState.SENT, 1),
        ("cancelled", MailState.SENT, 1),
    ]
    ids = [str(mail.message["Message-ID"]) for mail in server.mails]
    assert ids == [f"<{one.event_id}@shop.example>" for one in found]


async def test_what_waits_for_the_server_goes_out_when_it_is_asked_for(ground: Ground) -> None:
    async with receiving_mail() as server, mailing(ground, server) as holdfast:
        server.answers["RCPT"] = "451 4.7.1 come back later, ada@example.org"
        await holdfast.product("LAMP", 10)
        order_id = await placed(holdfast)
        (waiting,) = await mails(holdfast, order_id, lambda one: one.attempts == 1)
        server.answers.clear()
        await holdfast.client.mails.retry(waiting.event_id)
        (sent,) = await mails(holdfast, order_id, has_ended)

    assert waiting.state is MailState.WAITING
    assert waiting.next_attempt_time is not None
    assert "451 4.7.1 come back later, <address>" in waiting.problem
    assert (sent.state, sent.attempts, sent.problem) == (MailState.SENT, 1, "")
    assert len(server.mails) == 1


async def test_what_the_server_refuses_for_good_has_failed(ground: Ground) -> None:
    async with receiving_mail() as server, mailing(ground, server) as holdfast:
        server.answers["RCPT"] = "550 5.1.1 no such user"
        await holdfast.product("LAMP", 10)
        order_id = await placed(holdfast)
        (failed,) = await mails(holdfast, order_id, has_ended)

    assert (failed.state, failed.attempts) == (MailState.FAILED, 1)
    assert "550 5.1.1 no such user" in failed.problem


async def test_who_was_erased_before_it_goes_out_gets_nothing(ground: Ground) -> None:
    async with receiving_mail() as server, mailing(ground, server) as holdfast:
        server.answers["RCPT"] = "451 4.7.1 come back later"
        await holdfast.product("LAMP", 10)
        order_id = await placed(holdfast)
        (waiting,) = await mails(holdfast, order_id, lambda one: one.attempts == 1)
        await holdfast.client.customers.erase("c-1", force=True)
        server.answers.clear()
        await holdfast.client.mails.retry(waiting.event_id)
        (skipped,) = await mails(holdfast, order_id, has_ended)

    assert skipped.state is MailState.SKIPPED
    assert server.mails == []


async def test_a_mail_that_waits_outlives_the_notifier(ground: Ground) -> None:
    """It is sent by the next one, to the server that this one knows."""
    async with receiving_mail() as server:
        async with mailing(ground, server) as holdfast:
            server.answers["DATA"] = "451 4.3.0 disk full"
            await holdfast.product("LAMP", 10)
            order_id = await placed(holdfast)
            (waiting,) = await mails(holdfast, order_id, lambda one: one.attempts == 1)
        server.answers.clear()
        async with mailing(ground, server, mails="confirmed", language="de") as holdfast:
            await holdfast.client.mails.retry(waiting.event_id)
            await mails(holdfast, order_id, has_ended)

        first, second = server.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert (first.message["Content-Language"], second.message["Content-Language"]) == ("en", "de")


@pytest.mark.parametrize("kinds", ["cancelled", ""])
async def test_a_kind_that_is_switched_off_makes_no_mail(ground: Ground, kinds: str) -> None:
    async with receiving_mail() as server, mailing(ground, server, mails=kinds) as holdfast:
        await holdfast.product("LAMP", 10)
        order_id = await placed(holdfast)
        await holdfast.client.orders.cancel(order_id)
        if kinds:
            found = await mails(holdfast, order_id, has_ended)
            assert [one.kind for one in found] == ["cancelled"]

    assert len(server.mails) == len(kinds.split())
