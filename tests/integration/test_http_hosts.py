"""A server on a loopback address is for this machine, whatever name a page in a browser has."""

from collections.abc import AsyncIterator

import pytest

from holdfast.chassis.http.server import serving_http
from holdfast.chassis.process.ports import PortSettings
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, Ground
from tests.integration.over_http import Http, answer_of, http_on, raw, request_bytes

ALIKE = True


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        yield found


async def status(address: str, host: str, verb: str = "GET", body: bytes = b"") -> int:
    sent = request_bytes(verb, "/v1/products", body, {"host": host})
    return answer_of(await raw(address, sent)).status


async def test_a_page_of_elsewhere_can_t_reach_us_by_its_own_name(http: Http) -> None:
    port = http.address.rpartition(":")[2]
    made = b'{"product_id": "BELL", "unit_price": {"amount": "1", "currency": "GBP"}}'
    for host in (f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", ""):
        assert await status(http.address, host) == 421
        assert await status(http.address, host, "POST", made) == 421

    listed = await http.done("GET", "/v1/products")

    assert [one["product_id"] for one in listed["products"]] == ["LAMP"]


async def test_we_are_reached_by_every_name_of_this_machine(http: Http) -> None:
    port = http.address.rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", "localhost", f"LOCALHOST:{port}", "[::1]:7000", "127.9.9.9"):
        assert await status(http.address, host) == 200


async def test_two_names_are_as_good_as_none_of_ours(http: Http) -> None:
    twice = b"GET /v1/products HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n"

    assert answer_of(await raw(http.address, twice, then_end=True)).status in (400, 421)


async def test_who_names_no_host_is_no_browser(http: Http) -> None:
    asked = f"GET /v1/products HTTP/1.0\r\nauthorization: Bearer {KEY}\r\n\r\n"
    answer = answer_of(await raw(http.address, asked.encode()))

    assert answer.status == 200


@pytest.mark.parametrize("page", ["/docs", "/openapi.json", "/nowhere"])
async def test_pages_are_refused_by_another_name_too(http: Http, page: str) -> None:
    sent = request_bytes("GET", page, headers={"host": "evil.example"})

    answer = answer_of(await raw(http.address, sent))

    assert (answer.status, answer.json["status"]) == (421, 421)


async def test_a_name_that_a_proxy_passes_on_can_be_set_and_one_open_to_others_has_any() -> None:
    async with serving_http(ANYWHERE, [], PortSettings(http_hosts=("shop.example",))) as address:
        assert await status(address, "Shop.Example:443") == 404, (
            "it is let in, and there is nothing"
        )
        assert await status(address, "evil.example") == 421
    async with serving_http("0.0.0.0:0", []) as address:
        at = f"127.0.0.1:{address.rpartition(':')[2]}"
        assert await status(at, "anything.example") == 404


OF_ANOTHER_PLACE = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "http://localhost:3000"},
    {"sec-fetch-site": "same-origin, cross-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
)
OF_OURS: tuple[dict[str, str], ...] = (
    {},
    {"sec-fetch-site": "same-origin", "origin": "https://shop.example"},  # behind a proxy
    {"sec-fetch-site": "none"},
    {"origin": "http://localhost"},
)


@pytest.mark.parametrize("told", OF_ANOTHER_PLACE, ids=str)
async def test_a_page_of_another_place_changes_nothing(http: Http, told: dict[str, str]) -> None:
    """Where nobody is asked for a key, any page in the same browser could send a POST here."""
    await http.done("PATCH", "/v1/customers/c-1", {"customer": {"name": "Ann"}}, if_none_match="*")

    for verb, path in (
        ("POST", "/v1/customers/c-1/erase"),
        ("DELETE", "/v1/users/ann"),
        ("PATCH", "/v1/products/LAMP"),
        ("PUT", "/v1/products/LAMP/stock/main"),
    ):
        answer = answer_of(await raw(http.address, request_bytes(verb, path, headers=told)))
        assert (answer.status, "let a program" in answer.json["detail"]) == (403, True), path

    assert (await http.done("GET", "/v1/customers/c-1"))["customer"]["name"] == "Ann"


@pytest.mark.parametrize("told", OF_OURS, ids=str)
async def test_our_own_pages_and_programs_change_what_they_may(
    http: Http, told: dict[str, str]
) -> None:
    body = b'{"location_id": "attic"}'

    answer = answer_of(await raw(http.address, request_bytes("POST", "/v1/locations", body, told)))

    assert answer.status == 201


async def test_what_is_read_is_read_by_whoever_may(http: Http) -> None:
    for told in OF_ANOTHER_PLACE:
        for verb in ("GET", "HEAD"):
            asked = request_bytes(verb, "/v1/products", headers=told)
            assert answer_of(await raw(http.address, asked)).status == 200
