"""Every method of both services answers over HTTP/JSON as it does over gRPC."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import structlog

from holdfast.chassis.http.router import Route, routes_of
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from tests.integration.conftest import Ground, eventually
from tests.integration.over_http import Http, events, http_on

ALIKE = True


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with http_on(ground) as found:
        yield found


def routes() -> list[Route]:
    files = (orders_pb2.DESCRIPTOR, inventory_pb2.DESCRIPTOR)
    services = (service for file in files for service in file.services_by_name.values())
    return [route for service in services for route in routes_of(service)]


async def test_a_product_s_life(http: Http) -> None:
    lamp = {"product_id": "a/b", "name": "Lamp", "active": True}
    made = await http.ask(
        "POST", "/v1/products", lamp | {"unit_price": {"amount": "2.5", "currency": "GBP"}}
    )
    assert made.status == 201
    assert made.headers["location"] == "/v1/products/a%2Fb"
    assert made.json["unit_price"] == {"amount": "2.50", "currency": "GBP"}

    changed = await http.done(
        "PATCH", "/v1/products/a%2Fb", {"name": "Red lamp"}, if_match=made.headers["etag"]
    )

    assert (changed["name"], changed["active"], changed["version"]) == ("Red lamp", True, 2)
    for path in (
        "/v1/products/a%2Fb",
        "/v1/product?product_id=a%2Fb",
        "/v1/product?product_id=a/b",
    ):
        assert await http.done("GET", path) == changed
    assert (await http.done("GET", "/v1/products"))["products"] == [changed]
    stock = await http.done("GET", "/v1/products/a%2Fb/stock")
    assert (stock["product"], stock["levels"]) == (changed, [])


async def test_stock_is_set_adjusted_quarantined_and_explained(http: Http) -> None:
    await http.product("LAMP")
    at = "/v1/products/LAMP/stock/main"

    put = await http.done("PUT", at, {"quantity": 10})
    added = await http.done(
        "POST", f"{at}/adjustments", {"delta": 5, "reason": "found"}, idempotency_key="k-1"
    )
    aside = await http.done("POST", f"{at}/quarantine", {"quantity": 3, "reason": "wet"})
    back = await http.done("POST", f"{at}/quarantine/release", {"quantity": 2, "reason": "dry"})

    levels = [one["level"] for one in (put, added, aside, back)]
    assert [(one["on_hand"], one["available"]) for one in levels] == [
        (10, 10), (15, 15), (15, 12), (15, 14),
    ]  # fmt: skip
    for path in (
        f"{at}/explanation",
        "/v1/products/LAMP/explanation",
        "/v1/explanation?product_id=LAMP",
    ):
        explained = await http.done("GET", path)
        assert explained["levels"][0]["level"]["on_hand"] == 15
    moved = await http.done("GET", "/v1/movements?product_id=LAMP&page_size=2")
    assert [one["kind"] for one in moved["movements"]] == ["UNQUARANTINE", "QUARANTINE"]
    assert (await http.done("GET", "/v1/stock?product_ids=LAMP&product_ids=NONE&view=BASIC"))[
        "results"
    ][1]["error"]["status"] == 404
    many = {"product_ids": ["LAMP"]}
    assert (await http.done("POST", "/v1/stock/read", many))["results"][0]["info"]["on_hand"] == 15
    requests = [{"product_id": "LAMP", "quantity": 20}, {"product_id": "NONE", "quantity": 1}]
    results = (await http.done("PATCH", "/v1/stock", {"requests": requests}))["results"]
    assert results[0]["updated"]["level"]["on_hand"] == 20
    assert results[1]["error"]["missing"] == [{"type": "product", "name": "NONE"}]


async def test_a_level_is_emptied_only_by_a_word(http: Http) -> None:
    await http.product("LAMP", 5)
    at = "/v1/products/LAMP/stock/main"

    silent = await http.ask("PUT", at, {"reason": "counted"})
    empty = await http.ask("PUT", at, {})

    assert [(answer.status, answer.errors) for answer in (silent, empty)] == [
        (400, ["/quantity"])
    ] * 2
    assert (await http.done("PUT", at, {"quantity": 0}))["level"]["on_hand"] == 0


async def test_a_product_is_on_sale_unless_told_otherwise(http: Http) -> None:
    price = {"unit_price": {"amount": "1.00", "currency": "GBP"}}
    made = await http.done("POST", "/v1/products", {"product_id": "LAMP"} | price)
    off = await http.done("POST", "/v1/products", {"product_id": "OLD", "active": False} | price)
    renamed = await http.done("PATCH", "/v1/products/LAMP", {"name": "Lamp", "version": 1})
    gone = await http.done("PATCH", "/v1/products/LAMP", {"active": False, "version": 2})

    assert (made["active"], off["active"]) == (True, False)
    assert (renamed["active"], gone["active"]) == (True, False)


async def test_locations_transfers_and_availability(http: Http) -> None:
    await http.product("LAMP", 10)
    made = await http.ask("POST", "/v1/locations", {"location_id": "attic", "kind": "SHOP"})
    assert (made.status, made.headers["location"]) == (201, "/v1/locations/attic")
    named = await http.done("PATCH", "/v1/locations/attic", {"name": "Attic", "version": 1})
    assert (named["name"], named["priority"], named["kind"]) == ("Attic", 100, "SHOP")
    listed = await http.done("GET", "/v1/locations")
    assert [one["location_id"] for one in listed["locations"]] == ["main", "attic"]

    units = [{"product_id": "LAMP", "quantity": 4}]
    sent = await http.ask(
        "POST", "/v1/transfers", {"origin": "main", "target": "attic", "lines": units}
    )
    at = sent.headers["location"]
    assert (sent.status, at) == (201, f"/v1/transfers/{sent.json['transfer_id']}")
    came = await http.done("POST", f"{at}/receive", {"lines": [units[0] | {"quantity": 3}]})
    closed = await http.done("POST", f"{at}/close")
    assert (came["lines"][0]["received"], closed["lines"][0]["missing"]) == (3, 1)
    assert await http.done("GET", at) == closed
    assert (await http.done("GET", "/v1/transfers?state=CLOSED"))["transfers"] == [closed]

    basket = {"lines": [{"product_id": "LAMP", "quantity": 9}]}
    found = await http.done("POST", "/v1/availability", basket)
    assert (found["available"], found["shipments"]) == (True, 2)


async def test_an_order_is_placed_read_changed_shipped_and_returned(http: Http) -> None:
    await http.product("LAMP", 10)
    order_id = await http.placed(quantity=4, reference="web-1")
    at = f"/v1/orders/{order_id}"
    order = await http.ask("GET", at)
    assert (order.json["status"], order.json["reference"]) == ("CONFIRMED", "web-1")
    tag = order.headers["etag"]

    noted = await http.done(
        "PATCH", at, {"note": "ring twice", "customer": {"name": "Ann"}}, if_match=tag
    )
    assert (noted["note"], noted["customer"]["name"]) == ("ring twice", "Ann")
    lines = [{"line_no": 1, "product_id": "LAMP", "quantity": 3}]
    edited = await http.done(
        "PATCH", at, {"version": noted["version"], "lines": lines, "wait": "15s"}
    )
    assert edited["lines"][0]["quantity"] == 3
    paid = await http.done(
        "POST",
        f"{at}/payments",
        {"kind": "CAPTURED", "reference": "p-1", "amount": {"amount": "30"}},
    )
    assert paid["payment_status"] == "PAID"
    shipped = await http.done("POST", f"{at}/shipments", {"carrier": "Post"}, idempotency_key="s/1")
    assert (shipped["status"], shipped["shipments"][0]["shipment_id"]) == ("SHIPPED", "s/1")
    told = await http.done("PATCH", f"{at}/shipments/s%2F1", {"tracking_number": "T-1"})
    assert told["shipments"][0]["tracking_number"] == "T-1"

    opened = await http.ask("POST", f"{at}/returns", {"lines": [{"line_no": 1, "quantity": 2}]})
    assert opened.status == 201
    back = f"/v1/returns/{opened.json['return_id']}"
    came = [{"line_no": 1, "quantity": 1, "disposition": "RESTOCK"}]
    received = await http.done("POST", f"{back}/receive", {"lines": came})
    closed = await http.done("POST", f"{back}/close")
    assert (received["lines"][0]["received"], closed["state"]) == (1, "CLOSED")


async def test_an_order_is_held_extended_confirmed_and_cancelled(http: Http) -> None:
    await http.product("LAMP", 10)
    order_id = await http.placed(hold="60s")
    at = f"/v1/orders/{order_id}"

    longer = await http.done("POST", f"{at}/extend-hold", {"hold": "600s"})
    confirmed = await http.done("POST", f"{at}/confirm", {"payment_reference": "p-1"})
    cancelled = await http.done("POST", f"{at}/cancel")

    seen = [one["status"] for one in (longer, confirmed, cancelled)]
    assert seen == ["RESERVED", "CONFIRMED", "CANCELLED"]


async def test_orders_are_placed_many_at_once_listed_and_found(http: Http) -> None:
    await http.product("LAMP", 10)
    one = {"customer_id": "c/1", "lines": [{"product_id": "LAMP", "quantity": 1}]}
    two = one | {"request_id": "r-2", "channel": "web"}
    wrong = one | {"lines": []}

    results = (await http.done("POST", "/v1/orders/batch", {"requests": [one, two, wrong]}))[
        "results"
    ]

    assert [next(iter(result)) for result in results] == ["order", "order", "error"]
    assert results[2]["error"]["status"] == 400
    whole = {result["order"]["order_id"] for result in results[:2]}
    for path in ("/v1/orders?customer_id=c/1", "/v1/customers/c%2F1/orders"):
        listed = await http.done("GET", path)
        assert {order["order_id"] for order in listed["orders"]} == whole
    found = await http.done("GET", "/v1/orders/search?channel=web")
    assert [order["request_id"] for order in found["orders"]] == ["r-2"]
    today = datetime.now(UTC).date()
    counted = await http.done("GET", f"/v1/orders/figures?first_day={today}&last_day={today}")
    assert counted["days"][0]["orders"] == 2
    await eventually(
        lambda: http.done("GET", "/v1/orders?status=PENDING"), lambda page: not page["orders"]
    )


async def test_a_customer_is_known_changed_exported_and_erased(http: Http) -> None:
    at = "/v1/customers/c%2F1"
    made = await http.done(
        "PATCH", at, {"customer": {"name": "Ann", "email": "a@b.c"}}, if_none_match="*"
    )
    assert made["version"] == 1

    changed = await http.done("PATCH", at, {"customer": {"name": "Anna"}}, if_match='"1"')

    assert changed["customer"] | {"name": "Anna", "email": "a@b.c"} == changed["customer"]
    for path in (at, "/v1/customer?customer_id=c/1"):
        assert await http.done("GET", path) == changed
    assert (await http.done("GET", "/v1/customers?email=a@b.c"))["customers"] == [changed]
    async with events(http.address, f"{at}/export") as exported:
        assert exported.head.headers["content-type"] == "text/event-stream"
        assert '"name":"Anna"' in (await exported.next())["data"]
        assert (await exported.next())["event"] == "end"
    assert (await http.done("POST", f"{at}/erase"))["profiles"] == 1
    assert await http.done("POST", "/v1/erasures", {"email": "a@b.c"}) == {
        "orders": 0,
        "profiles": 0,
    }


async def test_who_waits_for_stock_is_listed(http: Http) -> None:
    await http.product("LAMP", 1)
    patch = {"backorder": {"mode": "UNLIMITED", "expected_date": "2027-01-31"}, "version": 1}
    await http.done("PATCH", "/v1/products/LAMP", patch)
    order_id = await http.placed(quantity=3)

    for path in ("/v1/backorders?product_id=LAMP", "/v1/products/LAMP/backorders"):
        waiting = await http.done("GET", path)
        assert [(one["order_id"], one["quantity"]) for one in waiting["backorders"]] == [
            (order_id, 2)
        ]
        assert waiting["expected_date"] == "2027-01-31"


STREAM = "text/event-stream"


async def test_every_path_leads_to_its_method(http: Http) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    for route in routes():
        method, path = route.method.name, re.sub(r"\{[^}]*\}", nobody, route.template)
        with structlog.testing.capture_logs() as logs:
            # A feed would be streamed without an end, if its cursor were one.
            wrong, accept = ("?cursor=x", STREAM) if method == "StreamEvents" else ("", "*/*")
            body: list[object] = [{}] if route.body else []
            answer = await http.ask(
                route.verb, path + wrong, *body, idempotency_key="k-1", accept=accept
            )

        known = [entry["method"] for entry in logs if entry["event"] == "rpc"]
        is_bound = method in known or answer.status in (400, 428)
        assert is_bound, f"{route.verb} {path}: {answer}"
        assert answer.status < 500, answer
