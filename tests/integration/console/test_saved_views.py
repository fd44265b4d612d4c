"""Saved views: a list with its filter, kept under a name for one or for all, and for good."""

import re

import httpx2
import pytest

from tests.integration.conftest import EMBEDDED
from tests.integration.console.people import ROOT, Browser, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
PAGE = f"{ROOT}/views"
LATE = f"{ROOT}/orders?status=PENDING&status=RESERVED&customer_id=c+%26+1"
HOSTILE = '"><script>alert(1)</script>'


def linked(page: httpx2.Response) -> dict[str, str]:
    """The saved views that a page leads to, by name."""
    found = re.findall(rf'<a href="({ROOT}/[a-z-]+\?[^"]*)"[^>]*>([^<]+)</a>', page.text)
    return {name: url.replace("&amp;", "&") for url, name in found}


async def test_a_view_is_saved_shown_above_its_list_renamed_and_deleted(shop: Shop) -> None:
    opened = await shop.browser.get(f"{LATE}&after=x&said=y")
    saved = await shop.browser.send(opened, PAGE, name="Late ones")
    again = await shop.browser.send(opened, PAGE, name="Late ones")
    page = await shop.browser.get(saved.headers["location"])

    assert (saved.status_code, again.status_code) == (303, 303)
    assert saved.headers["location"] == f"{LATE}&said=view_saved"
    assert "The view is saved." in page.text
    assert linked(page)["Late ones"] == LATE
    assert "Late ones" not in (await shop.browser.get(f"{ROOT}/to-ship")).text
    listed = await shop.browser.get(PAGE)
    (change,) = re.findall(rf'action="({PAGE}/[^"]+/change)"', listed.text)  # the repeat made none
    await shop.browser.send(listed, change, name=HOSTILE)
    renamed = await shop.browser.get(f"{ROOT}/orders")
    assert HOSTILE not in renamed.text
    assert "&lt;script&gt;" in renamed.text
    for _ in range(2):
        gone = await shop.browser.post(change.replace("/change", "/delete"), {})
        assert gone.headers["location"] == f"{PAGE}?said=view_deleted"
    assert "There are none." in (await shop.browser.get(PAGE)).text


async def test_a_flawed_filter_is_saved_and_told_of_with_the_list(shop: Shop) -> None:
    opened = await shop.browser.get(f"{ROOT}/orders?status=NONSENSE")
    saved = await shop.browser.send(opened, PAGE, name="odd")
    page = await shop.browser.get(saved.headers["location"])
    assert page.status_code == 200
    assert "There is no status NONSENSE." in page.text


async def test_others_see_what_is_for_all_and_what_they_may_and_change_nothing(shop: Shop) -> None:
    for page, name, shared in (
        ("orders?customer_id=c-1", "mine", {}),
        ("orders?customer_id=c-2", "for all", {"shared": "yes"}),
        ("customers?email=x", "customers", {"shared": "yes"}),
    ):
        await shop.browser.fill(f"{ROOT}/{page}", PAGE, name=name, **shared)
    change = re.findall(rf'action="({PAGE}/[^"]+/change)"', (await shop.browser.get(PAGE)).text)
    key = await shop.client.keys.create("ann", ["orders:read"])
    async with Browser(shop.address) as browser:
        await browser.post(f"{ROOT}/sign-in", {"key": key.text, "next": ""})
        seen = await browser.get(PAGE)
        tried = [await browser.post(one, {"name": "stolen", "shared": "yes"}) for one in change]
        for one in change:
            await browser.post(one.replace("/change", "/delete"), {})
    mine = linked(await shop.browser.get(PAGE))

    assert "for all" in linked(seen)
    assert {"mine", "customers"}.isdisjoint(linked(seen))
    assert "/change" not in seen.text
    assert [one.status_code for one in tried] == [404, 404, 404]
    assert {"mine", "for all", "customers"} <= set(mine)


async def test_what_is_no_list_or_no_name_is_not_saved(shop: Shop) -> None:
    for path, query, name, told in (
        ("//evil.example", "", "x", "no list"),
        ("https://evil.example/orders", "", "x", "no list"),
        ("/orders/../keys", "", "x", "no list"),
        ("/keys", "", "x", "no list"),
        ("", "", "x", "no list"),
        ("/orders", "a=" + "b" * 2_000, "x", "too long"),
        ("/orders", "a=b&" * 200, "x", "too long"),
        ("/orders", "", " ", "aria-invalid"),
        ("/orders", "", "x" * 61, "aria-invalid"),
        ("/orders", "", "two\nlines", "aria-invalid"),
    ):
        answer = await shop.browser.post(PAGE, {"path": path, "query": query, "name": name})
        assert answer.status_code == 400, path
        assert told in answer.text
        assert "There are none." in answer.text


async def test_a_query_is_nothing_but_a_query(shop: Shop) -> None:
    query = "//evil.example\r\nset-cookie: a=b&status=\x00&x=" + HOSTILE
    saved = await shop.browser.post(PAGE, {"path": "/orders", "query": query, "name": "x"})
    page = await shop.browser.get(saved.headers["location"])
    assert saved.headers["location"].startswith(f"{ROOT}/orders?%2F%2Fevil.example%0Aset-cookie")
    assert "set-cookie" not in saved.headers
    assert page.status_code == 200
    assert HOSTILE not in page.text
