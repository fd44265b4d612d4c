"""Signing in and out at a provider in Chromium, under the policy that our pages have."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from holdfast import embedded
from holdfast.chassis.identity.issuers import Issuer
from holdfast.console.settings import SignInSettings
from holdfast.home import in_folder
from testbed.keys import KEY
from testbed.oidc import AUDIENCE, answers, new_key
from testbed.oidc_codes import (
    CLIENT_ID,
    CLIENT_SECRET,
    LOGOUT,
    CodeProvider,
    signing_people_in,
)
from testbed.processes import free_port
from tests.e2e.console.window import WATCH, Desk, desk_on, flaws_of


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def provider(port: int) -> Iterator[CodeProvider]:
    back = f"http://127.0.0.1:{port}/console/sign-in/back"
    with signing_people_in([back], new_key("EC")) as found:
        found.access["scope"] = "orders:read stock:read"
        found.answers[LOGOUT] = answers(200, b"<h1>Bye</h1>", content_type="text/html")
        yield found


@pytest.fixture
async def desk(
    chromium: Browser, tmp_path: Path, port: int, provider: CodeProvider
) -> AsyncIterator[Desk]:
    issuer = Issuer(issuer=provider.url, audiences=(AUDIENCE,), name="staff")
    sign_in = SignInSettings.model_validate(
        {
            "oidc_issuer": provider.url,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
        }
    )
    async with (
        embedded.running(
            in_folder(tmp_path / "data"),
            http_port=port,
            operator_key=KEY,
            issuers=(issuer,),
            sign_in=sign_in,
        ) as at,
        desk_on(chromium, at) as found,
    ):
        yield found


async def test_somebody_signs_in_at_the_provider_and_out_of_both(
    desk: Desk, provider: CodeProvider
) -> None:
    page = await desk.browser.new_page(locale="en-GB")
    page.on("console", lambda message: desk.hear(message))
    await page.add_init_script(WATCH)
    await page.goto(desk.url("/console/products"))
    flaws = await flaws_of(page)
    await page.get_by_role("link", name="Sign in at 127.0.0.1").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Products")
    assert urlsplit(page.url).path == "/console/products"

    await page.get_by_role("button", name="Sign out anna@staff").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Bye")

    assert flaws == []
    assert page.url.startswith(provider.url + LOGOUT)
    await page.goto(desk.url("/console/products"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.close()
