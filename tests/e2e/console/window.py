"""A window of Chromium that watches what a page complains about, and is looked at with axe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from holdfast.client import Holdfast, Money, OrderLine
from holdfast.embedded import Addresses
from testbed.keys import KEY

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PICTURES = Path(__file__).parents[3] / "docs" / "console"
WATCH = "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.blockedURI))"
LOOK = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', '))"""

TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [
    'the page is wider than its window', ...[...document.querySelectorAll('body *')].filter(
        one => one.getBoundingClientRect().right > innerWidth && !one.closest('.wide > *')
    ).map(one => one.outerHTML.slice(0, 120)).slice(0, 5)]"""


@dataclass(slots=True)
class Desk:
    """Where somebody works.

    :param complaints: what pages complained about.
    """

    browser: Browser
    at: Addresses
    client: Holdfast
    complaints: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://{self.at.http}{path}"

    @asynccontextmanager
    async def window(self, **how: Any) -> AsyncIterator[Page]:
        """A window of somebody who is signed in by their key."""
        context = await self.browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC"} | how)
        page = await context.new_page()
        page.on("console", lambda message: self.hear(message))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if how.get("java_script_enabled", True):
            await page.add_init_script(WATCH)
        await page.goto(self.url("/console"))
        await page.get_by_label("Your key").fill(KEY)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", level=1).wait_for()
        try:
            yield page
        finally:
            await context.close()

    def hear(self, message: Any) -> None:
        """Take down what a page complains about."""
        # That a page was answered 4xx on purpose is told as an error too.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    async def placed(self, customer_id: str = "c-17", quantity: int = 2, **how: Any) -> str:
        lines = [OrderLine("LAMP-RED", quantity)]
        made = await self.client.orders.create(customer_id, lines, wait_s=10.0, **how)
        return made.order_id


@asynccontextmanager
async def desk_on(browser: Browser, at: Addresses) -> AsyncIterator[Desk]:
    """A desk with some goods; at its end, no page may have complained."""
    async with Holdfast(at.orders, at.inventory, key=KEY, notifier=at.notifier) as client:
        await client.inventory.create_product(
            "LAMP-RED", unit_price=Money("GBP", 1250), name="Red lamp"
        )
        await client.inventory.set_stock("LAMP-RED", 40)
        desk = Desk(browser, at, client)
        yield desk
        assert desk.complaints == []


async def flaws_of(page: Page) -> list[str]:
    """What axe finds wrong with a page for people who see, hear or move otherwise.

    It is run in the page's own world by the browser's tools, which its policy does not bind.
    """
    await page.evaluate(AXE.read_text() + "\n;undefined")
    found = await page.evaluate(LOOK)
    return [*found, *await page.evaluate(TOO_WIDE)]


async def picture(page: Page, name: str) -> None:
    """Keep a picture of a page for the docs, where it is asked for."""
    await page.screenshot(path=PICTURES / f"{name}.png")
