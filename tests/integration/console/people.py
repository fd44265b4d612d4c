"""Browsers without scripts: they follow links, fill in forms and keep cookies."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from html import unescape
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import unquote_plus

import httpx2

from holdfast.client import Holdfast, OrderLine
from tests.integration.conftest import RunningHoldfast, eventually

ROOT = "/console"


class Fields(HTMLParser):
    """The fields of the form that is sent to a path, as a browser would send them."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action, self._inside, self._select = action, False, ""
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self._inside = told.get("action") == self._action
        elif self._inside and tag == "input":
            kind, name = told.get("type"), told.get("name") or ""
            if kind not in ("radio", "checkbox") or "checked" in told:
                self.found[name] = told.get("value") or ""
        elif self._inside and tag == "select":
            self._select = told.get("name") or ""
        elif (
            self._inside
            and tag == "option"
            and (self._select not in self.found or "selected" in told)
        ):
            self.found[self._select] = told.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class Browser:
    """One browser, with its cookies; it says where its requests come from, as browsers do."""

    def __init__(self, address: str) -> None:
        self.http = httpx2.AsyncClient(base_url=f"http://{address}", timeout=20.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.aclose()

    async def get(self, path: str, **how: Any) -> httpx2.Response:
        return await self.http.get(path, **how)

    async def post(
        self, path: str, fields: Mapping[str, str], site: str = "same-origin"
    ) -> httpx2.Response:
        headers = {"sec-fetch-site": site} if site else {}
        return await self.http.post(path, data=dict(fields), headers=headers)

    async def fill(self, page: str, action: str, **typed: str) -> httpx2.Response:
        """Open a page, fill in one of its forms, and send it."""
        opened = await self.get(page)
        assert opened.status_code == 200, opened.text
        return await self.send(opened, action, **typed)

    async def send(self, opened: httpx2.Response, action: str, **typed: str) -> httpx2.Response:
        """Fill in a form of a page that is open, and send it."""
        form = Fields(action)
        form.feed(opened.text)
        assert form.found, f"no form for {action}"
        return await self.post(action, form.found | typed)


class Shop:
    """A running Holdfast with its console, and one browser."""

    def __init__(self, holdfast: RunningHoldfast) -> None:
        self.holdfast = holdfast
        self.address = holdfast.addresses.http
        self.browser = Browser(self.address)

    @property
    def client(self) -> Holdfast:
        return self.holdfast.client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.browser.http.aclose()

    async def sign_in(self, key: str) -> httpx2.Response:
        return await self.browser.post(f"{ROOT}/sign-in", {"key": key, "next": ""})

    async def placed(self, product: str = "LAMP", quantity: int = 2, **how: Any) -> str:
        """An order that is decided."""
        placed = await self.client.orders.create(
            how.pop("customer_id", "c-17"), [OrderLine(product, quantity)], wait_s=10.0, **how
        )
        return placed.order_id


def shown(page: httpx2.Response) -> list[str]:
    """The orders that a list shows, in its order."""
    return re.findall(rf'<a class="code" href="{ROOT}/orders/([0-9a-f-]{{36}})">', page.text)


async def walked(
    browser: Browser, page: str, seen: Callable[[httpx2.Response], list[str]]
) -> list[str]:
    """What a list shows on all its pages, of which it may have ten."""
    found: list[str] = []
    for _ in range(10):
        answer = await browser.get(page)
        assert answer.status_code == 200, answer.text
        found += seen(answer)
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        if link is None:
            return found
        page = unescape(link[1])
    raise AssertionError(f"the list does not end: {found}")


def goods(page: httpx2.Response) -> list[str]:
    """The products that a list shows, in its order."""
    found = re.findall(rf'<td class="long"><a href="{ROOT}/stock\?id=([^"]+)">', page.text)
    return [unquote_plus(one) for one in found]


@asynccontextmanager
async def colleague(shop: Shop, role: str, page: str) -> AsyncIterator[tuple[Browser, str]]:
    """Somebody else's browser, signed in by a key of a role, and what a page shows them."""
    made = await shop.client.keys.create(role, [role])
    browser = Browser(shop.address)

    async def seen() -> httpx2.Response:
        """Until Inventory has heard of the key, it knows nobody by it."""
        await browser.post(f"{ROOT}/sign-in", {"key": made.text})
        return await browser.get(page)

    try:
        found = await eventually(seen, lambda found: found.status_code == 200)
        yield browser, found.text
    finally:
        await browser.http.aclose()


async def brought(
    browser: Browser, kind: str, content: bytes, name: str = "a.csv", **typed: str
) -> httpx2.Response:
    """A file is chosen in the form, and the form sent."""
    form = Fields(f"{ROOT}/imports")
    form.feed((await browser.get(f"{ROOT}/files")).text)
    fields = {key: value for key, value in form.found.items() if key != "file"}
    return await browser.http.post(
        f"{ROOT}/imports",
        data=fields | {"kind": kind, **typed},
        files={"file": (name, content)},
        headers={"sec-fetch-site": "same-origin"},
    )


async def at_rest(browser: Browser, path: str) -> httpx2.Response:
    """The page of a file, when it moves no more."""
    return await eventually(lambda: browser.get(path), lambda page: f"{path}/stop" not in page.text)
