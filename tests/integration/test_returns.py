"""What comes back: never more than has left, once whatever is repeated, and where it ends up."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from holdfast.chassis.grpc.sizes import ANSWER_BYTES_MAX
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import (
    CALL_S_MAX,
    RunningHoldfast,
    create,
    eventually,
    line,
    price,
    refusal,
)
from tests.integration.test_shipments import booked, confirmed, ship, shipping, sound
from tests.integration.test_sizes import set_everywhere

RESTOCK, ASIDE = pb.DISPOSITION_RESTOCK, pb.DISPOSITION_QUARANTINE
GONE = pb.DISPOSITION_WRITE_OFF
Came = tuple[int, int, pb.Disposition.ValueType, str]


async def shipped(holdfast: RunningHoldfast) -> pb.Order:
    """Three lamps and two mugs have left; two more lamps are at the shop."""
    order = await ship(holdfast, shipping(await confirmed(holdfast)))
    await booked(holdfast, order.order_id, 5)
    return order


async def opened(
    holdfast: RunningHoldfast, order: pb.Order, *lines: tuple[int, int], request_id: str = "r-1"
) -> pb.Return:
    request = pb.OpenReturnRequest(
        order_id=order.order_id,
        request_id=request_id,
        lines=[
            pb.ReturnLine(line_no=line_no, quantity=quantity, reason="too big")
            for line_no, quantity in lines
        ],
    )
    return await holdfast.orders.OpenReturn(request, timeout=CALL_S_MAX)


async def received(
    holdfast: RunningHoldfast, to: pb.Return, *lines: Came, request_id: str = "p-1"
) -> pb.Return:
    request = pb.ReceiveReturnRequest(
        return_id=to.return_id,
        request_id=request_id,
        lines=[
            pb.ReceiptLine(
                line_no=line_no, quantity=quantity, disposition=disposition, location_id=at
            )
            for line_no, quantity, disposition, at in lines
        ],
    )
    return await holdfast.orders.ReceiveReturn(request, timeout=CALL_S_MAX)


async def closed(holdfast: RunningHoldfast, to: pb.Return) -> pb.Return:
    request = pb.CloseReturnRequest(return_id=to.return_id)
    return await holdfast.orders.CloseReturn(request, timeout=CALL_S_MAX)


async def lamps(holdfast: RunningHoldfast) -> dict[str, tuple[int, int, int, int]]:
    info = await holdfast.stock("LAMP")
    return {
        one.location_id: (one.on_hand, one.reserved, one.quarantined, one.available)
        for one in info.levels
    }


async def test_goods_come_back_in_parcels_and_stock_follows(holdfast: RunningHoldfast) -> None:
    order = await shipped(holdfast)
    assert await lamps(holdfast) == {"main": (0, 0, 0, 0), "shop": (4, 0, 0, 4)}

    to = await opened(holdfast, order, (1, 3), (2, 1))
    await received(holdfast, to, (1, 1, RESTOCK, "main"), (1, 1, ASIDE, "shop"))
    now = await received(holdfast, to, (1, 1, GONE, "main"), request_id="p-2")
    end = await closed(holdfast, to)

    after = {"main": (1, 0, 0, 1), "shop": (5, 0, 1, 4)}
    await eventually(lambda: lamps(holdfast), after.__eq__, "stock follows")
    assert [(one.line_no, one.quantity, one.received) for one in now.lines] == [
        (1, 3, 3),
        (2, 1, 0),
    ]
    assert now.lines[0].reason == "too big"
    assert [len(receipt.lines) for receipt in end.receipts] == [2, 1]
    assert end.state == pb.RETURN_STATE_CLOSED
    seen = await holdfast.order(order.order_id)
    assert list(seen.returns) == [end]
    assert seen.status == pb.ORDER_STATUS_SHIPPED
    actions = [change.action for change in seen.history if change.action]
    assert actions == ["RETURN_OPENED", "RETURN_RECEIVED", "RETURN_RECEIVED", "RETURN_CLOSED"]
    await sound(holdfast)


async def test_a_return_is_told_when_it_is_opened_as_it_is_later(
    holdfast: RunningHoldfast,
) -> None:
    order = await shipped(holdfast)

    first = await opened(holdfast, order, (2, 1), (1, 3))
    again = await opened(holdfast, order, (2, 1), (1, 3))
    seen = await holdfast.order(order.order_id)

    assert [first, again] == [*seen.returns] * 2
    assert [one.line_no for one in first.lines] == [1, 2]


async def test_a_return_is_worth_what_came_of_it_and_not_what_was_announced(
    holdfast: RunningHoldfast,
) -> None:
    """Three for 10.00 each with 6.00 off; three are announced, two come, and then the third."""
    await holdfast.product("LAMP", 3)
    request = create(line("LAMP", 3), wait_s=20)
    request.charges.add(kind=pb.CHARGE_KIND_DISCOUNT, line_no=1, amount=price(6))
    request.charges.add(kind=pb.CHARGE_KIND_SHIPPING, amount=price(5))
    placed = await holdfast.order((await holdfast.create(request)).order_id)
    order = await ship(holdfast, shipping(placed))

    to = await opened(holdfast, order, (1, 3))
    two = await received(holdfast, to, (1, 2, RESTOCK, "main"))
    end = await closed(holdfast, to)
    other = await opened(holdfast, order, (1, 1), request_id="r-2")
    third = await received(holdfast, other, (1, 1, GONE, "main"), request_id="p-2")

    assert [one.value for one in (to, two, end, third)] == [
        price(0),
        price(16),
        price(16),
        price(8),
    ]
    seen = await holdfast.order(order.order_id)
    assert [one.value for one in seen.returns] == [price(16), price(8)]
    assert seen.total == price(29), "an order costs what it did; a refund is told beside it"


async def test_goods_come_back_elsewhere_than_they_left(holdfast: RunningHoldfast) -> None:
    """The case `return elsewhere`: one is put on sale where it never was, one is written off."""
    await holdfast.product("LAMP", {"PARIS": 5})
    await holdfast.location("LYON")
    order = await ship(holdfast, shipping(await holdfast.place(line("LAMP", 2))))
    await booked(holdfast, order.order_id, 2)
    sold = await lamps(holdfast)
    parcel: list[Came] = [(1, 1, RESTOCK, "LYON"), (1, 1, GONE, "LYON")]

    to = await opened(holdfast, order, (1, 2))
    await received(holdfast, to, *parcel)
    after = {"PARIS": (3, 0, 0, 3), "LYON": (1, 0, 0, 1)}
    await eventually(lambda: lamps(holdfast), after.__eq__, "stock follows")
    before = await holdfast.everything()
    again = await received(holdfast, to, *parcel)

    assert sold == {"PARIS": (3, 0, 0, 3)}
    assert [(one.quantity, one.received) for one in again.lines] == [(2, 2)]
    assert await holdfast.everything() == before
    await sound(holdfast)


async def test_whatever_is_repeated_comes_back_once(holdfast: RunningHoldfast) -> None:
    order = await shipped(holdfast)

    to = await opened(holdfast, order, (1, 2))
    again = await opened(holdfast, order, (1, 2))
    other = await refusal(opened(holdfast, order, (1, 1)))
    at_once = await asyncio.gather(
        *(received(holdfast, to, (1, 1, RESTOCK, "main")) for _ in range(6))
    )
    reused = await refusal(received(holdfast, to, (1, 1, ASIDE, "main")))
    await closed(holdfast, to)
    after_the_end = await received(holdfast, to, (1, 1, RESTOCK, "main"))
    ended = await closed(holdfast, to)

    assert again == to
    for found in (other, reused):
        assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
        assert found.facts == {"return_id": to.return_id, "order_id": order.order_id}
    assert all(one.lines[0].received == 1 for one in (*at_once, after_the_end))
    assert ended.close_time == after_the_end.close_time
    await eventually(lambda: holdfast.available("LAMP"), (5).__eq__, "stock follows")
    await sound(holdfast)


async def test_a_line_that_is_none_is_blamed_in_its_place(holdfast: RunningHoldfast) -> None:
    order = await shipped(holdfast)
    one = await opened(holdfast, order, (1, 2))

    refused = await refusal(
        received(
            holdfast,
            one,
            (1, 1, RESTOCK, "main"),
            (1, 1, ASIDE, "main"),
            (5, 1, RESTOCK, "main"),
        )
    )
    twice = await refusal(opened(holdfast, order, (1, 1), (1, 1), (9, 1), request_id="r-2"))

    assert refused.fields == ["lines[2]"]
    assert twice.fields == ["lines[1]", "lines[2]"]


async def test_never_more_comes_back_than_has_left(holdfast: RunningHoldfast) -> None:
    order = await shipped(holdfast)
    bare = await holdfast.place(line("LAMP", 1))
    first = await opened(holdfast, order, (1, 2))
    before = await holdfast.everything()

    refused = [
        (opened(holdfast, order, (1, 2), request_id="r-2"), "OVER_RETURN"),
        (opened(holdfast, bare, (1, 1)), "OVER_RETURN"),
        (received(holdfast, first, (1, 3, RESTOCK, "main")), "OVER_RECEIPT"),
        (
            received(holdfast, first, (1, 1, RESTOCK, "main"), (1, 2, ASIDE, "main")),
            "OVER_RECEIPT",
        ),
    ]
    for call, reason in refused:
        found = await refusal(call)
        assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, reason)
    for call in (
        opened(holdfast, order, (7, 1), request_id="r-3"),
        received(holdfast, first, (2, 1, RESTOCK, "main")),
        received(holdfast, first, (1, 1, pb.DISPOSITION_UNSPECIFIED, "main")),
        opened(holdfast, order, (1, 1), (1, 1), request_id="r-4"),
        opened(holdfast, order, request_id="r-5"),
    ):
        assert (await refusal(call)).code is StatusCode.INVALID_ARGUMENT
    assert await holdfast.everything() == before

    await received(holdfast, first, (1, 1, RESTOCK, "main"))
    await eventually(lambda: holdfast.available("LAMP"), (4).__eq__, "stock follows")
    await closed(holdfast, first)
    before = await holdfast.everything()
    late = await refusal(received(holdfast, first, (1, 1, RESTOCK, "main"), request_id="p-9"))
    untouched = await holdfast.everything()
    rest = await opened(
        holdfast, order, (1, 2), request_id="r-6"
    )  # what did not come is free again
    assert (late.code, late.reason) == (StatusCode.FAILED_PRECONDITION, "RETURN_CLOSED")
    assert untouched == before
    assert rest.state == pb.RETURN_STATE_OPEN
    await sound(holdfast)


async def test_many_open_returns_at_once_and_no_unit_is_in_two(holdfast: RunningHoldfast) -> None:
    order = await shipped(holdfast)

    answers = await asyncio.gather(
        *(opened(holdfast, order, (1, 1), request_id=f"r-{number}") for number in range(6)),
        return_exceptions=True,
    )

    assert sum(isinstance(one, pb.Return) for one in answers) == 3
    await sound(holdfast)


@pytest.mark.parametrize(
    ("at", "code", "reason"),
    [
        ("atlantis", StatusCode.NOT_FOUND, None),
        ("Shop", StatusCode.FAILED_PRECONDITION, "LOCATION_SPELLED_OTHERWISE"),
        ("shop", StatusCode.FAILED_PRECONDITION, "LOCATION_INACTIVE"),
    ],
)
async def test_goods_come_to_a_place_that_is_there(
    holdfast: RunningHoldfast, at: str, code: StatusCode, reason: str | None
) -> None:
    order = await shipped(holdfast)
    to = await opened(holdfast, order, (1, 1))
    location = inventory_pb2.Location(location_id="shop", version=1, active=False)
    request = inventory_pb2.UpdateLocationRequest(
        location=location, update_mask=FieldMask(paths=["active"])
    )
    await holdfast.inventory.UpdateLocation(request, timeout=CALL_S_MAX)
    before = await holdfast.everything()

    found = await refusal(received(holdfast, to, (1, 1, RESTOCK, at)))

    assert found.code == code
    assert reason is None or found.reason == reason
    assert await holdfast.everything() == before


async def test_a_part_that_left_comes_back_while_the_rest_is_edited(
    holdfast: RunningHoldfast,
) -> None:
    order = await ship(holdfast, shipping(await confirmed(holdfast), (1, 2, "main")))
    to = await opened(holdfast, order, (1, 2))
    edit = pb.UpdateOrderRequest(
        order_id=order.order_id,
        version=(await holdfast.order(order.order_id)).version,
        lines=[line("LAMP", 4, line_no=1), line("MUG", 1, line_no=2)],
        update_mask=FieldMask(paths=["lines"]),
    )

    await holdfast.orders.UpdateOrder(edit, timeout=CALL_S_MAX)
    await received(holdfast, to, (1, 2, RESTOCK, "main"))
    rest = await ship(holdfast, shipping(order, shipment_id="s-2"))

    assert rest.edit.state == pb.EDIT_STATE_APPLIED
    assert rest.status == pb.ORDER_STATUS_SHIPPED
    assert [one.shipped for one in rest.lines] == [4, 1]
    await booked(holdfast, order.order_id, 5)
    await eventually(lambda: holdfast.available("LAMP"), (5).__eq__, "stock follows")
    await sound(holdfast)


async def test_quarantined_units_are_not_promised(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 5)
    await holdfast.place(line("LAMP", 2))
    hold = inventory_pb2.QuarantineStockRequest(
        product_id="LAMP", quantity=2, reason="scratched", request_id="q-1"
    )
    end = inventory_pb2.ReleaseQuarantineRequest(product_id="LAMP", quantity=1, reason="fine")
    gone = inventory_pb2.ReleaseQuarantineRequest(
        product_id="LAMP", quantity=1, reason="broken", write_off=True
    )

    for _ in range(2):
        await holdfast.inventory.QuarantineStock(hold, timeout=CALL_S_MAX)
    aside = await lamps(holdfast)
    hold.request_id = ""
    more = await refusal(holdfast.inventory.QuarantineStock(hold, timeout=CALL_S_MAX))
    below = await refusal(holdfast.set_stock("LAMP", 3))
    await holdfast.inventory.ReleaseQuarantine(end, timeout=CALL_S_MAX)
    await holdfast.inventory.ReleaseQuarantine(gone, timeout=CALL_S_MAX)
    none = await refusal(holdfast.inventory.ReleaseQuarantine(end, timeout=CALL_S_MAX))

    assert aside == {"main": (5, 2, 2, 1)}
    assert more.reason == "NOT_FREE"
    assert below.reason == "BELOW_RESERVED"
    assert none.reason == "NOT_QUARANTINED"
    assert await lamps(holdfast) == {"main": (4, 2, 0, 2)}
    await sound(holdfast)


async def test_what_one_message_has_no_room_for_is_refused_and_the_order_can_be_read(
    holdfast: RunningHoldfast,
) -> None:
    ids = [f"{number:04}".ljust(128, "x") for number in range(600)]
    for product_id in ids:
        product = inventory_pb2.Product(product_id=product_id, unit_price=price(1), active=True)
        request = inventory_pb2.CreateProductRequest(product=product)
        await holdfast.inventory.CreateProduct(request, timeout=CALL_S_MAX)
    await set_everywhere(holdfast, ids, "main", 2)
    order = await holdfast.place(*(line(one, 2) for one in ids))
    order = await ship(holdfast, shipping(order))
    words = "\U0001d538" * 500
    lines = [pb.ReturnLine(line_no=one.line_no, quantity=1, reason=words) for one in order.lines]

    async def opening(number: int, some: list[pb.ReturnLine]) -> pb.Return:
        request = pb.OpenReturnRequest(
            order_id=order.order_id, request_id=f"r-{number}", lines=some
        )
        return await holdfast.orders.OpenReturn(request, timeout=CALL_S_MAX)

    first = await opening(1, lines[:300])
    refused = await refusal(opening(2, lines[300:]))
    again = await opening(1, lines[:300])

    assert (refused.code, refused.reason) == (StatusCode.FAILED_PRECONDITION, "TOO_MANY_CHANGES")
    assert again == first
    known = await holdfast.order(order.order_id)
    assert [one.return_id for one in known.returns] == [first.return_id]
    assert known.ByteSize() < ANSWER_BYTES_MAX
    assert (await closed(holdfast, first)).state == pb.RETURN_STATE_CLOSED


async def test_erasing_takes_the_reasons_of_returns(holdfast: RunningHoldfast) -> None:
    order = await shipped(holdfast)
    await opened(holdfast, order, (1, 1))
    customers = holdfast.client.customers

    erased = [await customers.erase(order.customer_id) for _ in range(2)]
    await opened(holdfast, order, (1, 1), request_id="r-2")
    erased += [await customers.erase(order.customer_id) for _ in range(2)]

    assert [one.orders for one in erased] == [1, 0, 1, 0]
    returns = (await holdfast.order(order.order_id)).returns
    assert [[one.reason for one in known.lines] for known in returns] == [[""], [""]]
    await sound(holdfast)
