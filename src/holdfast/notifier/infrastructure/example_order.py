"""Orders that nobody placed: on them templates are tried before a customer's turn comes."""

from dataclasses import replace
from datetime import UTC, datetime

from holdfast.client import (
    Address,
    Charge,
    ChargeKind,
    Customer,
    Details,
    Disposition,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentStatus,
    QueuedUnits,
    ReceiptLine,
    Return,
    ReturnLine,
    ReturnReceipt,
    ReturnState,
    Shipment,
    ShipmentItem,
    Shortage,
)
from holdfast.notifier.application.mails.ports import News
from holdfast.notifier.domain.mail import MailKind

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
_STATUS = {
    MailKind.CONFIRMED: OrderStatus.CONFIRMED,
    MailKind.EDITED: OrderStatus.CONFIRMED,
    MailKind.PARTIALLY_SHIPPED: OrderStatus.PARTIALLY_SHIPPED,
    MailKind.REJECTED: OrderStatus.REJECTED,
    MailKind.CANCELLED: OrderStatus.CANCELLED,
    MailKind.EXPIRED: OrderStatus.EXPIRED,
}


def examples(kind: MailKind) -> list[tuple[Order, News]]:
    """Return an order with everything, then one with only what every order has."""
    return [_example(kind, full_order(), full_news()), _example(kind, bare_order(), bare_news())]


def _example(kind: MailKind, order: Order, news: News) -> tuple[Order, News]:
    order = replace(order, status=_STATUS.get(kind, OrderStatus.SHIPPED))
    match kind:
        case MailKind.PARTIALLY_SHIPPED | MailKind.SHIPPED:
            return order, News(shipment=news.shipment)
        case MailKind.RETURN_RECEIVED:
            return order, News(receipt=news.receipt)
        case MailKind.REFUNDED:
            return order, News(refund=news.refund)
    return order, News()


def full_order() -> Order:
    news = full_news()
    assert news.shipment is not None
    assert news.receipt is not None
    assert news.refund is not None
    return replace(
        bare_order(),
        lines=(
            OrderLine("LAMP-BLUE", 2, Money("GBP", 61_725), 1, 2),
            OrderLine("BULB", 10, Money("GBP", 350), 2),
        ),
        total=Money("GBP", 126_940),
        customer=Customer(
            "Ada Lovelace", "ada@example.org", "+44 20 7946 0000", "12 Dorset Street"
        ),
        shortages=(Shortage("BULB", 10, 4),),
        payment_reference="ch_3P",
        payment_status=PaymentStatus.PARTIALLY_REFUNDED,
        payments=(Payment(PaymentKind.CAPTURED, "ch_3P", Money("GBP", 126_940), AT), news.refund),
        charges=(
            Charge(ChargeKind.DISCOUNT, Money("GBP", 500), code="WELCOME"),
            Charge(ChargeKind.SHIPPING, Money("GBP", 490)),
            Charge(ChargeKind.FEE, Money("GBP", 0)),
            Charge(ChargeKind.TAX, Money("GBP", 0)),
            Charge(ChargeKind.TAX_INCLUDED, Money("GBP", 20_000)),
        ),
        details=Details(
            reference="W-10042",
            channel="web",
            attributes={"language": "en"},
            ship_to=Address("Ada Lovelace", "", "12 Dorset Street", "London", "", "W1U", "GB"),
        ),
        shipments=(news.shipment,),
        returns=(
            Return(
                "ret-1",
                bare_order().order_id,
                ReturnState.OPEN,
                (ReturnLine(1, 1, "too blue", "LAMP-BLUE", 1),),
                (news.receipt,),
                Money("GBP", 61_725),
                AT,
            ),
        ),
        queued=(QueuedUnits("BULB", 6),),
    )


def full_news() -> News:
    return News(
        Shipment(
            "ship-1",
            (ShipmentItem(1, 2, "main", "LAMP-BLUE"),),
            "Royal Mail",
            "RM 1234 5678 9GB",
            "https://track.example/RM123456789GB",
            AT,
        ),
        ReturnReceipt("ret-1", (ReceiptLine(1, 1, Disposition.RESTOCK, "main", "LAMP-BLUE"),), AT),
        Payment(PaymentKind.REFUNDED, "re_1", Money("GBP", 61_725), AT),
    )


def bare_order() -> Order:
    return Order(
        order_id="0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e",
        request_id="request-1",
        customer_id="customer-1",
        status=OrderStatus.CONFIRMED,
        lines=(OrderLine("LAMP", 1, Money("JPY", 1_500), 1),),
        total=Money("JPY", 1_500),
        customer=Customer(email="ada@example.org"),
        shortages=(),
        version=3,
        create_time=AT,
        update_time=AT,
    )


def bare_news() -> News:
    return News(
        Shipment("ship-1", (ShipmentItem(1, 1, "main", "LAMP"),), "", "", "", AT),
        ReturnReceipt("ret-1", (ReceiptLine(1, 1, Disposition.WRITE_OFF, "main", "LAMP"),), AT),
        Payment(PaymentKind.REFUNDED, "re_1", Money("JPY", 1_500), AT),
    )
