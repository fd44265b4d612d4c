"""Give webhooks the events that they want: in the order of the feed, each once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from holdfast.notifier.application.ports import NewDelivery, Work
from holdfast.notifier.domain.events import FeedEvent
from holdfast.notifier.domain.webhook import Webhook


async def tell(
    work: Work, events: Sequence[FeedEvent], webhooks: Collection[Webhook], now: datetime
) -> None:
    """Add a delivery for each event that a webhook wants; the webhooks are locked."""
    deliveries = [
        NewDelivery(one.webhook_id, event.event_id, one.line_of(event.feed, event.subject))
        for event in events
        for one in webhooks
        if one.wants(event.type)
    ]
    wanted = {delivery.event_id for delivery in deliveries}
    if wanted:
        await work.keep_events([event for event in events if event.event_id in wanted], now)
        await work.add_deliveries(deliveries, now)
