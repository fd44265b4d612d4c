"""Keys and health in the console: keys made once, shown once, rotated and revoked."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.chassis.grpc import server
from holdfast.client import Holdfast, Unauthenticated
from holdfast.inventory import service as inventory_service
from holdfast.orders import service as orders_service
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, eventually, running
from tests.integration.console.people import ROOT, Browser, Shop, colleague

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
KEYS = f"{ROOT}/keys"
TEXT = re.compile(r"<code>(hf_\w+)</code>")
HOSTILE = "<b>Ann</b>"
PARK = """
INSERT INTO dead_letter (letter_id, queue, reason, parked_at, body)
     VALUES ('l-1', 'holdfast.inventory.orders', 'no event', '2026-11-29 10:00:00+00', '')
"""


async def named(shop: Shop, name: str) -> str:
    """The id of the only key of a name."""
    (found,) = [one.key_id for one in await shop.client.keys.list() if one.name == name]
    return found


async def test_a_key_is_made_once_and_shown_once(shop: Shop) -> None:
    opened = await shop.browser.get(KEYS)
    typed = {"name": HOSTILE, "grant-support": "yes", "days": "30", "networks": "127.0.0.1/32, ::1"}
    first, again = await asyncio.gather(
        *(shop.browser.send(opened, KEYS, **typed) for _ in range(2))
    )
    listed = await shop.browser.get(KEYS)
    key_id = await named(shop, HOSTILE)
    page = await shop.browser.get(f"{KEYS}/{key_id}")
    ann = Browser(shop.address)
    await ann.post(f"{ROOT}/sign-in", {"key": TEXT.findall(first.text)[0]})
    hers = await ann.get(ROOT)
    refused = [await ann.get(KEYS), await ann.post(KEYS, typed), await ann.get(f"{KEYS}/{key_id}")]
    await ann.http.aclose()

    assert len(TEXT.findall(first.text)) == 1
    assert TEXT.findall(first.text) == TEXT.findall(again.text), "the answer that is kept has it"
    assert first.headers["cache-control"] == "no-store"
    for told in (listed, page):
        assert not TEXT.findall(told.text)
        assert HOSTILE not in told.text
        assert "127.0.0.1/32, ::1/128" in told.text
    made = next(one for one in await shop.client.keys.list() if one.key_id == key_id)
    assert made.expire_time is not None
    assert timedelta(days=29) < made.expire_time - datetime.now(UTC) < timedelta(days=31)
    assert "Sign out &lt;b&gt;Ann" in hers.text
    assert KEYS not in hers.text
    assert [one.status_code for one in refused] == [403] * 3


async def test_what_can_t_be_is_refused_where_it_stands(shop: Shop) -> None:
    opened = await shop.browser.get(KEYS)
    for typed, flawed in (
        ({"name": ""}, "create-name-flaw"),
        ({"grant-support": ""}, ""),
        ({"days": "0"}, "create-days-flaw"),
        ({"days": "999999999999"}, "create-days-flaw"),
        ({"days": "5000"}, "create-days-flaw"),
        ({"networks": "127.0.0.1/32 nowhere"}, "create-networks-flaw"),
        ({"grant-emperor": "yes"}, 'role="alert"'),
    ):
        whole = {"name": "kept", "grant-support": "yes"} | typed
        if not flawed:
            whole.pop("grant-support")
        refused = await shop.browser.send(opened, KEYS, **whole)

        assert refused.status_code == 400, typed
        assert flawed or "Tick at least one" in refused.text
        assert flawed in refused.text, typed
        assert f'value="{whole["name"]}"' in refused.text
    assert [one.name for one in await shop.client.keys.list()] == ["operator"]
    assert (await shop.browser.get(f"{KEYS}/nothere")).status_code == 404


async def test_a_key_is_rotated_and_revoked_when_it_is_meant(shop: Shop) -> None:
    made = await shop.client.keys.create("scanner", ["warehouse"])
    page = f"{KEYS}/{made.key.key_id}"

    opened = await shop.browser.get(page)
    long = await shop.browser.send(opened, f"{page}/rotate", hours="9999")
    rotated = [await shop.browser.send(opened, f"{page}/rotate", hours="2") for _ in range(2)]
    unsure = await shop.browser.send(opened, f"{page}/revoke")
    async with Holdfast(shop.holdfast.addresses.orders, key=made.text) as scanner:
        assert (await scanner.keys.who_am_i()).name == "scanner", "it is good until it is revoked"
        gone = [await shop.browser.send(opened, f"{page}/revoke", sure="yes") for _ in range(2)]
        with pytest.raises(Unauthenticated):
            await scanner.keys.who_am_i()
    after = await shop.browser.get(page)
    listed = await shop.browser.get(KEYS)

    assert (long.status_code, unsure.status_code) == (400, 400)
    assert "rotate-hours-flaw" in long.text
    assert len({tuple(TEXT.findall(one.text)) for one in rotated}) == 1
    assert [one.name for one in await shop.client.keys.list()].count("scanner") == 2
    assert "revoke-sure-told" in unsure.text
    assert [one.status_code for one in gone] == [303, 303]
    assert "It has ended." in after.text
    assert f"{page}/revoke" not in after.text
    assert "Keys that have ended: 1" in listed.text


async def test_who_revokes_their_own_and_the_last_is_warned_and_signed_out(shop: Shop) -> None:
    page = f"{KEYS}/{await named(shop, 'operator')}"

    opened = await shop.browser.get(page)
    gone = await shop.browser.send(opened, f"{page}/revoke", sure="yes")
    after = await shop.browser.get(gone.headers["location"])

    assert "It is your own" in opened.text
    assert "No other key may make keys" in opened.text
    assert after.status_code == 303
    assert after.headers["location"].startswith(f"{ROOT}/sign-in")


async def test_who_may_less_is_not_offered_to_rotate_a_key(shop: Shop) -> None:
    wide = (await shop.client.keys.create("boss", ["admin"])).key.key_id
    made = await shop.client.keys.create("clerk", ["keys:manage", "orders:read"])
    async with Browser(shop.address) as clerk:
        await clerk.post(f"{ROOT}/sign-in", {"key": made.text})
        page, own = [await clerk.get(f"{KEYS}/{one}") for one in (wide, made.key.key_id)]
        refused = await clerk.post(f"{KEYS}/{wide}/rotate", {"hours": "1"})

    assert f"{KEYS}/{wide}/revoke" in page.text
    assert f"{KEYS}/{wide}/rotate" not in page.text
    assert f"{KEYS}/{made.key.key_id}/rotate" in own.text
    assert refused.status_code == 403


async def test_dead_letters_are_told_on_the_first_page_with_what_to_do(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LOOK_S", 0.1)
    for service in (inventory_service, orders_service):
        monkeypatch.setattr(service, "MEASURE_EVERY_S", 0.1)
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as shop:
        await shop.sign_in(KEY)
        quiet = await shop.browser.get(ROOT)
        await holdfast.sql("inventory", PARK)
        told = await eventually(
            lambda: shop.browser.get(ROOT), lambda page: "could not be handled" in page.text
        )
        system = await shop.browser.get(f"{ROOT}/system")
        async with colleague(shop, "support", ROOT) as (_, theirs):
            assert "could not be handled" not in theirs

    assert "Nothing needs you now." in quiet.text
    assert "Nothing needs you now." not in told.text
    assert "<li>Inventory</li>" in told.text
    assert "<li>Orders</li>" not in told.text
    assert system.text.count("<code>holdfast dead-letters list</code>") == 1


async def test_how_services_are_is_told_by_them(ground: Ground, unused_tcp_port: int) -> None:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as shop:
        await shop.sign_in(KEY)
        page = await shop.browser.get(f"{ROOT}/system")
        at = holdfast.addresses
        nowhere = f"127.0.0.1:{unused_tcp_port}"
        async with Holdfast(at.orders, nowhere, notifier=at.notifier, key=KEY) as client:
            told = await client.health()

    assert page.text.count(">Serves<") == 3
    assert "operator" in page.text
    assert [(one.service, one.serving) for one in told] == [
        ("Orders", True),
        ("Inventory", False),
        ("Notifier", True),
    ]
    assert nowhere in told[1].problem
