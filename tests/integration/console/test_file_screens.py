"""Files in the console: looked at, taken in once, broken off and gone on with; and fetched."""

import asyncio
import gzip
import io
import re
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
import pytest

from holdfast.client import Money
from holdfast.console import intake, uploads
from holdfast.exchange import exports, imports
from tests.integration.conftest import EMBEDDED, Ground, eventually
from tests.integration.console.people import ROOT, Browser, Shop, at_rest, brought

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
GERMAN = b"product_id;name;unit_price\nLAMP;Lampe;1.012,50\n00042;<b>Becher;4,00\nBULB;Birne;1.50\n"


async def pressed(browser: Browser, path: str, button: str) -> httpx2.Response:
    assert (await browser.post(f"{path}/{button}", {})).status_code == 303
    return await at_rest(browser, path)


def told(page: httpx2.Response) -> dict[str, str]:
    """The numbers of a page."""
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.text))


def kept(ground: Ground) -> list[Path]:
    """Files that lie where they are taken in."""
    assert ground.home is not None
    assert ground.home.folder is not None
    return list((ground.home.folder / "imports").glob("*"))


async def test_a_file_is_looked_at_then_taken_in_and_gone(ground: Ground, shop: Shop) -> None:
    sent = await brought(shop.browser, "products", GERMAN, locale="de", currency="EUR")
    path = sent.headers["location"]
    looked = await at_rest(shop.browser, path)

    assert sent.status_code == 303
    assert told(looked) == {
        "Lines": "3",
        "Would be created": "2",
        "Would be changed": "0",
        "Unchanged": "0",
        "Would be refused": "1",
    }
    assert "no number as --locale de writes them" in looked.text
    assert [one async for one in shop.client.inventory.list_products()] == []

    taken = await pressed(shop.browser, path, "take")
    again = await pressed(shop.browser, path, "take")

    assert told(taken) == told(again)
    assert told(taken)["Created"] == "2"
    found = {one.product_id: one async for one in shop.client.inventory.list_products()}
    assert found["LAMP"].unit_price == Money("EUR", 101250)
    assert found["00042"].name == "<b>Becher"
    assert kept(ground) == []
    assert "Taken in" in (await shop.browser.get(f"{ROOT}/files")).text
    await shop.browser.post(f"{path}/remove", {})
    assert (await shop.browser.get(path)).status_code == 404


async def test_a_form_sent_twice_brings_one_file_and_rubbish_is_told(
    ground: Ground, shop: Shop
) -> None:
    request_id = "1f0c1c9e-0000-4000-8000-000000000001"
    first = await brought(
        shop.browser, "stock", b"product_id,on_hand\nX,1\n", request_id=request_id
    )
    second = await brought(
        shop.browser, "stock", b"product_id,on_hand\nX,1\n", request_id=request_id
    )
    page = await at_rest(shop.browser, first.headers["location"])
    useless = await brought(shop.browser, "stock", b"\x00\xff\xfe<html>", "<i>.csv")
    told_useless = await at_rest(shop.browser, useless.headers["location"])

    assert first.headers["location"] == second.headers["location"]
    assert "import or make the product first" in page.text
    assert "Of no use" in told_useless.text
    assert 'role="alert"' in told_useless.text
    assert "<i>.csv" not in told_useless.text
    assert len(kept(ground)) == 1


WRONG = {
    "kind": {"kind": "secrets"},
    "locale": {"locale": "xx"},
    "currency": {"currency": "<b>"},
    "encoding": {"encoding": "rot13"},
    "file": {"name": ""},
}


async def test_what_was_chosen_wrongly_is_told_where_it_stands(ground: Ground, shop: Shop) -> None:
    for field, typed in WRONG.items():
        how: dict[str, Any] = {"kind": "stock", "content": b"x", **typed}
        refused = await brought(shop.browser, **how)

        assert refused.status_code == 400
        assert f"bring-{field}-flaw" in refused.text
        assert "<b>" not in refused.text
        assert kept(ground) == []


async def test_no_more_is_kept_than_there_is_room_for(
    ground: Ground, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "FILE_BYTES_MAX", 1_000)
    large = await brought(shop.browser, "stock", b"x" * 1_001)
    huge = await brought(shop.browser, "stock", b"x" * 1_100_000)
    form = await shop.browser.post(f"{ROOT}/imports", {"kind": "stock"})
    paths = []
    for number in range(4):
        sent = await brought(shop.browser, "stock", b"product_id,on_hand\nX,%d\n" % number)
        paths.append(sent.headers["location"])
        await at_rest(shop.browser, paths[-1])

    assert (large.status_code, huge.status_code, form.status_code) == (413, 413, 400)
    assert "holdfast import" in large.text
    assert len(kept(ground)) == intake.FILES_EACH_MAX
    assert (await shop.browser.get(paths[0])).status_code == 404


async def test_what_is_broken_off_goes_on_and_nothing_is_done_twice(
    ground: Ground, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH", 2)
    monkeypatch.setattr("holdfast.console.screens.imports.BATCH", 2)
    monkeypatch.setattr(imports, "UNDER_WAY_MAX", 1)
    ids = [f"P{number}" for number in range(6)]
    for product_id in ids:
        await shop.client.inventory.create_product(product_id, unit_price=Money("GBP", 100))
    content = "product_id,on_hand\n" + "".join(f"{one},10\n" for one in ids)
    sent = await brought(shop.browser, "stock", gzip.compress(content.encode()), "stock.csv.gz")
    path = sent.headers["location"]
    await at_rest(shop.browser, path)
    real, calls = imports.Import._results, 0

    async def failing(self: Any, plans: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise RuntimeError("the disk is on fire")
        return await real(self, plans)

    monkeypatch.setattr(imports.Import, "_results", failing)
    broken = await pressed(shop.browser, path, "take")
    # Somebody buys before it goes on: what was set must not be set again.
    await shop.placed("P0", 3)
    await shop.client.inventory.adjust_stock("P1", -4, reason="broke")
    done = await pressed(shop.browser, path, "take")

    assert "Broken off" in broken.text
    assert "something went wrong here, and is in the log" in broken.text
    assert told(done)["Created"] == "6"
    assert told(done)["Went on behind line"] == "5"
    counts = [(await shop.client.inventory.get_stock(one)).on_hand for one in ids]
    assert counts == [10, 6, 10, 10, 10, 10]
    assert kept(ground) == []


async def test_a_file_can_be_stopped_and_its_steps_are_sent_live(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = asyncio.Event()
    real = imports.Import._results

    async def held(self: Any, plans: Any) -> Any:
        await hold.wait()
        return await real(self, plans)

    monkeypatch.setattr(imports.Import, "_results", held)
    sent = await brought(shop.browser, "customers", b"customer_id,name\nc-1,Ann\n")
    path = sent.headers["location"]
    moving = await shop.browser.get(path)
    removed = await shop.browser.post(f"{path}/remove", {})
    stopped = await pressed(shop.browser, path, "stop")
    await shop.browser.post(f"{path}/take", {})
    seen = []
    async with shop.browser.http.stream("GET", f"{path}/live") as stream:
        async for line in stream.aiter_lines():
            seen.append(line)
            hold.set()
    looked = await shop.browser.get(path)

    assert f"{path}/live" in moving.text
    assert removed.status_code == 303
    assert "You stopped it." in stopped.text
    assert any("Looking at it" in line for line in seen)
    assert any("Would be created" in line for line in seen)
    assert "event: over" in seen
    assert told(looked)["Would be created"] == "1"


async def test_who_may_not_is_offered_nothing_and_sees_no_other_s_file(shop: Shop) -> None:
    path = (await brought(shop.browser, "stock", b"product_id,on_hand\nX,1\n")).headers["location"]
    made = await shop.client.keys.create("reader", ["viewer"])
    goods = await shop.client.keys.create("goods", ["merchandiser"])
    reader, buyer = Browser(shop.address), Browser(shop.address)

    async def seen(browser: Browser, key: str) -> httpx2.Response:
        await browser.post(f"{ROOT}/sign-in", {"key": key})
        return await browser.get(f"{ROOT}/files")

    page = await eventually(lambda: seen(reader, made.text), lambda one: one.status_code == 200)
    theirs = await eventually(lambda: seen(buyer, goods.text), lambda one: one.status_code == 200)
    refused = await reader.http.post(f"{ROOT}/imports", files={"file": ("a", b"x")})
    not_theirs = await buyer.get(path)
    customers = await buyer.get(f"{ROOT}/export?kind=customers")
    unfit = await brought(buyer, "orders", b"x")
    for browser in (reader, buyer):
        await browser.http.aclose()

    assert f'action="{ROOT}/imports"' not in page.text
    assert f'action="{ROOT}/export"' in page.text
    assert refused.status_code == 403
    assert not_theirs.status_code == 404
    assert 'value="customers"' not in theirs.text
    assert (customers.status_code, unfit.status_code) == (400, 400)


async def test_what_is_fetched_can_be_taken_in_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.console.screens.exports.PIECE_BYTES", 40)
    await shop.client.inventory.create_product(
        "=1+1", unit_price=Money("GBP", 1250), name="@cmd", description="a"
    )
    for number in range(20):
        await shop.client.inventory.create_product(f"P{number}", unit_price=Money("GBP", number))
    for ending in ("csv", "jsonl", "xlsx"):
        file = await shop.browser.get(f"{ROOT}/export?kind=products&format={ending}")
        sent = await brought(shop.browser, "products", file.content, f"a.{ending}")
        looked = await at_rest(shop.browser, sent.headers["location"])
        assert f".{ending}" in file.headers["content-disposition"]
        assert told(looked)["Unchanged"] == "21", looked.text
        if ending == "csv":
            assert "\r\n'=1+1,'@cmd," in file.text
        if ending == "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(file.content))
            assert book.worksheets[0]["A2"].data_type == "s"


async def test_orders_are_fetched_of_a_period_and_a_flaw_is_told(shop: Shop) -> None:
    await shop.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
    await shop.client.inventory.set_stock("LAMP", 5)
    order_id = await shop.placed(quantity=1)
    placed = await shop.client.orders.get(order_id)
    day = f"{placed.create_time:%Y-%m-%d}"
    of_today = await shop.browser.get(f"{ROOT}/export?kind=orders&from={day}&to={day}")
    of_then = await shop.browser.get(f"{ROOT}/export?kind=orders&to=2020-01-01")
    flawed = await shop.browser.get(f"{ROOT}/export?kind=orders&from=x&to=9999-12-31&status=NO")

    assert order_id in of_today.text
    assert of_then.text == ",".join(exports.COLUMNS["orders"]) + "\r\n"
    assert flawed.status_code == 400
    for field in ("from", "to", "status"):
        assert f"export-{field}-flaw" in flawed.text
