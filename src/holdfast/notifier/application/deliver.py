"""Deliver: send what is due, and record what came of it.

One process does it at a time; if two do for a moment, a receiver sees an event twice, under one id.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from holdfast.notifier.application.ports import (
    Attempt,
    Begin,
    Clock,
    DueDelivery,
    Reader,
    SecretUnusable,
    Sender,
    Signer,
)
from holdfast.notifier.domain.delivery import Answer, next_attempt_at
from holdfast.notifier.domain.webhook import Webhook, WebhookState

EACH_MAX = 16  # under way to one webhook, until they arrive
ALL_MAX = 500
UNTRIED_MAX = 250  # of those, to webhooks that have not just answered well

Record = Callable[[Attempt], Awaitable[None]]


class Deliver:
    """Starts attempts, as many as there is room for.

    A webhook has room for one at a time, for twice as many after each that arrives, up to EACH_MAX,
    and again for one after a failure. So one that is slow or dead holds up nobody but itself.

    :param record: records an attempt, with others that end at about the same time.
    :param chance: 0 to 1, evenly spread.
    :param told: called with what came of each attempt.
    :param failed: called where that could not be recorded: it is sent again, under the same id.
    """

    def __init__(
        self,
        reader: Reader,
        record: Record,
        sender: Sender,
        signer: Signer,
        clock: Clock,
        chance: Callable[[], float],
        told: Callable[[Answer], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._reader, self._record, self._sender = reader, record, sender
        self._signer, self._clock, self._chance = signer, clock, chance
        self._told, self._failed = told, failed
        self._room: dict[str, int] = {}  # by webhook; 1 where it isn't there
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._sent = set[int]()  # of those, what has not arrived
        self._busy: Counter[str] = Counter()  # how many of these, by webhook
        self.wake = asyncio.Event()  # set when there may be something to do

    async def look(self) -> int:
        """Start what is due; return how many attempts that were."""
        if len(self._under_way) >= ALL_MAX:
            return 0
        due = await self._reader.due(
            self._clock.now(),
            busy=[one for one, count in self._busy.items() if count >= self._room_of(one)],
            tried=list(self._room),
            under_way=list(self._under_way),
            each=EACH_MAX,
            webhooks=ALL_MAX,
        )
        if not due:
            return 0
        webhooks = await self._reader.webhooks_of({one.webhook_id for one in due})
        return sum(self._start(one, webhooks.get(one.webhook_id)) for one in due)

    def _start(self, due: DueDelivery, webhook: Webhook | None) -> bool:
        room, busy = self._room_of(due.webhook_id), self._busy[due.webhook_id]
        if webhook is None or busy >= room or len(self._under_way) >= ALL_MAX:
            return False
        if room == 1 and len(self._under_way) >= UNTRIED_MAX:
            return False
        self._busy[due.webhook_id] += 1
        self._sent.add(due.delivery_id)
        task = asyncio.create_task(self._deliver(due, webhook))
        self._under_way[due.delivery_id] = task
        task.add_done_callback(lambda _: self._end(due, task))
        return True

    def _end(self, due: DueDelivery, task: asyncio.Task[None]) -> None:
        self._make_room(due)
        del self._under_way[due.delivery_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)
        self.wake.set()

    def _make_room(self, due: DueDelivery) -> None:
        """Let another one be sent: this one has arrived, though that is not recorded yet."""
        if due.delivery_id in self._sent:
            self._sent.remove(due.delivery_id)
            self._busy[due.webhook_id] -= 1
            if not self._busy[due.webhook_id]:
                del self._busy[due.webhook_id]
            self.wake.set()

    def _room_of(self, webhook_id: str) -> int:
        return self._room.get(webhook_id, 1)

    async def _deliver(self, due: DueDelivery, webhook: Webhook) -> None:
        answer = await self.send(webhook, due.event_id, due.body)
        now, next_at = self._clock.now(), None
        if answer.is_success:
            room = 2 * self._room_of(webhook.webhook_id)
            self._room[webhook.webhook_id] = min(room, EACH_MAX)
            self._make_room(due)
        else:
            self._room.pop(webhook.webhook_id, None)
            next_at = next_attempt_at(due.attempts + 1, answer, now, self._chance())
        self._told(answer)
        await self._record(Attempt(due, answer, now, next_at))

    async def send(self, webhook: Webhook, event_id: str, body: bytes) -> Answer:
        """Sign something, send it once, and return what came of it."""
        try:
            headers = self._signer.headers(webhook, event_id, body, self._clock.now())
        except SecretUnusable as error:
            return Answer(0, str(error))
        return await self._sender.post(webhook.url, body, headers)

    async def stop(self) -> None:
        """Cancel what is under way: it is sent again, under the same id, by whoever delivers."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class RecordAttempts:
    """Record what came of attempts: deliveries, those behind them, and how their webhooks fare.

    :param disabled: called with a webhook that was given up, once that is recorded.
    """

    def __init__(self, begin: Begin, disabled: Callable[[Webhook], None]) -> None:
        self._begin, self._disabled = begin, disabled

    async def __call__(self, attempts: Sequence[Attempt]) -> Sequence[None]:
        given_up = []
        async with self._begin() as work:
            ids = {one.delivery.webhook_id for one in attempts}
            webhooks = await work.lock_webhooks(ids)
            await work.record([one for one in attempts if one.delivery.webhook_id in webhooks])
            for webhook_id, before in webhooks.items():
                its = [one for one in attempts if one.delivery.webhook_id == webhook_id]
                webhook = before
                for one in its:
                    webhook = webhook.after(
                        arrived=one.answer.is_success, gone=one.answer.is_gone, now=one.at
                    )
                if webhook != before:
                    await work.save_webhook(webhook)
                if webhook.state is WebhookState.DISABLED is not before.state:
                    await work.give_up_open(webhook_id, "the webhook was disabled", its[-1].at)
                    given_up.append(webhook)
        for webhook in given_up:
            self._disabled(webhook)
        return [None] * len(attempts)
