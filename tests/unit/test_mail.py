"""Mails to customers: which events lead to one, and when it is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client import Event
from holdfast.contracts.orders.v1 import events_pb2 as events
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.notifier.domain.mail import (
    ATTEMPTS_MAX,
    SCHEDULE,
    Language,
    Later,
    MailKind,
    Never,
    Outcome,
    Sent,
    Skipped,
    next_try_at,
)
from holdfast.notifier.infrastructure.mail_events import kind_of

NOW = datetime(2026, 11, 28, 20, 45, tzinfo=UTC)
OVER = events.StockWanted(over=True)
REFUND = orders_pb2.Payment(kind=orders_pb2.PAYMENT_KIND_REFUNDED)
CAPTURE = orders_pb2.Payment(kind=orders_pb2.PAYMENT_KIND_CAPTURED)


def event(data: Message | None) -> Event:
    name = "holdfast.orders.v1.New" if data is None else data.DESCRIPTOR.full_name
    return Event("cursor", "id", name, "order", 1, NOW, data)


NEWS: list[tuple[Message, MailKind | None]] = [
    (events.OrderPlaced(), None),
    (events.StockAskedAgain(), None),
    (events.OrderReserved(), None),
    (events.HoldExtended(), None),
    (events.OrderConfirmed(), MailKind.CONFIRMED),
    (events.PaymentRecorded(payment=REFUND), MailKind.REFUNDED),
    (events.PaymentRecorded(payment=CAPTURE), None),
    (events.OrderEditRequested(), None),
    (events.OrderEdited(), MailKind.EDITED),
    (events.OrderEditRefused(), None),
    (events.OrderShipped(), MailKind.PARTIALLY_SHIPPED),
    (events.OrderShipped(wanted=OVER), MailKind.SHIPPED),
    (events.ShipmentUpdated(), None),
    (events.OrderRestCancelled(wanted=OVER), MailKind.REST_CANCELLED),
    (events.ReturnOpened(), None),
    (events.ReturnReceived(), MailKind.RETURN_RECEIVED),
    (events.ReturnClosed(), None),
    (events.OrderRejected(), MailKind.REJECTED),
    (events.OrderCancelled(wanted=OVER), MailKind.CANCELLED),
    (events.OrderExpired(wanted=OVER), MailKind.EXPIRED),
    (events.OrderUpdated(), None),
]


@pytest.mark.parametrize(("data", "kind"), NEWS, ids=lambda value: type(value).__name__)
def test_an_event_leads_to_its_kind_of_mail(data: Message, kind: MailKind | None) -> None:
    assert kind_of(event(data)) is kind


def test_of_every_event_it_is_decided_whether_a_customer_hears_of_it() -> None:
    decided = {type(data).DESCRIPTOR.name for data, _ in NEWS}
    parts = {"WantedProduct", "StockWanted", "ReceivedUnits", "ShippedUnits"}

    assert decided == {*events.DESCRIPTOR.message_types_by_name} - parts
    assert {kind for _, kind in NEWS} - {None} == set(MailKind)


def test_an_event_of_a_type_that_this_version_does_not_know_leads_to_no_mail() -> None:
    assert kind_of(event(None)) is None


def test_the_pauses_grow_and_end_after_three_days() -> None:
    pauses = [
        at - NOW
        for attempts in range(1, ATTEMPTS_MAX)
        if (at := next_try_at(attempts, Later("away"), NOW, 0.5)) is not None
    ]

    assert pauses == list(SCHEDULE[1:])
    assert pauses == sorted(pauses)
    assert timedelta(days=2.9) < sum(pauses, timedelta()) < timedelta(days=3)
    assert next_try_at(ATTEMPTS_MAX, Later("away"), NOW, 0.5) is None


@pytest.mark.parametrize("outcome", [Sent(), Never("no such user"), Skipped("erased")])
def test_only_what_may_still_work_is_tried_again(outcome: Outcome) -> None:
    assert next_try_at(1, outcome, NOW, 0.5) is None


@given(attempts=st.integers(1, ATTEMPTS_MAX - 1), chance=st.floats(0, 1))
def test_chance_moves_a_pause_by_a_fifth_at_most(attempts: int, chance: float) -> None:
    at = next_try_at(attempts, Later("away"), NOW, chance)

    assert at is not None
    assert 0.8 <= (at - NOW) / SCHEDULE[attempts] <= 1.2


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", Language.DE),
        ("DE", Language.DE),
        ("de-AT", Language.DE),
        ("de_CH.UTF-8", Language.DE),
        (" en-GB ", Language.EN),
        ("", None),
        ("fr", None),
        ("deutsch", None),
        ("../de", None),
        ("d" * 10_000, None),
    ],
)
def test_a_language_is_known_by_the_first_part_of_its_tag(
    tag: str, language: Language | None
) -> None:
    assert Language.named(tag) is language
