"""The notifier that writes to the log: for development, and until a real one is plugged in."""

from collections.abc import Mapping, Sequence

import structlog

from holdfast.chassis.failpoints import failpoint
from holdfast.orders.application.ports import Notification
from holdfast.orders.infrastructure.metrics import NOTIFICATIONS

TOLD_IN_A_LINE = 50

log = structlog.get_logger()


class LogNotifier:
    """Notifies by log lines, of TOLD_IN_A_LINE at most each; they name no personal data."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        await failpoint("notifications due")
        for start in range(0, len(notifications), TOLD_IN_A_LINE):
            some = notifications[start : start + TOLD_IN_A_LINE]
            log.info("customers notified", notifications=list(map(_told, some)))
        NOTIFICATIONS.labels("sent").inc(len(notifications))
        await failpoint("notifications sent")


def _told(news: Notification) -> Mapping[str, object]:
    return {
        "order_id": news.order_id,
        "version": news.version,
        "status": news.status,
        "about": news.action.lower().replace("_", " ") or "status",
        "customer_id": news.customer_id,
    }
