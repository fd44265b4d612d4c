"""What is told of a parcel can be so, in both modes: where it left from, and when it arrived."""

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode

from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import CALL_S_MAX, RunningHoldfast, refusal
from tests.integration.test_shipments import confirmed, ship, shipping, sound

ALIKE = True


async def test_a_place_in_other_letters_is_told_as_it_is_written(holdfast: RunningHoldfast) -> None:
    order = await confirmed(holdfast)
    before = await holdfast.everything()
    whole = shipping(order)
    whole.location_id = "MAIN"

    for request in (whole, shipping(order, (1, 1, "Main"))):
        found = await refusal(ship(holdfast, request))

        assert found.code is StatusCode.FAILED_PRECONDITION
        assert (found.reason, found.facts["location_id"]) == ("LOCATION_SPELLED_OTHERWISE", "main")
    assert await holdfast.everything() == before


async def test_what_arrives_was_ordered_and_is_not_of_the_future_and_can_be_taken_back(
    holdfast: RunningHoldfast,
) -> None:
    order = await confirmed(holdfast)
    (left,) = (await ship(holdfast, shipping(order))).shipments
    request = pb.UpdateShipmentRequest(
        order_id=order.order_id,
        shipment_id="s-1",
        update_mask=FieldMask(paths=["deliver_time"]),
    )

    async def update(seconds: int | None) -> pb.Order:
        request.shipment.ClearField("deliver_time")
        if seconds is not None:
            request.shipment.deliver_time.seconds = left.ship_time.seconds + seconds
        return await holdfast.orders.UpdateShipment(request, timeout=CALL_S_MAX)

    refused = [await refusal(update(seconds)) for seconds in (-3_600, 3_600)]
    arrived = await update(1)
    taken_back = await update(None)
    again = await update(None)

    assert [one.code for one in refused] == [StatusCode.INVALID_ARGUMENT] * 2
    assert [one.fields for one in refused] == [["shipment.deliver_time"]] * 2
    assert arrived.shipments[0].deliver_time.seconds == left.ship_time.seconds + 1
    assert not taken_back.shipments[0].HasField("deliver_time")
    assert again.version == taken_back.version == arrived.version + 1
    assert (await holdfast.order(order.order_id)).shipments == taken_back.shipments
    await sound(holdfast)
