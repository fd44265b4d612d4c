"""Over HTTP somebody else's order is as little there: no header, tag or stream tells of it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.integration.conftest import Ground
from tests.integration.let_in import let_in_by_name, named
from tests.integration.over_http import Answer, Http, http_on

ALIKE = True

((_, ADA),) = named("ada", customer="c-ada")
((_, BOB),) = named("bob", customer="c-bob")
LINES = [{"product_id": "LAMP", "quantity": 1}]
RETURNED = {"lines": [{"line_no": 1, "quantity": 1}]}


@pytest.fixture(autouse=True)
def _let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    let_in_by_name(monkeypatch)


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        yield found


def told(answer: Answer, name: str) -> tuple[object, ...]:
    """All that an answer says beside what it is about and when."""
    headers = {k: v for k, v in answer.headers.items() if k not in ("date", "content-length")}
    return answer.status, headers, answer.body.replace(name.encode(), b"IT")


async def test_another_s_order_answers_as_one_that_is_not_there(http: Http) -> None:
    order = {"lines": LINES, "wait": "15s"}
    placed = await http.ask("POST", "/v1/orders", order, authorization=BOB)
    order_id, nobody = placed.json["order_id"], str(uuid4())
    mine = await http.ask("GET", f"/v1/orders/{order_id}", authorization=BOB)
    tag = mine.headers["etag"]
    asked: list[tuple[str, str, object, dict[str, str]]] = [
        ("GET", "/v1/orders/{}", None, {}),
        ("GET", "/v1/orders/{}", None, {"if_none_match": tag}),
        ("GET", "/v1/orders/{}/watch", None, {}),
        ("GET", "/v1/orders/{}/watch", None, {"last_event_id": "2"}),
        ("GET", "/v1/orders/{}/watch", None, {"last_event_id": "9"}),
        ("PATCH", "/v1/orders/{}", {"customer": {"name": "Eve"}}, {"if_match": tag}),
        ("PATCH", "/v1/orders/{}", {"customer": {"name": "Eve"}}, {"if_match": '"99"'}),
        ("POST", "/v1/orders/{}/cancel", None, {}),
        ("POST", "/v1/orders/{}/cancel", None, {"idempotency_key": "k-1"}),
        ("POST", "/v1/orders/{}/returns", RETURNED, {"idempotency_key": "k-1"}),
    ]
    for verb, path, content, headers in asked:
        foreign, nothing = [
            await http.ask(verb, path.format(name), content, authorization=ADA, **headers)
            for name in (order_id, nobody)
        ]

        assert foreign.status == 404, (verb, path, headers)
        assert told(foreign, order_id) == told(nothing, nobody)
    after = await http.ask("GET", f"/v1/orders/{order_id}", authorization=BOB)
    assert (after.headers["etag"], after.body) == (tag, mine.body)


async def test_a_key_of_another_customer_makes_an_order_of_one_s_own(http: Http) -> None:
    order = {"lines": LINES}
    bobs, adas = [
        await http.ask("POST", "/v1/orders", order, authorization=who, idempotency_key="k-1")
        for who in (BOB, ADA)
    ]

    assert (bobs.status, adas.status) == (201, 201)
    assert bobs.json["order_id"] != adas.json["order_id"]
    assert adas.headers["location"].endswith(adas.json["order_id"])
    listed = await http.done("GET", "/v1/orders", authorization=ADA)
    assert [one["order_id"] for one in listed["orders"]] == [adas.json["order_id"]]
    assert {one["customer_id"] for one in listed["orders"]} == {"c-ada"}
