"""Orders are looked at, found and printed while Inventory is away: they are Orders' alone."""

from collections.abc import AsyncIterator

import pytest

from holdfast.chassis.http.server import serving_http
from holdfast.client import Details, Money, ReturnLine, new_request_id
from holdfast.console import service
from testbed.keys import KEY
from testbed.processes import free_port
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Browser, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        inventory = found.client.inventory
        await inventory.create_product("LAMP", unit_price=Money("GBP", 1250), name="Lamp, red")
        await inventory.set_stock("LAMP", 10)
        yield found


async def test_an_order_is_looked_at_found_and_printed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CALL_S_MAX", 1.0)
    order_id = await shop.placed(details=Details(reference="WEB-7"))
    orders, away = shop.client.orders, f"127.0.0.1:{free_port()}"
    await orders.ship(order_id)
    await orders.open_return(order_id, [ReturnLine(1, 1)], request_id=new_request_id())
    ready = await shop.placed()
    async with (
        service.mounted((shop.holdfast.addresses.orders, away, away)) as console,
        serving_http(ANYWHERE, [], mounted=[console]) as address,
        Browser(address) as clerk,
    ):
        await clerk.post(f"{ROOT}/sign-in", {"key": KEY})
        page = await clerk.get(f"{ROOT}/orders/{order_id}")
        at = f"{ROOT}/orders/{order_id}/receive"
        received = await clerk.send(page, at, **{"units-1": "1", "disposition": "RESTOCK"})
        found = [await clerk.get(f"{ROOT}/find?q={one}") for one in ("WEB-7", "LAMP")]
        told = [
            await clerk.get(f"{ROOT}{path}")
            for path in (f"/orders/{order_id}/confirmation", "/to-ship", "/pick-list")
        ]

    assert page.status_code == 200
    assert received.status_code == 303, received.text
    assert found[0].headers["location"] == f"{ROOT}/orders/{order_id}"
    assert (found[1].status_code, "does not answer" in found[1].text) == (503, True)
    assert [one.status_code for one in told] == [200] * 3
    assert all(ready in one.text for one in told[1:])
