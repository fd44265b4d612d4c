"""What leaves the house: what may leave from where, what a repeat does, what Inventory books."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode

from holdfast.client import OrderLine
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.verification import verify
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    eventually,
    line,
    price,
    refusal,
)

CONFIRMED, CANCELLED = pb.ORDER_STATUS_CONFIRMED, pb.ORDER_STATUS_CANCELLED
PARTIALLY_SHIPPED, SHIPPED = pb.ORDER_STATUS_PARTIALLY_SHIPPED, pb.ORDER_STATUS_SHIPPED
HURRIED_S = 3.0  # a caller's deadline: half of it is for Inventory to decide
SHIPMENT, RELEASE = inventory_pb2.MOVEMENT_KIND_SHIPMENT, inventory_pb2.MOVEMENT_KIND_RELEASE


def shipping(
    order: pb.Order, *items: tuple[int, int, str], shipment_id: str = "s-1", at: str = ""
) -> pb.ShipOrderRequest:
    return pb.ShipOrderRequest(
        order_id=order.order_id,
        shipment_id=shipment_id,
        items=[
            pb.ShipmentItem(line_no=line_no, quantity=quantity, location_id=location_id)
            for line_no, quantity, location_id in items
        ],
        location_id=at,
        carrier="DHL",
        tracking_number="T1",
    )


async def ship(holdfast: RunningHoldfast, request: pb.ShipOrderRequest) -> pb.Order:
    return await holdfast.orders.ShipOrder(request, timeout=CALL_S_MAX)


async def levels(holdfast: RunningHoldfast, product_id: str) -> dict[str, tuple[int, int]]:
    info = await holdfast.stock(product_id)
    return {one.location_id: (one.on_hand, one.reserved) for one in info.levels}


async def booked(holdfast: RunningHoldfast, order_id: str, units: int) -> None:
    """Wait until Inventory has booked so many units of the order."""

    async def moved() -> int:
        movements = await holdfast.movements()
        return -sum(
            m.on_hand_delta for m in movements if m.order_id == order_id and m.kind == SHIPMENT
        )

    await eventually(moved, units.__eq__, "booking")


async def sound(holdfast: RunningHoldfast) -> None:
    report = await verify(holdfast.databases["orders"], holdfast.databases["inventory"])
    assert report.ok, report.contradictions


async def confirmed(holdfast: RunningHoldfast) -> pb.Order:
    """Three lamps of one line, two at main and one at shop, and two mugs at the shop."""
    await holdfast.product("LAMP", {"main": 2, "shop": 5})
    await holdfast.product("MUG")
    await holdfast.set_stock("MUG", 4, "shop")
    return await holdfast.place(line("LAMP", 3), line("MUG", 2))


def held(order: pb.Order) -> Counter[tuple[str, str]]:
    return Counter({(one.product_id, one.location_id): one.quantity for one in order.stock})


async def test_an_order_leaves_in_parts_and_stock_falls_with_it(
    holdfast: RunningHoldfast,
) -> None:
    order = await confirmed(holdfast)

    first = await ship(holdfast, shipping(order, (1, 2, "main")))
    second = await ship(holdfast, shipping(order, shipment_id="s-2"))

    assert first.status == PARTIALLY_SHIPPED
    assert held(first) == {("LAMP", "shop"): 1, ("MUG", "shop"): 2}
    assert [one.shipped for one in first.lines] == [2, 0]
    assert second.status == SHIPPED
    assert [one.shipped for one in second.lines] == [3, 2]
    assert [(s.shipment_id, s.carrier, s.tracking_number) for s in second.shipments] == [
        ("s-1", "DHL", "T1"),
        ("s-2", "DHL", "T1"),
    ]
    assert [(i.line_no, i.location_id, i.quantity) for i in second.shipments[1].items] == [
        (1, "shop", 1),
        (2, "shop", 2),
    ]
    await booked(holdfast, order.order_id, 5)
    assert await levels(holdfast, "LAMP") == {"main": (0, 0), "shop": (4, 0)}
    assert await levels(holdfast, "MUG") == {"shop": (2, 0)}
    assert not (await holdfast.order(order.order_id)).stock
    actions = [(change.status, change.action) for change in second.history[2:]]
    assert actions == [(PARTIALLY_SHIPPED, ""), (SHIPPED, "")]
    await sound(holdfast)


async def test_what_can_leave_is_listed_by_where_it_is_held(holdfast: RunningHoldfast) -> None:
    """Page by page, among orders that are only held for, empty, gone, or of another customer."""
    both = await confirmed(holdfast)
    kept = await holdfast.client.orders.create("c-1", [OrderLine("LAMP", 1)], hold_s=60, wait_s=20)
    late = await holdfast.place(line("LAMP", 1), customer_id="c-late")
    gone = await holdfast.place(line("MUG", 1))
    await ship(holdfast, shipping(gone, shipment_id="s-gone"))
    for items in ((1, 1, "shop"), (2, 2, "shop")):  # the answer of Inventory need not be there
        await ship(holdfast, shipping(both, items, shipment_id=f"s-{items[0]}"))

    async def listed(**wanted: Any) -> list[str]:
        request = pb.ListOrdersRequest(page_size=1, **wanted)
        found: list[pb.Order] = []
        while not found or request.page_token:
            page = await holdfast.orders.ListOrders(request, timeout=CALL_S_MAX)
            found += page.orders
            request.page_token = page.next_page_token
            if not page.orders:
                break
        for one in found:
            assert list(one.stock) == list((await holdfast.order(one.order_id)).stock)
        sought = holdfast.client.orders.search(page_size=1, **wanted)
        assert [one.order_id async for one in sought] == [one.order_id for one in found]
        return [one.order_id for one in found]

    assert await listed(to_ship=True) == [late.order_id, both.order_id]
    assert await listed(to_ship=True, location_id="shop") == [late.order_id]
    assert await listed(to_ship=True, location_id="main") == [both.order_id]
    assert await listed(location_id="shop") == [late.order_id, kept.order_id]
    assert await listed(to_ship=True, product_id="MUG") == [both.order_id]
    assert await listed(to_ship=True, customer_id="c-late", product_id="LAMP") == [late.order_id]
    for nowhere in ("SHOP", "*", "%", "nowhere"):
        assert await listed(to_ship=True, location_id=nowhere) == []
    assert await holdfast.orders.ListOrders(
        pb.ListOrdersRequest(to_ship=True, request_ids=[late.request_id, gone.request_id]),
        timeout=CALL_S_MAX,
    ) == await holdfast.orders.ListOrders(
        pb.ListOrdersRequest(customer_id="c-late"), timeout=CALL_S_MAX
    )


async def test_a_shipment_is_recorded_once_whatever_is_repeated(
    holdfast: RunningHoldfast,
) -> None:
    order = await confirmed(holdfast)
    request = shipping(order, (1, 1, ""))

    once = await ship(holdfast, request)
    at_once = await asyncio.gather(*(ship(holdfast, request) for _ in range(8)))
    other = await refusal(ship(holdfast, shipping(order, (1, 2, ""))))

    assert all(one.version == once.version for one in at_once)
    assert (other.code, other.reason) == (StatusCode.ALREADY_EXISTS, "SHIPMENT_REUSED")
    await booked(holdfast, order.order_id, 1)
    await sound(holdfast)


REFUSED = {
    "more than it has": ((1, 4, ""), "OVER_SHIPMENT"),
    "more than is held there": ((1, 3, "main"), "NOT_HELD_THERE"),
    "from where nothing is held": ((2, 1, "main"), "NOT_HELD_THERE"),
    "from a place that is none": ((2, 1, "atlantis"), "NOT_HELD_THERE"),
}


@pytest.mark.parametrize(("item", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_is_not_held_there_does_not_leave(
    holdfast: RunningHoldfast, item: tuple[int, int, str], reason: str
) -> None:
    order = await confirmed(holdfast)
    before = await holdfast.everything()

    found = await refusal(ship(holdfast, shipping(order, item)))

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, reason)
    assert await holdfast.everything() == before


async def test_lines_that_are_none_are_all_told_as_the_request_names_them(
    holdfast: RunningHoldfast,
) -> None:
    order = await confirmed(holdfast)

    wrong = shipping(order, (1, 50, ""), (98, 1, ""), (1, 1, ""), (99, 1, ""))
    found = await refusal(ship(holdfast, wrong))

    assert found.code is StatusCode.INVALID_ARGUMENT
    assert found.fields == ["items[1]", "items[3]"]


async def test_only_a_confirmed_order_is_shipped(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    request = create(line("LAMP"), wait_s=20)
    request.hold.FromSeconds(600)
    reserved = await holdfast.order((await holdfast.create(request)).order_id)
    cancelled = await holdfast.place(line("LAMP"))
    await holdfast.cancel(cancelled.order_id)
    await eventually(lambda: holdfast.available("LAMP"), (4).__eq__, "stock back")
    before = await holdfast.everything()

    for order in (reserved, cancelled):
        found = await refusal(ship(holdfast, shipping(order)))
        assert (found.code, found.reason) == (
            StatusCode.FAILED_PRECONDITION,
            "ILLEGAL_TRANSITION",
        )
    nowhere = await refusal(
        holdfast.orders.ShipOrder(
            pb.ShipOrderRequest(order_id="0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e"),
            timeout=CALL_S_MAX,
        )
    )
    assert nowhere.code is StatusCode.NOT_FOUND
    assert await holdfast.everything() == before


async def test_the_rest_is_cancelled_and_what_left_stays(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 10, price(10))
    request = create(line("LAMP", 4), wait_s=20)
    for kind, line_no, units in (
        (pb.CHARGE_KIND_DISCOUNT, 1, 8),
        (pb.CHARGE_KIND_DISCOUNT, 0, 4),
        (pb.CHARGE_KIND_SHIPPING, 0, 5),
    ):
        request.charges.add(kind=kind, line_no=line_no, code=f"c-{units}", amount=price(units))
    order = await holdfast.order((await holdfast.create(request)).order_id)
    await ship(holdfast, shipping(order, (1, 1, "")))

    rest = await holdfast.cancel(order.order_id, "enough")

    assert rest.status == SHIPPED
    assert [(one.quantity, one.shipped) for one in rest.lines] == [(1, 1)]
    assert [charge.amount.units for charge in rest.charges] == [2, 1, 5]
    assert rest.total == price(12)
    await eventually(lambda: levels(holdfast, "LAMP"), {"main": (9, 0)}.__eq__)
    await sound(holdfast)


async def test_an_edit_goes_no_lower_than_what_left(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    shipped = await ship(holdfast, shipping(order, (1, 2, "main")))

    low = await refusal(relined(holdfast, shipped, line("LAMP", 1, line_no=1)))
    gone = await refusal(relined(holdfast, shipped, line("MUG", 1, line_no=2)))
    more = await relined(holdfast, shipped, line("LAMP", 5, line_no=1), line("MUG", 1, line_no=2))
    exact = await relined(holdfast, more, line("LAMP", 2, line_no=1))

    for found in (low, gone):
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "BELOW_SHIPPED")
    assert more.edit.state == pb.EDIT_STATE_APPLIED
    assert held(await holdfast.order(order.order_id)) in (
        {("LAMP", "shop"): 3, ("MUG", "shop"): 1},
        {},
    )
    assert exact.status == SHIPPED
    await eventually(lambda: levels(holdfast, "LAMP"), {"main": (0, 0), "shop": (5, 0)}.__eq__)
    await sound(holdfast)


async def test_a_shipment_waits_for_an_edit_and_both_count(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    edit = relining(order, line("LAMP", 5, line_no=1), line("MUG", 2, line_no=2))
    edit.ClearField("wait")

    await holdfast.orders.UpdateOrder(edit, timeout=CALL_S_MAX)
    shipped = await ship(holdfast, shipping(order))

    assert shipped.status == SHIPPED
    assert [one.shipped for one in shipped.lines] == [5, 2]
    await booked(holdfast, order.order_id, 7)
    await sound(holdfast)


async def test_nothing_leaves_while_inventory_has_not_decided_an_edit(
    holdfast: RunningHoldfast,
) -> None:
    order = await confirmed(holdfast)
    edit = relining(order, line("LAMP", 2, line_no=1), line("MUG", 2, line_no=2))
    edit.ClearField("wait")

    async with holdfast.undecided():
        await holdfast.orders.UpdateOrder(edit, timeout=CALL_S_MAX)
        before = await holdfast.everything()
        call = holdfast.orders.ShipOrder(shipping(order), timeout=HURRIED_S)
        found = await refusal(call)
        untouched = await holdfast.everything()
    shipped = await ship(holdfast, shipping(order))

    assert (found.code, found.reason) == (StatusCode.ABORTED, "EDIT_UNDER_WAY")
    assert untouched == before
    assert [one.shipped for one in shipped.lines] == [2, 2]
    await booked(holdfast, order.order_id, 4)
    await sound(holdfast)


async def test_how_a_shipment_travels_is_known_later(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    await ship(holdfast, shipping(order))
    delivered = Timestamp()
    delivered.GetCurrentTime()
    delivered.nanos -= delivered.nanos % 1_000
    request = pb.UpdateShipmentRequest(
        order_id=order.order_id,
        shipment_id="s-1",
        shipment=pb.Shipment(tracking_number="T2", deliver_time=delivered),
        update_mask=FieldMask(paths=["tracking_number", "deliver_time"]),
    )

    first = await holdfast.orders.UpdateShipment(request, timeout=CALL_S_MAX)
    again = await holdfast.orders.UpdateShipment(request, timeout=CALL_S_MAX)
    request.shipment_id = "s-2"
    unknown = await refusal(holdfast.orders.UpdateShipment(request, timeout=CALL_S_MAX))

    (shipment,) = first.shipments
    assert (shipment.carrier, shipment.tracking_number) == ("DHL", "T2")
    assert shipment.deliver_time == delivered
    assert again.version == first.version
    assert unknown.missing == [("shipment", "s-2")]
    await sound(holdfast)


async def test_many_ship_at_once_and_no_unit_leaves_twice(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)

    answers = await asyncio.gather(
        *(
            ship(holdfast, shipping(order, (1, 1, ""), shipment_id=f"s-{number}"))
            for number in range(6)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(one, pb.Order) for one in answers) == 3
    now = await holdfast.order(order.order_id)
    assert [one.shipped for one in now.lines] == [3, 0]
    await booked(holdfast, order.order_id, 3)
    await sound(holdfast)


def relining(order: pb.Order, *lines: pb.OrderLine) -> pb.UpdateOrderRequest:
    return pb.UpdateOrderRequest(
        order_id=order.order_id,
        version=order.version,
        lines=lines,
        update_mask=FieldMask(paths=["lines"]),
        wait=Duration(seconds=20),
    )


async def relined(holdfast: RunningHoldfast, order: pb.Order, *lines: pb.OrderLine) -> pb.Order:
    return await holdfast.orders.UpdateOrder(relining(order, *lines), timeout=CALL_S_MAX)


async def test_cancelling_the_rest_again_changes_nothing(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    await ship(holdfast, shipping(order, (1, 1, "main")))

    ended = await holdfast.cancel(order.order_id, "enough")
    again = await holdfast.cancel(order.order_id, "really")

    assert ended.status == SHIPPED
    assert again == ended


async def test_an_order_of_which_all_has_left_is_not_cancelled(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    request = pb.UpdateOrderRequest(order_id=order.order_id, version=order.version)
    request.lines.extend(order.lines)
    request.lines[0].unit_price.units += 1
    request.update_mask.paths.append("lines")
    await holdfast.orders.UpdateOrder(request, timeout=CALL_S_MAX)
    await ship(holdfast, shipping(order))

    found = await refusal(holdfast.cancel(order.order_id))

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "ILLEGAL_TRANSITION")
