"""No message is refused without a reason, and no answer is larger than any gRPC client takes.

The channels of these tests have gRPC's own limit of 4 MiB for what they receive.
"""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from grpc import StatusCode, aio

from holdfast.chassis.grpc import sizes
from holdfast.chassis.grpc.sizes import ANSWER_BYTES_MAX, RECEIVE_BYTES_MAX, REQUEST_BYTES_MAX
from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.verification import verify
from tests.integration.conftest import (
    CALL_S_MAX,
    CLUSTER,
    EMBEDDED,
    Refusal,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
)
from tests.modes import mostly

WIDE = "\U0001d538"  # four bytes in UTF-8
ORDERS = "/holdfast.orders.v1.OrderService/"
INVENTORY = "/holdfast.inventory.v1.InventoryService/"
BASIC, FULL = inventory_pb.STOCK_INFO_VIEW_BASIC, inventory_pb.STOCK_INFO_VIEW_FULL


def wide(number: int, characters: int = 128) -> str:
    """A text as long as it may be, of characters that take the most bytes."""
    return f"{number:04}".ljust(characters, WIDE)


async def make_products(
    holdfast: RunningHoldfast, count: int, *, description: str = "", stock: int = 0
) -> list[str]:
    ids = [wide(number) for number in range(count)]
    for product_id in ids:
        product = inventory_pb.Product(
            product_id=product_id, description=description, unit_price=price(1), active=True
        )
        await holdfast.inventory.CreateProduct(
            inventory_pb.CreateProductRequest(product=product), timeout=CALL_S_MAX
        )
    if stock:
        await set_everywhere(holdfast, ids, "main", stock)
    return ids


async def set_everywhere(
    holdfast: RunningHoldfast, ids: list[str], location_id: str, stock: int = 1
) -> None:
    for start in range(0, len(ids), 1_000):
        requests = [
            inventory_pb.UpdateStockRequest(product_id=one, quantity=stock, location_id=location_id)
            for one in ids[start : start + 1_000]
        ]
        await holdfast.inventory.BatchUpdateStock(
            inventory_pb.BatchUpdateStockRequest(requests=requests), timeout=CALL_S_MAX
        )


def padded(message: Message, size: int) -> bytes:
    """A message brought to a size by a field that nobody knows."""
    body = message.SerializeToString()
    tag, rest = b"\xfa\x01", size - len(body) - 6
    length = bytes([rest & 0x7F | 0x80, rest >> 7 & 0x7F | 0x80, rest >> 14 & 0x7F | 0x80])
    whole = body + tag + length + bytes([rest >> 21]) + bytes(rest)
    assert len(whole) == size
    return whole


async def send(channel: aio.Channel, method: str, body: bytes) -> bytes:
    call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return await call(body, timeout=CALL_S_MAX)


async def test_a_request_of_four_mebibytes_is_read_and_a_larger_one_refused_with_the_reason(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    request = create(line("LAMP"), request_id="r-1")
    lookup = inventory_pb.GetStockInfoRequest(product_id="LAMP")

    await send(holdfast.orders_channel, ORDERS + "CreateOrder", padded(request, REQUEST_BYTES_MAX))
    found = [
        await refusal(send(channel, method, padded(message, REQUEST_BYTES_MAX + 1)))
        for channel, method, message in (
            (holdfast.orders_channel, ORDERS + "CreateOrder", request),
            (holdfast.inventory_channel, INVENTORY + "GetStockInfo", lookup),
        )
    ]

    for one in found:
        assert (one.code, one.reason) == (StatusCode.INVALID_ARGUMENT, "REQUEST_TOO_LARGE")
        assert one.facts == {"bytes": "4194305", "bytes_max": "4194304"}
        assert one.fields == ["request"]
        assert "4,194,304" in one.message
        assert "in several" in one.message
    assert len(await holdfast.all_orders()) == 1


async def test_beyond_sixteen_mebibytes_grpc_itself_refuses(holdfast: RunningHoldfast) -> None:
    body = bytes(RECEIVE_BYTES_MAX + 1)

    found = await refusal(send(holdfast.orders_channel, ORDERS + "CreateOrder", body))

    assert (found.code, found.details) == (StatusCode.RESOURCE_EXHAUSTED, ())
    assert "larger than max" in found.message


async def test_the_stock_check_never_fails_because_descriptions_are_long(
    holdfast: RunningHoldfast,
) -> None:
    ids = await make_products(holdfast, 120, description=WIDE * 10_000, stock=5)

    placed = await holdfast.place(*(line(product_id) for product_id in ids))

    assert placed.status == pb.ORDER_STATUS_CONFIRMED


async def test_stock_infos_that_do_not_fit_are_told_so_and_come_when_asked_for_again(
    holdfast: RunningHoldfast,
) -> None:
    ids = await make_products(holdfast, 120, description=WIDE * 10_000)
    wanted, calls = ids + ["MISSING"], 0
    found: dict[str, inventory_pb.BatchGetStockInfoResult] = {}
    while wanted:
        answer = await holdfast.inventory.BatchGetStockInfo(
            inventory_pb.BatchGetStockInfoRequest(product_ids=wanted), timeout=CALL_S_MAX
        )
        assert answer.ByteSize() <= ANSWER_BYTES_MAX
        results = dict(zip(wanted, answer.results, strict=True))
        assert results[wanted[0]].HasField("info") or wanted == ["MISSING"]
        full = [one for one, result in results.items() if is_full(result)]
        found |= {one: result for one, result in results.items() if one not in full}
        wanted, calls = full, calls + 1

    assert calls == 2
    assert found.pop("MISSING").error.code == StatusCode.NOT_FOUND.value[0]
    assert {len(result.info.product.description) for result in found.values()} == {10_000}


def is_full(result: inventory_pb.BatchGetStockInfoResult) -> bool:
    if result.error.code != StatusCode.RESOURCE_EXHAUSTED.value[0]:
        return False
    assert Refusal.of(result.error).reason == "ANSWER_FULL"
    return True


async def test_the_basic_view_leaves_texts_and_levels_out(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", {"main": 3, "annex": 4}, price(2, 50))
    await holdfast.product("NEVER-STOCKED", {})
    request = inventory_pb.BatchGetStockInfoRequest(
        product_ids=["LAMP", "NEVER-STOCKED"], view=BASIC
    )
    basic = await holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX)
    request.view = FULL
    full = await holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX)

    lamp, never = (result.info for result in basic.results)
    whole = full.results[0].info
    assert (lamp.on_hand, lamp.reserved, lamp.available) == (7, 0, 7)
    assert lamp.product.unit_price == price(2, 50)
    assert lamp.product.active
    assert (len(lamp.levels), len(whole.levels)) == (0, 2)
    assert (never.on_hand, never.available) == (0, 0)
    request.view = 7  # type: ignore[assignment] # what a newer client may send
    found = await refusal(holdfast.inventory.BatchGetStockInfo(request, timeout=CALL_S_MAX))
    assert found.fields == ["view"]


@pytest.mark.timeout(240)
async def test_pages_end_before_they_are_too_large_and_go_on_right_there(
    holdfast: RunningHoldfast,
) -> None:
    ids = await make_products(holdfast, 120, description=WIDE * 10_000, stock=10**6)
    lines = [line(ids[number % 120]) for number in range(2_000)]
    for number in range(9):
        await holdfast.create(create(*lines, request_id=f"r-{number}"))

    orders: list[str] = []
    products: list[str] = []
    order_page = pb.ListOrdersRequest(page_size=1_000)
    product_page = inventory_pb.ListProductsRequest(page_size=1_000)
    sizes = []
    while True:
        answer = await holdfast.orders.ListOrders(order_page, timeout=CALL_S_MAX)
        sizes.append(len(answer.orders))
        orders += [order.request_id for order in answer.orders]
        order_page.page_token = answer.next_page_token
        if not order_page.page_token:
            break
    while True:
        listed = await holdfast.inventory.ListProducts(product_page, timeout=CALL_S_MAX)
        products += [product.product_id for product in listed.products]
        product_page.page_token = listed.next_page_token
        if not product_page.page_token:
            break

    assert orders == [f"r-{number}" for number in reversed(range(9))]
    assert sizes == [3, 3, 3]
    assert products == ids


async def test_what_became_of_a_batch_is_told_even_where_its_details_have_no_room(
    holdfast: RunningHoldfast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 MiB of orders that were rejected and are asked for again would be answered with 6 MB."""
    ids = [await holdfast.product(wide(number), 1) for number in range(20)]
    requests = [
        create(*(line(product_id) for product_id in ids), request_id=f"r-{number}")
        for number in range(30)
    ]
    requests += [create(line("\x01", 0), line("\x02", 0), request_id="b") for _ in range(30)]
    batch = pb.BatchCreateOrdersRequest(requests=requests)
    await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)
    await holdfast.settled()
    monkeypatch.setattr(sizes, "ANSWER_BYTES_MAX", 80_000)

    answer = await holdfast.orders.BatchCreateOrders(batch, timeout=CALL_S_MAX)

    assert 20_000 < answer.ByteSize() <= 80_000
    confirmed, *rejected = (result.order for result in answer.results[:30])
    refused = [Refusal.of(result.error) for result in answer.results[30:]]
    assert confirmed.status == pb.ORDER_STATUS_CONFIRMED
    assert {order.status for order in rejected} == {pb.ORDER_STATUS_REJECTED}
    assert all(order.order_id for order in rejected)
    assert {len(order.shortages) for order in rejected} == {20, 0}
    assert {one.code for one in refused} == {StatusCode.INVALID_ARGUMENT}
    assert {len(one.fields) for one in refused} == {4}, "small details find their room"


@mostly("ground", EMBEDDED, CLUSTER)
@pytest.mark.timeout(120)
async def test_the_largest_order_goes_all_the_way(holdfast: RunningHoldfast) -> None:
    """2,000 products of 128 characters of four bytes each, from four locations each: request,
    events (what is reserved, and where, would be 5.5 MB), answers, details.
    """
    ids = await make_products(holdfast, 2_000, stock=1)
    for place in (wide(1, 64), wide(2, 64), wide(3, 64)):
        await holdfast.location(place)
        await set_everywhere(holdfast, ids, place)
    request = create(*(line(product_id, 4) for product_id in ids), request_id="r-1", wait_s=20)
    again = create(*(line(product_id, 1) for product_id in ids), request_id="r-2", wait_s=20)
    first = await holdfast.create(request)

    short = await refusal(holdfast.create(again))
    order = await holdfast.order(first.order_id)
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    cancelled = await holdfast.cancel(first.order_id, WIDE * 500)

    assert first.status == pb.ORDER_STATUS_CONFIRMED
    assert short.reason == "SHORT_OF_STOCK"
    assert order.ByteSize() > 1_000_000
    assert report.ok, "what no event has room for is no contradiction"
    assert cancelled.status == pb.ORDER_STATUS_CANCELLED
    assert await holdfast.dead_letters("orders") == []
    assert await holdfast.dead_letters("inventory") == []


async def test_an_order_is_updated_as_often_as_its_history_fits_into_an_answer(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    order = await holdfast.place(line("LAMP"))
    history = (
        "INSERT INTO order_history (order_id, version, status, changed_at, reason, actor, action)"
    )
    moved = {
        "embedded": f"""{history}
            WITH RECURSIVE n(version) AS (SELECT 3 UNION ALL SELECT version + 1 FROM n
                                           WHERE version < 10000)
            SELECT '{order.order_id}', version, 'CONFIRMED', '2026-01-01T00:00:00.000000+00:00',
                   'customer information updated', 'anonymous', 'CUSTOMER_UPDATED' FROM n""",
        "cluster": f"""{history}
            SELECT '{order.order_id}', version, 'CONFIRMED', now(),
                   'customer information updated', 'anonymous', 'CUSTOMER_UPDATED'
              FROM generate_series(3, 10000) AS version""",
    }
    await holdfast.sql("orders", moved[holdfast.mode])
    raised = f"UPDATE orders SET version = 10000 WHERE order_id = '{order.order_id}'"
    await holdfast.sql("orders", raised)

    found = await holdfast.order(order.order_id)
    refused = await refusal(
        holdfast.orders.UpdateOrder(
            pb.UpdateOrderRequest(
                order_id=order.order_id, version=10_000, update_mask=FieldMask(paths=["customer"])
            ),
            timeout=CALL_S_MAX,
        )
    )
    cancelled = await holdfast.cancel(order.order_id)

    assert found.ByteSize() < ANSWER_BYTES_MAX // 4, "lines and shortages take up to 2.2 MB"
    assert (refused.code, refused.reason) == (StatusCode.FAILED_PRECONDITION, "TOO_MANY_CHANGES")
    assert cancelled.status == pb.ORDER_STATUS_CANCELLED
