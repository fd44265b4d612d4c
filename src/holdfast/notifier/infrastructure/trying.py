"""A test event: as real ones are, but of no feed."""

import orjson

from holdfast.notifier.application.deliver import Deliver
from holdfast.notifier.application.ports import Clock
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.webhook import Webhook

TYPE = "holdfast.notifier.v1.Test"


class TryOut:
    """Sends a test event once, and returns what came of it. Nothing is recorded."""

    def __init__(self, deliver: Deliver, clock: Clock) -> None:
        self._deliver, self._clock = deliver, clock

    async def __call__(self, webhook: Webhook) -> Answer:
        now, event_id = self._clock.now(), self._clock.new_id()
        at = now.isoformat().replace("+00:00", "Z")
        body = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/holdfast/notifier",
            "type": TYPE,
            "subject": webhook.webhook_id,
            "time": at,
            "timestamp": at,
            "data": {},
        }
        return await self._deliver.send(webhook, event_id, orjson.dumps(body))
