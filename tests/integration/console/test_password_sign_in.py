"""People who sign in to the console by a name and a password."""

import re

import pytest

from holdfast.client import Holdfast, Unauthenticated
from testbed.keys import KEY
from tests.integration.conftest import EMBEDDED, eventually
from tests.integration.console.people import ROOT, Browser, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
SIGN_IN = f"{ROOT}/sign-in"
PASSWORD, OTHER = "a lamp for the window", "a window for the lamp"
HOSTILE = "<b>Ann</b>"


async def keys_of(shop: Shop, name: str) -> list[bool]:
    """Of each key of a user, whether it is good."""
    return [one.revoke_time is None for one in await shop.client.keys.list() if one.user == name]


async def test_who_has_a_password_is_let_in_until_they_sign_out(shop: Shop) -> None:
    await shop.client.users.create("ann", ["viewer"], PASSWORD)
    async with Browser(shop.address) as browser:
        asked = await browser.get(f"{SIGN_IN}?next={ROOT}/products")
        wrong = await browser.send(asked, SIGN_IN, name=HOSTILE, password=OTHER)
        let_in = await browser.send(asked, SIGN_IN, name=" Ann", password=PASSWORD)
        there = await browser.get(let_in.headers["location"])
        webhooks = await browser.get(f"{ROOT}/webhooks")
        assert await keys_of(shop, "ann") == [True]
        device = {name: text for name, text in browser.http.cookies.items() if "device" in name}
        out = await browser.post(f"{ROOT}/sign-out", {})
        after = await browser.get(f"{ROOT}/products")

    for name in ("username", "current-password"):
        assert f'autocomplete="{name}"' in asked.text
    assert (wrong.status_code, let_in.status_code, there.status_code) == (401, 303, 200)
    assert "&lt;b&gt;Ann" in wrong.text
    assert HOSTILE not in wrong.text
    assert OTHER not in wrong.text
    assert let_in.headers["location"] == f"{ROOT}/products"
    assert "Sign out ann" in there.text
    assert webhooks.status_code == 403
    assert (out.status_code, after.status_code) == (303, 303)
    assert await keys_of(shop, "ann") == [False], "signing out revokes the key"
    assert len(device) == 1
    for cookie in let_in.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert PASSWORD not in cookie


async def test_guesses_of_others_keep_nobody_out_where_they_have_signed_in(shop: Shop) -> None:
    await shop.client.users.create("ann", ["viewer"], PASSWORD)
    async with Browser(shop.address) as at_work, Browser(shop.address) as eve:
        await at_work.post(SIGN_IN, {"name": "ann", "password": PASSWORD})
        guessed = [await eve.post(SIGN_IN, {"name": "ann", "password": OTHER}) for _ in range(10)]
        slowed = await eve.post(SIGN_IN, {"name": "ann", "password": PASSWORD})
        again = await at_work.post(SIGN_IN, {"name": "ann", "password": PASSWORD})

    assert {one.status_code for one in guessed[:9]} == {401}
    assert slowed.status_code == 429
    assert "try again in" in slowed.text
    assert again.status_code == 303


async def test_who_is_locked_is_out(shop: Shop) -> None:
    await shop.client.users.create("ann", ["viewer"], PASSWORD)
    async with Browser(shop.address) as browser:
        await browser.post(SIGN_IN, {"name": "ann", "password": PASSWORD})
        assert (await browser.get(f"{ROOT}/orders")).status_code == 200

        await shop.client.users.update("ann", locked=True)

        async def status() -> int:
            return (await browser.get(f"{ROOT}/orders")).status_code

        assert await eventually(status, lambda found: found == 303)
        locked = await browser.post(SIGN_IN, {"name": "ann", "password": PASSWORD})
    assert locked.status_code == 401


async def test_a_password_is_changed_by_whose_it_is(shop: Shop) -> None:
    await shop.client.users.create("ann", ["viewer"], PASSWORD)
    page = f"{ROOT}/password"
    async with Browser(shop.address) as browser:
        await browser.post(SIGN_IN, {"name": "ann", "password": PASSWORD})
        opened = await browser.get(page)
        typed = {"old_password": PASSWORD, "new_password": OTHER, "again": OTHER}
        refused = {
            field: await browser.send(opened, page, **typed | {field: text})
            for field, text in (
                ("old_password", "not the one"),
                ("new_password", ""),
                ("again", "another one again"),
            )
        }
        short = await browser.send(opened, page, **typed | {"new_password": "x", "again": "x"})
        done = [await browser.send(opened, page, **typed) for _ in range(2)]
        still = await browser.get(page)
    nobody = await shop.browser.get(page)

    assert f'href="{page}"' in opened.text
    assert opened.text.count('autocomplete="new-password"') == 2
    for field, answer in refused.items():
        assert answer.status_code == 400, field
        assert f'id="password-{field}-flaw"' in answer.text, field
    assert 'id="password-new_password-flaw"' in short.text
    for answer in (*refused.values(), short):
        assert not re.search(rf'value="({PASSWORD}|{OTHER}|x)"', answer.text), "typed, not shown"
    assert [one.status_code for one in done] == [303, 303], "said twice, it is done once"
    assert still.status_code == 200
    assert nobody.status_code == 404
    async with Holdfast(shop.holdfast.addresses.orders, key=KEY) as client:
        await client.users.sign_in("ann", OTHER)
        with pytest.raises(Unauthenticated):
            await client.users.sign_in("ann", PASSWORD)
