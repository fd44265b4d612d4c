"""Holdfast with its console, and Chromium: what a page does wrong fails the test that opened it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from holdfast import embedded
from holdfast.home import in_folder
from testbed.keys import KEY
from tests.e2e.console.window import Desk, desk_on

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is not installed: run `make servers`"
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def desk(chromium: Browser, tmp_path: Path) -> AsyncIterator[Desk]:
    async with (
        embedded.running(in_folder(tmp_path / "data"), http_port=0, operator_key=KEY) as at,
        desk_on(chromium, at) as found,
    ):
        yield found
