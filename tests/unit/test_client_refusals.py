"""What cannot be asked for is refused before anything is sent, by field, and never as a TypeError.

Nobody listens at the addresses of these tests: whatever were sent would come back as Unavailable.
"""

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from holdfast.client import (
    Customer,
    Holdfast,
    HoldfastSync,
    InvalidRequest,
    Money,
    OrderLine,
    OrderRequest,
    StockRequest,
    Unavailable,
    _requests,
)
from tests.unit.client_refusals import Call, Refused, cases
from tests.unit.test_client_network import NOWHERE

HALF = "lamp \ud83d"
LINES = [OrderLine("LAMP", 1)]
NOON = datetime.fromisoformat("2026-11-02T12:00:00")

BAD_TEXTS: list[Any] = [HALF, b"LAMP", 5, None, ["LAMP"]]
BAD_QUANTITIES: list[Any] = [
    *(1.0, 1.5, float("nan"), "1", None, True, Decimal(1), [1]),
    *(0, -1, 10**9 + 1, 2**63, -(2**63) - 1, 10**6_000),
]
BAD_PRICES: list[Any] = [
    *(4.5, "4.50", 450, ("GBP", 450), Money("GBP", -1), Money("GBP", 2**63)),
    *(Money("XYZ", 1), Money("gbp", 1), Money("", 1), Money(HALF, 1)),
    *(Money("GBP", 4.5), Money("GBP", True), Money("GBP", "450"), Money(None, 450)),  # type: ignore[arg-type]
]
BAD_TIMES: list[Any] = [
    *(NOON, NOON.date(), "2026-11-02", 1_793_620_800),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
]
BAD_SECONDS: list[Any] = [float("nan"), float("inf"), -1, -0.001, 1e300, 10**400, "1", None, True]
NO_SECONDS: list[Any] = [one for one in BAD_SECONDS if one is not None] + [0, 0.0]
BAD_COUNTS: list[Any] = [0, -1, 1.0, "10", True, 2**63, [1]]

EDITS: dict[str, Refused] = {
    "edit": ("order_id", BAD_TEXTS, lambda h, bad: h.orders.edit(bad, version=1, lines=LINES)),
    "edit's version": (
        "version",
        [*BAD_COUNTS, None],
        lambda h, bad: h.orders.edit("o-1", version=bad, lines=LINES),
    ),
    "edited lines": (
        "lines",
        [[], (), "LAMP", 5, {1: 1}],
        lambda h, bad: h.orders.edit("o-1", version=1, lines=bad),
    ),
    "edited line's number": (
        "lines[0].line_no",
        [-1, 1.0, "1", None, True, 2**31],
        lambda h, bad: h.orders.edit("o-1", version=1, lines=[OrderLine("LAMP", 1, None, bad)]),
    ),
    "edited quantity": (
        "lines[0].quantity",
        BAD_QUANTITIES,
        lambda h, bad: h.orders.preview_edit("o-1", version=1, lines=[OrderLine("LAMP", bad)]),
    ),
    "edited charges": (
        "charges",
        ["LAMP", 5, {1: 1}],
        lambda h, bad: h.orders.edit("o-1", version=1, charges=bad),
    ),
    "nothing to edit": ("lines", [None], lambda h, bad: h.orders.edit("o-1", version=1, lines=bad)),
    "edit's wait": (
        "wait_s",
        [*BAD_SECONDS, 60.001],
        lambda h, bad: h.orders.edit("o-1", version=1, lines=LINES, wait_s=bad),
    ),
    "cancelled lines": (
        "lines",
        [{}, [(1, 1)], "1=1", 5],
        lambda h, bad: h.orders.cancel("o-1", lines=bad, version=1),
    ),
    "cancelled line's number": (
        "lines[0].line_no",
        [0, -1, 1.5, "1", None, True, 2**31],
        lambda h, bad: h.orders.cancel("o-1", lines={bad: 1}, version=1),
    ),
    "cancelled units": (
        "lines[0].quantity",
        [one for one in BAD_QUANTITIES if one != [1]],
        lambda h, bad: h.orders.cancel("o-1", lines={1: bad}, version=1),
    ),
    "cancellation's version": (
        "version",
        [*BAD_COUNTS, None],
        lambda h, bad: h.orders.cancel("o-1", lines={1: 1}, version=bad),
    ),
    "version of a whole cancellation": (
        "version",
        [1, 0],
        lambda h, bad: h.orders.cancel("o-1", version=bad),
    ),
    "wait of a whole cancellation": (
        "wait_s",
        [5, None, -1],
        lambda h, bad: h.orders.cancel("o-1", wait_s=bad),
    ),
}
ORDER: dict[str, Refused] = {
    "customer": ("customer_id", BAD_TEXTS, lambda h, bad: h.orders.create(bad, LINES)),
    "product": (
        "lines[0].product_id",
        BAD_TEXTS,
        lambda h, bad: h.orders.create("c-1", [OrderLine(bad, 1)]),
    ),
    "quantity": (
        "lines[1].quantity",
        BAD_QUANTITIES,
        lambda h, bad: h.orders.create("c-1", [*LINES, OrderLine("LAMP", bad)]),
    ),
    "price": (
        "lines[0].unit_price",
        [*BAD_PRICES, *map(Decimal, ("-1", "-1E+99", "NaN", "sNaN", "Infinity", "1E-10", "1E+18"))],
        lambda h, bad: h.orders.create("c-1", [OrderLine("LAMP", 1, bad)]),
    ),
    "lines": (
        "lines",
        [(line for line in LINES), [], (), "LAMP", None, {"LAMP": 1}, 5, iter(LINES)],
        lambda h, bad: h.orders.create("c-1", bad),
    ),
    "line": (
        "lines[0]",
        [("LAMP", 1), None, "LAMP=1", {"product_id": "LAMP"}],
        lambda h, bad: h.orders.create("c-1", [bad]),
    ),
    "customer information": (
        "customer",
        ["Ada", {"name": "Ada"}, 5],
        lambda h, bad: h.orders.create("c-1", LINES, customer=bad),
    ),
    "address": (
        "customer.address",
        BAD_TEXTS,
        lambda h, bad: h.orders.create("c-1", LINES, customer=Customer(address=bad)),
    ),
    "request id": (
        "request_id",
        ["", HALF, 5, b"r"],
        lambda h, bad: h.orders.create("c-1", LINES, request_id=bad),
    ),
    "wait": (
        "wait_s",
        [*BAD_SECONDS, 60.001],
        lambda h, bad: h.orders.create("c-1", LINES, wait_s=bad),
    ),
    "get": ("order_id", BAD_TEXTS, lambda h, bad: h.orders.get(bad)),
    "cancel": ("order_id", BAD_TEXTS, lambda h, bad: h.orders.cancel(bad)),
    "reason": ("reason", BAD_TEXTS, lambda h, bad: h.orders.cancel("o-1", reason=bad)),
    **EDITS,
    "update": (
        "customer.name",
        [one for one in BAD_TEXTS if one is not None],
        lambda h, bad: h.orders.update("o-1", version=1, name=bad),
    ),
    "version": (
        "version",
        BAD_COUNTS,
        lambda h, bad: h.orders.update("o-1", version=bad, name=""),
    ),
    "watch": ("order_id", BAD_TEXTS, lambda h, bad: h.orders.watch(bad)),
    "watch time": ("watch_s", NO_SECONDS, lambda h, bad: h.orders.watch("o-1", watch_s=bad)),
    "list": ("customer_id", BAD_TEXTS, lambda h, bad: h.orders.list(customer_id=bad)),
    "status": ("status", ["CONFIRMED", 2, HALF], lambda h, bad: h.orders.list(status=bad)),
    "from": ("created_from", BAD_TIMES, lambda h, bad: h.orders.list(created_from=bad)),
    "before": ("created_before", BAD_TIMES, lambda h, bad: h.orders.list(created_before=bad)),
    "to ship": ("to_ship", [1, "yes", None], lambda h, bad: h.orders.list(to_ship=bad)),
    "by hold end": ("by_hold_end", [1, None], lambda h, bad: h.orders.list(by_hold_end=bad)),
    "held at": ("location_id", BAD_TEXTS, lambda h, bad: h.orders.search(location_id=bad)),
    "limit": ("limit", BAD_COUNTS, lambda h, bad: h.orders.list(limit=bad)),
    "page": ("page_size", [*BAD_COUNTS, None], lambda h, bad: h.orders.list(page_size=bad)),
    "batch": (
        "requests",
        [[], (), iter([]), None, "x", {1}],
        lambda h, bad: h.orders.create_batch(bad),
    ),
}
STOCK: dict[str, Refused] = {
    "set": ("product_id", BAD_TEXTS, lambda h, bad: h.inventory.set_stock(bad, 1)),
    "on hand": (
        "quantity",
        [1.0, "1", None, True, -1, 10**12 + 1, 2**63],
        lambda h, bad: h.inventory.set_stock("LAMP", bad),
    ),
    "location": (
        "location_id",
        BAD_TEXTS,
        lambda h, bad: h.inventory.set_stock("LAMP", 1, location_id=bad),
    ),
    "expected version": (
        "expected_version",
        [-1, 1.0, "1", True, 2**63],
        lambda h, bad: h.inventory.set_stock("LAMP", 1, expected_version=bad),
    ),
    "request id": (
        "request_id",
        ["", HALF, 5],
        lambda h, bad: h.inventory.set_stock("LAMP", 1, request_id=bad),
    ),
    "delta": (
        "delta",
        [0, 1.0, "1", None, 10**12 + 1, -(10**12) - 1, -(2**63) - 1],
        lambda h, bad: h.inventory.adjust_stock("LAMP", bad, reason="found"),
    ),
    "adjustment's request id": (
        "request_id",
        ["", HALF, 5],
        lambda h, bad: h.inventory.adjust_stock("LAMP", 1, reason="found", request_id=bad),
    ),
    "reference": (
        "reference",
        BAD_TEXTS,
        lambda h, bad: h.inventory.adjust_stock("LAMP", 1, reason="found", reference=bad),
    ),
    "get": ("product_id", BAD_TEXTS, lambda h, bad: h.inventory.get_stock(bad)),
    "get batch": (
        "product_ids[1]",
        BAD_TEXTS,
        lambda h, bad: h.inventory.get_stock_batch(["LAMP", bad]),
    ),
    "no batch": (
        "product_ids",
        [[], "LAMP", iter(["LAMP"]), {"LAMP"}, None],
        lambda h, bad: h.inventory.get_stock_batch(bad),
    ),
    "set batch": (
        "requests",
        [[], None, (one for one in [StockRequest("LAMP", 1)])],
        lambda h, bad: h.inventory.set_stock_batch(bad),
    ),
    "price": (
        "product.unit_price",
        [*BAD_PRICES, None],
        lambda h, bad: h.inventory.create_product("LAMP", unit_price=bad),
    ),
    "active": (
        "product.active",
        ["yes", 1, None],
        lambda h, bad: h.inventory.create_product("L", unit_price=Money("GBP", 1), active=bad),
    ),
    "new price": (
        "product.unit_price",
        BAD_PRICES,
        lambda h, bad: h.inventory.update_product("LAMP", version=1, unit_price=bad),
    ),
    "safety stock": (
        "product.safety_stock",
        BAD_COUNTS[1:],
        lambda h, bad: h.inventory.update_product("LAMP", version=1, safety_stock=bad),
    ),
    "products": ("limit", BAD_COUNTS, lambda h, bad: h.inventory.list_products(limit=bad)),
    "products that begin": (
        "product_id_prefix",
        BAD_TEXTS,
        lambda h, bad: h.inventory.list_products(id_prefix=bad),
    ),
    "products that are sold": (
        "active",
        ["yes", 1],
        lambda h, bad: h.inventory.product_page(active=bad),
    ),
    "products low": (
        "available_max",
        BAD_COUNTS[1:],
        lambda h, bad: h.inventory.list_products(available_max=bad),
    ),
    "products waited for": (
        "waited_for",
        ["yes", 1],
        lambda h, bad: h.inventory.product_page(waited_for=bad),
    ),
    "movements": (
        "created_from",
        BAD_TIMES,
        lambda h, bad: h.inventory.list_movements(created_from=bad),
    ),
    "movements of an order": (
        "order_id",
        BAD_TEXTS,
        lambda h, bad: h.inventory.list_movements(order_id=bad),
    ),
}


CASES = cases(
    {
        f"{service} {name}": one
        for service, refused in (("order", ORDER), ("stock", STOCK))
        for name, one in refused.items()
    }
)


@pytest.mark.parametrize(("field", "bad", "call"), CASES)
def test_a_wrong_value_is_an_invalid_request_that_names_its_field(
    nobody: HoldfastSync, field: str, bad: Any, call: Call
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call(nobody, bad)

    (violation,) = caught.value.violations
    assert violation.field in (field, f"{field}.currency_code")
    assert caught.value.code == "INVALID_ARGUMENT"
    assert violation.description in caught.value.message
    assert len(violation.description) < 200


async def test_async_callers_are_told_the_same_and_all_of_it_at_once() -> None:
    async with Holdfast(NOWHERE, NOWHERE, deadline_s=0.5, retry_s=0) as nobody:
        with pytest.raises(InvalidRequest) as caught:
            await nobody.orders.create(HALF, [OrderLine("LAMP", 1.5)], wait_s=-1)  # type: ignore[arg-type]
        with pytest.raises(InvalidRequest):
            nobody.orders.watch("o-1", watch_s=-1)

    assert [violation.field for violation in caught.value.violations] == [
        "customer_id",
        "lines[0].quantity",
        "wait_s",
    ]


@pytest.mark.parametrize("bad", [*NO_SECONDS, None])
def test_a_deadline_is_a_number_of_seconds(bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="deadline_s"):
        HoldfastSync(NOWHERE, NOWHERE, bad)


@pytest.mark.parametrize("bad", [one for one in BAD_SECONDS if one is not None])
def test_the_time_for_repeats_is_a_number_of_seconds(bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="retry_s"):
        HoldfastSync(NOWHERE, NOWHERE, retry_s=bad)


@pytest.mark.parametrize("bad", [None, 7001, "", HALF])
def test_an_address_is_text(bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="inventory"):
        HoldfastSync(NOWHERE, bad)


def test_one_bad_request_of_a_batch_is_told_in_its_place_and_never_sent(
    nobody: HoldfastSync,
) -> None:
    bad: list[Any] = [
        OrderRequest("c-1", [OrderLine("LAMP", 1.5)]),  # type: ignore[arg-type]
        OrderRequest("c-1", LINES, request_id=""),
        "no request",
    ]

    outcomes = nobody.orders.create_batch(bad)
    levels = nobody.inventory.set_stock_batch([StockRequest("LAMP", -1)])

    assert all(isinstance(one, InvalidRequest) for one in [*outcomes, *levels])
    assert ["quantity" in str(outcomes[0]), "empty" in str(outcomes[1])] == [True, True]


def test_what_looks_like_a_number_of_python_is_one(nobody: HoldfastSync) -> None:
    class Units:
        def __index__(self) -> int:
            return 3

    line = OrderLine("LAMP", Units())  # type: ignore[arg-type] # such as NumPy's integers

    with pytest.raises(Unavailable, match="does not answer"):
        nobody.orders.create("c-1", [line])


def test_a_loop_over_a_list_that_was_refused_leaves_nothing_behind() -> None:
    with closing(HoldfastSync(NOWHERE, NOWHERE)) as client, pytest.raises(InvalidRequest):
        list(client.orders.list(limit=0))


def test_times_of_any_zone_are_the_moments_that_they_are() -> None:
    here = datetime(2026, 11, 2, 14, tzinfo=timezone(timedelta(hours=2)))

    message = _requests.list_movements(
        product_id="", location_id="", order_id="", created_from=here, created_before=None
    )

    assert message.created_from.ToDatetime(tzinfo=UTC) == NOON.replace(tzinfo=UTC)
