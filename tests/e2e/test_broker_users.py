"""Each service is a user of its own at RabbitMQ, who may touch nothing but Holdfast's names."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from holdfast.client import Money, OrderLine, OrderStatus
from testbed.servers import RabbitmqServer
from testbed.services import SERVICES, settings_of
from tests.e2e.conftest import Clustered

RIGHTS = {  # as docs/identity.md has them
    "configure": r"^holdfast\.",
    "write": r"^(holdfast\.|amq\.default$)",
    "read": r"^holdfast\.",
}
LAMP = "LAMP-RED"


@pytest.fixture
def users(clustered: Clustered, rabbitmq_server: RabbitmqServer) -> Iterator[dict[str, str]]:
    """A user for each service, which it goes by from its next start; by service."""
    vhost = quote(clustered.vhost, safe="")
    found = {service: f"{service}-{clustered.vhost}" for service in SERVICES}
    _, _, place = clustered.broker.rpartition("@")
    for service, user in found.items():
        rabbitmq_server.api("PUT", f"/api/users/{user}", {"password": "of-its-own", "tags": ""})
        rabbitmq_server.api("PUT", f"/api/permissions/{vhost}/{user}", RIGHTS)
        url = f"amqp://{user}:of-its-own@{place}"
        clustered.process_environment |= settings_of(service, broker=url)
    yield found
    for user in found.values():
        rabbitmq_server.api("DELETE", f"/api/users/{user}")


async def test_services_need_no_more_rights_than_to_their_own_names(
    clustered: Clustered, rabbitmq_server: RabbitmqServer, users: dict[str, str]
) -> None:
    clustered.start_all()
    async with clustered.client() as holdfast:
        await holdfast.inventory.create_product(LAMP, unit_price=Money.parse("12.50", "GBP"))
        await holdfast.inventory.set_stock(LAMP, 3)
        placed = await holdfast.orders.create("c-1", [OrderLine(LAMP, 2)], wait_s=20)

    assert placed.status is OrderStatus.CONFIRMED
    clustered.require_soundness()
    for service in SERVICES:
        assert "can't be used as Holdfast needs it" not in clustered.log(service)
