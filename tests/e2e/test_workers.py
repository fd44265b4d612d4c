"""Four workers in each service on one port: together they keep what one process promises. On every
change other tests ask whether they all serve, and one of them leads.
"""

import asyncio
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from holdfast.chassis.messaging.broker import DeadLetter, Event, Subscription, exchange_of
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.chassis.messaging.rabbitmq_link import Link
from holdfast.chassis.messaging.rabbitmq_names import Topology
from holdfast.client import HoldfastError, _calls
from proof.callers import Line
from proof.workload import Shop, Wanted
from testbed.services import READY_S_MAX
from testbed.workers import Workers
from tests.e2e.callers import (
    HABITS,
    World,
    callers_at,
    promised,
    require_agreement,
    require_variety,
)
from tests.e2e.conftest import Clustered

pytestmark = [pytest.mark.proof, pytest.mark.timeout(180)]

WORKERS = 4
CLIENTS = 24  # each with connections of its own, which the kernel spreads over the workers
SERVING_WORKERS_MIN = 3
DEADLINE_S = 60.0

PLENTY = tuple(f"PLENTY-{number}" for number in range(10))
SCARCE = tuple(f"SCARCE-{number}" for number in range(5))
STOCK = dict.fromkeys(PLENTY, 1_000_000) | dict.fromkeys(SCARCE, 200)
SCARCE_SHARE = 0.2  # of the orders

TURNS, SINGLE_ORDERS, BATCH_ORDERS = 6, 10, 30  # of every client; a turn is so many of both
REGRETTED_OF = 2  # every second of the single orders
WAVES, WAVE_SINGLES, WAVE_BATCH = 8, 3, 20  # requests that all clients send at the same time

KILLED_CALLERS, ANSWERS_IN_BETWEEN = 24, 100

TYPES = (
    *(f"holdfast.orders.v1.Order{verb}" for verb in ("Placed", "Confirmed", "Rejected")),
    *(
        f"holdfast.orders.v1.{name}"
        for name in ("OrderReserved", "HoldExtended", "PaymentRecorded")
    ),
    *(f"holdfast.orders.v1.Order{verb}" for verb in ("Cancelled", "Expired", "Updated")),
    *(f"holdfast.orders.v1.OrderEdit{what}" for what in ("Requested", "ed", "Refused")),
    *(f"holdfast.inventory.v1.Stock{verb}" for verb in ("Reserved", "Rejected")),
    "holdfast.inventory.v1.ReservationReleased",
)
HEARD_S_MAX = 15.0
SHORT, TOO_LATE = "FAILED_PRECONDITION SHORT_OF_STOCK", "FAILED_PRECONDITION ILLEGAL_TRANSITION"


class Listener:
    """Hears every event of both services as any other program may."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, str], int] = defaultdict(int)  # by exchange and subject
        self.too_early: list[Event] = []  # heard before what happened before them

    async def receive(self, events: Sequence[Event]) -> None:
        for event in events:
            key = event.exchange, event.subject
            if event.sequence > self.versions[key] + 1:
                self.too_early.append(event)
            self.versions[key] = max(self.versions[key], event.sequence)

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        raise AssertionError(letters)

    async def require_all_in_order(self, world: World) -> None:
        """Every version of every order is heard, soon, and none before the one before it."""
        expected = {one.order_id: one.version for one in world.orders.values()}
        ends_at = time.monotonic() + HEARD_S_MAX
        while self._heard() != expected and time.monotonic() < ends_at:
            await asyncio.sleep(0.1)
        assert self._heard() == expected
        assert self.too_early == []

    def _heard(self) -> dict[str, int]:
        return {
            subject: version
            for (exchange, subject), version in self.versions.items()
            if exchange == "holdfast.orders"
        }


@asynccontextmanager
async def listening(clustered: Clustered) -> AsyncIterator[Listener]:
    url = clustered.broker
    broker, listener = RabbitMQ(url, subscriptions=[Subscription("watch", TYPES)]), Listener()
    consumer = asyncio.create_task(broker.consume("watch", listener))
    try:
        async with asyncio.timeout(READY_S_MAX):
            while not broker.is_up():
                await asyncio.sleep(0.05)
        await bind(url, "watch")
        yield listener
    finally:
        consumer.cancel()
        await asyncio.wait([consumer])
        await broker.close()


async def bind(url: str, queue: str) -> None:
    """Services publish straight to each other's queues; whoever else listens binds its own."""
    link = await Link.open(url, "test", Topology((), 0, 0))
    try:
        for event_type in TYPES:
            exchange = exchange_of(event_type)
            await link.declare_exchanges({exchange})
            await link.channel.queue_bind(queue, exchange, routing_key=event_type)
    finally:
        await link.close()


@pytest.fixture
async def workers(clustered: Clustered, monkeypatch: pytest.MonkeyPatch) -> dict[str, Workers]:
    """Both services, all of their workers ready; clients share no connections."""
    own_connections = (*_calls._PLAIN, ("grpc.use_local_subchannel_pool", 1))
    monkeypatch.setattr(_calls, "_PLAIN", own_connections)
    clustered.ask_nobody_again()
    for service in clustered.services.values():
        service.worker_count = WORKERS
    await asyncio.to_thread(clustered.start_all)
    return {name: service.workers for name, service in clustered.services.items()}


class Customers:
    """What some clients order."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.asked: set[str] = set()  # request ids
        self._chance = random.Random(4)

    async def order_alone(self, number: int) -> None:
        """One client orders what nobody else does, one by one and in batches."""
        line = self.lines[number]
        for turn in range(TURNS):
            singles = self._new_requests(line.name, f"{turn}-single", SINGLE_ORDERS)
            batch = self._new_requests(line.name, f"{turn}-batch", BATCH_ORDERS)
            regretted = singles[::REGRETTED_OF]
            await asyncio.gather(
                *(line.call([one]) for one in singles if one not in regretted),
                *(self._order_and_regret(number, one) for one in regretted),
            )
            await line.call(batch)

    async def order_together(self) -> None:
        """All clients send the same requests at the same time, wave after wave."""
        for wave in range(WAVES):
            singles = self._new_requests("everyone", f"{wave}-single", WAVE_SINGLES)
            batch = self._new_requests("everyone", f"{wave}-batch", WAVE_BATCH)
            async with asyncio.TaskGroup() as group:
                for line in self.lines:
                    for one in singles:
                        group.create_task(line.call([one]))
                    group.create_task(line.call(batch))

    def _new_requests(self, customer: str, name: str, count: int) -> list[Wanted]:
        requests = []
        for number in range(count):
            products = self._chance.sample(PLENTY, k=self._chance.randint(1, 3))
            if self._chance.random() < SCARCE_SHARE:
                products.append(self._chance.choice(SCARCE))
            request = {
                "customer_id": customer,
                "request_id": f"{customer}-{name}-{number}",
                "lines": [[product, self._chance.randint(1, 3)] for product in products],
            }
            self.asked.add(f"{customer}-{name}-{number}")
            requests.append(Wanted("CreateOrder", request))
        return requests

    async def _order_and_regret(self, number: int, wanted: Wanted) -> None:
        """Place and cancel at once over another connection: both events may wait together."""
        (told,) = await self.lines[number].call([wanted])
        if not isinstance(told, HoldfastError):
            await self.lines[number - 1].call(
                [Wanted("CancelOrder", {"order_id": told["order_id"]})]
            )


async def test_four_workers_of_each_service_make_one_order_of_each_request_and_never_oversell(
    clustered: Clustered, workers: dict[str, Workers]
) -> None:
    habits = replace(HABITS, deadline_s=DEADLINE_S)
    callers = callers_at(clustered.addresses, habits, seed=4, shop=Shop(products=0, scarce=0))
    await callers.open_shop(STOCK)
    async with listening(clustered) as listener, AsyncExitStack() as stack:
        customers = Customers([callers.line(f"c-{number}") for number in range(CLIENTS)])
        for line in customers.lines:
            await stack.enter_async_context(line.client)

        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(customers.order_alone(number))
            group.create_task(customers.order_together())

        # Every client was answered, and has one connection: who has connections has served.
        served = workers["orders"].connections()
        world = await require_agreement(clustered, callers)
        await listener.require_all_in_order(world)
    assert served.total() == CLIENTS
    assert len(served) >= SERVING_WORKERS_MIN
    assert customers.asked == callers.answered
    assert callers.codes.keys() <= {SHORT, TOO_LATE}
    confirmed = promised(world.orders.values())
    assert all(0 < confirmed[product_id] <= STOCK[product_id] for product_id in STOCK)
    assert callers.codes[SHORT] or any(one.shortages for one in world.orders.values())
    assert [one.deaths() for one in workers.values()] == [0, 0]
    await asyncio.to_thread(clustered.require_soundness)


async def test_killing_every_worker_of_both_services_one_by_one_loses_nothing_acknowledged(
    clustered: Clustered, workers: dict[str, Workers]
) -> None:
    first = {service: one.all_listen() for service, one in workers.items()}
    callers = callers_at(clustered.addresses, replace(HABITS, callers=KILLED_CALLERS), seed=80)
    await callers.open_shop()
    async with listening(clustered) as listener:
        async with callers.working():
            await callers.answers(ANSWERS_IN_BETWEEN)
            assert len(workers["orders"].connections()) >= SERVING_WORKERS_MIN
            for number in range(WORKERS):  # whoever relays the events is among them
                killed = {service: ids[number] for service, ids in first.items()}
                for worker in killed.values():
                    os.kill(worker, signal.SIGKILL)
                await callers.answers(ANSWERS_IN_BETWEEN)
                for service, worker in killed.items():
                    await asyncio.to_thread(workers[service].all_listen, besides=[worker])
            await callers.answers(ANSWERS_IN_BETWEEN)
        world = await require_agreement(clustered, callers)
        await listener.require_all_in_order(world)
    require_variety(callers)
    assert [one.deaths() for one in workers.values()] == [WORKERS, WORKERS]
    await asyncio.to_thread(clustered.require_soundness)
