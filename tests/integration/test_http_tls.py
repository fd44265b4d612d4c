"""Certificates of callers at a port of HTTP: who may come in, to whatever is there."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import httpx2

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import migrate
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.process.ports import PortSettings
from holdfast.home import in_folder
from holdfast.inventory import service
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from testbed.authority import Authority, Pair
from testbed.keys import KEY, SERVED
from tests.integration.conftest import ANYWHERE

PATHS = ("/v1/locations", "/openapi.json", "/beside")


class Beside:
    """What stands beside the services, such as the console."""

    name = "beside"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def stop(self) -> None:
        """Nothing goes on."""


async def statuses(address: str, authority: Authority, pair: Pair) -> list[int]:
    """What each of PATHS answers to whoever has a certificate, and a key."""
    context = ssl.create_default_context(cafile=authority.ca)
    context.load_cert_chain(*pair)
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(base_url=f"https://{address}", verify=context) as client:
        return [(await client.get(path, headers=headers)).status_code for path in PATHS]


async def test_a_certificate_with_a_name_on_the_list_opens_http_and_no_other_does(
    tmp_path: Path,
) -> None:
    authority, home = Authority(tmp_path, "ours"), in_folder(tmp_path / "data")
    await asyncio.to_thread(migrate, "inventory", home.inventory)
    server = authority.issue("server", "127.0.0.1")
    port = PortSettings(
        tls_certificate=server.certificate,
        tls_key=server.key,
        tls_client_ca=authority.ca,
        tls_client_names=("anna", "spiffe://shop/orders"),
    )
    broker = LocalBroker([ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS])
    async with (
        connect(home.inventory) as database,
        service.running(database, broker, **SERVED, port=port) as inventory,
        serving_http(ANYWHERE, inventory.http, port, mounted=[Beside()]) as address,
    ):
        found = {
            name: await statuses(address, authority, authority.issue(file, name))
            for file, name in (("a", "anna"), ("b", "spiffe://shop/orders"), ("c", "eve"))
        }

    assert found == {
        "anna": [200, 200, 200],
        "spiffe://shop/orders": [200, 200, 200],
        "eve": [403, 403, 403],
    }
