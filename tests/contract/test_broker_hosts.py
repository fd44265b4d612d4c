"""A cluster of RabbitMQ nodes has several addresses: the link takes whichever answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from holdfast.chassis.clock import shuffled
from holdfast.chassis.messaging import rabbitmq_link
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.rabbitmq_url import urls_by_host
from testbed.processes import free_port
from tests.contract.test_broker import Inbox, consuming, order_events, rabbit, relay


@pytest.mark.parametrize(
    ("url", "by_host"),
    [
        ("amqp://u:p@one/v", ["amqp://u:p@one/v"]),
        ("amqp://one,two:7/", ["amqp://one/", "amqp://two:7/"]),
        (
            "amqps://u:a%2C%40b@one:5671,[::1]:5672/%2F?verify=1,2",
            [
                "amqps://u:a%2C%40b@one:5671/%2F?verify=1,2",
                "amqps://u:a%2C%40b@[::1]:5672/%2F?verify=1,2",
            ],
        ),
    ],
)
def test_a_url_of_several_hosts_is_one_of_each(url: str, by_host: list[str]) -> None:
    assert urls_by_host(url) == by_host


@asynccontextmanager
async def silent_host() -> AsyncIterator[str]:
    """It takes connections and says nothing, as a frozen node does."""
    ends: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, end: ends.append(end), "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for end in ends:
            end.transport.abort()


async def test_hosts_that_are_away_or_silent_are_passed_over(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_link, "ANSWER_TIMEOUT_S", 6.0)  # two for each host
    monkeypatch.setattr(rabbitmq_link, "shuffled", list)  # the living one comes last
    living, inbox = urlsplit(rabbitmq_url).netloc.rpartition("@")[2], Inbox()

    async with silent_host() as silent:
        url = rabbitmq_url.replace(living, f"127.0.0.1:{free_port()},{silent},{living}")
        async with rabbit(url) as broker, consuming(broker, inbox):
            await relay(broker, order_events(1))
            await inbox.has(1)


async def test_when_no_host_answers_each_is_named_with_its_reason() -> None:
    ports = [free_port(), free_port()]
    url = f"amqp://u:p@127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}/"

    async with rabbit(url) as broker:
        with pytest.raises(BrokerUnavailable) as refusal:
            await broker.publish(order_events(1))

    assert all(str(port) in str(refusal.value) for port in ports)


async def test_connections_spread_over_the_hosts() -> None:
    hosts = [str(number) for number in range(3)]

    assert {shuffled(hosts)[0] for _ in range(100)} == set(hosts)
