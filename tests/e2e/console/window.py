"""Windows of Chromium that hear what pages complain about, and are looked at with axe."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page

from holdfast.client import Holdfast, Money, OrderLine
from testbed.keys import KEY

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
LOOK = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', '))"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [
    'the page is wider than its window', ...[...document.querySelectorAll('body *')].filter(
        one => one.getBoundingClientRect().right > innerWidth && !one.closest('.wide > *')
    ).map(one => one.outerHTML.slice(0, 120)).slice(0, 5)]"""

_numbers = count(1)


@dataclass(slots=True)
class Windows:
    """Those of a browser before a running Holdfast.

    :param at: http://HOST:PORT of the console.
    :param complaints: what pages complained about, violations of their policy among it.
    """

    browser: Browser
    at: str
    complaints: list[str] = field(init=False, default_factory=list)

    @asynccontextmanager
    async def window(self, *, key: str = KEY, **how: Any) -> AsyncIterator[Page]:
        """A window of somebody who is signed in by their key.

        :param key: "": who is not.
        """
        context = await self.browser.new_context(
            **{"base_url": self.at, "locale": "en-GB", "timezone_id": "UTC"} | how
        )
        if key:
            await context.request.post("/console/sign-in", form={"key": key}, headers=OURS)
        page = await context.new_page()
        self.listen(page)
        await page.goto("/console")
        try:
            yield page
        finally:
            await context.close()

    def listen(self, page: Page) -> None:
        """Take down what a page complains about. Browsers tell violations of a policy likewise."""
        page.on("console", lambda message: self._hear(message))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # That a page was answered 4xx on purpose is told as an error too.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


@dataclass(slots=True)
class Desk(Windows):
    """Where somebody works, and what goes on behind their back."""

    client: Holdfast

    async def goods(self, units: int = 10, **how: Any) -> str:
        """A product that nobody else has, with units of it at the location `main`."""
        product_id = f"LAMP-{next(_numbers):03}"
        await self.client.inventory.create_product(
            product_id, unit_price=Money("GBP", 1250), name="Red lamp", **how
        )
        if units:
            await self.client.inventory.set_stock(product_id, units)
        return product_id

    async def placed(
        self, goods: str | Sequence[str] = "", quantity: int = 2, customer_id: str = "", **how: Any
    ) -> str:
        """An order that is decided, of a customer who has no other unless it is said whose."""
        named = [goods] if isinstance(goods, str) else goods
        lines = [OrderLine(one or await self.goods(), quantity) for one in named]
        whose = customer_id or f"c-{next(_numbers):03}"
        return (await self.client.orders.create(whose, lines, wait_s=10.0, **how)).order_id


OURS = {"sec-fetch-site": "same-origin"}  # as browsers say of forms of our own pages


async def flaws_of(page: Page) -> list[str]:
    """What axe finds wrong with a page for people who see, hear or move otherwise; and whether it
    is wider than its window.

    It is run in the page's own world by the browser's tools, which its policy does not bind.
    """
    await page.evaluate(AXE + "\n;undefined")
    found: list[str] = await page.evaluate(LOOK)
    return [*found, *await page.evaluate(TOO_WIDE)]
