"""Users in the console: made, changed, locked, let in again and deleted."""

import pytest

from holdfast.client import Unauthenticated
from tests.integration.conftest import EMBEDDED
from tests.integration.console.people import ROOT, Browser, Shop, colleague

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
USERS, USER = f"{ROOT}/users", f"{ROOT}/user"
PASSWORD, OTHER = "a lamp for the window", "a window for the lamp"
GOOD = {"name": "ann", "grant-support": "yes", "password": PASSWORD, "again": PASSWORD}


async def test_a_user_is_made_by_who_may_and_what_can_t_be_is_refused_where_it_stands(
    shop: Shop,
) -> None:
    empty = await shop.browser.get(USERS)
    for typed, flawed in (
        ({"name": ""}, "create-name-flaw"),
        ({"name": "Ann"}, "create-name-flaw"),
        ({"password": "short", "again": "short"}, "create-password-flaw"),
        ({"again": OTHER}, "create-again-flaw"),
        ({"grant-emperor": "yes"}, 'role="alert"'),
    ):
        refused = await shop.browser.send(empty, USERS, **GOOD | typed)
        assert refused.status_code == 400, typed
        assert flawed in refused.text, typed
        assert PASSWORD not in refused.text
    made = [await shop.browser.send(empty, USERS, **GOOD) for _ in range(2)]
    twice = await shop.browser.fill(USERS, USERS, **GOOD)
    listed = await shop.browser.get(USERS)
    async with colleague(shop, "support", ROOT) as (browser, page):
        theirs = [await browser.get(USERS), await browser.post(USERS, GOOD)]

    assert "There are no users" in empty.text
    assert [one.status_code for one in made] == [303, 303], "said twice, done once"
    assert twice.status_code == 409
    assert 'value="ann"' in twice.text
    assert f'href="{USER}?name=ann"' in listed.text
    assert USERS not in page
    assert [one.status_code for one in theirs] == [403, 403]
    assert [one.grants for one in await shop.client.users.list()] == [("support",)]


async def test_a_user_is_changed_locked_let_in_again_and_deleted(shop: Shop) -> None:
    users, page = shop.client.users, f"{USER}?name=ann"
    await users.create("ann", ["support"], PASSWORD)
    await users.sign_in("ann", PASSWORD)

    async def said(of: str, **typed: str) -> str:
        answer = await shop.browser.fill(page, f"{USER}/{of}", **typed)
        assert answer.status_code == 303, answer.text
        return (await shop.browser.get(answer.headers["location"])).text

    assert "The user is changed." in await said("rights", **{"grant-viewer": "yes"})
    (ann,) = await users.list()
    assert set(ann.grants) == {"support", "viewer"}
    assert (await users.sign_in("ann", PASSWORD)).key.grants == ann.grants
    assert f"{USER}/unlock" in await said("lock")
    with pytest.raises(Unauthenticated):
        await users.sign_in("ann", PASSWORD)
    assert f"{USER}/lock" in await said("unlock")
    await said("password", password=OTHER, again=OTHER)
    await users.sign_in("ann", OTHER)
    keys = await shop.browser.get(f"{ROOT}/keys")
    unsure = await shop.browser.fill(page, f"{USER}/delete")
    assert f"{USER}?name=ann" not in await said("delete", sure="yes")

    assert "Signed in by password" in keys.text
    assert unsure.status_code == 400
    assert "delete-sure-told" in unsure.text
    assert await users.list() == []
    assert (await shop.browser.get(page)).status_code == 404


async def test_who_may_less_is_not_offered_what_they_would_be_refused(shop: Shop) -> None:
    await shop.client.users.create("boss", ["admin"], PASSWORD)
    made = await shop.client.keys.create("clerk", ["keys:manage", "orders:read"])
    async with Browser(shop.address) as clerk:
        await clerk.post(f"{ROOT}/sign-in", {"key": made.text})
        page = await clerk.get(f"{USER}?name=boss")
        typed = {"name": "boss", "password": OTHER, "again": OTHER}
        refused = await clerk.post(f"{USER}/password", typed)

    assert f"{USER}/lock" in page.text
    for of in ("password", "rights"):
        assert f"{USER}/{of}" not in page.text
    assert refused.status_code == 403
    await shop.client.users.sign_in("boss", PASSWORD)
