"""Holds and payments as callers meet them, in both modes."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from holdfast.chassis.grpc.pages import make_token
from holdfast.client import (
    AlreadyExists,
    HoldExpired,
    HoldfastError,
    IllegalTransition,
    InvalidRequest,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    PaymentKind,
    PaymentStatus,
    Placed,
    Refused,
)
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ports import OrderFilter
from holdfast.verification import verify
from tests.integration.conftest import (
    CALL_S_MAX,
    EMBEDDED_ON_POSTGRES,
    RunningHoldfast,
    eventually,
    refusal,
)

ALSO = [EMBEDDED_ON_POSTGRES]

SHORT_S = 2.0  # a hold is told while it runs, also by a machine that is busy
LAMP = OrderLine("LAMP", 2)
CAPTURED, REFUNDED = PaymentKind.CAPTURED, PaymentKind.REFUNDED


async def hold(
    holdfast: RunningHoldfast, hold_s: float, *, stock: int = 2, customer_id: str = "c-1"
) -> Placed:
    """An order for two lamps whose stock is held."""
    if stock:
        await holdfast.product("LAMP", stock)
    placed = await holdfast.client.orders.create(customer_id, [LAMP], hold_s=hold_s, wait_s=20)
    assert placed.status is OrderStatus.RESERVED
    assert placed.expires_time is not None
    return placed


async def expired(holdfast: RunningHoldfast, order_id: str) -> Order:
    return await eventually(
        lambda: holdfast.client.orders.get(order_id),
        lambda order: order.status is OrderStatus.EXPIRED,
        "the hold ends",
    )


async def sound(holdfast: RunningHoldfast) -> None:
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    assert report.ok, report.contradictions


async def test_what_is_held_is_nobody_elses_until_it_is_confirmed(
    holdfast: RunningHoldfast,
) -> None:
    orders = holdfast.client.orders
    placed = await hold(holdfast, 60)

    with pytest.raises(Refused, match="short of LAMP"):
        await orders.create("c-2", [LAMP])
    listed = [order async for order in orders.list(status=OrderStatus.RESERVED)]
    confirmed = await orders.confirm(placed.order_id, payment="pi_1")
    again = await orders.confirm(placed.order_id, payment="pi_1")

    assert [order.order_id for order in listed] == [placed.order_id]
    assert again == confirmed
    assert (confirmed.status, confirmed.payment_reference) == (OrderStatus.CONFIRMED, "pi_1")
    assert [change.status for change in confirmed.history] == ["PENDING", "RESERVED", "CONFIRMED"]
    with pytest.raises(IllegalTransition, match="pi_1") as refused:
        await orders.confirm(placed.order_id, payment="pi_2")
    assert refused.value.details["payment_reference"] == "pi_1"
    assert [one async for one in orders.list(status=OrderStatus.RESERVED)] == []
    await sound(holdfast)


async def test_a_payment_that_comes_too_late_is_refused_and_kept(holdfast: RunningHoldfast) -> None:
    orders = holdfast.client.orders
    placed = await hold(holdfast, SHORT_S)
    await expired(holdfast, placed.order_id)
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 2, "stock back")
    other = await orders.create("c-2", [LAMP], wait_s=20)

    for _ in range(2):  # a repeat gets the same answer
        with pytest.raises(HoldExpired):
            await orders.confirm(placed.order_id, payment="pi_late")
    late = await orders.get(placed.order_id)

    assert other.status is OrderStatus.CONFIRMED
    assert late.status is OrderStatus.EXPIRED
    assert [(one.kind, one.reference) for one in late.payments] == [("NAMED", "pi_late")]
    assert (await holdfast.stock("LAMP")).reserved == 2
    await orders.record_payment(late.order_id, CAPTURED, Decimal("20"), reference="pi_late")
    given_back = await orders.record_payment(
        late.order_id, REFUNDED, Decimal("20"), reference="re_1"
    )
    assert given_back.payment_status is PaymentStatus.REFUNDED
    await sound(holdfast)


async def test_a_payment_is_recorded_along_with_the_confirmation_or_its_refusal(
    holdfast: RunningHoldfast,
) -> None:
    orders = holdfast.client.orders
    placed = await hold(holdfast, 60)

    for _ in range(2):
        confirmed = await orders.confirm(
            placed.order_id, payment="pi_1", kind=CAPTURED, amount=Decimal("20")
        )
    with pytest.raises(IllegalTransition):
        await orders.confirm(placed.order_id, payment="pi_2", kind=CAPTURED, amount=Decimal("20"))

    assert (confirmed.status, confirmed.payment_status) == ("CONFIRMED", PaymentStatus.PAID)
    assert confirmed.version == 4
    paid_twice = await orders.get(placed.order_id)
    assert [one.reference for one in paid_twice.payments] == ["pi_1", "pi_2"]
    assert paid_twice.payment_status is PaymentStatus.OVERPAID
    await sound(holdfast)


async def test_a_hold_ends_once_however_many_confirm_it_at_that_moment(
    holdfast: RunningHoldfast,
) -> None:
    orders = holdfast.client.orders
    placed = await hold(holdfast, SHORT_S)

    async def confirm(number: int) -> str:
        await asyncio.sleep(SHORT_S * number / 25)  # half of them before its end
        try:
            return (await orders.confirm(placed.order_id, payment="pi_1")).status
        except HoldfastError as error:
            return error.reason

    said = set(await asyncio.gather(*(confirm(number) for number in range(50))))

    assert said in ({"CONFIRMED"}, {"HOLD_EXPIRED"})
    await sound(holdfast)


async def test_an_extended_hold_outlives_its_first_end(holdfast: RunningHoldfast) -> None:
    orders = holdfast.client.orders
    placed = await hold(holdfast, 1)

    extended = await orders.extend_hold(placed.order_id, hold_s=60)
    shorter = await orders.extend_hold(placed.order_id, hold_s=5)
    await asyncio.sleep(1.5)

    assert extended.expires_time is not None
    assert placed.expires_time is not None
    assert extended.expires_time > placed.expires_time
    assert extended.history[-1].action == "HOLD_EXTENDED"
    assert shorter == extended == await orders.get(placed.order_id)
    await sound(holdfast)


async def test_a_cancelled_hold_gives_its_stock_back_and_is_not_ended_again(
    holdfast: RunningHoldfast,
) -> None:
    orders = holdfast.client.orders
    placed = await hold(holdfast, 1)

    await orders.cancel(placed.order_id)
    await asyncio.sleep(1.5)

    assert (await orders.get(placed.order_id)).status is OrderStatus.CANCELLED
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 2, "stock back")
    await sound(holdfast)


async def test_the_same_request_with_another_hold_is_another_order(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 9)
    orders = holdfast.client.orders
    placed = await orders.create("c-1", [LAMP], request_id="r", hold_s=60)

    again = await orders.create("c-1", [LAMP], request_id="r", hold_s=60)

    assert again.order_id == placed.order_id
    assert again.expires_time == placed.expires_time or placed.expires_time is None
    for other in (61, None):
        with pytest.raises(AlreadyExists):
            await orders.create("c-1", [LAMP], request_id="r", hold_s=other)


async def test_payments_are_facts_that_move_no_stock(holdfast: RunningHoldfast) -> None:
    orders = holdfast.client.orders
    await holdfast.product("LAMP", 5)
    placed = await orders.create("c-1", [LAMP], wait_s=20)
    before = await holdfast.movements()

    paid = await orders.record_payment(placed.order_id, CAPTURED, Decimal("12.50"), reference="p")
    again = await orders.record_payment(
        placed.order_id, CAPTURED, Money(paid.total.currency, 1250), reference="p"
    )

    assert again == paid
    assert paid.payment_status is PaymentStatus.PARTIALLY_PAID
    assert [(one.kind, one.reference, one.amount.minor) for one in paid.payments] == [
        ("CAPTURED", "p", 1250)
    ]
    assert paid.history[-1].action == "PAYMENT_RECORDED"
    refusals: list[tuple[Callable[[], Awaitable[Order]], str]] = [
        (
            lambda: orders.record_payment(placed.order_id, CAPTURED, Decimal("1"), reference="p"),
            "PAYMENT_REUSED",
        ),
        (
            lambda: orders.record_payment(placed.order_id, REFUNDED, Decimal("13"), reference="r"),
            "REFUND_EXCEEDS_CAPTURE",
        ),
    ]
    for call, reason in refusals:
        with pytest.raises(Refused) as refused:
            await call()
        assert refused.value.reason == reason
    with pytest.raises(InvalidRequest, match="currency"):
        await orders.record_payment(placed.order_id, CAPTURED, Money("JPY", 1), reference="j")
    assert await orders.get(placed.order_id) == paid
    assert await holdfast.movements() == before
    await sound(holdfast)


async def test_bad_holds_and_payments_are_refused_with_all_violations(
    holdfast: RunningHoldfast,
) -> None:
    create = pb.CreateOrderRequest(customer_id="", lines=[pb.OrderLine(product_id="LAMP")])
    create.hold.seconds = 86_401
    extend = pb.ExtendHoldRequest(order_id="nonsense")
    pay = pb.RecordPaymentRequest(order_id="nonsense", kind=pb.PAYMENT_KIND_NAMED)
    pay.amount.currency_code = "EUR"
    unnamed = pb.RecordPaymentRequest(order_id="nonsense", kind=pb.PAYMENT_KIND_CAPTURED)
    unnamed.reference = "pi_1"
    unnamed.amount.units = 5
    nothing = pb.RecordPaymentRequest(order_id="nonsense", kind=pb.PAYMENT_KIND_CAPTURED)
    confirm = pb.ConfirmOrderRequest(order_id="nonsense", payment_reference="pi_1")
    confirm.payment_kind = pb.PAYMENT_KIND_CAPTURED
    confirm.amount.nanos = -1

    found = [
        (await refusal(holdfast.orders.CreateOrder(create, timeout=CALL_S_MAX))).fields,
        (await refusal(holdfast.orders.ExtendHold(extend, timeout=CALL_S_MAX))).fields,
        (await refusal(holdfast.orders.RecordPayment(pay, timeout=CALL_S_MAX))).fields,
        (
            await refusal(
                holdfast.orders.ConfirmOrder(pb.ConfirmOrderRequest(), timeout=CALL_S_MAX)
            )
        ).fields,
        (await refusal(holdfast.orders.RecordPayment(unnamed, timeout=CALL_S_MAX))).fields,
        (await refusal(holdfast.orders.RecordPayment(nothing, timeout=CALL_S_MAX))).fields,
        (await refusal(holdfast.orders.ConfirmOrder(confirm, timeout=CALL_S_MAX))).fields,
    ]

    assert found == [
        ["lines[0].quantity", "customer_id", "hold"],
        ["order_id", "hold"],
        ["order_id", "kind", "reference", "amount"],
        ["order_id", "payment_reference"],
        ["order_id"],
        ["order_id", "reference", "amount"],
        ["order_id", "amount"],
    ]


async def test_holds_are_listed_as_they_end(holdfast: RunningHoldfast) -> None:
    """Page by page: the newest is not the next, an extended one moves, a confirmed one is gone."""
    orders = holdfast.client.orders
    second = await hold(holdfast, 600, stock=10)
    third = await hold(holdfast, 900, stock=0, customer_id="c-2")
    gone = await hold(holdfast, 60, stock=0)
    first = await hold(holdfast, 300, stock=0)
    await orders.confirm(gone.order_id, payment="pi_1")
    await orders.extend_hold(second.order_id, hold_s=1_200)

    async def listed(**wanted: Any) -> list[str]:
        found = orders.list(by_hold_end=True, page_size=1, **wanted)
        return [order.order_id async for order in found]

    assert await listed() == [first.order_id, third.order_id, second.order_id]
    assert await listed(status=OrderStatus.RESERVED, limit=1) == [first.order_id]
    assert await listed(customer_id="c-1") == [first.order_id, second.order_id]
    assert await listed(customer_id="c-2", product_id="LAMP") == [third.order_id]
    later = (await orders.get(third.order_id)).create_time
    assert await listed(created_before=later) == [second.order_id]
    assert await listed(to_ship=True) == []
    assert len(await listed(location_id="main")) == 3


async def test_a_list_of_holds_has_no_other_status_and_no_forged_place(
    holdfast: RunningHoldfast,
) -> None:
    bad = pb.ListOrdersRequest(
        by_hold_end=True, status=pb.ORDER_STATUS_CONFIRMED, request_ids=["r-1"]
    )
    told = await refusal(holdfast.orders.ListOrders(bad, timeout=CALL_S_MAX))
    assert told.fields == ["status", "request_ids"]
    wanted = f"orders {OrderFilter(by_hold_end=True)!r}"
    nil = "00000000-0000-0000-0000-000000000000"
    for place in (nil, f"x {nil}", f"-1 {nil}", f"{'9' * 30} {nil}", "1", "1 x", f"\u0661 {nil}"):
        forged = pb.ListOrdersRequest(by_hold_end=True, page_token=make_token(place, wanted))
        told = await refusal(holdfast.orders.ListOrders(forged, timeout=CALL_S_MAX))
        assert told.fields == ["page_token"], place
    latest = make_token(f"{'9' * 17} {nil}", wanted)
    request = pb.ListOrdersRequest(by_hold_end=True, page_token=latest)
    assert not (await holdfast.orders.ListOrders(request, timeout=CALL_S_MAX)).orders
