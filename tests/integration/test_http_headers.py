"""What HTTP people expect of headers: keys for repeats, versions, waits, pages, and statuses."""

from collections.abc import AsyncIterator

import pytest
import structlog

from tests.integration.conftest import Ground, eventually
from tests.integration.over_http import Http, http_on

ALIKE = True
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        await found.product("LAMP", 10)
        yield found


def wanted(quantity: int = 1) -> dict[str, object]:
    return {"customer_id": "c-1", "lines": [{"product_id": "LAMP", "quantity": quantity}]}


async def test_what_the_caller_has_already_is_not_sent_again(http: Http) -> None:
    for path in ("/v1/products/LAMP", f"/v1/orders/{await http.placed()}"):
        read = await http.ask("GET", path)
        tag = read.headers["etag"]

        for known in (tag, f'"x", W/{tag}', "*"):
            same = await http.ask("GET", path, if_none_match=known)
            assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
        assert (await http.ask("GET", path, if_none_match='"0"')).status == 200


async def test_an_etag_changes_with_the_stock_of_an_order_though_its_version_stays(
    http: Http,
) -> None:
    patch = {"backorder": {"mode": "UNLIMITED"}, "version": 1}
    await http.done("PATCH", "/v1/products/LAMP", patch)
    path = f"/v1/orders/{await http.placed(quantity=12)}"
    before = await http.ask("GET", path)
    assert before.json["queued"]

    await http.done("PUT", "/v1/products/LAMP/stock/main", {"quantity": 20})
    after = await eventually(lambda: http.ask("GET", path), lambda read: not read.json["queued"])

    assert after.json["version"] == before.json["version"]
    assert after.headers["etag"] != before.headers["etag"]
    changed = await http.ask("PATCH", path, {"note": "x"}, if_match=after.headers["etag"])
    assert changed.status == 200


async def test_a_stale_version_is_412_by_if_match_and_409_in_the_body(http: Http) -> None:
    path, patch = "/v1/products/LAMP", {"name": "Red lamp"}
    await http.done("PATCH", path, patch, if_match='"1"')

    by_header = await http.ask("PATCH", path, patch, if_match='"1"')
    in_body = await http.ask("PATCH", path, patch | {"version": 1})

    assert (by_header.status, in_body.status) == (412, 409)
    for stale in (by_header, in_body):
        assert stale.json["reason"] == "STALE_VERSION"
        assert stale.json["status"] == stale.status
        assert (stale.json["current_version"], stale.headers["etag"]) == (2, '"2"')


async def test_a_change_without_a_version_is_428(http: Http) -> None:
    order_id = await http.placed()
    await http.done("POST", "/v1/locations", {"location_id": "attic"})
    for path in (
        "/v1/products/LAMP", "/v1/locations/attic", f"/v1/orders/{order_id}", "/v1/customers/c-1",
    ):  # fmt: skip
        answer = await http.ask("PATCH", path, {"name": "x"})
        assert (answer.status, answer.errors) == (428, ["If-Match"]), path


async def test_what_is_no_version_is_refused(http: Http) -> None:
    for tag in ("7", "*", 'w/"1"', '"x"', '"1", "2"'):
        answer = await http.ask("PATCH", "/v1/products/LAMP", {"name": "x"}, if_match=tag)

        assert (answer.status, answer.errors) == (400, ["If-Match"]), tag


async def test_a_version_is_known_whose_answer_a_proxy_has_compressed(http: Http) -> None:
    """Its ETag is weak then, as nginx has it."""
    changed = await http.done("PATCH", "/v1/products/LAMP", {"name": "x"}, if_match='W/"1"')
    stale = await http.ask("PATCH", "/v1/products/LAMP", {"name": "y"}, if_match='W/"1"')

    assert changed["version"] == 2
    assert (stale.status, stale.headers["etag"]) == (412, '"2"')


async def test_a_version_is_refused_where_nobody_would_look_at_it(http: Http) -> None:
    order_id = await http.placed()
    for path in (f"/v1/orders/{order_id}/cancel", "/v1/products", "/v1/orders/batch"):
        for headers in ({"if_match": '"2"'}, {"if_none_match": "*"}):
            answer = await http.ask("POST", path, {}, **headers)
            assert (answer.status, len(answer.errors)) == (400, 1), path
    assert (await http.done("GET", f"/v1/orders/{order_id}"))["status"] == "CONFIRMED"


async def test_a_version_is_refused_of_what_is_to_be_deleted_and_nothing_is(http: Http) -> None:
    path = "/v1/users/ann"
    made = {"name": "ann", "grants": ["support"], "password": "a lamp for the window"}
    await http.done("POST", "/v1/users", made)
    for headers in ({"if_match": '"7"'}, {"if_match": "*"}, {"if_none_match": "*"}):
        answer = await http.ask("DELETE", path, **headers)
        assert (answer.status, len(answer.errors)) == (400, 1), headers
    assert len((await http.done("GET", "/v1/users"))["users"]) == 1

    assert (await http.ask("DELETE", path)).status == 200


async def test_a_write_is_refused_whose_precondition_nobody_would_look_at(http: Http) -> None:
    path, patch = "/v1/products/LAMP", {"name": "Red lamp", "version": 1}
    for headers, named in (
        ({"if_none_match": '"1"'}, ["If-None-Match"]),
        ({"if_none_match": '"1"', "if_match": '"1"'}, ["If-None-Match"]),
        ({"if_none_match": "*", "if_match": '"1"'}, ["If-None-Match"]),
    ):
        answer = await http.ask("PATCH", path, patch, **headers)
        assert (answer.status, answer.errors) == (400, named), headers
    assert (await http.ask("GET", path)).headers["etag"] == '"1"'


async def test_a_level_is_set_only_as_it_was_read(http: Http) -> None:
    path = "/v1/products/LAMP/stock/main"
    first = await http.ask("PUT", path, {"quantity": 5}, if_match='"1"')
    stale = await http.ask("PUT", path, {"quantity": 6}, if_match='"1"')
    again = await http.ask("PUT", path, {"quantity": 6}, if_match=first.headers["etag"])
    never = await http.ask("PUT", path, {"quantity": 7}, if_none_match="*")

    assert [one.status for one in (first, stale, again, never)] == [200, 412, 200, 412]


async def test_a_caller_may_prefer_to_wait(http: Http) -> None:
    answer = await http.ask("POST", "/v1/orders", wanted(), prefer="respond-async, wait=15")
    mistaken = await http.ask("POST", "/v1/orders", wanted(), prefer="wait=soon")

    assert answer.json["status"] == "CONFIRMED"
    assert answer.headers["preference-applied"] == "wait=15"
    assert (mistaken.status, "preference-applied" in mistaken.headers) == (201, False)
    longer = await http.ask("POST", "/v1/orders", wanted(), prefer="wait=100")
    assert longer.headers["preference-applied"] == "wait=60", "nobody waits longer"


async def test_where_nothing_is_waited_for_a_preference_to_wait_is_passed_over(http: Http) -> None:
    order_id = await http.placed()
    path, prefers = f"/v1/orders/{order_id}", {"prefer": "wait=15"}
    noted = await http.ask("PATCH", path, {"note": "Ring twice", "version": 2}, **prefers)
    lines = [{"line_no": 1, "product_id": "LAMP", "quantity": 2}]
    edited = await http.ask("PATCH", path, {"lines": lines, "version": 3}, **prefers)

    assert (noted.status, noted.headers.get("preference-applied")) == (200, None), noted.body
    assert (edited.status, edited.headers["preference-applied"]) == (200, "wait=15"), edited.body


async def test_seconds_of_a_query_are_a_number_or_a_duration(http: Http) -> None:
    path = "/v1/feeds/orders/events?cursor=latest"
    for seconds, status in (("0", 200), ("1", 200), ("0.1s", 200), ("-1", 400), ("9" * 5_000, 400)):
        answer = await http.ask("GET", f"{path}&wait={seconds}")
        assert answer.status == status, seconds


async def test_an_answer_is_of_a_type_that_is_accepted_or_there_is_none(http: Http) -> None:
    path, json_, problem_ = "/v1/products/LAMP", "application/json", "application/problem+json"
    for accept, status in (
        ("*/*", 200),
        ("application/*;q=0.1", 200),
        ("text/html, */*;q=0.8", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/xml, rubbish", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*", 406),
        ("*/*;q=0, application/json;q=0.001", 200),
        ("", 200),
    ):
        answer = await http.ask("GET", path, accept=accept)
        kind = json_ if status == 200 else problem_
        assert (answer.status, answer.headers["content-type"]) == (status, kind), accept
    order = await http.ask("POST", "/v1/orders", wanted(), accept="application/xml")
    assert order.status == 406
    assert not (await http.done("GET", "/v1/orders"))["orders"], "nothing was done"


async def test_a_feed_is_what_is_accepted_first(http: Http) -> None:
    path = "/v1/feeds/orders/events?cursor=x"
    for accept, streams in (
        ("*/*", False),
        ("application/json", False),
        ("text/event-stream", True),
        ("text/event-stream, application/json;q=0.5", True),
        ("application/json, text/event-stream;q=0.5", False),
        ("text/event-stream;q=0, application/json", False),
        ("text/event-stream;q=0, */*", False),
        ("text/*", True),
    ):
        with structlog.testing.capture_logs() as logs:
            answer = await http.ask("GET", path, accept=accept)
        method = "StreamEvents" if streams else "ReadEvents"
        asked = [
            one["method"] for one in logs if one["event"] == "rpc" and "Events" in one["method"]
        ]
        assert (answer.status, answer.errors, asked) == (400, ["cursor"], [method]), accept


async def test_what_is_wrong_with_a_version_is_told_of_its_header(http: Http) -> None:
    for path, content in (
        (f"/v1/orders/{NOBODY}", {"note": "x"}),
        ("/v1/products/LAMP", {"name": "x"}),
    ):
        answer = await http.ask("PATCH", path, content, if_match='"999999999999999999"')
        assert answer.status != 400 or answer.errors == ["If-Match"], answer
        answer = await http.ask("PATCH", path, content, if_match='"0"')
        assert (answer.status, answer.errors) == (400, ["If-Match"]), path


async def test_a_list_is_followed_by_its_links(http: Http) -> None:
    for _ in range(3):
        await http.placed()
    whole = await http.done("GET", "/v1/orders?customer_id=c-1")
    path, seen = "/v1/orders?customer_id=c-1&page_size=2", []
    while path:
        page = await http.ask("GET", path)
        seen += page.json["orders"]
        link = page.headers.get("link", "")
        assert bool(link) == bool(page.json["next_page_token"])
        path = f"/v1/orders{link[1 : link.index('>')]}" if link else ""

    assert seen == whole["orders"]
    assert len(seen) == 3


async def test_refusals_have_the_status_that_http_has_for_them(http: Http) -> None:
    unknown = await http.ask("GET", f"/v1/orders/{NOBODY}")
    short = await http.ask("POST", "/v1/orders", wanted(11))
    taken = await http.ask(
        "POST",
        "/v1/products",
        {"product_id": "LAMP", "unit_price": {"amount": "3", "currency": "GBP"}},
    )
    wrong = await http.ask("GET", "/v1/orders?page_token=x&page_size=-1&status=PEN&what=1")

    assert (unknown.status, unknown.json["code"]) == (404, "NOT_FOUND")
    assert unknown.json["missing"] == [{"type": "order", "name": NOBODY}]
    assert (short.status, short.json["reason"]) == (409, "SHORT_OF_STOCK")
    assert short.json["violations"] == [
        {"type": "SHORT_OF_STOCK", "subject": "LAMP", "detail": "wanted 11, available 10"}
    ]
    assert (taken.status, taken.json["type"]) == (409, "urn:holdfast:PRODUCT_EXISTS")
    assert (wrong.status, wrong.errors) == (400, ["status", "what"])
    wrong = await http.ask("GET", "/v1/orders?page_token=x&page_size=-1")
    assert (wrong.status, set(wrong.errors)) == (400, {"page_token", "page_size"})


async def test_all_that_is_wrong_with_a_request_is_told_at_once_by_pointers(http: Http) -> None:
    lines = [
        {"product_id": "LAMP", "quantity": 1},
        {"product_id": "LAMP", "quantity": 0, "unit_price": {"amount": "1.005", "currency": "GBP"}},
    ]
    answer = await http.ask("POST", "/v1/orders", {"customer_id": "", "lines": lines})
    product = {"product_id": "", "unit_price": {"amount": "1", "currency": "QQQ"}}
    of_product = await http.ask("POST", "/v1/products", product)

    assert set(answer.errors) == {
        "/customer_id", "/lines/1/quantity", "/lines/1/unit_price/amount",
    }  # fmt: skip
    assert set(of_product.errors) == {"/product_id", "/unit_price/currency"}


async def test_a_path_that_is_not_there_and_a_verb_that_is_not_for_it_are_problems(
    http: Http,
) -> None:
    for path in (
        "/",
        "/v1",
        "/v1/orders/",
        "/v1/orders//cancel",
        "/v1/nothing",
        "/v1/orders/x/y/z",
    ):
        answer = await http.ask("GET", path)
        assert (answer.status, answer.json["status"]) == (404, 404), path

    for verb in ("DELETE", "PUT", "TRACE"):
        answer = await http.ask(verb, "/v1/orders")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await http.ask("POST", "/docs")).headers["allow"] == "GET, HEAD, OPTIONS"
    asked = await http.ask("OPTIONS", "/v1/products/LAMP/stock/main")
    assert (asked.status, asked.headers["allow"]) == (204, "OPTIONS, PUT")
    watched = await http.ask("HEAD", f"/v1/orders/{NOBODY}/watch")
    assert (watched.status, watched.headers["allow"]) == (405, "GET, OPTIONS")


async def test_head_is_get_without_its_body(http: Http) -> None:
    read, head = [await http.ask(verb, "/v1/products/LAMP") for verb in ("GET", "HEAD")]

    assert (head.status, head.body) == (200, b"")
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == read.headers[name]


async def test_ids_may_hold_what_paths_are_cut_at(http: Http) -> None:
    for product_id, escaped in (
        ("a/b", "a%2Fb"), ("7:watch", "7:watch"), ("50%", "50%25"), ("%2F", "%252F"),
        ("Größe", "Gr%C3%B6%C3%9Fe"), ("x y", "x%20y"), ("a+b", "a+b"), ("..", ".."),
    ):  # fmt: skip
        await http.product(product_id, 1)

        found = await http.done("GET", f"/v1/products/{escaped}/stock")

        assert found["product"]["product_id"] == product_id


async def test_a_parameter_is_given_once_by_whatever_name(http: Http) -> None:
    for query in (
        "customer_id=a&customerId=b",
        "customerId=a&customer_id=a",
        "page_size=1&pageSize=1",
    ):
        answer = await http.ask("GET", f"/v1/orders?{query}")
        assert (answer.status, len(answer.errors)) == (400, 1), query
    levels = await http.done("GET", "/v1/stock?product_ids=LAMP&productIds=NONE")
    assert len(levels["results"]) == 2


async def test_names_may_be_in_camel_case_and_enums_with_their_prefix(http: Http) -> None:
    order = await http.done(
        "POST",
        "/v1/orders",
        {"customerId": "c-1", "lines": [{"productId": "LAMP", "quantity": "2"}]},
    )
    found = await http.done("GET", "/v1/orders?customerId=c-1&status=ORDER_STATUS_UNSPECIFIED")

    assert [one["order_id"] for one in found["orders"]] == [order["order_id"]]
