"""The cluster of a case: two processes, a pair of databases, and a vhost with an audit queue.

The servers are shared by all cases.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiormq
from aiormq.abc import AbstractChannel

from holdfast.chassis.messaging.cloudevents import decode_batch
from holdfast.chassis.messaging.rabbitmq_names import dead_queue
from holdfast.orders.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from proof.crash.fork_server import ForkServer
from proof.crash.points import INVENTORY, ORDERS, Mode
from proof.crash.testbed import Left, Testbed
from proof.observed_events import observed_event
from proof.snapshot import ObservedEvent
from testbed.services import cluster_settings, settings_of

AUDIT = "audit"
EXCHANGES = ("holdfast.orders", "holdfast.inventory")


class Cluster(Testbed):
    """Each service a process, on PostgreSQL and RabbitMQ, with all timeouts as they are shipped."""

    mode = Mode.CLUSTER
    processes = (INVENTORY, ORDERS)
    # Three missed heartbeats and every other timeout but that of a statement, see
    # rabbitmq_link.HEARTBEAT_S and postgres.SERVER_SETTINGS.
    stop_s, delay_s, deadline_s, converge_s_max = 35.0, 2.0, 3.0, 60.0

    def __init__(
        self,
        fork_server: ForkServer,
        folder: Path,
        *,
        expires: bool,
        databases: Mapping[str, str],
        broker: str,
    ) -> None:
        super().__init__(fork_server, folder, expires=expires)
        self.urls = databases
        self._broker = broker

    def process_of(self, service: str) -> str:
        return service

    def _command(self, process: str) -> list[str]:
        return [process, "serve"]

    def _environment(self) -> Mapping[str, str]:
        limits = settings_of(ORDERS, **self._limits)
        return cluster_settings(self.urls, self._broker, self.addresses, {}) | limits

    async def prepare(self) -> None:
        async with self._channel() as channel:
            quorum: dict[str, Any] = {"x-queue-type": "quorum"}
            await channel.queue_declare(AUDIT, durable=True, arguments=quorum)
            for exchange in EXCHANGES:
                await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
                await channel.queue_bind(AUDIT, exchange, routing_key="#")

    async def left_in_broker(self) -> Left:
        queues = {}
        async with self._channel() as channel:
            for one in (ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS):
                for queue in (one.queue, dead_queue(one.queue)):
                    found = await channel.queue_declare(queue, passive=True)
                    queues[queue] = found.message_count or 0
            return Left(queues, await _drain(channel))

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        connection = await aiormq.connect(self._broker)
        try:
            yield await connection.channel()
        finally:
            await connection.close()


async def _drain(channel: AbstractChannel) -> list[ObservedEvent]:
    """Take everything from the audit queue, in its order."""
    seen: list[ObservedEvent] = []
    while True:
        message = await channel.basic_get(AUDIT, no_ack=True)
        if isinstance(message.delivery, aiormq.spec.Basic.GetEmpty):
            return seen
        seen += map(observed_event, decode_batch(message.body))
