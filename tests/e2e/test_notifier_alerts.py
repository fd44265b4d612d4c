"""Alerts of the Notifier, caused on real servers; see `test_alerts`."""

import asyncio
from pathlib import Path

import pytest

from holdfast.client import Holdfast
from testbed.mail_server import receiving_mail
from testbed.processes import temporary_folder
from testbed.servers import postgres, rabbitmq
from testbed.services import ALL_SERVICES, settings_of
from tests.e2e.test_alerts import Told, Watched, fires, is_well, sum_of
from tests.integration.test_webhooks import partner

pytestmark = [pytest.mark.proof, pytest.mark.timeout(180)]


def test_a_notifier_that_gets_through_to_nobody(tmp_path: Path) -> None:
    with (
        temporary_folder() as folder,
        postgres(folder) as server,
        rabbitmq(folder) as broker,
    ):
        asyncio.run(tell_nobody(Watched(folder, server, broker, ALL_SERVICES), tmp_path))


async def tell_nobody(watched: Watched, folder: Path) -> None:
    """The mail server refuses us, a receiver is gone, and a feed does not know our place."""
    cluster = watched.cluster
    async with receiving_mail() as mail_server, partner() as shop:
        cluster.process_environment |= settings_of(
            "notifier",
            smtp=f"smtp://127.0.0.1:{mail_server.port}",
            mail_from="orders@shop.example",
        )
        with cluster.running():
            notifier = cluster.addresses["notifier"]
            async with Holdfast(notifier=notifier) as client:
                shop.secrets = [(await client.webhooks.create(shop.url)).secret]
            await watched.stock_up()
            await watched.order()
            before = await asyncio.to_thread(watched.until, all_is_told)

            mail_server.answers["MAIL"] = "550 we don't know you"
            shop.status = lambda _: 410
            await watched.order()
            await asyncio.to_thread(watched.until, is_refused)
            watched.server.sql(
                "UPDATE followed SET cursor = 'of-elsewhere' WHERE feed = 'orders'",
                database="notifier",
            )
            during = await asyncio.to_thread(
                watched.until,
                lambda told: sum_of(told, "holdfast_notifier_feed_losses_total") > 0,
            )

    alerts = ("HoldfastMailsStuck", "HoldfastWebhooksFailing", "HoldfastFeedLost")
    await asyncio.to_thread(fires, before, during, folder, *alerts)


def all_is_told(told: Told) -> bool:
    """A webhook and a customer have got something, and there is one who publishes."""
    return (
        is_well(told)
        and sum_of(told, "holdfast_webhook_attempts_total", outcome="arrived") > 0
        and sum_of(told, "holdfast_mails_total", outcome="sent") > 0
    )


def is_refused(told: Told) -> bool:
    return (
        sum_of(told, "holdfast_mails_for_the_operator") == 1
        and sum_of(told, "holdfast_webhooks_disabled") == 1
    )
