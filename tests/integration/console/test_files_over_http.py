"""Files in and out for programs: the same as in the console, with a key in place of a browser."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.client import Holdfast, Money
from holdfast.console import intake, uploads
from holdfast.console.intake import Intake, Intakes, Stage
from holdfast.exchange.files import FileOptions
from holdfast.exchange.imports import ImportOptions
from testbed.keys import KEY
from tests.integration.conftest import (
    ANYWHERE,
    EMBEDDED,
    Ground,
    RunningHoldfast,
    eventually,
    running,
)

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
PRODUCTS = b"product_id,name,unit_price\nLAMP,Lamp,12.50\nMUG,Mug,4\nBULB,Bulb,none\n"
MOVING = ("looking", "taking")


@pytest.fixture
async def holdfast(ground: Ground) -> AsyncIterator[RunningHoldfast]:
    async with running(ground, http_at=ANYWHERE) as found:
        yield found


def files_kept(ground: Ground) -> list[Path]:
    assert ground.home is not None
    assert ground.home.folder is not None
    return list((ground.home.folder / "imports").glob("*.file"))


@pytest.fixture
async def http(holdfast: RunningHoldfast) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {KEY}"}
    address = f"http://{holdfast.addresses.http}"
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=20.0) as found:
        yield found


async def at_rest(http: httpx2.AsyncClient, answer: httpx2.Response) -> dict[str, Any]:
    """A file, when it moves no more."""
    path = answer.headers["location"]
    last = await eventually(
        lambda: http.get(path), lambda one: one.json()["state"] not in MOVING, "comes to rest"
    )
    found: dict[str, Any] = last.json()
    return found


def counts(told: dict[str, Any]) -> tuple[int, int, int, int]:
    report = told["report"]
    return report["created"], report["changed"], report["unchanged"], report["refused"]


async def test_a_file_is_taken_in_once_however_often_it_is_sent(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient
) -> None:
    key = {"idempotency-key": "products-of-today"}
    first = await http.post("/files/imports/products?name=p.csv", content=PRODUCTS, headers=key)
    taken = await at_rest(http, first)
    again = await http.post("/files/imports/products?name=p.csv", content=PRODUCTS, headers=key)
    anew = await at_rest(http, await http.post("/files/imports/products", content=PRODUCTS))

    assert first.status_code == 202
    assert (taken["state"], taken["name"], counts(taken)) == ("taken", "p.csv", (2, 0, 0, 1))
    assert [one["line"] for one in taken["report"]["problems"]] == [4]
    assert again.json()["import_id"] == taken["import_id"]
    assert anew["import_id"] != taken["import_id"]
    assert anew["report"]["created"] in (0, 2), "counted as what became of it, or found unchanged"
    products = [one async for one in holdfast.client.inventory.list_products()]
    assert [one.unit_price for one in products] == [
        Money.parse("12.50", "GBP"),
        Money.parse("4.00", "GBP"),
    ]


async def test_another_file_under_the_same_key_is_refused_and_not_lost(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient
) -> None:
    path, key = "/files/imports/products", {"idempotency-key": "nightly"}
    first = await http.post(path, content=PRODUCTS, headers=key)
    await at_rest(http, first)

    others = [
        await http.post(path, content=b"product_id,unit_price\nCUP,3.00\n", headers=key),
        await http.post(f"{path}?dry_run=true", content=PRODUCTS, headers=key),
        await http.post("/files/imports/stock", content=PRODUCTS, headers=key),
    ]
    at_once = await asyncio.gather(
        *(http.post(path, content=PRODUCTS, headers={"idempotency-key": "late"}) for _ in range(3))
    )

    assert [one.status_code for one in others] == [422, 422, 422]
    assert len({one.json()["import_id"] for one in at_once}) == 1
    assert len((await http.get("/files/imports")).json()["imports"]) == 2


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_file_is_seen_at_rest_only_where_it_rests(
    holdfast: RunningHoldfast, tmp_path: Path, at_once: bool
) -> None:
    intakes = Intakes(tmp_path / "imports", "here", SystemClock())
    place = intakes.place("one")
    place.write_bytes(PRODUCTS)
    at = holdfast.addresses.orders, holdfast.addresses.inventory
    options = FileOptions(how=ImportOptions(dry_run=True))
    of_whom = "one", "me", "Me", "request", "products", "p.csv"
    one = Intake(*of_whom, place, options, lambda: Holdfast(*at, key=KEY), goes_on=at_once)

    intakes.take_up(one)
    seen = [one.stage]
    while one.is_moving:
        await asyncio.sleep(0)
        if one.stage is not seen[-1]:
            seen.append(one.stage)
        if one.stage is Stage.LOOKED:
            intakes.take(one)  # at once, while the client that looked is still being closed
    await intakes.close()

    between = [] if at_once else [Stage.LOOKED]
    assert seen == [Stage.LOOKING, *between, Stage.TAKING, Stage.TAKEN]


async def test_a_dry_run_changes_nothing_until_it_is_told_to(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient
) -> None:
    sent = await http.post("/files/imports/products?dry_run=true", content=PRODUCTS)
    looked = await at_rest(http, sent)
    there = [one async for one in holdfast.client.inventory.list_products()]
    taken = await at_rest(http, await http.post(f"{sent.headers['location']}/take"))
    listed = (await http.get("/files/imports")).json()["imports"]
    gone = await http.delete(sent.headers["location"])

    assert (looked["state"], counts(looked), looked["report"]["dry_run"]) == (
        "looked",
        (2, 0, 0, 1),
        True,
    )
    assert there == []
    assert (taken["state"], counts(taken)) == ("taken", (2, 0, 0, 1))
    assert [one["import_id"] for one in listed] == [taken["import_id"]]
    assert gone.status_code == 204
    assert (await http.get(sent.headers["location"])).status_code == 404


async def test_everything_is_fetched_as_a_file(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient
) -> None:
    await at_rest(http, await http.post("/files/imports/products", content=PRODUCTS))

    fetched = await http.get("/files/exports/prices?format=csv")
    orders = await http.get("/files/exports/orders?format=jsonl&from=2026-01-01&to=2026-01-31")

    assert fetched.headers["content-type"].startswith("text/csv")
    assert fetched.text.splitlines()[1:] == ["LAMP,12.50,GBP", "MUG,4.00,GBP"]
    assert (orders.status_code, orders.text) == (200, "")


WRONG = {
    "unknown kind": ("POST", "/files/imports/lamps", 404),
    "unknown parameter": ("POST", "/files/imports/stock?dryrun=true", 400),
    "neither yes nor no": ("POST", "/files/imports/stock?dry_run=maybe", 400),
    "no such locale": ("POST", "/files/imports/stock?locale=xx", 400),
    "no such currency": ("POST", "/files/imports/stock?currency=ABC", 400),
    "a parameter of another import": ("POST", "/files/imports/prices?again=true", 400),
    "no file's name": ("POST", "/files/imports/stock?name=a%00b", 400),
    "no such import": ("GET", "/files/imports/none", 404),
    "nothing there": ("GET", "/files/elsewhere", 404),
    "a slash too few": ("GET", "/files", 404),
    "a slash too many": ("POST", "/files/imports/stock/", 404),
    "another method": ("PUT", "/files/imports/stock", 405),
    "unknown export": ("GET", "/files/exports/lamps", 404),
    "no such time": ("GET", "/files/exports/orders?from=yesterday", 400),
    "no time between": ("GET", "/files/exports/orders?from=2026-03-02&to=2026-03-01", 400),
    "no such format": ("GET", "/files/exports/orders?format=pdf", 400),
    "unknown parameter of an export": ("GET", "/files/exports/orders?form=2026-01-01", 400),
    "a parameter of another export": ("GET", "/files/exports/products?status=SHIPPED", 400),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_wrong_is_refused_by_name(http: httpx2.AsyncClient, case: str) -> None:
    verb, path, status = WRONG[case]

    answer = await http.request(verb, path, content=PRODUCTS if verb == "POST" else None)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_what_is_asked_for_twice_and_otherwise_is_not_done(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient
) -> None:
    """The last one counted: a dry run that was asked for took the file in."""
    path = "/files/imports/products?dry_run=true&dry_run=false"

    answer = await http.post(path, content=PRODUCTS)

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"parameter": "dry_run", "detail": "is there twice"}]
    assert [one async for one in holdfast.client.inventory.list_products()] == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/files/imports/stock?locale=xx", "must be one of en-GB, en-US, de,"),
        ("/files/imports/stock?dryrun=true", "is not known here: there are again, currency,"),
        ("/files/exports/orders?status=LOST", "must be one of PENDING, RESERVED,"),
        ("/files/exports/orders?format=pdf", "must be one of csv, jsonl, xlsx"),
    ],
)
async def test_who_sees_no_form_is_told_what_there_is(
    http: httpx2.AsyncClient, path: str, told: str
) -> None:
    verb = "POST" if "imports" in path else "GET"

    answer = await http.request(verb, path, content=PRODUCTS if verb == "POST" else None)

    ((error),) = answer.json()["errors"]
    assert told in error["detail"]


async def test_a_form_with_a_file_in_it_is_no_file(http: httpx2.AsyncClient) -> None:
    """As `curl -F` sends it: its first line was taken for the header."""
    answer = await http.post("/files/imports/products", files={"file": PRODUCTS})

    assert answer.status_code == 415
    assert "--data-binary" in answer.json()["detail"]


@pytest.mark.parametrize("key", ["", "x" * 129, '"left open'])
async def test_a_key_that_names_no_request_is_refused(http: httpx2.AsyncClient, key: str) -> None:
    """An empty one was none, and each repeat another import."""
    headers = {"idempotency-key": key}

    answer = await http.post("/files/imports/products", content=PRODUCTS, headers=headers)

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
    assert (await http.get("/files/imports")).json() == {"imports": []}


async def test_a_key_is_the_same_bare_and_quoted(http: httpx2.AsyncClient) -> None:
    first, again = [
        await http.post(
            "/files/imports/products?dry_run=true",
            content=PRODUCTS,
            headers={"idempotency-key": key},
        )
        for key in ("today", '"today"')
    ]

    assert first.json()["import_id"] == again.json()["import_id"]


@pytest.mark.parametrize(
    ("path", "verbs"),
    [
        ("/files/imports/stock", "DELETE, GET, HEAD, POST"),
        ("/files/imports/x/take", "POST"),
        ("/files/exports/stock", "GET, HEAD"),
    ],
)
async def test_another_verb_is_told_which_there_are(
    http: httpx2.AsyncClient, path: str, verbs: str
) -> None:
    answer = await http.put(path, content=b"")

    assert (answer.status_code, answer.headers["allow"]) == (405, verbs)


async def test_whoever_may_not_is_refused(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient
) -> None:
    made = await holdfast.client.keys.create("warehouse", ["warehouse"])
    theirs = {"authorization": f"Bearer {made.text}"}
    mine = await http.post("/files/imports/products?dry_run=true", content=PRODUCTS)
    path = mine.headers["location"]

    nobody = await http.post("/files/imports/stock", content=b"", headers={"authorization": ""})
    twice = await http.get("/files/imports", headers=[*theirs.items(), *theirs.items()])
    refused = await http.post("/files/imports/products", content=PRODUCTS, headers=theirs)
    others = await http.get(path, headers=theirs)

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (twice.status_code, refused.status_code) == (401, 403)
    assert "more than one credential" in twice.json()["detail"]
    assert "imports:write" in refused.json()["detail"]
    assert others.status_code in (403, 404)


@pytest.mark.parametrize(
    "told", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}], ids=str
)
async def test_a_page_of_another_place_brings_nothing(
    holdfast: RunningHoldfast, http: httpx2.AsyncClient, told: dict[str, str]
) -> None:
    """Where nobody is asked for a key, any page in the same browser could send a form."""
    answer = await http.post("/files/imports/products", content=PRODUCTS, headers=told)

    assert answer.status_code == 403
    assert (await http.get("/files/imports")).json() == {"imports": []}


async def test_an_error_of_ours_is_told_without_its_words(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("what only the log may have")

    monkeypatch.setattr(intake, "import_file", fail)
    told = await at_rest(http, await http.post("/files/imports/products", content=PRODUCTS))

    assert (told["state"], told["problem"]) == (
        "broken_off",
        "something went wrong here, and is in the log: try it once more",
    )


async def test_a_file_that_is_too_large_is_refused_and_not_kept(
    ground: Ground, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "FILE_BYTES_MAX", 100)

    answer = await http.post("/files/imports/products", content=PRODUCTS * 10)

    assert answer.status_code == 413
    assert files_kept(ground) == []


async def trickling(over: asyncio.Event) -> AsyncIterator[bytes]:
    """A file whose end comes once it is asked for."""
    yield PRODUCTS
    await over.wait()


async def test_no_more_files_come_at_once_than_are_kept(
    ground: Ground, http: httpx2.AsyncClient
) -> None:
    """Each counted for itself, and none of them until it was there: they filled the disk."""
    over, kept = asyncio.Event(), intake.FILES_EACH_MAX

    async def files() -> int:
        return len(files_kept(ground))

    coming = [
        asyncio.create_task(http.post("/files/imports/products", content=trickling(over)))
        for _ in range(kept)
    ]
    await eventually(files, lambda count: count == kept, "all are on their way")

    refused = await http.post("/files/imports/products", content=PRODUCTS)
    over.set()
    answers = await asyncio.gather(*coming)

    assert refused.status_code == 429
    assert [one.status_code for one in answers] == [202] * kept
    for answer in answers:
        await at_rest(http, answer)
    assert (await http.post("/files/imports/products", content=PRODUCTS)).status_code == 202


async def test_a_file_that_does_not_come_on_is_refused_and_not_kept(
    ground: Ground, holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PART_S_MAX", 0.2)
    head = (
        "POST /files/imports/products HTTP/1.1",
        f"host: {holdfast.addresses.http}",
        f"authorization: Bearer {KEY}",
        "content-length: 1000",
    )
    host, _, port = holdfast.addresses.http.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join((*head, "", "")).encode() + PRODUCTS)

    answer = await asyncio.wait_for(reader.read(), 20)  # up to its end: nothing more is heard

    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert files_kept(ground) == []
