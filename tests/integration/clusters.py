"""The services of a cluster in this process, each with a broker object of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from holdfast import embedded
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.identity.issuers import Issuers
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.inventory import service as inventory_service
from holdfast.notifier import service as notifier_service
from holdfast.notifier.infrastructure.sealing import Sealer
from holdfast.notifier.settings import TellingSettings
from holdfast.orders import service as orders_service
from holdfast.orders.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.orders.settings import Limits
from testbed.keys import KEY, QUICK, served

TELLING = TellingSettings(webhook_loopback=True)  # where the receivers of tests are


@asynccontextmanager
async def cluster(
    databases_at: Mapping[str, str],
    broker_url: str,
    limits: Limits,
    http_at: str = "",
    issuers: Issuers = (),
    telling: TellingSettings = TELLING,
) -> AsyncIterator[embedded.Addresses]:
    """All services on PostgreSQL and RabbitMQ, each with a broker object of its own."""
    subscriptions = [ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS]
    async with AsyncExitStack() as started:
        databases = {
            service: await started.enter_async_context(connect(url))
            for service, url in databases_at.items()
        }
        brokers = {
            service: RabbitMQ(broker_url, subscriptions=subscriptions)
            for service in ("orders", "inventory")
        }
        for broker in brokers.values():
            started.push_async_callback(broker.close)
        how = served(issuers)
        inventory = await started.enter_async_context(
            inventory_service.running(databases["inventory"], brokers["inventory"], **how)
        )
        orders = await started.enter_async_context(
            orders_service.running(
                databases["orders"],
                brokers["orders"],
                inventory=inventory.address,
                limits=limits,
                passwords=QUICK,
                **how,
            )
        )
        at, http = (orders.address, inventory.address), [*orders.http, *inventory.http]
        where = ""
        if (own := databases.get("notifier")) is not None:
            notifier = await started.enter_async_context(_notifier(own, at, telling, how))
            http, where = [*http, *notifier.http], notifier.address
        served_at = await started.enter_async_context(serving_http(http_at, http))
        yield embedded.Addresses(*at, served_at, notifier=where)


def _notifier(
    database: Database, at: tuple[str, str], telling: TellingSettings, how: Mapping[str, Any]
) -> AbstractAsyncContextManager[notifier_service.Notifier]:
    return notifier_service.running(
        database,
        orders=at[0],
        inventory=at[1],
        sealer=Sealer([KEY]),
        telling=telling,
        begin_at_once=True,
        **how,
    )
