"""The notifier that writes to the log: for development, and until a real one is plugged in."""

from collections.abc import Sequence

import structlog

from holdfast.chassis.failpoints import failpoint
from holdfast.orders.application.ports import Notification

log = structlog.get_logger()


class LogNotifier:
    """Notifies by a log line; it names no personal data."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        await failpoint("notifications due")
        for news in notifications:
            log.info(
                "customer notified",
                order_id=news.order_id,
                status=news.status,
                about=news.action.lower().replace("_", " ") or "status",
                customer_id=news.customer_id,
                notification=f"{news.order_id}/{news.version}",
            )
        await failpoint("notifications sent")
