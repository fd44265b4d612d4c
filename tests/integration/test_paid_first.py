"""What a shop wants to be paid before units leave, by the channel that an order came through."""

from decimal import Decimal

import pytest
from grpc import StatusCode

from holdfast.client import PaymentKind as ClientPaymentKind
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.payments.payment import Payment, PaymentKind
from holdfast.orders.domain.shipping.paid_first import PaidFirst, Required
from holdfast.orders.settings import Limits
from tests.integration.conftest import (
    CALL_S_MAX,
    Ground,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
    running,
)

RULES = {"web": Required.PAID, "desk": Required.NONE, "": Required.AUTHORIZED}
SHIPPED = pb.ORDER_STATUS_SHIPPED


async def place(holdfast: RunningHoldfast, channel: str = "") -> str:
    request = create(line("LAMP", 2, price(12, 50)), wait_s=10)
    request.channel = channel
    return (await holdfast.create(request)).order_id


async def ship(
    holdfast: RunningHoldfast, order_id: str, shipment_id: str = "s-1", units: int = 2
) -> pb.Order:
    items = [pb.ShipmentItem(line_no=1, quantity=units)]
    request = pb.ShipOrderRequest(order_id=order_id, shipment_id=shipment_id, items=items)
    return await holdfast.orders.ShipOrder(request, timeout=CALL_S_MAX)


@pytest.mark.parametrize(
    ("channel", "payments", "wanted"),
    [
        ("web", "AUTHORIZED 25", "PAID"),
        ("web", "CAPTURED 24", "PAID"),
        ("web", "CAPTURED 25", ""),
        ("web", "CAPTURED 20, CAPTURED 6", ""),
        ("web", "CAPTURED 25, REFUNDED 5", ""),
        ("web", "CAPTURED 25, REFUNDED 5, REFUNDED 20", "PAID"),
        ("", "", "AUTHORIZED"),
        ("", "NAMED 25", "AUTHORIZED"),
        ("", "AUTHORIZED 24", "AUTHORIZED"),
        ("", "AUTHORIZED 25", ""),
        ("", "AUTHORIZED 25, VOIDED 1", "AUTHORIZED"),
        ("", "AUTHORIZED 25, CAPTURED 25", ""),
        ("", "AUTHORIZED 25, CAPTURED 25, REFUNDED 25", "AUTHORIZED"),
        ("another", "CAPTURED 5, AUTHORIZED 20, CAPTURED 20", ""),
        ("another", "CAPTURED 5, AUTHORIZED 20, VOIDED 20", "AUTHORIZED"),
        ("desk", "", ""),
    ],
)
def test_units_leave_once_so_much_is_there_as_their_channel_wants(
    channel: str, payments: str, wanted: str
) -> None:
    facts = [fact.split() for fact in payments.split(", ") if fact]
    known = [Payment(PaymentKind(kind), "pi", Money("GBP", int(much))) for kind, much in facts]

    lacking = PaidFirst(RULES).lacking(channel, known, Money("GBP", 25))

    assert (lacking or "") == wanted
    assert PaidFirst({}).lacking(channel, known, Money("GBP", 25)) is None
    assert PaidFirst(RULES).lacking(channel, known, Money("GBP", 0)) is None


async def test_what_is_not_paid_does_not_leave_and_what_has_left_is_told_again(
    ground: Ground,
) -> None:
    async with running(ground) as holdfast:
        await holdfast.product("LAMP", 9)
        order_id = await place(holdfast, "web")
        left = await ship(holdfast, order_id, units=1)

    async with running(ground, Limits(ship_requires=RULES)) as holdfast:
        again = await ship(holdfast, order_id, units=1)
        refused = await refusal(ship(holdfast, order_id, "s-2", 1))
        paid = await holdfast.client.orders.record_payment(
            order_id, ClientPaymentKind.CAPTURED, Decimal(25), reference="pi_1"
        )
        shipped = await ship(holdfast, order_id, "s-2", 1)

    assert again == left
    assert (refused.code, refused.reason) == (StatusCode.FAILED_PRECONDITION, "NOT_PAID")
    assert refused.facts == {"required": "PAID"}
    assert [one.shipment_id for one in paid.shipments] == ["s-1"], "what is refused is not recorded"
    assert shipped.status == SHIPPED
