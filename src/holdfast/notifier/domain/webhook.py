"""Webhooks: places that are told of events, and when one is given up."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from holdfast.notifier.domain.errors import StaleVersion, WebhookInactive

WEBHOOKS_MAX = 10_000
GIVEN_UP_AFTER = timedelta(days=5)  # of nothing but failures
BOTH_SECRETS_FOR = timedelta(days=1)  # after a rotation


class WebhookState(StrEnum):
    """Whether a webhook is sent anything."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"  # somebody made it so
    DISABLED = "DISABLED"  # it was given up


@dataclass(frozen=True, slots=True)
class Secrets:
    """What signs, sealed: nobody reads it from here.

    :param old: signs too, until `old_until`.
    """

    new: bytes
    old: bytes | None = None
    old_until: datetime | None = None

    def rotated(self, new: bytes, now: datetime) -> "Secrets":
        """Return what signs from now on: the old one stays as long as it was promised to, though
        another is made meanwhile.
        """
        if len(self.good(now)) > 1:
            return replace(self, new=new)
        return Secrets(new, self.new, now + BOTH_SECRETS_FOR)

    def good(self, now: datetime) -> list[bytes]:
        """Return what signs now, the newest first."""
        if self.old is not None and self.old_until is not None and now < self.old_until:
            return [self.new, self.old]
        return [self.new]


@dataclass(frozen=True, slots=True)
class Webhook:
    """A place that is told of events.

    :param types: full names of those that it wants; none: all.
    :param in_order: each event waits for the one before; else only those about one subject do.
    :param failing_since: when the first of the failures came that nothing has arrived since.
    :param whole_since: all that happened since then and that it wants, it is sent: it was made,
        made active, given other types or replayed to then. Nothing goes by it; audits check it.
    :param request_hash: tells a repeat of what it was made by from another request of that id.
    :param version: rises by one with every change by people, and when it is disabled.
    """

    webhook_id: str
    url: str
    description: str
    types: tuple[str, ...]
    in_order: bool
    secrets: Secrets
    created_at: datetime
    whole_since: datetime
    request_id: str = ""
    request_hash: str = ""
    state: WebhookState = WebhookState.ACTIVE
    failing_since: datetime | None = None
    catching_up: bool = False
    version: int = 1

    def wants(self, event_type: str) -> bool:
        return not self.types or event_type in self.types

    def line_of(self, feed: str, subject: str) -> str:
        """Return the line that an event stands in: those of one line are sent one by one."""
        return "" if self.in_order else f"{feed}/{subject}"

    def revised(self, *, expected_version: int, now: datetime, **details: Any) -> "Webhook":
        """Return the webhook with new details, one version later; made active, it starts anew.

        :raises StaleVersion: `expected_version` is not the current one.
        """
        if expected_version != self.version:
            raise StaleVersion(self.webhook_id, expected=expected_version, current=self.version)
        revived = details.get("state") is WebhookState.ACTIVE is not self.state
        if revived:
            details["failing_since"] = None
        if revived or "types" in details:
            details["whole_since"] = now
        return replace(self, **details, version=self.version + 1)

    def require_active(self) -> None:
        """See that it is sent anything.

        :raises WebhookInactive: it is not.
        """
        if self.state is not WebhookState.ACTIVE:
            raise WebhookInactive(self.webhook_id)

    def after(self, *, arrived: bool, gone: bool, now: datetime) -> "Webhook":
        """Return the webhook as an attempt leaves it.

        :param gone: it answered that it wants nothing any more (410).
        """
        if arrived:
            return self if self.failing_since is None else replace(self, failing_since=None)
        since = self.failing_since or now
        if self.state is WebhookState.ACTIVE and (gone or now - since >= GIVEN_UP_AFTER):
            return replace(
                self, failing_since=since, state=WebhookState.DISABLED, version=self.version + 1
            )
        return self if self.failing_since else replace(self, failing_since=since)
