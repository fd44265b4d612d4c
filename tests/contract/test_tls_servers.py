"""PostgreSQL and RabbitMQ over TLS, checked to the last: whoever is not who we mean is not used."""

import asyncio
from collections.abc import Iterator

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import current_revision, migrate, newest_revision
from holdfast.chassis.database.seam import DatabaseUnavailable
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from testbed.authority import Authority
from testbed.processes import temporary_folder
from testbed.servers import PostgresServer, RabbitmqServer, postgres, rabbitmq


@pytest.fixture(scope="module")
def authorities() -> Iterator[tuple[Authority, Authority]]:
    """One that issued the servers' certificates, and a stranger."""
    with temporary_folder() as folder:
        yield Authority(folder, "ours"), Authority(folder, "others")


@pytest.fixture(scope="module")
def database_server(authorities: tuple[Authority, Authority]) -> Iterator[PostgresServer]:
    certificate = authorities[0].issue("postgres", "localhost")
    with temporary_folder() as folder, postgres(folder, certificate) as server:
        yield server


@pytest.fixture(scope="module")
def broker_server(authorities: tuple[Authority, Authority]) -> Iterator[RabbitmqServer]:
    certificate = authorities[0].issue("rabbitmq", "localhost")
    with temporary_folder() as folder, rabbitmq(folder, certificate) as server:
        yield server
        server.kill()


async def test_postgresql_is_migrated_and_used_over_tls_that_is_checked(
    database_server: PostgresServer, authorities: tuple[Authority, Authority]
) -> None:
    database_server.create_database("orders")
    at = database_server.url("orders").replace("127.0.0.1", "localhost")
    url = f"{at}?sslmode=verify-full&sslrootcert={authorities[0].ca}"

    await asyncio.to_thread(migrate, "orders", url)

    async with connect(url, wait=False) as database:
        assert await current_revision(database) == newest_revision("orders")
        async with database.read() as reading:
            (used,) = await reading.fetch(
                "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            )
        assert (used["ssl"], used["version"]) == (True, "TLSv1.3")
        leadership = database.leadership("orders")
        assert await leadership.held()
        await leadership.release()


async def test_postgresql_with_another_name_or_of_another_authority_is_not_used(
    database_server: PostgresServer, authorities: tuple[Authority, Authority]
) -> None:
    ours, others = authorities
    by_number = database_server.url("postgres")
    by_name = by_number.replace("127.0.0.1", "localhost")
    for url, why in (
        (f"{by_number}?sslmode=verify-full&sslrootcert={ours.ca}", "IP address mismatch"),
        (f"{by_name}?sslmode=verify-full&sslrootcert={others.ca}", "certificate verify failed"),
    ):
        with pytest.raises(DatabaseUnavailable, match=why):
            async with connect(url, wait=False):
                pass


async def test_rabbitmq_is_used_over_tls_that_is_checked(
    broker_server: RabbitmqServer, authorities: tuple[Authority, Authority]
) -> None:
    url = f"{broker_server.tls_url()}?cafile={authorities[0].ca}"
    broker = RabbitMQ(url, subscriptions=[ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS])

    await broker.declare()

    assert broker.is_up()
    connections = broker_server.ctl("list_connections", "ssl", "ssl_protocol")
    assert "tlsv1.3" in connections
    assert "false" not in connections
    await broker.close()


async def test_rabbitmq_with_another_name_or_of_another_authority_is_not_used(
    broker_server: RabbitmqServer, authorities: tuple[Authority, Authority]
) -> None:
    ours, others = authorities
    for url, why in (
        (f"{broker_server.tls_url(host='127.0.0.1')}?cafile={ours.ca}", "IP address mismatch"),
        (f"{broker_server.tls_url()}?cafile={others.ca}", "certificate verify failed"),
        (broker_server.tls_url(), "certificate verify failed"),
    ):
        broker = RabbitMQ(url, subscriptions=[])
        with pytest.raises(BrokerUnavailable, match=why):
            await broker.declare()
        await broker.close()


async def test_tls_to_a_plain_port_of_the_broker_names_the_usual_ports(
    broker_server: RabbitmqServer, authorities: tuple[Authority, Authority]
) -> None:
    tls_to_plain = broker_server.url().replace("amqp://", "amqps://")
    plain_to_tls = broker_server.tls_url().replace("amqps://", "amqp://")
    for url in (f"{tls_to_plain}?cafile={authorities[0].ca}", plain_to_tls):
        broker = RabbitMQ(url, subscriptions=[])
        with pytest.raises(BrokerUnavailable, match="5671 for amqps"):
            await broker.declare()
        await broker.close()
