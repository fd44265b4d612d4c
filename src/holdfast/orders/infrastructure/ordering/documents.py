"""Orders read from rows: columns and documents become the domain's words."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from holdfast.chassis.database.seam import Row, instant
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.details import NO_DETAILS, Address, Details
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import FIRST_EDITION, Editions
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, QueuedUnits
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, RecordedPayment
from holdfast.orders.infrastructure.ordering.edits import (
    charges_of,
    edit_of,
    lines_of,
    shortages_of,
    sourcing_of,
)
from holdfast.orders.infrastructure.returns.rows import returns_of
from holdfast.orders.infrastructure.shipping.rows import shipments_of

NOWHERE = ""  # the location of units that wait for stock


def order_of(row: Row, history: tuple[OrderChange, ...] = ()) -> Order:
    """Read an order from its row and its documents."""
    order_id, currency = row["order_id"], row["currency"]
    parts = json.loads(row["stock"])
    return Order(
        order_id=order_id,
        customer_id=row["customer_id"],
        request_id=row["request_id"],
        lines=lines_of(json.loads(row["lines"]), currency),
        total=Money(currency, row["total_minor"]),
        customer=customer_of(row),
        state=OrderState(
            order_id,
            OrderStatus(row["status"]),
            row["version"],
            expires_at=row["expires_at"] and instant(row["expires_at"]),
            confirmed_by=row["confirmed_by"],
            editions=editions_of(row),
        ),
        shortages=shortages_of(json.loads(row["shortages"])),
        placed_at=instant(row["placed_at"]),
        updated_at=instant(row["updated_at"]),
        history=history,
        payments=tuple(
            RecordedPayment(Payment(PaymentKind(kind), name, Money(currency, minor)), instant(at))
            for kind, name, minor, at in json.loads(row["payments"] or "[]")
        ),
        charges=charges_of(json.loads(row["charges"]), currency) if row["charges"] else (),
        details=details_of(json.loads(row["details"])) if row["details"] else NO_DETAILS,
        edit=edit_of(row["edit"], currency) if row["edit"] else None,
        sourcing=sourcing_of(json.loads(row["sourcing"] or "null")),
        stock=tuple(HeldStock(*part) for part in parts if part[1] != NOWHERE),
        queued=tuple(QueuedUnits(name, units) for name, at, units, *_ in parts if at == NOWHERE),
        stock_revision=row["stock_revision"],
        shipments=shipments_of(row),
    )


def whole_order(row: Row) -> Order:
    """Read an order with its history and its returns."""
    return with_returns(order_of(row, history_of(row)), row)


def with_returns(order: Order, row: Row) -> Order:
    """The same with its returns."""
    return replace(order, returns=returns_of(row))


def history_of(row: Row) -> tuple[OrderChange, ...]:
    """Read an order's changes from their document, oldest first."""
    return tuple(
        OrderChange(
            row["order_id"],
            version,
            OrderStatus(status),
            instant(at),
            Caller(actor, credential_id=credential_id or ""),
            reason,
            action=Action(action),
        )
        for version, status, at, reason, actor, action, credential_id in json.loads(row["history"])
    )


def editions_of(row: Row) -> Editions:
    """Read where an order's editions stand from its three columns."""
    if row["edition_newest"] == 1:
        return FIRST_EDITION
    return Editions(row["edition"], row["edition_newest"], row["edit_revision"])


def details_of(parts: Sequence[Any]) -> Details:
    """Read details from their six parts."""
    reference, channel, note, attributes, ship_to, bill_to = parts
    pairs = tuple((key, value) for key, value in attributes)
    return Details(reference, channel, note, pairs, Address(*ship_to), Address(*bill_to))


def customer_of(row: Row) -> Customer:
    """Read customer information from its four columns."""
    return Customer(row["name"], row["email"], row["phone"], row["address"])
