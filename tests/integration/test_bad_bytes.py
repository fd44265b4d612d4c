"""Bytes that no client of ours would send are refused by name and leave the services alive."""

import asyncio
import random
from contextlib import suppress

import pytest
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from grpc import StatusCode, aio

from holdfast.chassis.grpc.pages import make_token
from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.inventory.application.ports import MovementFilter
from holdfast.orders.application.ports import OrderFilter
from tests.integration.conftest import (
    CALL_S_MAX,
    SERVICES,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
)

INVALID, NOT_FOUND = StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND
INTERNAL = StatusCode.INTERNAL
ORDERS = "/holdfast.orders.v1.OrderService/"
INVENTORY = "/holdfast.inventory.v1.InventoryService/"
NIL = "00000000-0000-0000-0000-000000000000"
MEBIBYTE = 1024 * 1024


async def send(channel: aio.Channel, method: str, body: bytes) -> bytes:
    """Send bytes as they are."""
    call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return await call(body, timeout=CALL_S_MAX)


def field(number: int, body: bytes) -> bytes:
    assert number < 16
    assert len(body) < 128
    return bytes([number << 3 | 2, len(body)]) + body


def bad_orders() -> dict[str, bytes]:
    good = create(line("LAMP", 2, price(1, 50)), request_id="r-1").SerializeToString()
    product = inventory_pb.CreateProductRequest(
        product=inventory_pb.Product(product_id="LAMP", name="LAMP", unit_price=price(1))
    )
    dice = random.Random(4711)
    bad = {f"cut at {at}": good[:at] for at in range(len(good))}
    bad |= {f"random {n}": dice.randbytes(dice.randrange(1, 200)) for n in range(100)}
    bad |= {
        "invalid UTF-8": good + field(2, b"\xc3\x28"),
        "overlong UTF-8": good + field(2, b"\xc0\xaf"),
        "half a surrogate pair": good + field(2, b"\xed\xa0\x80"),
        "another message": product.SerializeToString(),
        "an Any": AnyMessage(type_url="type.googleapis.com/x", value=b"x").SerializeToString(),
        "field number 0": good + b"\x02\x00",
        "a length beyond the end": good + b"\x0a\xff\xff\xff\xff\x0f",
        "an endless varint": good + b"\xff" * 11,
        "groups 200 deep": good + b"\xa3\x06" * 200 + b"\xa4\x06" * 200,
        "a group that never ends": good + b"\xa3\x06",
        "lines of the wrong wire type": good[: good.index(b"\x1a")] + b"\x18\x01",
    }
    return bad


async def test_bytes_that_are_no_request_are_an_invalid_argument(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    before = await holdfast.everything()
    with structlog.testing.capture_logs() as logs:
        for name, body in bad_orders().items():
            found = await refusal(send(holdfast.orders_channel, ORDERS + "CreateOrder", body))
            assert found.code == INVALID, name
            found = await refusal(send(holdfast.inventory_channel, INVENTORY + "UpdateStock", body))
            assert found.code in (INVALID, NOT_FOUND), name
        watch: aio.UnaryStreamMultiCallable[bytes, bytes]
        watch = holdfast.orders_channel.unary_stream(ORDERS + "WatchOrder")
        found = await refusal(anext(aiter(watch(b"\xff", timeout=CALL_S_MAX))))
        assert found.code == INVALID

    assert await holdfast.everything() == before
    assert not [entry for entry in logs if entry["log_level"] in ("error", "critical")]
    assert (await holdfast.place(line("LAMP"))).status == pb.ORDER_STATUS_CONFIRMED


async def test_every_method_refuses_bytes_that_are_no_message(holdfast: RunningHoldfast) -> None:
    services = (
        (holdfast.orders_channel, pb.DESCRIPTOR.services_by_name["OrderService"]),
        (
            holdfast.inventory_channel,
            inventory_pb.DESCRIPTOR.services_by_name["InventoryService"],
        ),
    )
    for channel, service in services:
        for method in service.methods:
            if method.server_streaming:
                continue
            path = f"/{service.full_name}/{method.name}"
            found = await refusal(send(channel, path, b"\xff\xff"))
            assert (found.code, found.fields) == (INVALID, ["request"]), path


async def test_what_a_newer_client_adds_is_ignored(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 9)
    unknown = b"\xc0\x3e\x01" * 1_000_000  # field 1,000
    request = create(line("LAMP"), request_id="r-1", wait_s=20)

    body = await send(
        holdfast.orders_channel, ORDERS + "CreateOrder", request.SerializeToString() + unknown
    )
    again = await holdfast.create(request)

    assert pb.CreateOrderResponse.FromString(body) == again


async def test_a_message_beyond_the_limit_is_refused(holdfast: RunningHoldfast) -> None:
    address = pb.CreateOrderRequest(customer=pb.Customer(address="x" * (5 * MEBIBYTE)))
    below = pb.CreateOrderRequest(customer=pb.Customer(address="x" * (3 * MEBIBYTE)))

    found = await refusal(holdfast.create(address))
    other = await refusal(holdfast.create(below))

    assert (found.code, found.reason) == (INVALID, "REQUEST_TOO_LARGE")
    assert other.code == INVALID
    assert "customer.address" in other.fields


async def test_an_unknown_method_is_unimplemented(holdfast: RunningHoldfast) -> None:
    for channel, path in (
        (holdfast.orders_channel, ORDERS + "DropOrder"),
        (holdfast.orders_channel, INVENTORY + "GetStockInfo"),
        (holdfast.inventory_channel, "/x"),
    ):
        found = await refusal(send(channel, path, b""))
        assert found.code == StatusCode.UNIMPLEMENTED


async def test_hostile_metadata_harms_neither_the_caller_s_order_nor_anyone_else_s(
    holdfast: RunningHoldfast,
) -> None:
    """A traceparent travels with the event: what is none must not make the event unreadable."""
    await holdfast.product("LAMP", 99)
    hostile = ["x" * 4_000, "00-" + "0" * 300, "\t", "'; --", "00-zz-zz-01", "", "\x7e" * 201]

    answers = await asyncio.gather(
        *(
            holdfast.orders.CreateOrder(
                create(line("LAMP"), wait_s=15),
                metadata=(("traceparent", value.strip()),),
                timeout=CALL_S_MAX,
            )
            for value in hostile
        ),
        *(holdfast.create(create(line("LAMP"), wait_s=15)) for _ in range(20)),
    )

    assert {answer.status for answer in answers} == {pb.ORDER_STATUS_CONFIRMED}
    for service in SERVICES:
        assert await holdfast.dead_letters(service) == []


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"GET / HTTP/1.1\r\nHost: holdfast\r\n\r\n",
        random.Random(1).randbytes(10_000),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # the start of TLS
        b"",
    ],
    ids=["HTTP/1.1", "random", "broken HTTP/2", "TLS", "nothing"],
)
async def test_a_stranger_on_the_port_leaves_the_service_alive(
    holdfast: RunningHoldfast, bytes_sent: bytes
) -> None:
    await holdfast.product("LAMP", 9)
    for address in (holdfast.addresses.orders, holdfast.addresses.inventory):
        host, _, port = address.rpartition(":")
        for _ in range(20):
            reader, writer = await asyncio.open_connection(host, int(port))
            with suppress(OSError):
                writer.write(bytes_sent)
                await writer.drain()
                if bytes_sent:
                    writer.write_eof()
                    await asyncio.wait_for(reader.read(), timeout=CALL_S_MAX)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    assert (await holdfast.place(line("LAMP"))).status == pb.ORDER_STATUS_CONFIRMED


async def test_an_error_of_ours_shows_a_correlation_id_and_nothing_else(
    holdfast: RunningHoldfast,
) -> None:
    lamp = await holdfast.product("LAMP", 9)
    await holdfast.sql("orders", "DROP TABLE order_line")
    await holdfast.sql("inventory", "DROP TABLE stock_request")
    request = create(line(lamp))
    change = inventory_pb.AdjustStockRequest(
        product_id=lamp, delta=1, reason="found", request_id="r-1"
    )

    with structlog.testing.capture_logs() as logs:
        failed = [
            await refusal(holdfast.create(request)),
            await refusal(holdfast.inventory.AdjustStock(change, timeout=CALL_S_MAX)),
        ]

    logged = {entry["correlation_id"] for entry in logs if "correlation_id" in entry}
    for found in failed:
        assert (found.code, found.reason) == (INTERNAL, "INTERNAL")
        assert found.facts["correlation_id"] in logged
        words = f"{found.message} {found.details}".lower()
        for leak in (
            "sqlite",
            "asyncpg",
            "table",
            "does not exist",
            "error:",
            "traceback",
            "exception",
        ):
            assert leak not in words
    assert (await holdfast.stock(lamp)).on_hand == 9


async def test_a_page_token_serves_only_the_list_that_it_was_made_for(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("BULB", 9)
    await holdfast.product("LAMP", 9)
    for _ in range(3):
        await holdfast.place(line("LAMP"))
    orders, stock = holdfast.orders, holdfast.inventory
    mine = pb.ListOrdersRequest(customer_id="c-1", page_size=1)
    token = (await orders.ListOrders(mine, timeout=CALL_S_MAX)).next_page_token
    assert token
    flipped = ("A" if token[20] != "A" else "B").join((token[:20], token[21:]))
    bad = ["x", token[:-4], token[:10], flipped, token + "AAAA", "🛒", "=" * 10_000]

    for forged in bad:
        calls = (
            orders.ListOrders(
                pb.ListOrdersRequest(customer_id="c-1", page_token=forged), timeout=CALL_S_MAX
            ),
            stock.ListProducts(
                inventory_pb.ListProductsRequest(page_token=forged), timeout=CALL_S_MAX
            ),
            stock.ListMovements(
                inventory_pb.ListMovementsRequest(page_token=forged), timeout=CALL_S_MAX
            ),
        )
        for call in calls:
            found = await refusal(call)
            assert (found.code, found.fields) == (INVALID, ["page_token"]), forged
    for other in (
        pb.ListOrdersRequest(page_token=token),
        pb.ListOrdersRequest(page_token=token, customer_id="c-2"),
        pb.ListOrdersRequest(page_token=token, customer_id="c-1", product_id="LAMP"),
    ):
        found = await refusal(orders.ListOrders(other, timeout=CALL_S_MAX))
        assert (found.code, found.fields) == (INVALID, ["page_token"])


async def test_a_page_token_forged_by_who_knows_how_is_refused_too(
    holdfast: RunningHoldfast,
) -> None:
    """The digest of a token has no secret, so what it holds must be checked."""
    first = pb.ListOrdersRequest(page_size=1)
    await holdfast.product("LAMP", 9)
    await holdfast.place(line("LAMP"))
    await holdfast.place(line("LAMP"))
    real = (await holdfast.orders.ListOrders(first, timeout=CALL_S_MAX)).next_page_token
    orders_filter, moves_filter = (
        f"orders {OrderFilter()!r}",
        f"movements {MovementFilter()!r}",
    )
    oldest = (await holdfast.all_orders())[0].order_id
    assert make_token(oldest, orders_filter) == real, "the forger knows how"

    for cursor in ("x", "\0", "-1", "9" * 30, "' OR 1=1--", "LA\0MP"):
        orders = pb.ListOrdersRequest(page_token=make_token(cursor, orders_filter))
        products = inventory_pb.ListProductsRequest(page_token=make_token(cursor, "products"))
        moves = inventory_pb.ListMovementsRequest(page_token=make_token(cursor, moves_filter))
        for found in (
            await refusal(holdfast.orders.ListOrders(orders, timeout=CALL_S_MAX)),
            await refusal(holdfast.inventory.ListMovements(moves, timeout=CALL_S_MAX)),
        ):
            assert (found.code, found.fields) == (INVALID, ["page_token"]), cursor
        if "\0" in cursor:
            found = await refusal(holdfast.inventory.ListProducts(products, timeout=CALL_S_MAX))
            assert (found.code, found.fields) == (INVALID, ["page_token"]), cursor
            token = make_token(f"0/{cursor}", "locations")
            places = inventory_pb.ListLocationsRequest(page_token=token)
            found = await refusal(holdfast.inventory.ListLocations(places, timeout=CALL_S_MAX))
            assert (found.code, found.fields) == (INVALID, ["page_token"]), cursor
