"""Protobuf messages to the client's values, and single values back; `_requests` writes the rest."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Literal

from holdfast.client._enums import by_number
from holdfast.client._money_wire import money_from_wire
from holdfast.client._shipping_wire import return_from_wire, shipments_from_wire
from holdfast.client._stock_types import (
    Movement,
    MovementKind,
    Product,
    StockInfo,
    StockLevel,
)
from holdfast.client._stock_wire import (
    awaited_from_wire,
    backorder_from_wire,
    held_from_wire,
    missing_from_wire,
    queued_from_wire,
    sourcing_from_wire,
    stock_reason_from_wire,
)
from holdfast.client._times import time_from_wire
from holdfast.client._types import (
    Address,
    Availability,
    Charge,
    ChargeKind,
    Customer,
    CustomerProfile,
    Details,
    EditState,
    Order,
    OrderChange,
    OrderEdit,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentStatus,
    Placed,
    Shortage,
)
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2


def status_to_wire(status: OrderStatus | None) -> orders_pb2.OrderStatus.ValueType:
    """For a filter: no status is any."""
    if status is None:
        return orders_pb2.ORDER_STATUS_UNSPECIFIED
    return orders_pb2.OrderStatus.Value(f"ORDER_STATUS_{status}")


def payment_status_to_wire(status: PaymentStatus | None) -> orders_pb2.PaymentStatus.ValueType:
    """Likewise."""
    if status is None:
        return orders_pb2.PAYMENT_STATUS_UNSPECIFIED
    return orders_pb2.PaymentStatus.Value(f"PAYMENT_STATUS_{status}")


def status_from_wire(number: int) -> OrderStatus:
    return _STATUSES.get(number, OrderStatus.UNKNOWN)


def placed_from_wire(message: orders_pb2.CreateOrderResponse) -> Placed:
    return Placed(
        message.order_id,
        status_from_wire(message.status),
        _shortages_from_wire(message.shortages),
        _hold_end(message),
    )


def order_from_wire(message: orders_pb2.Order) -> Order:
    return Order(
        order_id=message.order_id,
        request_id=message.request_id,
        customer_id=message.customer_id,
        status=status_from_wire(message.status),
        lines=_lines_from_wire(message.lines),
        total=money_from_wire(message.total),
        customer=Customer(
            name=message.customer.name,
            email=message.customer.email,
            phone=message.customer.phone,
            address=message.customer.address,
        ),
        shortages=_shortages_from_wire(message.shortages),
        version=message.version,
        create_time=time_from_wire(message.create_time),
        update_time=time_from_wire(message.update_time),
        history=tuple(
            OrderChange(
                version=change.version,
                status=status_from_wire(change.status),
                change_time=time_from_wire(change.change_time),
                reason=change.reason,
                actor=change.actor,
                action=change.action,
                credential_id=change.credential_id,
            )
            for change in message.history
        ),
        expires_time=_hold_end(message),
        payment_reference=message.payment_reference,
        payment_status=_PAYMENT_STATUSES.get(message.payment_status, PaymentStatus.UNKNOWN),
        payments=tuple(
            Payment(
                kind=_PAYMENT_KINDS.get(payment.kind, PaymentKind.UNKNOWN),
                reference=payment.reference,
                amount=money_from_wire(payment.amount),
                record_time=time_from_wire(payment.record_time),
            )
            for payment in message.payments
        ),
        charges=_charges_from_wire(message.charges),
        details=_details(message),
        edit=_edit_from_wire(message.edit) if message.HasField("edit") else None,
        sourcing=sourcing_from_wire(message.sourcing),
        stock=held_from_wire(message.stock),
        shipments=shipments_from_wire(message.shipments),
        returns=tuple(return_from_wire(one) for one in message.returns),
        queued=queued_from_wire(message.queued),
    )


def _edit_from_wire(message: orders_pb2.OrderEdit) -> OrderEdit:
    return OrderEdit(
        edition=message.edition,
        state=_EDIT_STATES.get(message.state, EditState.UNKNOWN),
        lines=_lines_from_wire(message.lines),
        charges=_charges_from_wire(message.charges),
        total=money_from_wire(message.total),
        missing=_shortages_from_wire(message.missing),
        request_version=message.request_version,
        end_version=message.end_version,
    )


def _lines_from_wire(messages: Iterable[orders_pb2.OrderLine]) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(m.product_id, m.quantity, money_from_wire(m.unit_price), m.line_no, m.shipped)
        for m in messages
    )


def _charges_from_wire(messages: Iterable[orders_pb2.Charge]) -> tuple[Charge, ...]:
    return tuple(
        Charge(
            _CHARGE_KINDS.get(m.kind, ChargeKind.UNKNOWN),
            money_from_wire(m.amount),
            m.line_no,
            m.code,
        )
        for m in messages
    )


def _details(message: orders_pb2.Order) -> Details:
    return Details(
        reference=message.reference,
        channel=message.channel,
        note=message.note,
        attributes=dict(message.attributes),
        ship_to=_address(message, "ship_to"),
        bill_to=_address(message, "bill_to"),
    )


def _address(message: orders_pb2.Order, name: Literal["ship_to", "bill_to"]) -> Address | None:
    if not message.HasField(name):
        return None
    written = getattr(message, name)
    return Address(**{part.name: getattr(written, part.name) for part in fields(Address)})


def charge_kind_to_wire(kind: ChargeKind) -> orders_pb2.ChargeKind.ValueType:
    return orders_pb2.ChargeKind.Value(f"CHARGE_KIND_{kind}")


def _hold_end(message: orders_pb2.Order | orders_pb2.CreateOrderResponse) -> datetime | None:
    return time_from_wire(message.expires_time) if message.HasField("expires_time") else None


def profile_from_wire(message: orders_pb2.CustomerProfile) -> CustomerProfile:
    known = message.customer
    return CustomerProfile(
        customer_id=message.customer_id,
        customer=Customer(known.name, known.email, known.phone, known.address),
        version=message.version,
        create_time=time_from_wire(message.create_time)
        if message.HasField("create_time")
        else None,
        update_time=time_from_wire(message.update_time)
        if message.HasField("update_time")
        else None,
        erase_time=time_from_wire(message.erase_time) if message.HasField("erase_time") else None,
    )


def payment_kind_to_wire(kind: PaymentKind) -> orders_pb2.PaymentKind.ValueType:
    return orders_pb2.PaymentKind.Value(f"PAYMENT_KIND_{kind}")


def _shortages_from_wire(
    messages: Iterable[orders_pb2.Shortage],
) -> tuple[Shortage, ...]:
    return tuple(Shortage(m.product_id, m.wanted, m.available) for m in messages)


def product_from_wire(message: inventory_pb2.Product) -> Product:
    return Product(
        product_id=message.product_id,
        name=message.name,
        description=message.description,
        unit_price=money_from_wire(message.unit_price),
        active=message.active,
        version=message.version,
        backorder=backorder_from_wire(message.backorder),
        safety_stock=message.safety_stock,
    )


def level_from_wire(message: inventory_pb2.StockLevel) -> StockLevel:
    return StockLevel(
        location_id=message.location_id,
        on_hand=message.on_hand,
        reserved=message.reserved,
        available=message.available,
        version=message.version,
        quarantined=message.quarantined,
        in_transit=message.in_transit,
    )


def stock_info_from_wire(message: inventory_pb2.StockInfo) -> StockInfo:
    return StockInfo(
        product=product_from_wire(message.product),
        on_hand=message.on_hand,
        reserved=message.reserved,
        available=message.available,
        levels=tuple(level_from_wire(level) for level in message.levels),
        quarantined=message.quarantined,
        queued=message.queued,
        backorder_room=message.backorder_room,
        in_transit=message.in_transit,
    )


def availability_from_wire(message: inventory_pb2.CheckAvailabilityResponse) -> Availability:
    return Availability(
        available=message.available,
        stock=held_from_wire(message.stock),
        shipments=message.shipments,
        missing=missing_from_wire(message.missing),
        queued=awaited_from_wire(message.queued),
    )


def movement_kind_from_wire(number: int) -> MovementKind:
    return _KINDS.get(number, MovementKind.UNKNOWN)


def movement_from_wire(message: inventory_pb2.Movement) -> Movement:
    return Movement(
        movement_id=message.movement_id,
        product_id=message.product_id,
        location_id=message.location_id,
        kind=movement_kind_from_wire(message.kind),
        on_hand_delta=message.on_hand_delta,
        reserved_delta=message.reserved_delta,
        on_hand_after=message.on_hand_after,
        reserved_after=message.reserved_after,
        order_id=message.order_id,
        reason=message.reason,
        reference=message.reference,
        actor=message.actor,
        create_time=time_from_wire(message.create_time),
        reason_code=stock_reason_from_wire(message.reason_code),
        quarantined_delta=message.quarantined_delta,
        quarantined_after=message.quarantined_after,
        credential_id=message.credential_id,
    )


# By number and without a failure for the ones that a newer service may send.
_CHARGE_KINDS = by_number(orders_pb2.ChargeKind.Value, "CHARGE_KIND", ChargeKind)
_EDIT_STATES = by_number(orders_pb2.EditState.Value, "EDIT_STATE", EditState)
_PAYMENT_KINDS = by_number(orders_pb2.PaymentKind.Value, "PAYMENT_KIND", PaymentKind)
_PAYMENT_STATUSES = by_number(orders_pb2.PaymentStatus.Value, "PAYMENT_STATUS", PaymentStatus)
_PAYMENT_STATUSES[orders_pb2.PAYMENT_STATUS_UNSPECIFIED] = PaymentStatus.NONE
_STATUSES = by_number(orders_pb2.OrderStatus.Value, "ORDER_STATUS", OrderStatus)
_KINDS = by_number(inventory_pb2.MovementKind.Value, "MOVEMENT_KIND", MovementKind)
