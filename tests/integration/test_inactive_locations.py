"""What is at a location that is not active is nobody's to have, and everybody is told so."""

from grpc import StatusCode

from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, create, line, refusal
from tests.integration.test_shipments import booked, levels, ship, shipping, sound
from tests.integration.test_sourcing import deactivated, stocked

ALIKE = True


async def test_what_is_only_where_nothing_is_promised_is_refused_at_once(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    await deactivated(holdfast, "berlin")

    found = await refusal(holdfast.create(create(line("LAMP", 7))))

    assert found.code is StatusCode.FAILED_PRECONDITION
    assert found.message == "short of LAMP (wanted 7, available 6)", "two are in berlin"
    assert await holdfast.all_orders() == []


async def test_what_was_put_aside_is_not_put_back_on_sale_where_nothing_is(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    aside = {"product_id": "LAMP", "location_id": "berlin", "quantity": 1, "reason": "odd"}
    request = pb.QuarantineStockRequest(**aside)  # type: ignore[arg-type]
    await holdfast.inventory.QuarantineStock(request, timeout=CALL_S_MAX)
    await deactivated(holdfast, "berlin")

    back = pb.ReleaseQuarantineRequest(**aside)  # type: ignore[arg-type]
    found = await refusal(holdfast.inventory.ReleaseQuarantine(back, timeout=CALL_S_MAX))
    gone = pb.ReleaseQuarantineRequest(**aside, write_off=True)  # type: ignore[arg-type]
    left = (await holdfast.inventory.ReleaseQuarantine(gone, timeout=CALL_S_MAX)).level

    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "LOCATION_INACTIVE")
    assert (left.on_hand, left.quarantined, left.available) == (1, 0, 0)


async def test_what_is_promised_where_nothing_is_promised_any_more_leaves_from_there(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    order = await holdfast.place(line("LAMP", 3))  # two are in berlin, and one at main
    await deactivated(holdfast, "berlin")

    part = await ship(holdfast, shipping(order, at="berlin"))
    rest = await ship(holdfast, shipping(order, shipment_id="s-2"))

    (left,) = part.shipments
    assert [(one.location_id, one.quantity) for one in left.items] == [("berlin", 2)]
    assert part.status == orders_pb2.ORDER_STATUS_PARTIALLY_SHIPPED
    assert rest.status == orders_pb2.ORDER_STATUS_SHIPPED
    await booked(holdfast, order.order_id, 3)
    assert await levels(holdfast, "LAMP") == {"main": (0, 0), "berlin": (0, 0), "madrid": (5, 0)}
    await sound(holdfast)


async def test_a_repeated_change_tells_that_nothing_is_to_be_had_there_as_it_did_at_first(
    holdfast: RunningHoldfast,
) -> None:
    await stocked(holdfast)
    await deactivated(holdfast, "berlin")
    request = pb.UpdateStockRequest(
        product_id="LAMP", location_id="berlin", quantity=1, request_id="r-1"
    )

    first, again = [
        await holdfast.inventory.UpdateStock(request, timeout=CALL_S_MAX) for _ in range(2)
    ]

    assert (first.level.on_hand, first.level.available) == (1, 0)
    assert again.level == first.level
