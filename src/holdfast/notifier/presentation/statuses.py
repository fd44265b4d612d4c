"""The Notifier's refusals as google.rpc.Status: which code, which details."""

import grpc
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc import statuses
from holdfast.notifier.domain.delivery import UrlRefused
from holdfast.notifier.domain.errors import (
    DeliveryNotFound,
    MailNotFound,
    RequestIdReused,
    StaleVersion,
    TooManyWebhooks,
    WebhookInactive,
    WebhookNotFound,
)


def translate(error: Exception) -> Status | None:
    """Return the status of a refusal; None for any other error."""
    match error:
        case WebhookNotFound():
            return statuses.not_found("webhook", [error.webhook_id])
        case DeliveryNotFound():
            return statuses.not_found("delivery", [error.event_id])
        case MailNotFound():
            return statuses.not_found("mail", [error.event_id])
        case UrlRefused():
            return statuses.bad_request([("url", str(error))])
        case WebhookInactive():
            facts = {"webhook_id": error.webhook_id}
            code = grpc.StatusCode.FAILED_PRECONDITION
            return statuses.refusal(code, error.reason, str(error), metadata=facts)
        case TooManyWebhooks():
            facts = {"allowed": str(error.allowed)}
            code = grpc.StatusCode.FAILED_PRECONDITION
            return statuses.refusal(code, error.reason, str(error), metadata=facts)
        case StaleVersion():
            return statuses.stale("webhook", error.webhook_id, error.current)
        case RequestIdReused():
            facts = {"webhook_id": error.webhook_id}
            code = grpc.StatusCode.ALREADY_EXISTS
            return statuses.refusal(code, error.reason, str(error), metadata=facts)
    return None
