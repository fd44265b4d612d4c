"""Services run by what the chart renders: their environment and arguments, and no others."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from holdfast.client import Holdfast, Money, OrderLine, OrderStatus
from testbed.processes import clean_environment, free_port, run
from testbed.servers import PostgresServer, RabbitmqServer
from testbed.services import HOLDFAST, Service
from tests.charts.chart import PARTS, Chart, Document, Rendered, container, environment
from tests.charts.value_sets import SETTINGS, WORKERS, Values

pytestmark = [pytest.mark.charts, pytest.mark.timeout(180)]

_numbers = count(1)


@pytest.fixture
def addresses(
    postgres_server: PostgresServer, rabbitmq_server: RabbitmqServer
) -> Iterator[dict[str, dict[str, str]]]:
    """Values of both services' Secrets: empty databases, and a vhost."""
    name = f"chart-{next(_numbers)}"
    rabbitmq_server.create_vhost(name)
    databases = {part: f"{name}-{part}" for part in PARTS}
    for database in databases.values():
        postgres_server.create_database(database)
    yield {
        part: {"database": postgres_server.url(database), "broker": rabbitmq_server.url(name)}
        for part, database in databases.items()
    }
    rabbitmq_server.leave_vhost(name)
    for database in databases.values():
        postgres_server.drop_database(database)


def values_for(addresses: Mapping[str, Mapping[str, str]]) -> Values:
    """What differs here from a cluster: ports that are free, and no names for addresses."""
    ports = {part: free_port() for part in PARTS}
    return {
        "orders": {
            "port": ports["orders"],
            "inventory": f"127.0.0.1:{ports['inventory']}",
            "secret": {"values": addresses["orders"]},
        },
        "inventory": {
            "port": ports["inventory"],
            "secret": {"values": addresses["inventory"]},
        },
    }


def address(workload: Document) -> str:
    (port,) = [
        one["containerPort"] for one in container(workload)["ports"] if one["name"] == "grpc"
    ]
    return f"127.0.0.1:{port}"


def service(rendered: Rendered, part: str, folder: Path) -> Service:
    deployment = rendered.deployment(part)
    return Service(
        part,
        container(deployment)["args"],
        folder=folder,
        addresses=[address(deployment)],
        environment=clean_environment() | environment(deployment, rendered.secrets()),
    )


@contextmanager
def running(rendered: Rendered, folder: Path) -> Iterator[Mapping[str, Service]]:
    """The migration has run, and then the services do; nothing else is told to them."""
    (job,) = rendered.of_kind("Job")
    run(
        "migration",
        [str(HOLDFAST), *container(job)["args"]],
        env=clean_environment() | environment(job, rendered.secrets()),
        cwd=folder,
    )
    services = {part: service(rendered, part, folder) for part in PARTS}
    try:
        for one in services.values():
            one.start()
        yield services
    finally:
        for one in services.values():
            one.stop()


async def place_an_order(rendered: Rendered) -> None:
    at = {part: address(rendered.deployment(part)) for part in PARTS}
    async with Holdfast(at["orders"], at["inventory"]) as holdfast:
        price = Money.parse("12.50", "GBP")
        await holdfast.inventory.create_product("LAMP", name="Lamp", unit_price=price)
        await holdfast.inventory.set_stock("LAMP", 5, reason="delivery")
        order = await holdfast.orders.create("c-17", [OrderLine("LAMP", 2)], wait_s=30)
        assert order.status == OrderStatus.CONFIRMED


async def test_an_order_is_placed_with_the_least_that_has_to_be_told(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    rendered = chart.render(values_for(addresses))

    with running(rendered, tmp_path):
        await place_an_order(rendered)


async def test_an_order_is_placed_with_every_setting_and_several_workers(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    rendered = chart.render(SETTINGS, WORKERS, values_for(addresses))

    with running(rendered, tmp_path):
        await place_an_order(rendered)


def test_a_service_ends_long_before_it_is_killed(
    chart: Chart, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    rendered = chart.render(values_for(addresses))

    with running(rendered, tmp_path) as services:
        for part, one in services.items():
            pod = rendered.deployment(part)["spec"]["template"]["spec"]
            started = time.monotonic()
            assert one.program.signal(signal.SIGTERM) == 0
            assert time.monotonic() - started < pod["terminationGracePeriodSeconds"] / 3


def test_the_image_begins_as_the_chart_expects() -> None:
    """Pods give arguments and no command: what stands before these is the image's own."""
    lines = (Path(__file__).parents[2] / "Dockerfile").read_text().splitlines()

    assert 'ENTRYPOINT ["holdfast"]' in lines
    assert "USER 10001" in lines
