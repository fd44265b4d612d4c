"""Edits as callers meet them, in both modes: over gRPC, with all that can be wrong of a request."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.verification import verify
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    eventually,
    line,
    refusal,
)

ALIKE = True
APPLIED, REFUSED, ASKED = (
    pb.EDIT_STATE_APPLIED,
    pb.EDIT_STATE_REFUSED,
    pb.EDIT_STATE_ASKED,
)


def lines(*wanted: tuple[int, str, int]) -> list[pb.OrderLine]:
    return [pb.OrderLine(line_no=no, product_id=name, quantity=n) for no, name, n in wanted]


def priced_in(currency: str) -> list[pb.OrderLine]:
    price = Money(currency_code=currency)
    return [pb.OrderLine(line_no=1, product_id="LAMP", quantity=1, unit_price=price)]


async def edit(
    holdfast: RunningHoldfast,
    order: pb.Order,
    wanted: Sequence[pb.OrderLine],
    *,
    mask: Sequence[str] = ("lines",),
    wait_s: float = 20,
    **more: Any,
) -> pb.Order:
    request = pb.UpdateOrderRequest(
        order_id=order.order_id,
        version=order.version,
        update_mask=FieldMask(paths=mask),
        lines=wanted,
        **more,
    )
    if wait_s:
        request.wait.FromMilliseconds(int(wait_s * 1_000))
    return await holdfast.orders.UpdateOrder(request, timeout=CALL_S_MAX)


async def confirmed(holdfast: RunningHoldfast, units: int = 2) -> pb.Order:
    placed = await holdfast.create(create(line("LAMP", units), wait_s=20))
    assert placed.status == pb.ORDER_STATUS_CONFIRMED
    return await read(holdfast, placed.order_id)


async def read(holdfast: RunningHoldfast, order_id: str) -> pb.Order:
    request = pb.GetOrderDetailsRequest(order_id=order_id)
    return await holdfast.orders.GetOrderDetails(request, timeout=CALL_S_MAX)


async def sound(holdfast: RunningHoldfast) -> None:
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    assert report.ok, report.contradictions


async def test_an_edit_is_waited_for_and_told_with_the_order(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.product("MUG", 5)
    order = await confirmed(holdfast)

    edited = await edit(holdfast, order, lines((1, "LAMP", 1), (0, "MUG", 2)))

    assert [(one.line_no, one.product_id, one.quantity) for one in edited.lines] == [
        (1, "LAMP", 1),
        (2, "MUG", 2),
    ]
    assert (edited.edit.state, edited.edit.edition) == (APPLIED, 2)
    assert (edited.edit.request_version, edited.edit.end_version) == (3, 4)
    assert not edited.edit.lines, "they are the order's own"
    assert [change.action for change in edited.history] == ["", "", "EDIT_ASKED", "EDITED"]
    assert (await holdfast.stock("LAMP")).reserved == 1
    assert (await holdfast.stock("MUG")).reserved == 2
    await sound(holdfast)


async def test_a_pending_order_is_edited_once_its_stock_is_decided(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 5)

    async with holdfast.undecided():
        placed = await holdfast.create(create(line("LAMP", 1)))
        pending = pb.Order(order_id=placed.order_id, version=1)
        asked = asyncio.ensure_future(edit(holdfast, pending, lines((1, "LAMP", 3))))
        await asyncio.sleep(0)
        seen = await holdfast.order(placed.order_id)
    edited = await asked

    assert seen.status == pb.ORDER_STATUS_PENDING
    assert [one.quantity for one in edited.lines] == [3]
    await sound(holdfast)


async def test_units_of_lines_are_cancelled_by_their_numbers(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await confirmed(holdfast, 3)

    request = pb.CancelOrderRequest(
        order_id=order.order_id,
        version=order.version,
        reason="one is broken",
        lines=[pb.CancelledUnits(line_no=1, quantity=1)],
        wait=Duration(seconds=20),
    )
    left = await holdfast.orders.CancelOrder(request, timeout=CALL_S_MAX)
    again = await refusal(holdfast.orders.CancelOrder(request, timeout=CALL_S_MAX))
    request.version = left.version
    request.lines[0].quantity = 2
    last = await refusal(holdfast.orders.CancelOrder(request, timeout=CALL_S_MAX))

    assert (left.lines[0].quantity, left.status) == (2, pb.ORDER_STATUS_CONFIRMED)
    assert left.history[2].reason == "one is broken"
    assert (again.code, again.reason) == (grpc.StatusCode.ABORTED, "STALE_VERSION")
    assert (last.code, last.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_LEFT")
    await eventually(lambda: holdfast.available("LAMP"), lambda units: units == 3, "stock back")
    await sound(holdfast)


async def test_a_preview_answers_with_what_would_be(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await confirmed(holdfast)

    seen = await edit(holdfast, order, lines((1, "LAMP", 4)), validate_only=True)
    short = await refusal(edit(holdfast, order, lines((1, "LAMP", 6)), validate_only=True))

    assert (seen.lines[0].quantity, seen.version) == (4, order.version)
    assert (short.code, short.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SHORT_OF_STOCK")
    assert short.facts["wanted:LAMP"] == "6"
    assert short.facts["available:LAMP"] == "5"
    assert await read(holdfast, order.order_id) == order


async def test_amounts_without_a_currency_are_in_the_orders(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    order = await confirmed(holdfast)
    priced = lines((1, "LAMP", 2))
    priced[0].unit_price.units = 3
    post = pb.Charge(kind=pb.CHARGE_KIND_SHIPPING, amount=Money(units=4))

    edited = await edit(holdfast, order, priced, mask=["lines", "charges"], charges=[post])

    currency = order.total.currency_code
    assert edited.total == Money(currency_code=currency, units=10)
    assert edited.charges[0].amount == Money(currency_code=currency, units=4)
    assert (edited.version, edited.edit.state) == (order.version + 1, APPLIED)
    await sound(holdfast)


WRONG: dict[str, tuple[list[pb.OrderLine], dict[str, Any], set[str]]] = {
    "no lines": ([], {}, {"lines"}),
    "numbers below nothing": (
        lines((-1, "LAMP", 0)),
        {},
        {"lines[0].line_no", "lines[0].quantity"},
    ),
    "a line that is none": (lines((9, "LAMP", 1)), {}, {"lines[0]"}),
    "another product's line": (lines((1, "MUG", 1)), {}, {"lines[0]"}),
    "the same line twice": (lines((1, "LAMP", 1), (1, "LAMP", 1)), {}, {"lines[1]"}),
    "something beside lines": (lines((1, "LAMP", 1)), {"mask": ["lines", "note"]}, {"update_mask"}),
    "a wait backwards": (lines((1, "LAMP", 1)), {"wait_s": -1}, {"wait"}),
    "what only an edit has": (
        lines((1, "LAMP", 1)),
        {"mask": ["note"], "validate_only": True},
        {"lines", "validate_only", "wait"},
    ),
    "another currency": (
        [
            pb.OrderLine(
                line_no=1, product_id="LAMP", quantity=1, unit_price=Money(currency_code="JPY")
            )
        ],
        {},
        {"lines[0].unit_price"},
    ),
    "a discount above its line": (
        lines((1, "LAMP", 1)),
        {
            "mask": ["lines", "charges"],
            "charges": [
                pb.Charge(kind=pb.CHARGE_KIND_DISCOUNT, line_no=1, amount=Money(units=1_000_000))
            ],
        },
        {"charges[0].amount"},
    ),
    "lines and charges that are none": (
        lines((9, "LAMP", 1), (1, "MUG", 2)),
        {
            "mask": ["lines", "charges"],
            "charges": [
                pb.Charge(kind=pb.CHARGE_KIND_FEE, line_no=1, amount=Money(units=1)),
                pb.Charge(kind=pb.CHARGE_KIND_FEE, line_no=77, amount=Money(units=1)),
                pb.Charge(kind=pb.CHARGE_KIND_FEE, amount=Money(currency_code="JPY", units=1)),
            ],
        },
        {"lines[0]", "lines[1]", "charges[1].line_no", "charges[2].amount"},
    ),
    "amounts that no currency has": (
        [pb.OrderLine(line_no=1, product_id="LAMP", quantity=1, unit_price=Money(units=2**62))],
        {
            "mask": ["lines", "charges"],
            "charges": [pb.Charge(kind=pb.CHARGE_KIND_TAX_INCLUDED, amount=Money(units=2**62))],
        },
        {"lines[0].unit_price", "charges[0].amount"},
    ),
    "a charge without an amount": (
        [],
        {"mask": ["charges"], "charges": [pb.Charge(kind=pb.CHARGE_KIND_DISCOUNT)]},
        {"charges[0].amount"},
    ),
    "a charge of no line": (
        lines((1, "LAMP", 1)),
        {
            "mask": ["lines", "charges"],
            "charges": [pb.Charge(kind=pb.CHARGE_KIND_FEE, line_no=2, amount=Money(units=1))],
        },
        {"charges[0].line_no"},
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_can_not_be_is_refused_with_all_that_is_wrong(
    holdfast: RunningHoldfast, name: str
) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.product("MUG", 5)
    order = await confirmed(holdfast)

    wanted, more, fields = WRONG[name]
    refused = await refusal(edit(holdfast, order, wanted, **more))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert set(refused.fields) == fields
    assert await read(holdfast, order.order_id) == order
