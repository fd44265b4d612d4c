"""Refusals of the Notifier. Each carries the facts; `reason` is part of the contract.

NotifierError
├── WebhookNotFound
├── WebhookInactive
├── TooManyWebhooks
├── DeliveryNotFound
├── MailNotFound
├── StaleVersion
└── RequestIdReused
"""


class NotifierError(Exception):
    """Root of everything that the Notifier refuses."""

    reason = "NOTIFIER_ERROR"


class WebhookNotFound(NotifierError):
    """There is no webhook of this id."""

    reason = "WEBHOOK_NOT_FOUND"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"webhook {webhook_id} does not exist")
        self.webhook_id = webhook_id


class WebhookInactive(NotifierError):
    """It is sent nothing, and so nothing again."""

    reason = "WEBHOOK_INACTIVE"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(f"webhook {webhook_id} is not active: make it active first")
        self.webhook_id = webhook_id


class TooManyWebhooks(NotifierError):
    """There are as many as there may be."""

    reason = "TOO_MANY_WEBHOOKS"

    def __init__(self, allowed: int) -> None:
        super().__init__(f"there are {allowed:,} webhooks, and more are not allowed: delete some")
        self.allowed = allowed


class DeliveryNotFound(NotifierError):
    """The webhook was never to get this event, or it is not kept any more."""

    reason = "DELIVERY_NOT_FOUND"

    def __init__(self, webhook_id: str, event_id: str) -> None:
        super().__init__(f"webhook {webhook_id} has no delivery of event {event_id}")
        self.event_id = event_id


class MailNotFound(NotifierError):
    """No mail tells this event, or it is not kept any more."""

    reason = "MAIL_NOT_FOUND"

    def __init__(self, event_id: str) -> None:
        super().__init__(f"no mail tells of event {event_id}")
        self.event_id = event_id


class StaleVersion(NotifierError):
    """The webhook changed since the caller read it."""

    reason = "STALE_VERSION"

    def __init__(self, webhook_id: str, *, expected: int, current: int) -> None:
        super().__init__(
            f"webhook {webhook_id} has version {current}, not {expected}: read it again"
        )
        self.webhook_id, self.current = webhook_id, current


class RequestIdReused(NotifierError):
    """The request id names another request."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, webhook_id: str) -> None:
        super().__init__(
            f"request {request_id} was made before with other contents, for webhook {webhook_id}"
        )
        self.webhook_id = webhook_id
