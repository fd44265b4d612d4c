"""Signing in and out at a provider in Chromium, under the policy that our pages have."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from holdfast import embedded
from holdfast.home import in_folder
from testbed.keys import KEY
from testbed.oidc import answers, new_key
from testbed.oidc_codes import LOGOUT, CodeProvider, sign_in_at, signing_people_in
from testbed.processes import free_port
from tests.e2e.console.journeys import AT_CONSOLE
from tests.e2e.console.window import Windows, flaws_of

pytestmark = AT_CONSOLE


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


async def test_somebody_signs_in_at_the_provider_and_out_of_both(
    chromium: Browser, tmp_path: Path, port: int, provider: CodeProvider
) -> None:
    home, known = in_folder(tmp_path / "data"), sign_in_at(provider)
    async with embedded.running(home, http_port=port, operator_key=KEY, **known):
        windows = Windows(chromium, f"http://127.0.0.1:{port}")
        async with windows.window(key="") as page:
            await page.goto("/console/products")
            flaws = await flaws_of(page)
            await page.get_by_role("link", name="Sign in at 127.0.0.1").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Products")
            assert urlsplit(page.url).path == "/console/products"

            await page.get_by_role("button", name="Sign out anna@staff").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Bye")

            assert flaws == []
            assert page.url.startswith(provider.url + LOGOUT)
            await page.goto("/console/products")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")

    assert windows.complaints == []
