"""Webhooks in the console: made, tried, changed, seen to fail, and brought what they missed."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from holdfast.client import Delivery, DeliveryState, Money, WebhookState
from holdfast.console.screens import webhooks
from tests.integration.conftest import EMBEDDED, eventually
from tests.integration.console.people import ROOT, Browser, Shop
from tests.integration.webhook_receivers import Receiver, Visit, receiving, saying

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
HOOKS = f"{ROOT}/webhooks"
HOSTILE = "<script>alert(1)</script>"


class Shops:
    """A shop's own system: takes what it is sent, or does not."""

    def __init__(self) -> None:
        self.is_well = True

    async def behave(self, visit: Visit) -> None:
        await visit.request()
        status = "204 No Content" if self.is_well else "500 No"
        await visit.say(saying(status, body=b"" if self.is_well else HOSTILE.encode()))


@pytest.fixture
def system() -> Shops:
    return Shops()


@pytest.fixture
async def receiver(system: Shops) -> AsyncIterator[Receiver]:
    async with receiving(system.behave) as found:
        yield found


def url_of(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/hook"


async def made(shop: Shop, receiver: Receiver, **typed: str) -> str:
    """A webhook that was made by the form, and its page."""
    answer = await shop.browser.fill(HOOKS, HOOKS, url=url_of(receiver), **typed)
    link = re.search(rf'href="({HOOKS}/[0-9a-f-]+)"', answer.text)
    assert link, answer.text
    return link[1]


STORY = {"OrderPlaced", "OrderConfirmed", "StockReserved"}  # of an order


async def deliveries(shop: Shop, page: str) -> list[Delivery]:
    hook = page.rpartition("/")[2]
    return [one async for one in shop.client.webhooks.deliveries(hook)]


async def test_a_webhook_is_made_once_with_its_secret_shown_once(
    shop: Shop, receiver: Receiver
) -> None:
    opened = await shop.browser.get(HOOKS)
    typed = {"url": url_of(receiver), "type-holdfast.orders.v1.OrderPlaced": "yes"}
    first = await shop.browser.send(opened, HOOKS, description=HOSTILE, **typed)
    again = await shop.browser.send(opened, HOOKS, description=HOSTILE, **typed)
    other = await shop.browser.send(opened, HOOKS, description="another", **typed)
    listed = await shop.browser.get(HOOKS)
    (hook,) = [one async for one in shop.client.webhooks.list()]
    page = await shop.browser.get(f"{HOOKS}/{hook.webhook_id}")

    secrets = [re.findall(r"whsec_[\w+/=]+", one.text) for one in (first, again)]
    assert secrets[0] == secrets[1]
    assert len(secrets[0]) == 1
    assert first.headers["cache-control"] == "no-store"
    assert hook.types == ("holdfast.orders.v1.OrderPlaced",)
    assert "whsec_" not in listed.text + page.text
    assert HOSTILE not in listed.text + page.text
    assert "OrderPlaced" in listed.text
    assert other.status_code == 409
    assert 'value="another"' in other.text
    assert (await shop.browser.send(other, HOOKS)).status_code == 200, "it is another one now"


@pytest.mark.parametrize(
    ("typed", "flawed"),
    [
        ({"url": ""}, "create-url-flaw"),
        ({"url": "https://10.0.0.1/hook"}, "create-url-flaw"),
        ({"url": "javascript:alert(1)"}, "create-url-flaw"),
        ({"since": "yesterday"}, "create-since-flaw"),
        ({"type-Nothing": "yes"}, 'role="alert"'),
    ],
)
async def test_what_can_t_be_is_refused_where_it_stands(
    shop: Shop, receiver: Receiver, typed: dict[str, str], flawed: str
) -> None:
    typed = {"url": url_of(receiver), "description": "kept"} | typed
    refused = await shop.browser.fill(HOOKS, HOOKS, **typed)

    assert refused.status_code == 400
    assert flawed in refused.text
    assert 'value="kept"' in refused.text
    assert [one async for one in shop.client.webhooks.list()] == []


async def test_what_was_given_up_is_told_first_and_sent_again(
    shop: Shop, receiver: Receiver, system: Shops
) -> None:
    page, system.is_well = await made(shop, receiver), False
    await shop.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
    await shop.client.inventory.set_stock("LAMP", 4)
    order_id = await shop.placed()
    await eventually(
        lambda: deliveries(shop, page),
        lambda found: {one.type.rpartition(".")[2] for one in found} >= STORY,
    )

    failing = await shop.browser.get(page)
    off = await shop.browser.send(failing, f"{page}/switch")
    today = await shop.browser.get(ROOT)
    listed = await shop.browser.get(page)
    system.is_well = True
    future = await shop.browser.fill(page, f"{page}/switch", what="since", since="2999-01-01")
    late = await shop.browser.fill(page, f"{page}/switch", what="since", since="soon")
    on = await shop.browser.send(late, f"{page}/switch", what="failed", since="")
    every = await eventually(
        lambda: deliveries(shop, page),
        lambda found: all(one.state is DeliveryState.DELIVERED for one in found),
    )
    sent = len(receiver.requests)
    opened = await shop.browser.get(f"{page}?state=DELIVERED")
    again = await shop.browser.send(opened, f"{page}/redeliver")
    twice = await shop.browser.send(opened, f"{page}/redeliver")
    await eventually(lambda: deliveries(shop, page), lambda _: len(receiver.requests) > sent)

    assert (off.status_code, late.status_code, on.status_code) == (303, 400, 303)
    assert "in the future" in future.text
    assert f'href="{page}"' in today.text
    assert listed.text.index('id="failed"') < listed.text.index('id="deliveries"')
    assert f'href="{ROOT}/orders/{order_id}"' in listed.text
    assert "The receiver answered 500." in listed.text
    assert HOSTILE not in listed.text
    assert "switch-since-flaw" in late.text
    assert len(every) >= 2
    assert again.headers["location"] == twice.headers["location"]
    assert len(receiver.requests) == sent + 1, "sent once more, however often it is asked for"


async def test_a_test_event_a_new_secret_and_a_replay(
    shop: Shop, receiver: Receiver, system: Shops
) -> None:
    page = await made(shop, receiver)

    arrived = await shop.browser.fill(page, f"{page}/test")
    system.is_well = False
    refused = await shop.browser.fill(page, f"{page}/test")
    opened = await shop.browser.get(page)
    rotated = [await shop.browser.send(opened, f"{page}/rotate") for _ in range(2)]
    replayed = await shop.browser.send(opened, f"{page}/replay", what="since", since="2026-11-01")
    unsaid = await shop.browser.send(opened, f"{page}/replay", what="since", since="")

    assert "It arrived: 204." in arrived.text
    assert "The receiver answered 500." in refused.text
    assert HOSTILE not in refused.text
    secrets = {tuple(re.findall(r"whsec_[\w+/=]+", one.text)) for one in rotated}
    assert len(secrets) == 1
    assert (replayed.status_code, unsaid.status_code) == (303, 400)
    assert "replay-since-flaw" in unsaid.text


async def test_two_who_change_one_see_both_and_deleting_wants_a_word(
    shop: Shop, receiver: Receiver
) -> None:
    page = await made(shop, receiver)
    hook = page.rpartition("/")[2]
    mine, theirs = await shop.browser.get(page), await shop.browser.get(page)
    await shop.browser.send(
        theirs,
        f"{page}/change",
        description="theirs <b>",
        **{"type-holdfast.orders.v1.OrderPlaced": "yes"},
    )

    late = await shop.browser.send(mine, f"{page}/change", description="mine")
    kept = (await shop.client.webhooks.get(hook)).description
    again = await shop.browser.send(late, f"{page}/change")
    unsure = await shop.browser.send(mine, f"{page}/delete")
    there = (await shop.client.webhooks.get(hook)).state
    gone = [await shop.browser.send(mine, f"{page}/delete", sure="yes") for _ in range(2)]

    assert (late.status_code, again.status_code, unsure.status_code) == (409, 303, 400)
    assert kept == "theirs <b>"
    assert 'value="mine"' in late.text
    assert "It says now: theirs &lt;b&gt;" in late.text
    assert "It says now: OrderPlaced" in late.text
    assert "delete-sure-told" in unsure.text
    assert there is WebhookState.ACTIVE
    assert [one.status_code for one in gone] == [303, 303]
    assert [one async for one in shop.client.webhooks.list()] == []
    assert (await shop.browser.get(page)).status_code == 404
    assert (await shop.browser.get(f"{HOOKS}/rubbish")).status_code == 400


async def test_lists_go_on_page_by_page_and_are_for_who_may(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "PAGE_WEBHOOKS", 2)
    monkeypatch.setattr(webhooks, "PAGE_DELIVERIES", 1)
    pages = [await made(shop, receiver) for _ in range(3)]
    await shop.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
    for quantity in (4, 5):
        await shop.client.inventory.set_stock("LAMP", quantity)
    await eventually(lambda: deliveries(shop, pages[0]), lambda found: len(found) >= 2)
    support = await shop.client.keys.create("support", ["support"])
    helper = Browser(shop.address)
    await helper.post(f"{ROOT}/sign-in", {"key": support.text})

    async def walked(page: str, item: str) -> list[str]:
        seen: list[str] = []
        while page:
            answer = await shop.browser.get(page)
            seen += re.findall(item, answer.text)
            link = re.search(r'rel="next" href="([^"]+)"', answer.text)
            page = link[1].replace("&amp;", "&") if link else ""
        return seen

    hooks = await walked(HOOKS, rf'<td class="long"><a href="({HOOKS}/[0-9a-f-]+)"')
    events = await walked(f"{pages[0]}?state=DELIVERED", r'<small class="code">([\w-]+)<')
    flawed = [
        await shop.browser.get(f"{page}after=rubbish")
        for page in (HOOKS + "?", pages[0] + "?state=NO&")
    ]
    refused = [await helper.get(HOOKS), await helper.post(f"{pages[0]}/delete", {"sure": "yes"})]
    first: httpx2.Response = await helper.get(ROOT)
    await helper.http.aclose()

    assert hooks == pages[::-1]
    assert len(events) == len(set(events)) >= 2
    assert all(one.status_code == 200 and 'role="alert"' in one.text for one in flawed)
    assert [one.status_code for one in refused] == [403, 403]
    assert HOOKS not in first.text
