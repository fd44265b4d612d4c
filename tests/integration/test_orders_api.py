"""What Orders promises its callers: each method, each field, each refusal, in both modes."""

import asyncio
from uuid import UUID, uuid4

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.code_pb2 import (
    ALREADY_EXISTS,
    FAILED_PRECONDITION,
    INVALID_ARGUMENT,
    NOT_FOUND,
)
from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import (
    CALL_S_MAX,
    Refusal,
    RunningHoldfast,
    create,
    eventually,
    line,
    price,
    refusal,
)

PENDING, CONFIRMED = pb.ORDER_STATUS_PENDING, pb.ORDER_STATUS_CONFIRMED
REJECTED, CANCELLED = pb.ORDER_STATUS_REJECTED, pb.ORDER_STATUS_CANCELLED

ADA = pb.Customer(name="Ada", email="ada@example.org", phone="+44 1", address="1 Mill Lane\nLeeds")


def update(
    order: pb.Order, *paths: str, customer: pb.Customer | None = None, version: int = 0
) -> pb.UpdateOrderRequest:
    return pb.UpdateOrderRequest(
        order_id=order.order_id,
        version=version or order.version,
        customer=customer or ADA,
        update_mask=FieldMask(paths=paths),
    )


async def lost_race(holdfast: RunningHoldfast, product_id: str) -> pb.Order:
    """An order that passed the stock check and was short at the reservation."""
    await holdfast.product(product_id, 5)
    requests = [create(line(product_id, 5), customer_id=customer) for customer in ("c-1", "c-2")]
    batch = pb.BatchCreateOrdersRequest(requests=requests)  # one stock check for both
    await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)
    (loser,) = [o for o in await holdfast.settled(product_id) if o.status == REJECTED]
    return await holdfast.order(loser.order_id)


async def test_an_order_tells_everything_that_was_said_and_done(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9, price(12, 50))
    await holdfast.product("BULB", 9, price(1))
    request = create(
        line("LAMP", 2), line("BULB", 3, price(0, 75)), line("LAMP", 1), request_id="r-1", wait_s=20
    )
    request.customer.CopyFrom(ADA)

    answer = await holdfast.create(request)
    order = await holdfast.order(answer.order_id)

    assert (answer.status, list(answer.shortages)) == (CONFIRMED, [])
    assert UUID(order.order_id).version == 7
    assert (order.request_id, order.customer_id, order.customer) == ("r-1", "c-1", ADA)
    assert list(order.lines) == [
        line("LAMP", 2, price(12, 50), line_no=1),  # the product's price
        line("BULB", 3, price(0, 75), line_no=2),  # the request's price
        line("LAMP", 1, price(12, 50), line_no=3),
    ]
    assert order.total == price(39, 75)
    assert (order.status, order.version) == (CONFIRMED, 2)
    assert [(c.version, c.status, c.actor) for c in order.history] == [
        (1, PENDING, "operator"),
        (2, CONFIRMED, "inventory"),
    ]
    assert order.create_time == order.history[0].change_time
    assert order.update_time == order.history[1].change_time
    assert order.create_time.ToDatetime() <= order.update_time.ToDatetime()


async def test_an_order_short_at_the_stock_check_is_refused_with_each_shortage(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.product("BULB", 1)
    await holdfast.product("CORD", 9)
    before = await holdfast.everything()

    found = await refusal(
        holdfast.create(create(line("LAMP", 3), line("BULB", 2), line("LAMP", 3), line("CORD", 1)))
    )

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "SHORT_OF_STOCK")
    assert found.unmet == [
        ("SHORT_OF_STOCK", "LAMP", "wanted 6, available 5"),
        ("SHORT_OF_STOCK", "BULB", "wanted 2, available 1"),
    ]
    assert await holdfast.everything() == before


async def test_an_order_short_at_the_reservation_is_rejected_with_its_shortages(
    holdfast: RunningHoldfast,
) -> None:
    order = await lost_race(holdfast, "LAMP")

    assert list(order.shortages) == [pb.Shortage(product_id="LAMP", wanted=5, available=0)]
    assert [change.status for change in order.history] == [PENDING, REJECTED]
    assert await holdfast.available("LAMP") == 0


async def test_a_repeat_of_a_rejected_order_tells_what_was_short(
    holdfast: RunningHoldfast,
) -> None:
    order = await lost_race(holdfast, "LAMP")
    repeat = create(line("LAMP", 5), customer_id=order.customer_id, request_id=order.request_id)
    batch = pb.BatchCreateOrdersRequest(requests=[repeat])

    alone = await holdfast.create(repeat)
    batched = await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)

    recorded = pb.CreateOrderResponse(
        order_id=order.order_id, status=REJECTED, shortages=order.shortages
    )
    assert alone == recorded
    assert [result.order for result in batched.results] == [recorded]


async def test_unknown_and_inactive_products_are_named(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    old = inventory_pb.Product(product_id="OLD", unit_price=price(1), active=False)
    await holdfast.inventory.CreateProduct(
        inventory_pb.CreateProductRequest(product=old), timeout=CALL_S_MAX
    )

    unknown = await refusal(holdfast.create(create(line("GHOST"), line("LAMP"), line("GHOUL"))))
    inactive = await refusal(holdfast.create(create(line("LAMP"), line("OLD"))))

    assert unknown.code == StatusCode.NOT_FOUND
    assert unknown.missing == [("product", "GHOST"), ("product", "GHOUL")]
    assert (inactive.code, inactive.reason) == (StatusCode.FAILED_PRECONDITION, "PRODUCT_INACTIVE")
    assert [(kind, subject) for kind, subject, _ in inactive.unmet] == [("PRODUCT_INACTIVE", "OLD")]


async def test_an_unknown_order_is_not_found_by_any_method(holdfast: RunningHoldfast) -> None:
    order = pb.Order(order_id=str(uuid4()), version=1)
    stubs, name = holdfast.orders, {"order_id": order.order_id}
    watch = stubs.WatchOrder(pb.WatchOrderRequest(**name), timeout=CALL_S_MAX)

    for call in (
        holdfast.order(order.order_id),
        holdfast.cancel(order.order_id),
        stubs.UpdateOrder(update(order, "customer"), timeout=CALL_S_MAX),
        anext(aiter(watch)),
    ):
        found = await refusal(call)
        assert found.code == StatusCode.NOT_FOUND
        assert found.missing == [("order", order.order_id)]


async def test_a_cancelled_order_gives_its_stock_back_once(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP", 3))

    first = await holdfast.cancel(order.order_id, "changed my mind")
    again = await holdfast.cancel(order.order_id.upper(), "changed it again")

    assert (first.status, first.version) == (CANCELLED, 3)
    assert first.history[-1].reason == "changed my mind"
    assert again == first
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 5, "the return")
    last = (await holdfast.movements("LAMP"))[-1]
    assert (last.kind, last.reserved_delta) == (inventory_pb.MOVEMENT_KIND_RELEASE, -3)
    assert (last.order_id, last.reason) == (order.order_id, "order cancelled")


async def test_an_order_cancelled_before_its_stock_was_decided_holds_none(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 40)
    placed = [await holdfast.create(create(line("LAMP"))) for _ in range(20)]

    await asyncio.gather(*(holdfast.cancel(answer.order_id) for answer in placed))

    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 40, "the return")
    await asyncio.sleep(0.3)  # for what was overtaken to arrive
    assert await holdfast.available("LAMP") == 40
    assert {order.status for order in await holdfast.all_orders()} == {CANCELLED}


async def test_a_final_order_can_be_neither_cancelled_nor_changed(
    holdfast: RunningHoldfast,
) -> None:
    rejected = await lost_race(holdfast, "LAMP")
    await holdfast.product("BULB", 1)
    cancelled = await holdfast.cancel((await holdfast.place(line("BULB"))).order_id)
    stub = holdfast.orders

    for call, words in (
        (holdfast.cancel(rejected.order_id), "REJECTED and can't be cancelled any more"),
        (
            stub.UpdateOrder(update(rejected, "customer"), timeout=CALL_S_MAX),
            "REJECTED and can't be changed any more",
        ),
        (
            stub.UpdateOrder(update(cancelled, "customer"), timeout=CALL_S_MAX),
            "CANCELLED and can't be changed any more: nothing is reserved for it",
        ),
    ):
        found = await refusal(call)
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "ILLEGAL_TRANSITION")
        assert words in found.message


async def test_an_update_takes_the_masked_fields_and_raises_the_version(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP"))
    stub, other = holdfast.orders, pb.Customer(name="Bob", phone="+44 2")

    whole = await stub.UpdateOrder(update(order, "customer"), timeout=CALL_S_MAX)
    parts = await stub.UpdateOrder(
        update(whole, "customer.phone", "customer.email", customer=other), timeout=CALL_S_MAX
    )

    assert (whole.customer, whole.version) == (ADA, 3)
    assert parts.customer == pb.Customer(name="Ada", phone="+44 2", address=ADA.address)
    assert (parts.version, parts.status) == (4, CONFIRMED)
    assert [change.version for change in parts.history] == [1, 2, 3, 4]


async def test_a_stale_version_is_aborted_with_the_current_one(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await holdfast.place(line("LAMP"))
    stub = holdfast.orders

    updates = [stub.UpdateOrder(update(order, "customer"), timeout=CALL_S_MAX) for _ in range(10)]
    outcomes = await asyncio.gather(*updates, return_exceptions=True)
    found = await refusal(stub.UpdateOrder(update(order, "customer"), timeout=CALL_S_MAX))

    assert sum(isinstance(outcome, pb.Order) for outcome in outcomes) == 1
    assert (found.code, found.reason) == (StatusCode.ABORTED, "STALE_VERSION")
    assert found.facts == {"current_version": "3"}


async def test_a_bad_order_never_fails_its_neighbours(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    waiting = create(line("LAMP"), request_id="r-5", wait_s=1)
    requests = [
        create(line("LAMP"), request_id="r-1"),
        create(line("LAMP", 0), customer_id="", request_id="r-2"),
        create(line("GHOST"), request_id="r-3"),
        create(line("LAMP", 6), request_id="r-4"),
        waiting,
        create(line("LAMP"), request_id="r-1"),
        create(line("LAMP", 2), request_id="r-1"),
        create(line("LAMP", 2), request_id="r-6"),
    ]

    batch = pb.BatchCreateOrdersRequest(requests=requests)
    answer = await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)

    assert [result.error.code for result in answer.results] == [
        0, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, INVALID_ARGUMENT, 0, ALREADY_EXISTS, 0,
    ]  # fmt: skip
    bad, waited = (Refusal.of(answer.results[index].error) for index in (1, 4))
    assert bad.fields == ["lines[0].quantity", "customer_id"]
    assert waited.fields == ["wait"]
    assert answer.results[0] == answer.results[5]
    assert {order.request_id for order in await holdfast.settled()} == {"r-1", "r-6"}
    assert await holdfast.available("LAMP") == 2


async def test_a_batch_takes_a_thousand_orders(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 600)
    requests = [create(line("LAMP"), customer_id=f"c-{n}") for n in range(1_000)]

    batch = pb.BatchCreateOrdersRequest(requests=requests)
    answer = await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)
    orders = await holdfast.settled()

    assert len({result.order.order_id for result in answer.results}) == 1_000
    assert [result.order.order_id for result in answer.results] == [
        next(o.order_id for o in orders if o.customer_id == f"c-{n}") for n in range(1_000)
    ]
    assert sum(order.status == CONFIRMED for order in orders) == 600
    assert await holdfast.available("LAMP") == 0


async def test_orders_are_listed_newest_first_by_any_filter(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    await holdfast.product("BULB", 9)
    a = await holdfast.place(line("LAMP"), customer_id="ada")
    b = await holdfast.place(line("BULB"), line("LAMP"), customer_id="bob")
    c = await holdfast.cancel((await holdfast.place(line("BULB"), customer_id="ada")).order_id)
    filters = {
        "all": (pb.ListOrdersRequest(), [c, b, a]),
        "customer": (pb.ListOrdersRequest(customer_id="ada"), [c, a]),
        "status": (pb.ListOrdersRequest(status=CONFIRMED), [b, a]),
        "unusual status": (pb.ListOrdersRequest(status=CANCELLED), [c]),
        "product": (pb.ListOrdersRequest(product_id="LAMP"), [b, a]),
        "from": (pb.ListOrdersRequest(created_from=b.create_time), [c, b]),
        "before": (pb.ListOrdersRequest(created_before=b.create_time), [a]),
        "several": (pb.ListOrdersRequest(customer_id="ada", product_id="LAMP"), [a]),
        "none": (pb.ListOrdersRequest(customer_id="eve"), []),
    }

    for name, (request, expected) in filters.items():
        answer = await holdfast.orders.ListOrders(request, timeout=CALL_S_MAX)
        for order in expected:
            del order.history[:]
        assert list(answer.orders) == expected, name
        assert not answer.next_page_token, name


async def test_a_time_filter_finds_every_order_of_its_moment(holdfast: RunningHoldfast) -> None:
    """The time in an order's id and its create_time may lie on two sides of a millisecond."""
    await holdfast.product("LAMP", 10_000)
    for number in range(5):
        requests = [create(line("LAMP"), customer_id=f"c-{number}") for _ in range(1_000)]
        batch = pb.BatchCreateOrdersRequest(requests=requests)
        await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)
    orders = await holdfast.all_orders()

    def id_ms(order: pb.Order) -> int:
        return int(order.order_id.replace("-", "")[:12], 16)

    for order in [o for o in orders if id_ms(o) != o.create_time.ToMilliseconds()][:20]:
        after = Timestamp(seconds=order.create_time.seconds, nanos=order.create_time.nanos + 1_000)
        request = pb.ListOrdersRequest(created_from=order.create_time, created_before=after)
        answer = await holdfast.orders.ListOrders(request, timeout=CALL_S_MAX)
        assert order.order_id in {found.order_id for found in answer.orders}


async def test_pages_of_orders_stay_stable_while_orders_are_added(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 99)
    request = pb.ListOrdersRequest(customer_id="c-1", page_size=3)
    wanted = [(await holdfast.create(create(line("LAMP")))).order_id for _ in range(8)]

    seen: list[list[str]] = []
    while not seen or request.page_token:
        page = await holdfast.orders.ListOrders(request, timeout=CALL_S_MAX)
        seen.append([order.order_id for order in page.orders])
        request.page_token = page.next_page_token
        await holdfast.create(create(line("LAMP")))

    assert [len(page) for page in seen] == [3, 3, 2]
    assert [order_id for page in seen for order_id in page] == wanted[::-1]


async def test_orders_are_found_by_request_id_whoever_used_it(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    for customer_id, request_id in (("c-1", "r-1"), ("c-2", "r-1"), ("c-1", "r-2")):
        await holdfast.place(line("LAMP"), customer_id=customer_id, request_id=request_id)

    asked = pb.ListOrdersRequest(request_ids=["r-1", "r-1", "r-9"])
    found = await holdfast.orders.ListOrders(asked, timeout=CALL_S_MAX)
    asked.customer_id = "c-1"
    theirs = await holdfast.orders.ListOrders(asked, timeout=CALL_S_MAX)

    assert [order.customer_id for order in found.orders] == ["c-2", "c-1"]
    assert [order.customer_id for order in theirs.orders] == ["c-1"]


async def test_request_ids_are_checked_one_by_one_and_are_at_most_a_thousand(
    holdfast: RunningHoldfast,
) -> None:
    for request_ids, field in (
        (["r-1", ""], "request_ids[1]"),
        ([f"r-{number}" for number in range(1_001)], "request_ids"),
    ):
        asked = pb.ListOrdersRequest(request_ids=request_ids)
        found = await refusal(holdfast.orders.ListOrders(asked, timeout=CALL_S_MAX))

        assert found.code is StatusCode.INVALID_ARGUMENT
        assert found.fields == [field]
