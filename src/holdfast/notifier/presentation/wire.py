"""Webhooks, deliveries and mails on the wire: read with all violations, written as they are."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from holdfast.chassis import times
from holdfast.chassis.messaging.feed import EARLIEST, LATEST, CursorMalformed, cursor_of
from holdfast.chassis.validation import Violations
from holdfast.contracts.notifier.v1 import notifier_pb2 as pb
from holdfast.notifier.application import ports
from holdfast.notifier.application.manage_webhooks import NewWebhook, Place
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.events import DeliveryState, FeedName, MailState
from holdfast.notifier.domain.webhook import Webhook, WebhookState
from holdfast.notifier.presentation.event_types import types_by_name

URL_CHARACTERS_MAX = 2_000
DESCRIPTION_CHARACTERS_MAX = 500
TYPES_MAX = 100
VERSION_MAX = 2**63 - 1
FIELDS = ("url", "description", "types", "state")

_STATES = {state: pb.WebhookState.Value(f"WEBHOOK_STATE_{state}") for state in WebhookState}
_BY_PEOPLE = {_STATES[one]: one for one in (WebhookState.ACTIVE, WebhookState.INACTIVE)}
_DELIVERY_STATES = {one: pb.DeliveryState.Value(f"DELIVERY_STATE_{one}") for one in DeliveryState}
_MAIL_STATES = {one: pb.MailState.Value(f"MAIL_STATE_{one}") for one in MailState}


def read_webhook(
    request: pb.CreateWebhookRequest, now: datetime, violations: Violations
) -> NewWebhook:
    return NewWebhook(
        _url(request.url, "url", violations),
        violations.text(
            "description", request.description, characters_max=DESCRIPTION_CHARACTERS_MAX
        ),
        _types(request.types, "types", violations),
        request.in_order,
        read_place(request.after, "after", now, violations) if request.HasField("after") else None,
        violations.optional_id("request_id", request.request_id),
    )


class Revision(NamedTuple):
    """What UpdateWebhook asks for."""

    webhook_id: str
    expected_version: int
    details: dict[str, object]


def read_revision(request: pb.UpdateWebhookRequest, violations: Violations) -> Revision:
    message, fields = request.webhook, list(request.update_mask.paths)
    violations.update_mask(fields, FIELDS)
    violations.within("webhook.version", message.version, lowest=1, highest=VERSION_MAX)
    details: dict[str, object] = {}
    if "url" in fields:
        details["url"] = _url(message.url, "webhook.url", violations)
    if "description" in fields:
        details["description"] = violations.text(
            "webhook.description",
            message.description,
            characters_max=DESCRIPTION_CHARACTERS_MAX,
        )
    if "types" in fields:
        details["types"] = _types(message.types, "webhook.types", violations)
    if "state" in fields:
        if message.state not in _BY_PEOPLE:
            violations.add("webhook.state", "must be ACTIVE or INACTIVE")
        details["state"] = _BY_PEOPLE.get(message.state)
    webhook_id = violations.uuid("webhook.webhook_id", message.webhook_id)
    return Revision(webhook_id, message.version, details)


def _url(value: str, field: str, violations: Violations) -> str:
    if not value:
        violations.add(field, "is missing; write https://HOST/PATH")
    return violations.text(field, value, characters_max=URL_CHARACTERS_MAX)


def _types(names: Iterable[str], field: str, violations: Violations) -> tuple[str, ...]:
    known, found = types_by_name(), []
    for place, name in enumerate(names):
        if place == TYPES_MAX:
            violations.add(field, f"has more than {TYPES_MAX} items")
            break
        if name in known:
            found.append(known[name])
        else:
            listed = ", ".join(sorted(one for one in known if "." not in one))
            violations.add(f"{field}[{place}]", f"is no type of event; there are: {listed}")
    return tuple(dict.fromkeys(found))


def read_place(message: pb.Place, field: str, now: datetime, violations: Violations) -> Place:
    """Read where to begin: cursors, or a time."""
    told = {FeedName.ORDERS: message.orders, FeedName.INVENTORY: message.inventory}
    cursors = {
        feed: _cursor(cursor, f"{field}.{feed}", violations)
        for feed, cursor in told.items()
        if cursor
    }
    since = None
    if message.HasField("since"):
        since = violations.instant(f"{field}.since", message.since)
        if since is not None and since > now + ports.MARGIN:
            violations.add(f"{field}.since", "is in the future: nothing has happened since then")
    if bool(cursors) == message.HasField("since"):
        violations.add(field, "must have cursors or a time, and not both")
    return Place(cursors, since)


def _cursor(text: str, field: str, violations: Violations) -> str:
    """Whether events still follow it, the feed tells when it is asked."""
    try:
        if text not in (EARLIEST, LATEST):
            cursor_of(text)
    except CursorMalformed as malformed:
        violations.add(field, str(malformed))
    return text


def read_replay(
    request: pb.ReplayWebhookRequest, now: datetime, violations: Violations
) -> Place | None:
    """Read from where to send again; None: what was given up."""
    if request.HasField("after"):
        return read_place(request.after, "after", now, violations)
    if not request.failed:
        violations.add("after", "is missing, or set failed")
    return None


def read_delivery_state(number: int, violations: Violations) -> DeliveryState | None:
    found = next((state for state, one in _DELIVERY_STATES.items() if one == number), None)
    if number and found is None:
        violations.add("state", f"{number} is no state; there are {', '.join(DeliveryState)}")
    return found


def read_mail_state(number: int, violations: Violations) -> MailState | None:
    found = next((state for state, one in _MAIL_STATES.items() if one == number), None)
    if number and found is None:
        violations.add("state", f"{number} is no state; there are {', '.join(MailState)}")
    return found


def webhook_message(webhook: Webhook) -> pb.Webhook:
    message = pb.Webhook(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        description=webhook.description,
        types=webhook.types,
        in_order=webhook.in_order,
        state=_STATES[webhook.state],
        catching_up=webhook.catching_up,
        version=webhook.version,
    )
    times.write(message.create_time, webhook.created_at)
    _write(message.failing_since, webhook.failing_since)
    return message


def attempt_message(answer: Answer, at: datetime | None) -> pb.Attempt:
    message = pb.Attempt(
        delivered=answer.is_success,
        status=answer.status,
        problem=answer.problem,
        excerpt=answer.excerpt,
    )
    _write(message.attempt_time, at)
    return message


def delivery_message(delivery: ports.Delivery) -> pb.Delivery:
    message = pb.Delivery(
        event_id=delivery.event_id,
        type=delivery.type,
        subject=delivery.subject,
        feed=delivery.feed,
        cursor=delivery.cursor,
        state=_DELIVERY_STATES[delivery.state],
        attempts=delivery.attempts,
    )
    if delivery.attempted_at is not None:
        message.last_attempt.CopyFrom(attempt_message(delivery.answer, delivery.attempted_at))
    if delivery.state is DeliveryState.WAITING:
        times.write(message.next_attempt_time, delivery.next_at)
    return message


def mail_message(mail: ports.Mail) -> pb.Mail:
    message = pb.Mail(
        event_id=mail.event_id,
        order_id=mail.order_id,
        kind=mail.kind,
        state=_MAIL_STATES[mail.state],
        attempts=mail.attempts,
        problem=mail.problem,
    )
    times.write(message.event_time, mail.happened_at)
    _write(message.attempt_time, mail.attempted_at)
    if mail.state is MailState.WAITING:
        _write(message.next_attempt_time, mail.next_at)
    return message


def _write(stamp: Timestamp, at: datetime | None) -> None:
    # Not even named where there is no time: that alone would set it.
    if at is not None:
        times.write(stamp, at)
