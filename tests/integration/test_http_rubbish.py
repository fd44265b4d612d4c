"""Rubbish over HTTP/1.1: refused in words, without a traceback, and nothing is changed by it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest

from holdfast.chassis.http import receiving, server
from testbed.keys import KEY
from tests.integration.conftest import Ground
from tests.integration.over_http import (
    ANSWER_S_MAX,
    Http,
    answer_of,
    http_on,
    raw,
    request_bytes,
)

ALIKE = True
PRODUCT = b'{"product_id":"BELL","unit_price":{"amount":"1","currency":"GBP"}}'


@pytest.fixture
async def http(ground: Ground, capfd: pytest.CaptureFixture[str]) -> AsyncIterator[Http]:
    """Holdfast whose world is the same after the test, and whose log holds no traceback."""
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        before = await found.holdfast.everything()
        yield found
        assert await found.holdfast.everything() == before
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said, said


BODIES = {
    "a depth bomb": b"[" * 100_000,
    "a depth bomb of objects": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "depth 33": b'{"product_id":' + b"[" * 32 + b"]" * 32 + b"}",
    "a name twice": PRODUCT[:-1] + b',"product_id":"BELL"}',
    "a name twice, deep inside": b'{"unit_price":{"amount":"1","amount":"2"}}',
    "a name in both spellings": PRODUCT[:-1] + b',"productId":"BELL"}',
    "a string for an object": PRODUCT.replace(b'{"amount":"1","currency":"GBP"}', b'"1 GBP"'),
    "a number for money": PRODUCT.replace(b'"1"', b"1.5"),
    "an integer as a string of letters": PRODUCT[:-1] + b',"safety_stock":"ten"}',
    "a fraction for an integer": PRODUCT[:-1] + b',"safety_stock":1.0}',
    "a bool for an integer": PRODUCT[:-1] + b',"safety_stock":true}',
    "a number for a bool": PRODUCT[:-1] + b',"active":1}',
    "2 to the 63rd": PRODUCT[:-1] + b',"safety_stock":9223372036854775808}',
    "1e400": PRODUCT[:-1] + b',"safety_stock":1e400}',
    "-1e400": PRODUCT[:-1] + b',"safety_stock":-1e400}',
    "NaN": PRODUCT[:-1] + b',"safety_stock":NaN}',
    "Infinity": PRODUCT[:-1] + b',"safety_stock":-Infinity}',
    "a number of 10,000 digits": PRODUCT[:-1] + b',"safety_stock":' + b"9" * 10_000 + b"}",
    "half a character": PRODUCT[:-1] + b',"name":"\\ud800"}',
    "half a character as a name": PRODUCT[:-1] + b',"\\ud800":1}',
    "a NUL": PRODUCT[:-1] + b',"name":"\\u0000"}',
    "no UTF-8": b'{"product_id":"\xff"}',
    "UTF-16": PRODUCT.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + PRODUCT,
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "two values": PRODUCT + PRODUCT,
    "half a value": PRODUCT[:-5],
    "a comment": b"/* */" + PRODUCT,
    "no JSON": b"product_id=BELL",
    "blanks": b"   ",
    "an unknown enum": PRODUCT[:-1] + b',"backorder":{"mode":"SOMETIMES"}}',
    "a number for an enum": PRODUCT[:-1] + b',"backorder":{"mode":1}}',
    "a prototype": PRODUCT[:-1] + b',"__proto__":{"active":true}}',
    "a mask": PRODUCT[:-1] + b',"update_mask":"name"}',
}


async def test_a_body_that_is_no_request_is_refused(http: Http) -> None:
    for name, body in BODIES.items():
        answer = answer_of(await raw(http.address, request_bytes("POST", "/v1/products", body)))

        assert answer.status == 400, (name, answer)
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json["errors"], f"{name}: it says where"
        assert len(answer.body) < 10_000, name


HEADERS = {
    "no content type": {"content-type": ""},
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "a text": {"content-type": "text/plain"},
    "another JSON": {"content-type": "application/vnd.api+json"},
    "a merge patch that is a POST": {"content-type": "application/merge-patch+json"},
    "another charset": {"content-type": "application/json; charset=latin-1"},
    "compressed": {"content-encoding": "gzip"},
}


async def test_a_body_of_another_type_is_415(http: Http) -> None:
    for name, headers in HEADERS.items():
        sent = request_bytes("POST", "/v1/products", PRODUCT, headers)

        assert answer_of(await raw(http.address, sent)).status == 415, name


PATHS = {
    "/v1/products/%": 400,
    "/v1/products/%zz": 400,
    "/v1/products/%ff": 400,
    "/v1/products/%00": 400,
    "/v1/products/a%c0%afb": 400,
    "/v1/products/../../etc/passwd": 404,
    "/docs/../../../../etc/passwd": 404,
    "/docs/..%2f..%2f..%2fetc%2fpasswd": 404,
    "/docs/%2e%2e/%2e%2e/settings.py": 404,
    "//v1/products": 404,
    "/v1//products": 404,
    "/v1/products?page_size=1e400": 400,
    "/v1/products?page_size=%ff": 400,
    "/v1/products?id_prefix=%zz": 400,
    "/v1/products?id_prefix=5%": 400,
    "/v1/products?page_size=1&page_size=2": 400,
    "/v1/products?": 200,
    "/v1/products?" + "a=1&" * 3_000: 400,
    "/v1/products?_method=DELETE": 400,
    "/v1/products/LAMP:delete": 404,
}


async def test_a_path_is_what_it_says_and_nothing_else(http: Http) -> None:
    for path, status in PATHS.items():
        answer = answer_of(await raw(http.address, request_bytes("GET", path)))

        assert answer.status == status, (path, answer)


async def test_no_header_of_a_proxy_changes_what_is_asked(http: Http) -> None:
    spoofed = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "gopher",
        "forwarded": "for=1.2.3.4;host=evil.example",
        "x-http-method-override": "DELETE",
        "x-original-url": "/v1/orders",
        "origin": "https://evil.example",
    }
    made = request_bytes("GET", "/v1/products?page_size=1", headers=spoofed)

    answer = answer_of(await raw(http.address, made))

    assert (answer.status, answer.json["products"][0]["product_id"]) == (200, "LAMP")
    assert "evil" not in str(answer)
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_line_breaks_in_what_is_echoed_make_no_headers(http: Http) -> None:
    path = "/v1/orders?page_size=1&page_token=%0d%0aset-cookie:%20a=b"
    answer = answer_of(await raw(http.address, request_bytes("GET", path)))
    key = answer_of(
        await raw(
            http.address, request_bytes("POST", "/v1/orders", b"{}", {"idempotency-key": "a\rb"})
        )
    )

    assert (answer.status, "set-cookie" in answer.headers) == (400, False)
    assert key.status == 400


STRANGER = b"POST /v1/products HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
SMUGGLED = STRANGER + f"authorization: Bearer {KEY}\r\n".encode()
INSIDE = request_bytes("POST", "/v1/products", PRODUCT)
MALFORMED = {
    "both lengths": SMUGGLED
    + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    + INSIDE,
    "two lengths": SMUGGLED + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef" + INSIDE,
    "a signed length": SMUGGLED + b"content-length: +5\r\n\r\nabcde" + INSIDE,
    "a length of letters": SMUGGLED + b"content-length: five\r\n\r\nabcde" + INSIDE,
    "chunked twice": SMUGGLED + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + INSIDE,
    "another coding": SMUGGLED + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n" + INSIDE,
    "a bad chunk": SMUGGLED + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + INSIDE,
    "a folded header": SMUGGLED + b"x: a\r\n b\r\ncontent-length : 2\r\n\r\n{}" + INSIDE,
    "a bare line feed": b"GET /v1/products HTTP/1.1\nhost: localhost\n\n",
    "a NUL in a header": b"GET /v1/products HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "gRPC": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a path of other letters": "GET /ä HTTP/1.1\r\nhost: localhost\r\n\r\n".encode(),
    "an absolute path elsewhere": b"GET http://evil.example/v1/products HTTP/9.9\r\n\r\n",
}


async def test_what_is_no_request_is_hung_up_on(http: Http) -> None:
    for name, sent in MALFORMED.items():
        received = await raw(http.address, sent, then_end=True)

        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", received)
        assert set(statuses) <= {b"400", b"415"}, (name, received)
        assert b"BELL" not in received, name


async def test_a_body_in_broken_chunks_is_answered(http: Http) -> None:
    head = SMUGGLED + b"transfer-encoding: chunked\r\n\r\n"
    for broken in (b"zz\r\n{}\r\n", b"2\r\n{}zz", b"-1\r\n{}", b"ffffffffffffffffff\r\n{}"):
        at_once = await raw(http.address, head + broken)
        answer = answer_of(at_once)

        assert (answer.status, answer.headers["connection"]) == (400, "close"), broken
        assert len(re.findall(rb"^HTTP/1\.1 ", at_once, re.M)) == 1


async def test_a_body_that_breaks_while_it_is_waited_for_is_answered(http: Http) -> None:
    host, _, port = http.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(SMUGGLED + b"expect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n")
    async with asyncio.timeout(ANSWER_S_MAX):
        assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"zz\r\n")
        answer = answer_of(await reader.read())
    writer.close()

    assert (answer.status, answer.headers["connection"]) == (400, "close")


async def test_what_is_broken_behind_a_request_is_not_taken_for_its_answer(http: Http) -> None:
    first = request_bytes("GET", "/v1/products", headers={"connection": "keep-alive"})
    head = SMUGGLED + b"transfer-encoding: chunked\r\n\r\n"

    received = await raw(http.address, first + head + b"zz\r\n")

    assert not re.findall(rb"HTTP/1\.1 400", received)


async def test_who_is_answered_first_is_answered_whatever_is_broken_behind_them(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S_MAX", 0.3)
    kept = {"connection": "keep-alive"}
    # Its length is told in characters; so the end of its body is no more of it.
    body = '{"customer_id": "Zürich"}'.encode()
    too_short = kept | {"content-length": str(len(body) - 1)}
    end = (await http.done("GET", "/v1/feeds/orders/events?cursor=latest"))["next_cursor"]
    slow = request_bytes("GET", f"/v1/feeds/orders/events?cursor={end}&wait=1", headers=kept)
    whole, unfinished = request_bytes("GET", "/v1/me", headers=kept), SMUGGLED
    unfinished += b"transfer-encoding: chunked\r\n\r\nzz\r\n"
    for sent, statuses in (
        (request_bytes("POST", "/v1/orders", body, too_short), [b"400"]),
        (slow + b"GET /v1/pro", [b"200"]),
        (whole + whole + b"}\r\n", [b"200", b"200"]),
        (whole + whole + unfinished, [b"200", b"200"]),
        (whole + unfinished, [b"200"]),
    ):
        received = await raw(http.address, sent)

        assert re.findall(rb"HTTP/1\.1 (\d+)", received) == statuses, sent


async def test_a_body_that_is_told_to_be_too_large_is_not_waited_for(http: Http) -> None:
    for length in (4 * 1024 * 1024 + 1, 10**18):
        told = b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % length
        answer = answer_of(await raw(http.address, SMUGGLED + told))

        assert (answer.status, answer.headers["connection"]) == (413, "close")


async def test_a_request_of_http_1_1_has_one_host(http: Http) -> None:
    key = f"authorization: Bearer {KEY}\r\nconnection: close\r\n".encode()
    for hosts, version, status in (
        (b"", b"1.1", 400),
        (b"host: localhost\r\nhost: localhost\r\n", b"1.1", 400),
        (b"", b"1.0", 200),
        (b"host: localhost\r\n", b"1.1", 200),
    ):
        line = b"GET /v1/products HTTP/" + version + b"\r\n"
        answer = answer_of(await raw(http.address, line + hosts + key + b"\r\n"))
        assert answer.status == status, (hosts, version)


async def test_a_coding_is_named_in_any_case(http: Http) -> None:
    for coding, status in (("Identity", 200), ("gzip", 415)):
        headers = {"content-encoding": coding}
        sent = request_bytes("POST", "/v1/stock/read", b'{"product_ids":["LAMP"]}', headers)
        assert answer_of(await raw(http.address, sent)).status == status


async def test_a_body_may_have_4_mib(http: Http) -> None:
    body = b'{"name":"' + b"x" * (4 * 1024 * 1024) + b'"}'
    told = request_bytes("POST", "/v1/products", body)
    head = SMUGGLED + b"transfer-encoding: chunked\r\n\r\n"
    chunks = b"".join(b"10000\r\n" + b"x" * 65_536 + b"\r\n" for _ in range(65))

    for sent in (told, head + chunks + b"0\r\n\r\n"):
        answer = answer_of(await raw(http.address, sent))
        assert (answer.status, answer.headers["connection"]) == (413, "close")


async def test_the_body_of_what_anybody_may_ask_may_have_16_kib(http: Http) -> None:
    for size, status in ((16_000, 401), (16_384 + 1, 413)):
        body = b'{"name":"ann","password":"wrong","device":""}'.ljust(size)
        answer = answer_of(await raw(http.address, request_bytes("POST", "/v1/sign-in", body)))
        assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert "16,384 bytes" in answer.json["detail"]


async def test_a_head_may_have_64_kib(http: Http) -> None:
    many = {f"x-{number}": "y" * 100 for number in range(1_000)}
    one = {"x": "y" * 1_000_000}
    for headers in (many, one):
        sent = request_bytes("GET", "/v1/products", headers=headers)
        received = await raw(http.address, sent)
        assert received == b"" or answer_of(received).status == 431


async def test_trailers_beyond_64_kib_and_what_is_read_at_once_are_hung_up_on(http: Http) -> None:
    head = SMUGGLED + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    head += b"2\r\n{}\r\n0\r\n"
    few = b"x-checksum: 1\r\n\r\n"
    many = b"".join(b"x-%d: %b\r\n" % (number, b"y" * 100) for number in range(10_000))
    one = b"x: " + b"y" * 1_000_000

    answer = answer_of(await raw(http.address, head + few))
    assert (answer.status, set(answer.errors)) == (400, {"/product_id", "/unit_price"})
    for trailers in (many, one):
        assert await raw(http.address, head + trailers) == b""


async def test_what_is_told_of_a_chunk_beside_its_length_may_have_64_kib(http: Http) -> None:
    head = SMUGGLED + b"transfer-encoding: chunked\r\n\r\n"

    assert await raw(http.address, head + b"2;x=" + b"y" * 1_000_000) == b""


async def test_no_trailer_is_taken_for_a_header(http: Http) -> None:
    head = STRANGER + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n" % (len(PRODUCT), PRODUCT)
    trailer = f"authorization: Bearer {KEY}\r\n\r\n".encode()

    answer = answer_of(await raw(http.address, head + chunks + trailer))

    assert (answer.status, answer.json["reason"]) == (401, "NO_CREDENTIAL")


async def test_who_is_slow_is_not_waited_for(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_S_MAX", 0.3)
    monkeypatch.setattr(receiving, "BODY_S_MAX", 0.3)
    head = SMUGGLED + b"content-length: 50\r\n\r\n{"

    never, slow_head, slow_body = await asyncio.gather(
        raw(http.address, b""),
        raw(http.address, b"GET /v1/products HTTP/1.1\r\nx: "),
        raw(http.address, head),
    )

    assert [answer_of(one).status for one in (never, slow_head, slow_body)] == [408, 408, 408]
    assert json.loads(answer_of(slow_body).body)["detail"].startswith(": ") is False


async def test_the_body_of_who_is_not_let_in_is_not_waited_for(http: Http) -> None:
    for path in (b"/v1/products", b"/v1/nothing"):
        head = STRANGER.replace(b"/v1/products", path) + b"content-length: 50\r\n\r\n{"

        answer = answer_of(await raw(http.address, head))

        assert (answer.status, answer.headers["connection"]) in ((401, "close"), (404, "close"))


async def test_who_leaves_in_the_middle_of_a_body_changes_nothing(http: Http) -> None:
    head = SMUGGLED + b"content-length: %d\r\n\r\n" % len(PRODUCT)

    await raw(http.address, head + PRODUCT[:-1], then_end=True)


async def test_requests_in_a_row_are_answered_in_their_order(http: Http) -> None:
    first = request_bytes("GET", "/v1/products/LAMP").replace(b"close", b"keep-alive")
    second = request_bytes("GET", "/v1/nothing")

    received = await raw(http.address, first + second)

    assert [int(part.split()[0]) for part in received.split(b"HTTP/1.1 ")[1:]] == [200, 404]
