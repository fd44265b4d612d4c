"""Keys for repeats over HTTP: what is asked twice is done once, and told to have been done."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.integration.conftest import Ground
from tests.integration.over_http import Http, answer_of, http_on, raw, request_bytes

ALIKE = True


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        yield found


def wanted(quantity: int = 1) -> dict[str, object]:
    return {"customer_id": "c-1", "lines": [{"product_id": "LAMP", "quantity": quantity}]}


@pytest.mark.parametrize("again", ["k-1", '"k-1"'])
async def test_a_repeat_under_the_same_key_is_answered_200_and_says_so(
    http: Http, again: str
) -> None:
    first = await http.ask("POST", "/v1/orders", wanted(), idempotency_key="k-1")
    second = await http.ask("POST", "/v1/orders", wanted(), idempotency_key=again)
    in_body = await http.ask("POST", "/v1/orders", wanted() | {"request_id": "k-1"})

    assert (first.status, second.status, in_body.status) == (201, 200, 200)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.json["order_id"] == first.json["order_id"] == in_body.json["order_id"]
    assert len((await http.done("GET", "/v1/orders"))["orders"]) == 1


async def test_a_key_in_header_and_body_that_differ_is_refused(http: Http) -> None:
    both = wanted() | {"request_id": "k-1"}

    same = await http.ask("POST", "/v1/orders", both, idempotency_key="k-1")
    other = await http.ask("POST", "/v1/orders", both, idempotency_key="k-2")

    assert same.status == 201
    assert (other.status, other.errors) == (400, ["Idempotency-Key"])


async def test_a_key_that_is_none_is_refused_by_its_header(http: Http) -> None:
    for key in ('""', '"k', '"k"1"', "", "\xe4", "x" * 129, "a\u200b"):
        answer = await http.ask("POST", "/v1/orders", wanted(), idempotency_key=key)

        assert (answer.status, answer.errors) == (400, ["Idempotency-Key"]), key


async def test_a_key_used_for_other_contents_is_422(http: Http) -> None:
    first = await http.ask("POST", "/v1/orders", wanted(), idempotency_key="k-1")
    other = await http.ask("POST", "/v1/orders", wanted(2), idempotency_key="k-1")

    assert (other.status, other.json["reason"]) == (422, "REQUEST_ID_REUSED")
    assert other.json["facts"]["order_id"] == first.json["order_id"]


async def test_a_shipment_s_key_used_for_other_contents_is_422(http: Http) -> None:
    path = f"/v1/orders/{await http.placed()}/shipments"
    await http.done("POST", path, {"carrier": "Post"}, idempotency_key="k-1")
    other = await http.ask("POST", path, {"carrier": "Bus"}, idempotency_key="k-1")

    assert (other.status, other.json["reason"]) == (422, "SHIPMENT_REUSED")


async def test_what_is_made_again_is_told_apart_from_what_is_made(http: Http) -> None:
    await http.done("POST", "/v1/locations", {"location_id": "attic"})
    units = {"lines": [{"product_id": "LAMP", "quantity": 1}]}
    delta = {"delta": 1, "reason": "found"}
    order_id, other_id = await http.placed(), await http.placed()
    await http.done("POST", f"/v1/orders/{order_id}/shipments")
    lines = {"lines": [{"line_no": 1, "quantity": 1}]}
    back = await http.done("POST", f"/v1/orders/{order_id}/returns", lines)
    came = {"line_no": 1, "quantity": 1, "disposition": "RESTOCK"}
    sent = await http.done("POST", "/v1/transfers", units | {"origin": "main", "target": "attic"})
    asked = [
        ("/v1/products", {"product_id": "BELL", "unit_price": {"amount": "1", "currency": "GBP"}}),
        ("/v1/locations", {"location_id": "cellar"}),
        ("/v1/transfers", units | {"origin": "main", "target": "attic"}),
        (f"/v1/orders/{other_id}/shipments", {"carrier": "Post"}),
        (f"/v1/orders/{other_id}/returns", lines),
        (f"/v1/returns/{back['return_id']}/receive", {"lines": [came]}),
        (f"/v1/transfers/{sent['transfer_id']}/receive", {}),
        ("/v1/products/LAMP/stock/main/adjustments", delta),
        ("/v1/products/LAMP/stock/main/quarantine", {"quantity": 1, "reason": "wet"}),
    ]
    for path, content in asked:
        key = "r-2" if path == "/v1/transfers" else f"k {path}"
        first = await http.ask("POST", path, content, idempotency_key=key)
        again = await http.ask("POST", path, content, idempotency_key=key)

        assert "idempotent-replayed" not in first.headers, path
        assert again.headers["idempotent-replayed"] == "true", path
        assert (again.status, again.body) == (200, first.body), path


async def test_an_adjustment_without_a_key_is_refused(http: Http) -> None:
    path, delta = "/v1/products/LAMP/stock/main/adjustments", {"delta": 1, "reason": "found"}

    answer = await http.ask("POST", path, delta)
    named = await http.ask("POST", path, delta | {"request_id": "r-1"})

    assert (answer.status, answer.errors) == (400, ["Idempotency-Key"])
    assert named.status == 200


async def test_a_level_is_set_once_for_a_key(http: Http) -> None:
    path = "/v1/products/LAMP/stock/main"
    first = await http.ask("PUT", path, {"quantity": 5}, idempotency_key="k-1")
    await http.done("PUT", path, {"quantity": 7})
    again = await http.ask("PUT", path, {"quantity": 5}, idempotency_key="k-1")
    other = await http.ask("PUT", path, {"quantity": 6}, idempotency_key="k-1")

    assert again.headers["idempotent-replayed"] == "true"
    assert again.body == first.body
    assert (other.status, other.json["reason"]) == (422, "REQUEST_ID_REUSED")
    level = (await http.done("GET", "/v1/products/LAMP/stock"))["levels"][0]
    assert level["on_hand"] == 7


async def test_a_key_is_refused_where_a_repeat_would_do_it_again(http: Http) -> None:
    key = {"name": "x", "grants": ["viewer"]}
    for path, content in (
        ("/v1/keys", key),
        ("/v1/keys/x/rotate", {}),
        ("/v1/sign-in", {"name": "x", "password": "x"}),
    ):
        answer = await http.ask("POST", path, content, idempotency_key="k-1")
        assert (answer.status, answer.errors) == (400, ["Idempotency-Key"]), path

    assert len((await http.done("GET", "/v1/keys"))["keys"]) == 1
    cancel = f"/v1/orders/{await http.placed()}/cancel"
    assert (await http.ask("POST", cancel, {}, idempotency_key="k-1")).status == 200


async def test_two_keys_are_none(http: Http) -> None:
    content = json.dumps(wanted()).encode()
    asked = request_bytes("POST", "/v1/orders", content, {"idempotency-key": "a"})
    asked = asked.replace(b"idempotency-key: a", b"idempotency-key: a\r\nIdempotency-Key: b")

    answer = answer_of(await raw(http.address, asked))
    of_one = await http.ask("POST", "/v1/orders", wanted(), idempotency_key='"a, b"')

    assert (answer.status, answer.errors) == (400, ["Idempotency-Key"])
    assert of_one.status == 201


async def test_one_key_for_a_batch_is_refused(http: Http) -> None:
    batch = {"requests": [wanted()]}

    answer = await http.ask("POST", "/v1/orders/batch", batch, idempotency_key="k-1")

    assert (answer.status, answer.errors) == (400, ["Idempotency-Key"])
