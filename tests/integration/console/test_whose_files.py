"""Whose a file is that was brought: somebody's for as long as it is there, and nobody else's."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from testbed.oidc import new_key
from testbed.oidc_codes import CodeProvider, sign_in_at, signing_people_in
from testbed.processes import free_port
from tests.integration.conftest import EMBEDDED, Ground, eventually, running
from tests.integration.console.people import ROOT, Browser, Shop, at_rest, brought

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
RIGHTS = "orders:read stock:read products:write imports:write"
PRODUCTS = b"product_id,name,unit_price\nLAMP,Lamp,12.50\n"
MOVING = ("looking", "taking")


@pytest.fixture
def at() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def provider(at: str) -> Iterator[CodeProvider]:
    with signing_people_in([f"http://{at}{ROOT}/sign-in/back"], new_key("EC")) as found:
        found.access["scope"] = RIGHTS
        yield found


@pytest.fixture
async def shop(ground: Ground, at: str, provider: CodeProvider) -> AsyncIterator[Shop]:
    async with (
        running(ground, http_at=at, **sign_in_at(provider)) as holdfast,
        Shop(holdfast) as found,
    ):
        yield found


async def sign_in(browser: Browser) -> None:
    there = await browser.get(f"{ROOT}/sign-in/provider")
    async with Browser("provider") as elsewhere:
        back = await elsewhere.get(there.headers["location"])
    assert (await browser.get(back.headers["location"])).status_code == 303


async def test_a_file_stays_its_owner_s_when_their_token_is_renewed(
    shop: Shop, provider: CodeProvider
) -> None:
    provider.life_s = 60
    await sign_in(shop.browser)
    sent = await brought(shop.browser, "products", PRODUCTS)
    path = sent.headers["location"]
    await at_rest(shop.browser, path)
    with pytest.MonkeyPatch.context() as late:
        late.setattr("holdfast.console.leases.ProviderLease.is_due", lambda _: True)
        seen = [await shop.browser.get(path) for _ in range(3)]
        listed = await shop.browser.get(f"{ROOT}/files")
    taken = await shop.browser.post(f"{path}/take", {})

    assert provider.renewed == 4
    assert [one.status_code for one in seen] == 3 * [200]
    assert path in listed.text
    assert taken.status_code == 303
    assert "Taken in" in (await at_rest(shop.browser, path)).text


async def test_two_with_tokens_of_one_number_see_nothing_of_each_other(
    shop: Shop, provider: CodeProvider
) -> None:
    provider.access["jti"] = "1"
    await sign_in(shop.browser)
    path = (await brought(shop.browser, "products", PRODUCTS)).headers["location"]
    provider.access["sub"] = provider.identity["sub"] = "bert"

    async with Browser(shop.address) as other:
        await sign_in(other)
        seen = await other.get(path)
        listed = await other.get(f"{ROOT}/files")

    assert seen.status_code == 404
    assert path not in listed.text


async def test_a_program_goes_on_with_a_file_by_its_next_token(
    shop: Shop, provider: CodeProvider
) -> None:
    def by(number: int, **claims: Any) -> dict[str, str]:
        told: dict[str, Any] = {"jti": f"t-{number}", "scope": RIGHTS, **claims}
        return {"authorization": f"Bearer {provider.token(**told)}", "idempotency-key": "of-today"}

    async def state(number: int) -> str:
        seen = await eventually(
            lambda: http.get(path, headers=by(number)),
            lambda one: one.json()["state"] not in MOVING,
        )
        return str(seen.json()["state"])

    bring = "/files/imports/products?dry_run=true"
    async with httpx2.AsyncClient(base_url=f"http://{shop.address}", timeout=20.0) as http:
        sent = await http.post(bring, content=PRODUCTS, headers=by(1))
        again = await http.post(bring, content=PRODUCTS, headers=by(2))
        path = sent.headers["location"]
        assert again.headers["location"] == path
        assert (await http.get(path, headers=by(3, sub="bert"))).status_code == 404

        assert await state(3) == "looked"
        await http.post(f"{path}/take", headers=by(4, scope="imports:write stock:read"))
        assert await state(5) == "broken_off", "the rights are those of the token that asks"
        await http.post(f"{path}/take", headers=by(6))
        assert await state(7) == "taken"
