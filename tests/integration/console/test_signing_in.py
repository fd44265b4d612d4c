"""Who gets into the console, by what, for how long, and what pages of others can't do."""

import re
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from holdfast.chassis.http.server import serving_http
from holdfast.client import Holdfast, Money
from holdfast.console import forms, service, sessions
from holdfast.console.browsers import POLICY
from holdfast.console.sessions import IDLE_S_MAX, SESSION_S_MAX, Sessions
from testbed.keys import KEY
from testbed.processes import free_port
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, eventually, running
from tests.integration.console.people import ROOT, Browser, Shop
from tests.integration.over_http import answer_of, raw, request_bytes

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)


@pytest.fixture
async def stranger(shop: Shop) -> AsyncIterator[Browser]:
    browser = Browser(shop.address)
    yield browser
    await browser.http.aclose()


async def test_a_stranger_is_asked_to_sign_in_and_then_led_where_they_wanted(
    shop: Shop, stranger: Browser
) -> None:
    wanted = f"{ROOT}/orders?status=CONFIRMED"

    refused = await stranger.get(wanted)
    asked = await stranger.get(refused.headers["location"])
    led = await stranger.send(asked, f"{ROOT}/sign-in", key=KEY)
    there = await stranger.get(led.headers["location"])

    assert (refused.status_code, asked.status_code, led.status_code) == (303, 200, 303)
    assert led.headers["location"] == wanted
    assert there.status_code == 200
    assert "operator" in there.text, "who is signed in is told"


async def test_who_is_signed_out_as_they_send_a_form_is_told_and_led_back_to_it(
    shop: Shop, stranger: Browser
) -> None:
    page, action = f"{ROOT}/stock?id=LAMP", f"{ROOT}/stock/receipt"
    for came_from in (page, "https://evil.example/console/stock?id=LAMP"):
        stranger.http.headers["referer"] = came_from
        refused = await stranger.post(action, {"id": "LAMP", "units": "5"})
        asked = await stranger.get(refused.headers["location"])
        led = await stranger.send(asked, f"{ROOT}/sign-in", key=KEY)
        await stranger.post(f"{ROOT}/sign-out", {})

        assert "nothing of what you sent was done" in asked.text
        assert led.headers["location"] == page
    assert "nothing of what" not in (await stranger.get(f"{ROOT}/sign-in")).text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/console/\\evil", "/v1/orders"]
)
async def test_nobody_is_led_elsewhere(shop: Shop, stranger: Browser, elsewhere: str) -> None:
    led = await stranger.post(f"{ROOT}/sign-in", {"key": KEY, "next": elsewhere})

    assert led.headers["location"] == ROOT


@pytest.mark.parametrize(
    "key", ["", "nonsense", KEY[:-1], "hf_live_" + 60 * "0", "\u200b", 20_000 * "x"]
)
async def test_a_key_that_is_none_lets_nobody_in_and_says_why(
    shop: Shop, stranger: Browser, key: str
) -> None:
    refused = await stranger.post(f"{ROOT}/sign-in", {"key": key})

    assert refused.status_code in (400, 401)
    assert 'role="alert"' in refused.text
    assert not stranger.http.cookies
    assert (await stranger.get(ROOT)).status_code == 303


async def test_a_stranger_is_not_told_where_services_are(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CALL_S_MAX", 0.2)
    away = f"127.0.0.1:{free_port()}"
    async with (
        service.mounted((away, away, away)) as console,
        serving_http(ANYWHERE, [], mounted=[console, console.files]) as address,
        Browser(address) as stranger,
    ):
        found = [
            await stranger.post(f"{ROOT}/sign-in", {"key": KEY}),
            await stranger.post(f"{ROOT}/sign-in", {"name": "ann", "password": "a lamp for all"}),
            await stranger.get("/files/imports"),
        ]

    assert {answer.status_code for answer in found} <= {503, 504}
    assert not [answer.text for answer in found if away in answer.text]
    assert "do not answer" in found[0].text


async def test_who_signs_in_by_more_than_a_name_and_a_password_can_have_is_refused(
    shop: Shop, stranger: Browser
) -> None:
    """Anybody may send it, and nobody is known yet."""
    refused = await stranger.post(f"{ROOT}/sign-in", {"name": "ann", "password": "x" * 40_000})

    assert refused.status_code == 400
    assert "form" in refused.text


async def test_a_form_that_never_comes_is_not_waited_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "FORM_S_MAX", 0.3, raising=False)
    told = {"content-type": "application/x-www-form-urlencoded", "content-length": "50"}
    asked = request_bytes("POST", f"{ROOT}/sign-in", b"n", told | {"sec-fetch-site": "same-origin"})

    assert answer_of(await raw(shop.address, asked)).status == 400


async def test_the_link_that_is_printed_works_once(shop: Shop, stranger: Browser) -> None:
    link = shop.holdfast.addresses.console
    assert link.startswith(f"{ROOT}/enter/")

    first = await stranger.get(link)
    inside = await stranger.get(first.headers["location"])
    other = Browser(shop.address)
    second = await other.get(link)
    await other.http.aclose()

    assert (first.status_code, inside.status_code, second.status_code) == (303, 200, 410)
    assert not other.http.cookies


async def test_a_cookie_says_nothing_and_is_for_no_script(shop: Shop, stranger: Browser) -> None:
    entered = await stranger.post(f"{ROOT}/sign-in", {"key": KEY})

    cookie = entered.headers["set-cookie"]
    assert KEY not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Path={ROOT}" in cookie


async def test_who_signs_out_is_out_also_with_the_cookie_that_was_good(shop: Shop) -> None:
    cookies = dict(shop.browser.http.cookies)

    out = await shop.browser.post(f"{ROOT}/sign-out", {})
    shop.browser.http.cookies.update(cookies)

    assert out.status_code == 303
    assert (await shop.browser.get(ROOT)).status_code == 303


async def test_a_key_that_is_revoked_ends_its_session(shop: Shop, stranger: Browser) -> None:
    made = await shop.client.keys.create("clerk", ["viewer"])
    await stranger.post(f"{ROOT}/sign-in", {"key": made.text})
    assert (await stranger.get(f"{ROOT}/orders")).status_code == 200

    await shop.client.keys.revoke(made.key.key_id)

    async def is_out() -> bool:
        return (await stranger.get(f"{ROOT}/orders")).status_code == 303

    await eventually(is_out, bool)


async def test_a_key_that_is_revoked_sees_and_changes_nothing_that_the_console_itself_holds(
    shop: Shop, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No service is called there, which would refuse it."""
    monkeypatch.setattr(sessions, "ASKED_AGAIN_S", 0.0)
    made = await shop.client.keys.create("clerk", ["admin"])
    await stranger.post(f"{ROOT}/sign-in", {"key": made.text})
    view = {"path": "/orders", "query": "status=CONFIRMED", "name": "mine", "shared": "yes"}
    assert (await shop.browser.post(f"{ROOT}/views", view)).status_code == 303
    listed = await shop.browser.get(f"{ROOT}/views")
    delete = re.search(rf'action="({ROOT}/views/[^"]+/delete)"', listed.text)
    assert delete is not None
    cookies = dict(stranger.http.cookies)

    await shop.client.keys.revoke(made.key.key_id)

    own = (
        "/views",
        "/files",
        "/locations/new",
        "/products/new",
        "/system",
        "/imports/x",
        "/jobs/x",
    )
    paths = [("POST", delete[1]), *(("GET", f"{ROOT}{path}") for path in own)]
    for verb, path in paths:
        again = Browser(shop.address)
        again.http.cookies.update(cookies)
        refused = await again.http.request(verb, path, headers={"sec-fetch-site": "same-origin"})
        await again.http.aclose()
        assert refused.headers["location"].startswith(f"{ROOT}/sign-in"), path
    assert (await shop.browser.get(f"{ROOT}/views")).text.count("/delete") == 1


async def test_who_somebody_is_is_not_asked_where_a_service_tells_it(shop: Shop) -> None:
    with capture_logs() as logs:
        await shop.browser.get(f"{ROOT}/orders")
        await shop.browser.get(f"{ROOT}/files")

    assert "WhoAmI" not in [one.get("method") for one in logs]


async def test_head_asks_for_nothing_that_happens_once_or_never_ends(
    shop: Shop, stranger: Browser
) -> None:
    await shop.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
    await shop.client.inventory.set_stock("LAMP", 10)
    order_id = await shop.placed()
    link = shop.holdfast.addresses.console

    asked = await stranger.http.head(f"{ROOT}/sign-in")
    stream = await shop.browser.http.head(f"{ROOT}/orders/{order_id}/live")
    after = await shop.browser.get(f"{ROOT}/orders")
    await stranger.http.head(link)
    entered = await stranger.get(link)

    assert asked.status_code == 200
    assert stream.status_code == 404
    assert after.status_code == 200
    assert (entered.status_code, entered.headers["location"]) == (303, ROOT)


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
async def test_pages_of_others_change_nothing(shop: Shop, site: str) -> None:
    refused = await shop.browser.post(f"{ROOT}/sign-out", {}, site)

    assert refused.status_code == 403
    assert (await shop.browser.get(ROOT)).status_code == 200, "still signed in"


async def test_an_old_browser_is_known_by_its_origin(shop: Shop) -> None:
    async def sent(origin: str) -> int:
        answer = await shop.browser.http.post(
            f"{ROOT}/language/de", headers={"origin": origin}, data={}
        )
        return answer.status_code

    assert await sent(f"http://{shop.address}") == 303
    assert await sent("http://evil.example") == 403
    assert await sent("null") == 403


async def test_every_answer_carries_what_browsers_are_to_keep_to(shop: Shop) -> None:
    page = await shop.browser.get(ROOT)
    static = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page.text)
    nowhere = await shop.browser.get(f"{ROOT}/nowhere")
    foreign = await shop.browser.post(ROOT, {}, "cross-site")

    assert len(static) == 6
    for answer in [page, nowhere, foreign, *[await shop.browser.get(one) for one in static]]:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (nowhere.status_code, foreign.status_code) == (404, 403)
    assert page.headers["cache-control"] == "no-store"
    for one in static:
        found = await shop.browser.get(one)
        assert (found.status_code, "immutable" in found.headers["cache-control"]) == (200, True)


async def test_a_page_of_another_name_for_this_machine_is_not_served(shop: Shop) -> None:
    answer = await shop.browser.get(ROOT, headers={"host": "evil.example"})

    assert answer.status_code == 421


async def test_a_role_is_offered_and_allowed_what_is_its_own(shop: Shop, stranger: Browser) -> None:
    await shop.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
    await shop.client.inventory.set_stock("LAMP", 10)
    order_id = await shop.placed()
    made = await shop.client.keys.create("reader", ["viewer"])
    await stranger.post(f"{ROOT}/sign-in", {"key": made.text})
    at = f"{ROOT}/orders/{order_id}"

    theirs, ours = await stranger.get(at), await shop.browser.get(at)
    refused = await stranger.post(f"{at}/cancel", {"version": "2", "which": "all"})

    assert theirs.status_code == 200
    assert f'action="{at}/cancel"' in ours.text
    assert f'action="{at}/' not in theirs.text
    assert refused.status_code == 403
    assert "orders:write" in refused.text
    assert (await shop.client.orders.get(order_id)).status == "CONFIRMED"


async def test_a_session_ends_when_idle_and_for_good(ground: Ground) -> None:
    now_s = 0.0
    async with running(ground, http_at=ANYWHERE) as holdfast:
        at = holdfast.addresses

        def opened(key: str) -> Holdfast:
            return Holdfast(at.orders, at.inventory, key=key)

        held = Sessions(opened, lambda: now_s)
        secret = await held.begin(KEY)
        assert await held.find(secret)
        now_s = IDLE_S_MAX - 1
        assert await held.find(secret, acts=False)
        now_s = IDLE_S_MAX
        assert await held.find(secret) is None

        secret, began_s = await held.begin(KEY), now_s
        while now_s < began_s + SESSION_S_MAX - 60.0:
            assert await held.find(secret)
            now_s += 60.0
        now_s = began_s + SESSION_S_MAX
        assert await held.find(secret) is None
        assert secret not in repr(vars(held))
        await held.close()
