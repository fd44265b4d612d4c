"""Every screen is for everybody: light and dark, on a telephone and wide; on every change each is
looked at in one of these looks, and by `make proof` in all. `make pictures` keeps some of them.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.console.conftest import Place
from tests.e2e.console.journeys import AT_CONSOLE
from tests.e2e.console.people import ByMouse
from tests.e2e.console.screens import SCREENS, Screen, furnished, of_this_window
from tests.e2e.console.window import Desk, flaws_of

pytestmark = AT_CONSOLE
LOOKS = [*product(("light", "dark"), (360, 800, 1280))]
HEIGHT = 800
DOCS = Path(__file__).parents[3] / "docs" / "console"
# Pictures by how their names end: of which look, and how large.
PICTURES = {"wide": (("light", 1280), (940, 450)), "phone": (("dark", 360), (360, 600))}


def looks() -> Iterator[Any]:
    for number, look in enumerate(LOOKS):
        yield pytest.param(*look, SCREENS[number :: len(LOOKS)], id=f"{look} some")
        yield pytest.param(*look, SCREENS, id=f"{look} all", marks=pytest.mark.proof)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(embedded_place: Place) -> dict[str, str]:
    async with embedded_place.system.client() as client:
        return await furnished(client)


@pytest.mark.parametrize(("scheme", "width", "screens"), [*looks()])
async def test_every_screen_is_for_everybody(
    desk: Desk, shop: dict[str, str], scheme: str, width: int, screens: Sequence[Screen]
) -> None:
    how: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": HEIGHT},
    }
    flaws: dict[str, list[str]] = {}
    async with desk.window(**how) as page:
        there = await of_this_window(page.context, shop)
        for screen in screens:
            flaws[str(screen)] = await seen(page, screen, there)
            if screen.picture and "HOLDFAST_PICTURES" in os.environ:
                await keep(page, screen.picture, (scheme, width))

    assert {one: found for one, found in flaws.items() if found} == {}


async def keep(page: Page, picture: str, seen_in: tuple[str, int]) -> None:
    """Keep a picture for the docs, if it is of this look."""
    look, (width, height) = PICTURES[picture.rpartition("-")[2]]
    if look == seen_in:
        await page.set_viewport_size({"width": width, "height": height})
        await page.screenshot(path=DOCS / f"{picture}.png")
        await page.set_viewport_size({"width": look[1], "height": HEIGHT})


async def seen(page: Page, screen: Screen, there: dict[str, str]) -> list[str]:
    """What is wrong with it."""
    somebody, flaws = ByMouse(page), []
    await somebody.go(screen.path.format_map(there))
    for name in screen.unfold:
        await somebody.unfold(name)
        flaws += await flaws_of(page)
    for name in screen.press:
        await somebody.press(name)
    if screen.press or not screen.unfold:
        flaws += await flaws_of(page)
    return flaws
