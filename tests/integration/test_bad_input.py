"""Bad input gets the status of the contract with all violations at once, and changes nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
)
from tests.integration.wire_bytes import varint

INVALID, NOT_FOUND = StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND
INT64_MAX, INT64_MIN = 2**63 - 1, -(2**63)
NIL = "00000000-0000-0000-0000-000000000000"
LATEST, EARLIEST = 253_402_300_799, -62_135_596_800

BAD_IDS = {
    "too long": "x" * 129,
    "10 kB": "x" * 10_240,
    "NUL": "LA\0MP",
    "line break": "LA\nMP",
    "DEL": "LA\x7fMP",
    "C1 control": "LA\x85MP",
    "space in front": " LAMP",
    "space at the end": "LAMP ",
    "no-break space at the end": "LAMP\u00a0",
    "right-to-left override": "LA\u202eMP",
    "left-to-right mark": "LA\u200eMP",
    "Arabic letter mark": "LA\u061cMP",
    "not in normal form C": "CAFE\u0301",
    "two spaces in a row": "LA  MP",
}
BAD_UUIDS = ("", "x", "1234", "{" + NIL + "}", NIL + "0", NIL.replace("-", ""), "' OR 1=1--")
BAD_TIMES = {
    "after 9999": Timestamp(seconds=LATEST + 1),
    "before 1": Timestamp(seconds=EARLIEST - 1),
    "far": Timestamp(seconds=INT64_MAX),
    "nanos too large": Timestamp(nanos=1_000_000_000),
    "nanos below 0": Timestamp(nanos=-1),
}
BAD_DURATIONS = {
    "of two signs": Duration(seconds=10, nanos=-1),
    "of nanos that are seconds": Duration(seconds=10, nanos=2_000_000_000),
}
BAD_PRICES = {
    "negative": (Money(currency_code="GBP", units=-1), ""),
    "negative nanos": (Money(currency_code="GBP", nanos=-10_000_000), ""),
    "signs differ": (Money(currency_code="GBP", units=1, nanos=-10_000_000), ""),
    "too many nanos": (Money(currency_code="GBP", nanos=1_000_000_000), ""),
    "too many decimals": (Money(currency_code="GBP", nanos=1), ".nanos"),
    "decimals of yen": (Money(currency_code="JPY", nanos=10_000_000), ".nanos"),
    "too large": (Money(currency_code="GBP", units=INT64_MAX), ""),
    "no currency": (Money(units=1), ".currency_code"),
    "lower case": (Money(currency_code="gbp", units=1), ".currency_code"),
    "unknown currency": (Money(currency_code="XYZ", units=1), ".currency_code"),
    "long currency": (Money(currency_code="G" * 50_000, units=1), ".currency_code"),
}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    method: str
    request: Message
    fields: tuple[str, ...]  # that the BadRequest must name, all of them and in this order
    code: StatusCode = INVALID


def bad_new_orders() -> Iterator[Case]:
    """Without the ways to be wrong that BAD_IDS and BAD_PRICES know."""
    m, lamp = "CreateOrder", line("LAMP")
    for quantity in (0, -1, 10**9 + 1, INT64_MAX, INT64_MIN):
        yield Case(
            f"quantity {quantity}", m, create(line("LAMP", quantity)), ("lines[0].quantity",)
        )
    yield Case("no lines", m, create(), ("lines",))
    yield Case("too many lines", m, create(*[lamp] * 2_001), ("lines",))
    yield Case("far too many lines", m, create(*[lamp] * 10_000), ("lines",))
    mixed = create(line("LAMP", 1, price(1)), line("LAMP", 1, price(1, 0, "EUR")))
    yield Case("two currencies", m, mixed, ("lines",))
    foreign = create(lamp, line("LAMP", 1, price(1, 0, "EUR")))
    yield Case("another currency than the product's", m, foreign, ("lines[1].unit_price",))
    too_fine = create(line("LAMP", 1, Money(units=1, nanos=5_000_000)), lamp)
    yield Case("finer than the product's currency", m, too_fine, ("lines[0].unit_price",))
    both = create(lamp, line("LAMP", 1, Money(units=1, nanos=5_000_000)))
    both.charges.add(kind=pb.CHARGE_KIND_DISCOUNT, amount=Money(nanos=5_000_000))
    fields_of_both = "lines[1].unit_price", "charges[0].amount"
    yield Case("a price and a discount finer than the currency", m, both, fields_of_both)
    negative = create(line("LAMP", 1, Money(units=-1)))
    yield Case("negative without a currency", m, negative, ("lines[0].unit_price",))
    dear = Money(currency_code="GBP", units=INT64_MAX // 100)
    yield Case("total too large by quantity", m, create(line("LAMP", 2, dear)), ("lines",))
    dearest = create(line("LAMP", 1, dear), line("LAMP", 1, dear))
    yield Case("total too large by lines", m, dearest, ("lines",))
    for email in ("x", "@", "a@", "@b", "a@b@c", "a b@c", "ada\u200b@b", "\ufeffa@b"):
        request = create(lamp)
        request.customer.email = email
        yield Case(f"e-mail {email}", m, request, ("customer.email",))
    for seconds in (-1, INT64_MIN):
        request = create(lamp)
        request.wait.CopyFrom(Duration(seconds=seconds))
        yield Case(f"wait {seconds}", m, request, ("wait",))
    for seconds in (0, INT64_MAX, INT64_MIN):
        request = create(lamp)
        request.hold.CopyFrom(Duration(seconds=seconds))
        yield Case(f"hold {seconds}", m, request, ("hold",))
    for name, span in BAD_DURATIONS.items():
        request = create(lamp)
        request.hold.CopyFrom(span)
        request.wait.CopyFrom(span)
        yield Case(f"hold and wait {name}", m, request, ("hold", "wait"))
    request = create(lamp)
    request.hold.CopyFrom(Duration(seconds=86_400, nanos=1))
    yield Case("a hold of a nanosecond more than a day", m, request, ("hold",))
    everything = create(line("", 0), line("\0", -1, price(-1)), customer_id="", wait_s=-1)
    everything.customer.CopyFrom(pb.Customer(name="\0", email="x", phone="1" * 51, address="\x1b"))
    fields = "lines[0].product_id lines[0].quantity lines[1].product_id lines[1].quantity "
    fields += "lines[1].unit_price customer_id customer.name customer.phone customer.address "
    fields += "customer.email wait"
    yield Case("everything", m, everything, tuple(fields.split()))
    for name, ghost in (("SQL", "'; DROP TABLE orders;--"), ("unknown", "GHOST")):
        yield Case(name, m, create(line(ghost)), (), NOT_FOUND)


def bad_ids() -> Iterator[Case]:
    for name, bad in {"empty": "", **BAD_IDS}.items():
        yield Case(f"product {name}", "CreateOrder", create(line(bad)), ("lines[0].product_id",))
        request = create(line("LAMP"), customer_id=bad)
        yield Case(f"customer {name}", "CreateOrder", request, ("customer_id",))
        stock = inventory_pb.GetStockInfoRequest(product_id=bad)
        yield Case(f"product {name}", "GetStockInfo", stock, ("product_id",))
        many = inventory_pb.BatchGetStockInfoRequest(product_ids=["LAMP", bad])
        yield Case(f"product {name}", "BatchGetStockInfo", many, ("product_ids[1]",))
        places = inventory_pb.BatchGetStockInfoRequest(
            product_ids=["LAMP"], location_ids=["main", bad]
        )
        yield Case(f"location {name}", "BatchGetStockInfo", places, ("location_ids[1]",))
        new = inventory_pb.Product(product_id=bad, unit_price=price(1))
        product = inventory_pb.CreateProductRequest(product=new)
        yield Case(f"product {name}", "CreateProduct", product, ("product.product_id",))
    for name, bad in BAD_IDS.items():
        request = create(line("LAMP"), request_id=bad)
        yield Case(f"request id {name}", "CreateOrder", request, ("request_id",))
        place = inventory_pb.UpdateStockRequest(product_id="LAMP", quantity=1, location_id=bad)
        yield Case(f"location {name}", "UpdateStock", place, ("location_id",))
        change = inventory_pb.AdjustStockRequest(
            product_id="LAMP", delta=1, reason="found", request_id=bad
        )
        yield Case(f"request id {name}", "AdjustStock", change, ("request_id",))
        orders = pb.ListOrdersRequest(customer_id=bad, product_id=bad)
        yield Case(f"filter {name}", "ListOrders", orders, ("customer_id", "product_id"))
        moves = inventory_pb.ListMovementsRequest(product_id=bad, location_id=bad)
        yield Case(f"filter {name}", "ListMovements", moves, ("product_id", "location_id"))


def bad_prices() -> Iterator[Case]:
    for name, (bad, part) in BAD_PRICES.items():
        if bad.currency_code:  # an order line may leave it out
            request = create(line("LAMP", 1, bad))
            yield Case(f"price {name}", "CreateOrder", request, (f"lines[0].unit_price{part}",))
        product = inventory_pb.Product(product_id="NEW", unit_price=bad)
        new = inventory_pb.CreateProductRequest(product=product)
        yield Case(f"price {name}", "CreateProduct", new, (f"product.unit_price{part}",))


def bad_lookups() -> Iterator[Case]:
    for bad in BAD_UUIDS:
        details = pb.GetOrderDetailsRequest(order_id=bad)
        yield Case(f"order {bad}", "GetOrderDetails", details, ("order_id",))
        cancel = pb.CancelOrderRequest(order_id=bad, reason="x" * 501)
        yield Case(f"order {bad}", "CancelOrder", cancel, ("order_id", "reason"))
        if bad:
            moves = inventory_pb.ListMovementsRequest(order_id=bad)
            yield Case(f"order {bad}", "ListMovements", moves, ("order_id",))
    for email in ("x", "ada@b\u200b"):
        yield Case(
            f"e-mail {email}", "SearchOrders", pb.SearchOrdersRequest(email=email), ("email",)
        )
    nil = pb.GetOrderDetailsRequest(order_id=NIL)
    yield Case("nil order", "GetOrderDetails", nil, (), NOT_FOUND)
    for name, bad_time in BAD_TIMES.items():
        fields = ("created_from", "created_before")
        orders = pb.ListOrdersRequest(created_from=bad_time, created_before=bad_time)
        yield Case(f"time {name}", "ListOrders", orders, fields)
        moves = inventory_pb.ListMovementsRequest(created_from=bad_time, created_before=bad_time)
        yield Case(f"time {name}", "ListMovements", moves, fields)
    late, early = Timestamp(seconds=2), Timestamp(seconds=1, nanos=999_999_000)
    orders = pb.ListOrdersRequest(created_from=late, created_before=early)
    yield Case("period backwards", "ListOrders", orders, ("created_before",))
    moves = inventory_pb.ListMovementsRequest(created_from=late, created_before=early)
    yield Case("period backwards", "ListMovements", moves, ("created_before",))
    for size in (-1, -(2**31)):
        orders = pb.ListOrdersRequest(page_size=size)
        yield Case(f"page {size}", "ListOrders", orders, ("page_size",))
        products = inventory_pb.ListProductsRequest(page_size=size)
        yield Case(f"page {size}", "ListProducts", products, ("page_size",))
        products = inventory_pb.ListProductsRequest(available_max=size)
        yield Case(f"available {size}", "ListProducts", products, ("available_max",))
        moves = inventory_pb.ListMovementsRequest(page_size=size)
        yield Case(f"page {size}", "ListMovements", moves, ("page_size",))
    products = inventory_pb.ListProductsRequest(available_max=10**12 + 1)
    yield Case("available too many", "ListProducts", products, ("available_max",))
    for name, prefix in (("long", "x" * 129), ("invisible", "a\0"), ("blank", "a  b")):
        products = inventory_pb.ListProductsRequest(product_id_prefix=prefix)
        yield Case(f"prefix {name}", "ListProducts", products, ("product_id_prefix",))
    for number in (99, -1, 2**31 - 1):
        status = pb.ListOrdersRequest()
        status.MergeFromString(b"\x10" + varint(number))
        yield Case(f"status {number}", "ListOrders", status, ("status",))
    for name, size in (("none", 0), ("too many", 1_001)):
        lookup = inventory_pb.BatchGetStockInfoRequest(product_ids=["LAMP"] * size)
        yield Case(f"products {name}", "BatchGetStockInfo", lookup, ("product_ids",))
        stock = inventory_pb.UpdateStockRequest(product_id="LAMP", quantity=1)
        levels = inventory_pb.BatchUpdateStockRequest(requests=[stock] * size)
        yield Case(f"levels {name}", "BatchUpdateStock", levels, ("requests",))
        batch = pb.BatchCreateOrdersRequest(requests=[create(line("LAMP"))] * size)
        yield Case(f"orders {name}", "BatchCreateOrders", batch, ("requests",))


def bad_changes() -> Iterator[Case]:
    for name, mask in (
        ("no mask", []),
        ("unknown", ["customer.name", "prices"]),
        ("*", ["*"]),
        ("long", ["x" * 50_000]),
    ):
        update = pb.UpdateOrderRequest(order_id=NIL, version=1, update_mask=FieldMask(paths=mask))
        yield Case(f"mask {name}", "UpdateOrder", update, ("update_mask",))
        product = inventory_pb.Product(product_id="LAMP", version=1)
        revision = inventory_pb.UpdateProductRequest(
            product=product, update_mask=FieldMask(paths=mask)
        )
        unknown = ("update_mask",) * max(len(mask), 1)
        yield Case(f"mask {name}", "UpdateProduct", revision, unknown)
    for version in (0, -1):
        update = pb.UpdateOrderRequest(
            order_id="x", version=version, update_mask=FieldMask(paths=["customer"])
        )
        yield Case(f"version {version}", "UpdateOrder", update, ("order_id", "version"))
    for quantity in (-1, 10**12 + 1, INT64_MAX):
        stock = inventory_pb.UpdateStockRequest(
            product_id="LAMP", quantity=quantity, expected_version=-1, reason="\0"
        )
        fields = ("expected_version", "quantity", "reason")
        yield Case(f"quantity {quantity}", "UpdateStock", stock, fields)
    for delta in (0, 10**12 + 1, -(10**12) - 1, INT64_MIN):
        change = inventory_pb.AdjustStockRequest(
            product_id="LAMP", delta=delta, reason="x" * 501, reference="x" * 201
        )
        yield Case(f"delta {delta}", "AdjustStock", change, ("delta", "reason", "reference"))
    change = inventory_pb.AdjustStockRequest(product_id="LAMP", delta=1)
    yield Case("no reason", "AdjustStock", change, ("reason",))
    change = inventory_pb.AdjustStockRequest(product_id="LAMP", delta=1, reason=" \t\u00a0")
    yield Case("a reason of blanks", "AdjustStock", change, ("reason",))
    product = inventory_pb.Product(product_id="NEW", name="x" * 501, description="x" * 10_001)
    fields = ("product.unit_price", "product.name", "product.description")
    new = inventory_pb.CreateProductRequest(product=product)
    yield Case("product", "CreateProduct", new, fields)
    yield Case(
        "no product",
        "CreateProduct",
        inventory_pb.CreateProductRequest(),
        fields[:1] + ("product.product_id",),
    )


TABLES = {
    table.__name__: table
    for table in (bad_new_orders, bad_ids, bad_prices, bad_lookups, bad_changes)
}


@pytest.mark.parametrize("table", TABLES)
async def test_every_bad_request_is_refused_with_all_its_violations_and_changes_nothing(
    holdfast: RunningHoldfast, table: str
) -> None:
    await holdfast.product("LAMP", 10**12)
    await holdfast.place(line("LAMP"))

    assert await surprises(holdfast, TABLES[table]()) == []


async def surprises(holdfast: RunningHoldfast, cases: Iterable[Case]) -> list[tuple[object, ...]]:
    """Cases that are refused otherwise than they should be, or that change something."""
    before = await holdfast.everything()
    found: list[tuple[object, ...]] = []
    for case in cases:
        stub = holdfast.orders if hasattr(holdfast.orders, case.method) else holdfast.inventory
        told = await refusal(getattr(stub, case.method)(case.request, timeout=CALL_S_MAX))
        if (told.code, sorted(told.fields)) != (case.code, sorted(case.fields)):
            found.append(
                (case.method, case.name, told.code.name, told.message[:200], told.fields[:9])
            )
        if await holdfast.everything() != before:
            found.append((case.method, case.name, "changed something"))
            before = await holdfast.everything()
    return found


async def test_two_thousand_violations_get_their_status_through(holdfast: RunningHoldfast) -> None:
    """A trailer has room for some; the status must not be lost with the rest of them."""
    ids = [f"{number:04d}-{'🛒' * 100}" for number in range(2_000)]
    for product_id in ids[:30]:
        await holdfast.product(product_id)

    wrong = await refusal(holdfast.create(create(*[line("LAMP", 0)] * 2_000)))
    long = await refusal(holdfast.create(create(*[line("🛒" * 999)] * 500)))
    unknown = await refusal(holdfast.create(create(*map(line, ids))))
    short = await refusal(holdfast.create(create(*map(line, ids[:30]))))

    assert (wrong.code, wrong.fields[:2]) == (INVALID, ["lines[0].quantity", "lines[1].quantity"])
    assert (long.code, long.fields[0]) == (INVALID, "lines[0].product_id")
    assert (unknown.code, unknown.missing[0]) == (NOT_FOUND, ("product", ids[30]))
    assert (short.code, short.unmet[0][1]) == (StatusCode.FAILED_PRECONDITION, ids[0])


async def test_a_refusal_that_names_many_places_gets_its_status_through(
    holdfast: RunningHoldfast,
) -> None:
    places = [f"{number:02d}-{'🛒' * 60}" for number in range(50)]
    await holdfast.product("LAMP", dict.fromkeys(places, 1))
    order = await holdfast.place(line("LAMP", len(places)))
    item = pb.ShipmentItem(line_no=1, quantity=2, location_id=places[0])
    shipping = pb.ShipOrderRequest(order_id=order.order_id, shipment_id="s-1", items=[item])

    told = await refusal(holdfast.orders.ShipOrder(shipping, timeout=CALL_S_MAX))

    assert (told.code, told.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_HELD_THERE")
    assert told.facts["wanted"] == "2"
    assert told.facts[f"held:{places[0]}"] == "1"


async def test_what_is_allowed_just_so_is_accepted(holdfast: RunningHoldfast) -> None:
    lamp = await holdfast.product("LAMP", 10**12)
    free = Money(currency_code="GBP")
    dear = Money(currency_code="GBP", units=(2**63 - 1) // 100, nanos=70_000_000)
    patient = create(line(lamp))
    patient.wait.CopyFrom(Duration(seconds=INT64_MAX))

    most = await holdfast.place(*[line(lamp)] * 2_000)
    large = await holdfast.place(line(lamp, 10**9, free))
    dearest = await holdfast.place(line(lamp, 1, dear))
    waited = await holdfast.create(patient)
    pages = [
        await holdfast.orders.ListOrders(pb.ListOrdersRequest(page_size=size), timeout=CALL_S_MAX)
        for size in (0, 2**31 - 1)
    ]

    assert [most.status, large.status, dearest.status, waited.status] == [
        pb.ORDER_STATUS_CONFIRMED
    ] * 4
    assert (len(most.lines), most.total) == (2_000, price(20_000))
    assert (large.total, dearest.total) == (free, dear)
    assert [len(page.orders) for page in pages] == [4, 4]
    assert (await holdfast.stock(lamp)).reserved == 2_000 + 10**9 + 2
