"""Holdfast as people have it, with its console, and Chromium: both are there once for a whole run.

What a page does wrong fails the test that opened it.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from testbed.cluster import Console
from testbed.processes import free_port
from testbed.services import clear_environment, settings_of
from tests.e2e.conftest import System, made
from tests.e2e.console.people import WAYS, Person
from tests.e2e.console.window import Desk

CHROMIUM = Path("/usr/bin/chromium")
PICTURES = Path(__file__).parents[3] / "build" / "journeys"


@dataclass(frozen=True, slots=True)
class Place:
    """A running Holdfast.

    :param console: http://HOST:PORT where browsers come to.
    """

    mode: str
    system: System
    console: str


@pytest.fixture(scope="session")
def embedded_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder, address = tmp_path_factory.mktemp("embedded"), f"127.0.0.1:{free_port()}"
    with made("embedded", folder, request) as system:
        up = system.services["up"]
        up.command[up.command.index("--http-port") + 1] = address.rpartition(":")[2]
        up.environment = dict(up.environment) | settings_of("up", webhook_loopback=True)
        system.start_all()
        yield Place("embedded", system, f"http://{address}")


@pytest.fixture(scope="session")
def cluster_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder, address = tmp_path_factory.mktemp("cluster"), f"127.0.0.1:{free_port()}"
    with made("with notifier", folder, request) as system:
        console = Console(folder, address, system.addresses, clear_environment())
        system.services["console"] = console
        system.parts = tuple(system.services)
        system.start_all()
        yield Place("cluster", system, f"http://{address}")


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """Holdfast in one of its modes, embedded unless a test says otherwise."""
    found: Place = request.getfixturevalue(f"{getattr(request, 'param', 'embedded')}_place")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is not installed: run `make servers`"
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(chromium: Browser, place: Place) -> AsyncIterator[Desk]:
    """At a test's end, no page may have complained."""
    async with place.system.client() as client:
        desk = Desk(chromium, place.console, client)
        yield desk
    assert desk.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def person(request: pytest.FixtureRequest, desk: Desk, place: Place) -> AsyncIterator[Person]:
    """Somebody who is signed in, in one of the ways. Where their journey ends is kept as a picture,
    and is for everybody.
    """
    kind = WAYS[request.param]
    async with desk.window(**kind.how) as page:
        found = kind(page)
        yield found
        folder = PICTURES / place.mode / kind.way
        folder.mkdir(parents=True, exist_ok=True)
        name = request.node.originalname.removeprefix("test_")
        await page.screenshot(path=folder / f"{name}.png")
        assert await found.flaws() == []
