"""Our names at RabbitMQ may be somebody else's: that is told, and goes no further than it must."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from holdfast.chassis.messaging import rabbitmq, rabbitmq_link
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.rabbitmq_names import Topology
from testbed.processes import free_port
from testbed.servers import RabbitmqServer
from tests.contract import test_broker
from tests.contract.far_brokers import FarBroker
from tests.contract.test_broker import (
    PLACED,
    QUEUE,
    UNHEARD,
    Inbox,
    consuming,
    order_events,
    rabbit,
    relay,
)
from tests.contract.test_must_hear import by_hand

far = test_broker.far

WORLD, DEAD, KEPT = "holdfast.orders", "holdfast.dead", f"holdfast.kept.{QUEUE}"
NAMES = {WORLD, DEAD, KEPT, QUEUE, f"{QUEUE}.dead"}
QUORUM = {"x-queue-type": "quorum"}
TOPOLOGY = Topology((), rabbitmq.DELIVERY_LIMIT, rabbitmq.QUEUE_MESSAGES_MAX)
OURS = TOPOLOGY._queue_settings(f"{QUEUE}.dead")
WRONG = "a name at the broker can't be used as Holdfast needs it"

OTHER_EXCHANGES: dict[str, dict[str, Any]] = {
    "type": {"exchange_type": "headers", "durable": True},
    "durable": {"durable": False},
    "auto_delete": {"durable": True, "auto_delete": True},
    "internal": {"durable": True, "internal": True},
    "alternate-exchange": {"durable": True, "arguments": {"alternate-exchange": "elsewhere"}},
}
OTHER_QUEUES: dict[str, dict[str, Any]] = {
    "x-queue-type": {"durable": True},
    "durable": {"durable": False},
    "auto_delete": {"durable": True, "auto_delete": True},
    "x-max-length": {"durable": True, "arguments": {**OURS, "x-max-length": 7}},
    "x-delivery-limit": {"durable": True, "arguments": {**OURS, "x-delivery-limit": 3}},
    "x-dead-letter-exchange": {"durable": True, "arguments": QUORUM},
    "x-message-ttl": {"durable": True, "arguments": {**OURS, "x-message-ttl": 60_000}},
    "exclusive": {"exclusive": True},
    "stream": {"durable": True, "arguments": {"x-queue-type": "stream"}},
}
DECLARED_BUT = {"x-queue-type": "inequivalent arg", "stream": "inequivalent arg"}
KINDS = {WORLD: "topic", DEAD: "direct", KEPT: "fanout"}


def wrong_names(lines: list[Any]) -> list[str]:
    return [line["name"] for line in lines if line["event"] == WRONG]


@asynccontextmanager
async def others_have(url: str, name: str, how: dict[str, Any]) -> AsyncIterator[Any]:
    """Somebody has declared one of our names first, and goes on living."""
    async with by_hand(url) as channel:
        if name in KINDS:
            await channel.exchange_declare(name, **{"exchange_type": KINDS[name], **how})
        else:
            await channel.queue_declare(name, **how)
        yield channel


async def test_everything_is_there_before_the_first_event(rabbitmq_url: str) -> None:
    async with rabbit(rabbitmq_url) as broker, by_hand(rabbitmq_url) as channel:
        await broker.declare()

        for exchange in (WORLD, DEAD, KEPT):
            await channel.exchange_declare(exchange, passive=True)
        for queue in (QUEUE, f"{QUEUE}.dead"):
            await channel.queue_declare(queue, passive=True)
        assert broker.names() == dict.fromkeys(NAMES, "")
        assert broker.waiting_types() == frozenset()


@pytest.mark.parametrize("how", OTHER_EXCHANGES)
@pytest.mark.parametrize("name", KINDS)
async def test_an_exchange_that_is_anothers_is_named_and_holds_nothing_up(
    name: str, how: str, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "IDLE_S", 0.1)
    inbox, both = Inbox(), order_events(2) + order_events(2, first=3, type=UNHEARD)
    with capture_logs() as lines:
        async with (
            others_have(rabbitmq_url, name, OTHER_EXCHANGES[how]) as channel,
            rabbit(rabbitmq_url) as broker,
            consuming(broker, inbox),
        ):
            await broker.declare()
            assert how in broker.names()[name]
            assert {one for one, problem in broker.names().items() if problem} == {name}

            assert await broker.publish(both) == {"e-1", "e-2", "e-3", "e-4"}
            await inbox.has(2)
            assert await broker.publish(order_events(1, first=5)) == {"e-5"}
            await asyncio.sleep(0.4)  # several rounds of declaring
            assert wrong_names(lines) == [name], "it is told once"

            await channel.exchange_delete(name)
            await broker.declare()
            assert broker.names() == dict.fromkeys(NAMES, "")


@pytest.mark.parametrize("how", OTHER_QUEUES)
async def test_events_wait_for_a_queue_that_is_anothers_and_nothing_else_does(
    how: str, rabbitmq_url: str
) -> None:
    named = DECLARED_BUT.get(how, how)
    with capture_logs() as lines:
        async with (
            others_have(rabbitmq_url, QUEUE, OTHER_QUEUES[how]) as channel,
            rabbit(rabbitmq_url) as broker,
        ):
            await broker.declare()
            assert named in broker.names()[QUEUE]
            assert {one for one, problem in broker.names().items() if problem} == {QUEUE}
            assert broker.waiting_types() == {PLACED, "holdfast.orders.v1.OrderCancelled"}

            taken = await broker.publish(order_events(2) + order_events(1, first=3, type=UNHEARD))
            assert taken == {"e-3"}
            await broker.declare()
            assert wrong_names(lines) == [QUEUE]

            await channel.queue_delete(QUEUE)
            await broker.declare()
            assert broker.waiting_types() == frozenset()
            assert await broker.publish(order_events(2)) == {"e-1", "e-2"}


@pytest.mark.parametrize("how", OTHER_QUEUES)
async def test_a_dead_queue_that_is_anothers_is_named_and_holds_nothing_up(
    how: str, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "IDLE_S", 0.1)
    dead, inbox = f"{QUEUE}.dead", Inbox()
    with capture_logs() as lines:
        async with (
            others_have(rabbitmq_url, dead, OTHER_QUEUES[how]),
            rabbit(rabbitmq_url) as broker,
            consuming(broker, inbox),
        ):
            await relay(broker, order_events(2))
            await inbox.has(2)
            await asyncio.sleep(0.4)  # several rounds of declaring, and of listening to it
            assert broker.waiting_types() == frozenset()
    assert set(wrong_names(lines)) == {dead}
    assert len(wrong_names(lines)) <= 2, "once for declaring, once for listening"
    assert not [line for line in lines if line["event"] == "broker lost while consuming"]


@pytest.mark.parametrize("how", ["x-queue-type", "x-max-length", "exclusive"])
async def test_what_lies_in_a_queue_that_is_anothers_is_heard_if_it_may_be(
    how: str, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "IDLE_S", 0.1)
    inbox = Inbox()
    with capture_logs() as lines:
        async with (
            others_have(rabbitmq_url, QUEUE, OTHER_QUEUES[how]) as channel,
            rabbit(rabbitmq_url) as broker,
            consuming(broker, inbox),
        ):
            if how != "exclusive":
                await channel.basic_publish(b"from before", routing_key=QUEUE)
                await inbox.until(lambda: len(inbox.letters) == 1)
            await asyncio.sleep(0.4)
            connections = [line for line in lines if "lost while consuming" in line["event"]]
            assert connections == [], "no link is torn down for it"

            await channel.queue_delete(QUEUE)
            await relay(broker, order_events(1))
            await inbox.has(1)


async def test_the_world_hears_at_an_exchange_that_somebody_has_declared_otherwise(
    rabbitmq_url: str,
) -> None:
    fanout = {"exchange_type": "fanout", "durable": True}
    async with others_have(rabbitmq_url, WORLD, fanout) as channel, rabbit(rabbitmq_url) as broker:
        await channel.queue_declare("listener", exclusive=True)
        await channel.queue_bind("listener", WORLD, routing_key="")

        await broker.publish(order_events(1, type=UNHEARD))

        assert (await channel.basic_get("listener", no_ack=True)).body


async def test_an_exchange_that_was_deleted_is_declared_again_and_nothing_is_given_up(
    rabbitmq_url: str,
) -> None:
    async with rabbit(rabbitmq_url) as broker, by_hand(rabbitmq_url) as channel:
        await broker.publish(order_events(1))
        await channel.exchange_delete(WORLD)

        assert await broker.publish(order_events(1, first=2)) == frozenset()
        assert await broker.publish(order_events(1, first=2)) == {"e-2"}
        await channel.exchange_declare(WORLD, passive=True)


@pytest.mark.parametrize("name", [WORLD, QUEUE])
async def test_the_simulated_broker_knows_names_of_others_too(name: str, far: FarBroker) -> None:
    async with far.by_hand() as channel, rabbit(far.url) as broker:
        if name == WORLD:
            await channel.exchange_declare(WORLD, exchange_type="fanout", durable=True)
        else:
            await channel.queue_declare(QUEUE, durable=True, arguments=QUORUM)

        taken = await broker.publish(order_events(1) + order_events(1, first=2, type=UNHEARD))

        assert "inequivalent arg" in broker.names()[name]
        assert taken == ({"e-1", "e-2"} if name == WORLD else {"e-2"})


@pytest.fixture
async def user(rabbitmq_url: str, rabbitmq_server: RabbitmqServer) -> AsyncIterator["User"]:
    user = User(rabbitmq_url, rabbitmq_server)
    yield user
    await asyncio.to_thread(rabbitmq_server.api, "DELETE", "/api/users/clerk")


class User:
    """A user who may do what he is told he may."""

    def __init__(self, url: str, server: RabbitmqServer) -> None:
        self._there, self._server = urlsplit(url), server
        server.api("PUT", "/api/users/clerk", {"password": "secret", "tags": ""})

    @property
    def url(self) -> str:
        return self.url_with()

    def url_with(self, *, password: str = "secret", path: str = "", port: int = 0) -> str:
        there = self._there
        host = f"{there.hostname}:{port or there.port}"
        return f"amqp://clerk:{password}@{host}{path or there.path}"

    def may(self, **patterns: str) -> None:
        path = f"/api/permissions{self._there.path}/clerk"
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._server.api("PUT", path, everything | patterns)


async def test_who_may_not_write_to_the_exchange_of_the_world_still_sends_what_must_be_heard(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_link, "WORLD_REFUSED_S", 0.3)
    monkeypatch.setattr(rabbitmq_link, "WAITED_OUT_S", 0.0)
    user.may(write=r"^(amq\.default|inventory.*|holdfast\.(dead|kept.*))$")
    inbox = Inbox()
    with capture_logs() as lines:
        async with rabbit(user.url) as broker, consuming(broker, inbox):
            for number in range(1, 41):
                await relay(broker, order_events(1, first=number))
                await asyncio.sleep(0.02)
            await inbox.has(40)
            assert "access to exchange 'holdfast.orders'" in broker.names()[WORLD]
            assert wrong_names(lines) == [WORLD]
            refusals = [line for line in lines if "not told to others" in line["event"]]
            assert 1 <= len(refusals) <= 10

            user.may()

            await asyncio.sleep(0.5)
            await relay(broker, order_events(2, first=41))
            assert broker.names()[WORLD] == ""
    assert not [line for line in lines if "broker lost" in line["event"]]


async def test_what_only_the_world_hears_waits_out_a_refusal_that_passes(
    user: User, rabbitmq_url: str
) -> None:
    user.may()
    async with rabbit(user.url) as broker, by_hand(rabbitmq_url) as channel:
        await broker.declare()
        await channel.queue_declare("listener", exclusive=True)
        await channel.queue_bind("listener", WORLD, routing_key="#")
        user.may(write="^$", configure="^$")

        refused = [await broker.publish(order_events(1, type=UNHEARD)) for _ in range(3)]
        user.may()
        async with asyncio.timeout(5.0):
            while not await broker.publish(order_events(1, type=UNHEARD)):
                await asyncio.sleep(0.1)

        assert refused == [frozenset()] * 3
        assert (await channel.basic_get("listener", no_ack=True)).body


async def test_who_may_configure_nothing_is_told_which_names_and_what_to_do(user: User) -> None:
    user.may(configure="^$")
    with capture_logs() as lines:
        async with rabbit(user.url) as broker:
            await broker.declare()
            assert all("refused for user 'clerk'" in text for text in broker.names().values())

            user.may()
            await broker.declare()
            assert broker.names() == dict.fromkeys(NAMES, "")
    assert sorted(wrong_names(lines)) == sorted(NAMES)
    assert all("set_permissions" in x["what_to_do"] for x in lines if x["event"] == WRONG)


async def test_who_may_not_read_is_told_once_and_hears_when_he_may(
    user: User, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "IDLE_S", 0.1)
    async with rabbit(rabbitmq_url) as owner:
        await owner.declare()
    user.may(read=r"^holdfast\.dead$")
    inbox = Inbox()
    with capture_logs() as lines:
        async with rabbit(user.url) as broker, consuming(broker, inbox):
            await relay(broker, order_events(1))
            await asyncio.sleep(0.4)
            assert set(wrong_names(lines)) == {QUEUE, f"{QUEUE}.dead"}
            assert broker.names()[QUEUE]

            user.may()

            await inbox.has(1)
            await relay(broker, order_events(1, first=2))


async def told(url: str) -> str:
    async with rabbit(url) as broker:
        with pytest.raises(BrokerUnavailable) as refusal:
            await broker.declare()
        assert not broker.is_up()
        return str(refusal.value)


async def test_a_url_that_leads_nowhere_says_why_and_what_to_do_and_no_secret(
    user: User, rabbitmq_server: RabbitmqServer
) -> None:
    http = rabbitmq_server._http_port
    words = {
        user.url_with(): "refuses the vhost",  # no permission yet
        user.url_with(password="hunter2"): "check user and password",
        user.url_with(path="/nowhere"): "the vhost is what follows the last /",
        user.url_with(port=http): "the port is usually 5672",
        user.url_with().replace("amqp:", "amqps:"): "",
        user.url_with(port=free_port()): "Connect call failed",
    }
    for url, word in words.items():
        said = await told(url)
        assert word in said, url
        assert urlsplit(url).netloc.rpartition("@")[2] in said
        assert "secret" not in said
        assert "hunter2" not in said
