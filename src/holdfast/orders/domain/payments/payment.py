"""Payments: facts that a payment provider made, and the status that follows from them.

Nothing is charged here. Facts are only added, each once under its kind and reference; sums are made
of them whenever they are needed, so that what is not stored can't drift.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import dropwhile
from typing import NamedTuple

from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.payments.errors import (
    PaymentExceeds,
    PaymentReused,
    PaymentsTooLarge,
    TooManyPayments,
    WrongPaymentCurrency,
)

PAYMENTS_MAX = 200  # of one order: all of them are told with it, in one answer of 4 MiB


class PaymentKind(StrEnum):
    """What the provider did."""

    AUTHORIZED = "AUTHORIZED"  # promised: can be captured
    CAPTURED = "CAPTURED"  # taken
    REFUNDED = "REFUNDED"  # given back
    VOIDED = "VOIDED"  # a promise given up
    NAMED = "NAMED"  # only the reference is known


class PaymentStatus(StrEnum):
    """Where an order's payment stands."""

    NONE = "NONE"
    AUTHORIZED = "AUTHORIZED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    OVERPAID = "OVERPAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class Payment(NamedTuple):
    """One fact: so much was authorised, captured, refunded or voided under a reference."""

    kind: PaymentKind
    reference: str
    amount: Money


class RecordedPayment(NamedTuple):
    """A fact, and when it became known."""

    payment: Payment
    at: datetime


def is_news(known: Sequence[Payment], new: Payment, currency: str, order_id: str) -> bool:
    """Whether a fact is to be added to those that are known; a repeat is not.

    :param known: in the order of recording.
    :raises PaymentReused: kind and reference are known with another amount.
    :raises WrongPaymentCurrency: the order has another currency.
    :raises PaymentExceeds: more than was authorised would be captured or voided, or more than was
        captured refunded.
    :raises PaymentsTooLarge: all of the kind together would be more than an amount can be.
    :raises TooManyPayments: the order has PAYMENTS_MAX of them.
    """
    if new.amount.currency != currency:
        raise WrongPaymentCurrency(new.amount.currency, currency)
    for one in known:
        if (one.kind, one.reference) == (new.kind, new.reference):
            if one.amount != new.amount:
                raise PaymentReused(order_id, new.kind, new.reference, one.amount.minor)
            return False
    if len(known) >= PAYMENTS_MAX:
        raise TooManyPayments(order_id, PAYMENTS_MAX)
    left = _left_for(new.kind, known)
    if left is not None and new.amount.minor > left:
        raise PaymentExceeds(order_id, new.kind, new.amount.minor, left)
    if _sum(known, new.kind) + new.amount.minor > MINOR_MAX:
        raise PaymentsTooLarge(order_id, new.kind)
    return True


def _left_for(kind: PaymentKind, known: Sequence[Payment]) -> int | None:
    """How much more there may be of a kind; None: any amount."""
    # What was taken before the first authorisation was paid directly, and is of no promise.
    since = list(dropwhile(lambda one: one.kind is not PaymentKind.AUTHORIZED, known))
    used = _sum(since, PaymentKind.CAPTURED) + _sum(since, PaymentKind.VOIDED)
    match kind:
        case PaymentKind.CAPTURED:
            return _sum(since, PaymentKind.AUTHORIZED) - used if since else None
        case PaymentKind.VOIDED:
            return _sum(since, PaymentKind.AUTHORIZED) - used
        case PaymentKind.REFUNDED:
            return _sum(known, PaymentKind.CAPTURED) - _sum(known, PaymentKind.REFUNDED)
        case PaymentKind.AUTHORIZED | PaymentKind.NAMED:
            return None


def status_of(payments: Sequence[Payment], total: Money) -> PaymentStatus:
    """What follows from the facts for an order that costs `total`."""
    captured, refunded = _sum(payments, PaymentKind.CAPTURED), _sum(payments, PaymentKind.REFUNDED)
    if refunded:
        is_whole = refunded == captured
        return PaymentStatus.REFUNDED if is_whole else PaymentStatus.PARTIALLY_REFUNDED
    if captured:
        if captured < total.minor:
            return PaymentStatus.PARTIALLY_PAID
        return PaymentStatus.PAID if captured == total.minor else PaymentStatus.OVERPAID
    promised = _sum(payments, PaymentKind.AUTHORIZED) - _sum(payments, PaymentKind.VOIDED)
    return PaymentStatus.AUTHORIZED if promised else PaymentStatus.NONE


def is_paid(payments: Sequence[Payment], total: Money) -> bool:
    """Whether all that an order costs was taken, and not all of it given back since."""
    return _taken(payments) >= total.minor


def is_covered(payments: Sequence[Payment], total: Money) -> bool:
    """Whether what was taken and what is still promised are all that an order costs."""
    promised = _left_for(PaymentKind.VOIDED, payments)
    return _taken(payments) + (promised or 0) >= total.minor


def _taken(payments: Sequence[Payment]) -> int:
    """What was captured; a part that was given back was paid, too: for what came back, or as a
    discount.
    """
    captured = _sum(payments, PaymentKind.CAPTURED)
    return captured if captured > _sum(payments, PaymentKind.REFUNDED) else 0


def _sum(payments: Sequence[Payment], kind: PaymentKind) -> int:
    return sum(one.amount.minor for one in payments if one.kind is kind)
