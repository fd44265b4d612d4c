"""Deliver: send what is due, and record what came of it.

One process does it at a time; if two do for a moment, a receiver sees an event twice, under one id.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

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
from holdfast.notifier.domain.events import FEEDS
from holdfast.notifier.domain.webhook import Webhook, WebhookState

EACH_MAX = 16  # under way to one webhook, until they arrive
AHEAD = 4  # times its room is taken for one that answers well: it doesn't wait for reading
FRESH_S = 1.0  # what was taken longer ago is read anew: meanwhile its webhook may be another
ALL_MAX = 500
UNTRIED_MAX = 250  # of those, to webhooks that have not just answered well
ROWS_MAX = 1_000  # read at once; and with so many taken nothing is read
RECEIVERS_MAX = 1_000  # before those are forgotten that nothing is under way to

Record = Callable[[Attempt], Awaitable[None]]


class _Taken(NamedTuple):
    """What is sent as soon as there is room."""

    due: DueDelivery
    webhook: Webhook
    at: datetime


class _Receiver:
    """How one webhook does, what is under way to it, and what comes next."""

    def __init__(self) -> None:
        self.room = 1
        self.sent = dict[int, str]()  # deliveries that have not arrived yet, and their lines
        self.next = deque[_Taken]()

    def take_next(self) -> _Taken | None:
        """Take the first of a line that nothing is under way of: what is sent again may come before
        what has left.
        """
        lines = set(self.sent.values())
        found = next((one for one in self.next if one.due.line not in lines), None)
        if found is not None:
            self.next.remove(found)
        return found

    @property
    def has_room(self) -> bool:
        return len(self.sent) < self.room

    @property
    def has_next(self) -> bool:
        """Whether there is enough to go on with."""
        return len(self.next) >= self.room or not self.takes_more

    @property
    def takes_more(self) -> bool:
        ahead = AHEAD if self.room > 1 else 1
        return len(self.sent) + len(self.next) < ahead * self.room


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
        self._receivers: dict[str, _Receiver] = {}
        self._under_way: dict[int, asyncio.Task[None]] = {}  # until recorded
        self.wake = asyncio.Event()  # set when there may be something to do

    async def look(self) -> int:
        """Take what is due, and start what there is room for; return how many were taken."""
        for receiver in self._receivers.values():
            self._start_next(receiver)
        receivers = self._receivers
        taken = [one.due.delivery_id for its in receivers.values() for one in its.next]
        if len(self._under_way) >= ALL_MAX or len(taken) >= ROWS_MAX:
            return 0
        due = await self._reader.due(
            self._clock.now(),
            busy=[one for one, its in receivers.items() if its.has_next],
            tried=[one for one, its in receivers.items() if its.room > 1],
            under_way=[*self._under_way, *taken],
            each=AHEAD * EACH_MAX,
            webhooks=ALL_MAX,
            rows=ROWS_MAX,
        )
        if not due:
            return 0
        webhooks = await self._reader.webhooks_of({one.webhook_id for one in due})
        now = self._clock.now()  # behind the reading, however long that took
        return sum(
            self._take(_Taken(one, webhooks[one.webhook_id], now))
            for one in due
            if one.webhook_id in webhooks
        )

    def look_anew(self) -> None:
        """Forget what was taken and is not sent yet: somebody has changed what is due."""
        for receiver in self._receivers.values():
            receiver.next.clear()
        self.wake.set()

    def _take(self, one: _Taken) -> bool:
        """Start it, or keep it for a webhook that answers well until there is room."""
        receiver = self._receiver(one.due.webhook_id)
        if not receiver.takes_more:
            return False
        receiver.next.append(one)
        self._start_next(receiver)
        if receiver.room == 1 and receiver.next:
            receiver.next.clear()
            return False
        return True

    def _receiver(self, webhook_id: str) -> _Receiver:
        if webhook_id not in self._receivers and len(self._receivers) >= RECEIVERS_MAX:
            busy = {one: its for one, its in self._receivers.items() if its.sent or its.next}
            self._receivers = busy
        return self._receivers.setdefault(webhook_id, _Receiver())

    def _start_next(self, receiver: _Receiver) -> None:
        """Send to a webhook what it has room for."""
        if receiver.next and self._is_stale(receiver.next[0]):
            receiver.next.clear()
            self.wake.set()
        while receiver.next and receiver.has_room and len(self._under_way) < ALL_MAX:
            if receiver.room == 1 and len(self._under_way) >= UNTRIED_MAX:
                return
            if (taken := receiver.take_next()) is None:
                return
            due, webhook, _ = taken
            receiver.sent[due.delivery_id] = due.line
            task = asyncio.create_task(self._deliver(due, webhook, receiver))
            self._under_way[due.delivery_id] = task
            task.add_done_callback(partial(self._end, due, receiver))

    def _is_stale(self, one: _Taken) -> bool:
        return (self._clock.now() - one.at).total_seconds() > FRESH_S

    async def _deliver(self, due: DueDelivery, webhook: Webhook, receiver: _Receiver) -> None:
        answer = await self.send(webhook, due.event_id, due.body)
        now, next_at = self._clock.now(), None
        if answer.is_success:
            receiver.room = min(2 * receiver.room, EACH_MAX)
            self._arrived(due, receiver)
        else:
            receiver.room = 1
            receiver.next.clear()
            next_at = next_attempt_at(due.attempts + 1, answer, now, self._chance())
        self._told(answer)
        await self._record(Attempt(due, answer, now, next_at))

    def _arrived(self, due: DueDelivery, receiver: _Receiver) -> None:
        """Let another one be sent: this one has arrived, though that is not recorded yet."""
        receiver.sent.pop(due.delivery_id, None)
        self._start_next(receiver)
        if not receiver.has_next:
            self.wake.set()

    def _end(self, due: DueDelivery, receiver: _Receiver, task: asyncio.Task[None]) -> None:
        del self._under_way[due.delivery_id]
        self._arrived(due, receiver)
        is_idle = receiver.room == 1 and not receiver.sent and not receiver.next
        if is_idle and self._receivers.get(due.webhook_id) is receiver:
            del self._receivers[due.webhook_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    async def send(self, webhook: Webhook, event_id: str, body: bytes) -> Answer:
        """Sign something, send it once, and return what came of it."""
        try:
            headers = self._signer.headers(webhook, event_id, body, self._clock.now())
        except SecretUnusable as error:
            return Answer(0, str(error))
        return await self._sender.post(webhook.url, body, headers)

    async def stop(self) -> None:
        """Cancel what is under way: it is sent again, under the same id, by whoever delivers."""
        self.look_anew()
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
                    why, at = "the webhook was disabled", its[-1].at
                    await work.give_up_open(webhook_id, FEEDS, why, at)
                    await work.end_catch_ups(webhook_id)
                    given_up.append(webhook)
        for webhook in given_up:
            self._disabled(webhook)
        return [None] * len(attempts)
