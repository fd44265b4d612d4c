"""The Notifier's rows: what is read from and written to its database, alike on both engines."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from holdfast.chassis.database.clocks import earlier_now
from holdfast.chassis.database.seam import Database, Row, Transaction, instant, instant_or_none
from holdfast.notifier.application.ports import (
    Attempt,
    CatchUp,
    Delivery,
    DueDelivery,
    Followed,
    Mail,
    NewDelivery,
    Work,
)
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.events import DeliveryState, FeedEvent, FeedName, MailState
from holdfast.notifier.domain.webhook import Secrets, Webhook, WebhookState
from holdfast.notifier.infrastructure.sql import SQL, Statements

FORGOTTEN_MAX = 2_000  # at once


class Store:
    """Opens transactions and answers questions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = SQL[database.engine]

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        async with self._database.begin() as transaction:
            yield StoreWork(transaction, self._sql)

    async def _fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        async with self._database.read() as reading:
            return await reading.fetch(sql, *arguments)

    async def followed(self, feed: FeedName) -> Followed | None:
        rows = await self._fetch(self._sql.FIND_FOLLOWED, feed)
        return _followed(rows)

    async def catching_up(self) -> list[CatchUp]:
        rows = await self._fetch(self._sql.CATCHING_UP)
        return [_catch_up(row, row["webhook_id"], FeedName(row["feed"])) for row in rows]

    async def webhook(self, webhook_id: str) -> Webhook | None:
        rows = await self._fetch(self._sql.FIND_WEBHOOK, webhook_id)
        return next(map(_webhook, rows), None)

    async def webhooks(self, *, before: str, limit: int) -> list[Webhook]:
        return list(map(_webhook, await self._fetch(self._sql.LIST_WEBHOOKS, before, limit)))

    async def webhooks_of(self, webhook_ids: Collection[str]) -> dict[str, Webhook]:
        found = map(_webhook, await self._fetch(self._sql.FIND_WEBHOOKS, list(webhook_ids)))
        return {webhook.webhook_id: webhook for webhook in found}

    async def due(
        self,
        now: datetime,
        *,
        busy: Collection[str],
        tried: Collection[str],
        under_way: Collection[int],
        each: int,
        webhooks: int,
        rows: int,
    ) -> list[DueDelivery]:
        limits = (each, webhooks, list(tried), rows)
        found = await self._fetch(self._sql.DUE, now, list(busy), list(under_way), *limits)
        bodies: dict[str, bytes] = {}  # an event that many are told of is there once
        return [
            DueDelivery(
                row["delivery_id"],
                row["webhook_id"],
                row["event_id"],
                row["line"],
                row["attempts"],
                bodies.setdefault(row["event_id"], bytes(row["body"])),
            )
            for row in found
        ]

    async def delivery(self, webhook_id: str, event_id: str) -> Delivery | None:
        rows = await self._fetch(self._sql.FIND_DELIVERY, webhook_id, event_id)
        return next(map(_delivery, rows), None)

    async def deliveries(
        self, webhook_id: str, state: DeliveryState | None, *, before: int, limit: int
    ) -> list[Delivery]:
        rows = await self._fetch(self._sql.LIST_DELIVERIES, webhook_id, before, limit, state or "")
        return list(map(_delivery, rows))

    async def due_mails(self, now: datetime, *, limit: int) -> list[Mail]:
        return list(map(_mail, await self._fetch(self._sql.DUE_MAILS, now, limit)))

    async def mail(self, event_id: str) -> Mail | None:
        return next(map(_mail, await self._fetch(self._sql.FIND_MAIL, event_id)), None)

    async def mails(
        self, state: MailState | None, order_id: str, *, before: int, limit: int
    ) -> list[Mail]:
        asked = (before, limit, state or "")
        if order_id:
            rows = await self._fetch(self._sql.LIST_MAILS_OF_ORDER, *asked, order_id)
        else:
            rows = await self._fetch(self._sql.LIST_MAILS, *asked)
        return list(map(_mail, rows))

    async def bring_forward(self, now: datetime, *, deliveries: datetime, mails: datetime) -> int:
        sql = self._sql
        brought = await self._database.execute(sql.BRING_DELIVERIES_FORWARD, now, deliveries)
        return brought + await self._database.execute(sql.BRING_MAILS_FORWARD, now, mails)

    async def forget(self, now: datetime, kept: timedelta) -> int:
        """Forget what ended so long ago, some at a time; return how much. Call again until 0."""
        before = await earlier_now(self._database, now) - kept
        return sum(
            [
                await self._database.execute(sql, before, FORGOTTEN_MAX)
                for sql in (self._sql.FORGET_ENDED, self._sql.FORGET_EVENTS, self._sql.FORGET_MAILS)
            ]
        )


class StoreWork:
    """One open transaction on the Notifier's rows; see `Work`."""

    def __init__(self, transaction: Transaction, sql: Statements) -> None:
        self._transaction, self._sql = transaction, sql

    async def lock_followed(self, feed: FeedName) -> Followed | None:
        return _followed(await self._transaction.fetch(self._sql.LOCK_FOLLOWED, feed))

    async def start_following(self, feed: FeedName, followed: Followed) -> None:
        await self._transaction.execute(self._sql.START_FOLLOWING, feed, *followed)

    async def move_followed(self, feed: FeedName, cursor: str, *, anew: bool) -> None:
        await self._transaction.execute(self._sql.MOVE_FOLLOWED, feed, cursor, anew)

    async def catch_up(self, webhook_id: str, feed: FeedName) -> CatchUp | None:
        rows = await self._transaction.fetch(self._sql.FIND_CATCH_UP, webhook_id, feed)
        return next((_catch_up(row, webhook_id, feed) for row in rows), None)

    async def save_catch_up(self, place: CatchUp) -> None:
        await self._transaction.execute(self._sql.CATCH_UP, *place)

    async def move_catch_up(self, place: CatchUp) -> None:
        await self._transaction.execute(self._sql.MOVE_CATCH_UP, *place[:3])

    async def end_catch_up(self, webhook_id: str, feed: FeedName) -> None:
        await self._transaction.execute(self._sql.END_CATCH_UP, webhook_id, feed)

    async def end_catch_ups(self, webhook_id: str) -> None:
        await self._transaction.execute(self._sql.END_CATCH_UPS, webhook_id)

    async def listening(self, feed: FeedName) -> list[Webhook]:
        return list(
            map(_webhook, await self._transaction.fetch(self._sql.LISTENING_WEBHOOKS, feed))
        )

    async def lock_webhooks(self, webhook_ids: Collection[str]) -> dict[str, Webhook]:
        ids = list(webhook_ids)
        await self._transaction.fetch(self._sql.LOCK_WEBHOOKS, ids)
        # Read behind the lock: by the statement that locks, PostgreSQL sees what was before it.
        found = map(_webhook, await self._transaction.fetch(self._sql.FIND_WEBHOOKS, ids))
        return {webhook.webhook_id: webhook for webhook in found}

    async def requested_webhook(self, request_id: str) -> Webhook | None:
        rows = await self._transaction.fetch(self._sql.FIND_REQUESTED_WEBHOOK, request_id)
        return next(map(_webhook, rows), None)

    async def count_webhooks(self) -> int:
        (row,) = await self._transaction.fetch(self._sql.COUNT_WEBHOOKS)
        return int(row["webhooks"])

    async def add_webhook(self, webhook: Webhook) -> None:
        await self._transaction.execute(
            self._sql.INSERT_WEBHOOK,
            webhook.webhook_id,
            webhook.request_id or None,
            webhook.url,
            webhook.description,
            " ".join(webhook.types),
            webhook.in_order,
            webhook.secrets.new,
            webhook.state,
            webhook.created_at,
            webhook.whole_since,
            webhook.version,
            webhook.request_hash or None,
        )

    async def save_webhook(self, webhook: Webhook) -> None:
        secrets = webhook.secrets
        await self._transaction.execute(
            self._sql.UPDATE_WEBHOOK,
            webhook.webhook_id,
            webhook.url,
            webhook.description,
            " ".join(webhook.types),
            secrets.new,
            secrets.old,
            secrets.old_until,
            webhook.state,
            webhook.failing_since,
            webhook.version,
            webhook.whole_since,
        )

    async def delete_webhook(self, webhook_id: str) -> None:
        for sql in (
            self._sql.DELETE_DELIVERIES,
            self._sql.END_CATCH_UPS,
            self._sql.DELETE_WEBHOOK,
        ):
            await self._transaction.execute(sql, webhook_id)

    async def keep_events(self, events: Sequence[FeedEvent], at: datetime) -> None:
        rows = [
            (one.event_id, one.feed, one.cursor, one.type, one.subject)
            + (one.happened_at, at, one.body())
            for one in events
        ]
        await self._transaction.write(self._sql.INSERT_EVENTS, rows)

    async def add_deliveries(self, deliveries: Sequence[NewDelivery], at: datetime) -> None:
        rows = [(*delivery, at) for delivery in deliveries]
        await self._transaction.write(self._sql.INSERT_DELIVERIES, rows)
        lines = dict.fromkeys((one.webhook_id, one.line, at) for one in deliveries)
        await self._transaction.write(self._sql.NEXT_OF_LINES, list(lines))

    async def forget_deliveries(self, webhook_id: str, event_ids: Collection[str]) -> None:
        await self._transaction.execute(self._sql.FORGET_DELIVERIES, webhook_id, list(event_ids))

    async def give_up_open(
        self, webhook_id: str, feeds: Collection[FeedName], problem: str, at: datetime
    ) -> None:
        asked = (webhook_id, problem, at, list(feeds))
        await self._transaction.execute(self._sql.GIVE_UP_OPEN, *asked)
        await self._transaction.execute(self._sql.FIRST_OF_ALL_LINES, webhook_id)

    async def reopen(self, webhook_id: str, event_id: str | None, now: datetime) -> int:
        work, sql = self._transaction, self._sql
        if event_id is None:
            count = await work.execute(sql.REOPEN_FAILED, webhook_id, now)
            await work.execute(sql.QUEUE_ALL, webhook_id)
            await work.execute(sql.FIRST_OF_ALL_LINES, webhook_id)
            return count
        reopened = await work.fetch(sql.REOPEN, webhook_id, event_id, now)
        for row in reopened:
            await work.execute(sql.QUEUE_LINE, webhook_id, row["line"])
            await work.execute(sql.FIRST_OF_LINE, webhook_id, row["line"])
        return len(reopened)

    async def record(self, attempts: Sequence[Attempt]) -> None:
        await self._transaction.write(self._sql.RECORD_ATTEMPTS, list(map(_attempt_row, attempts)))
        lines = dict.fromkeys(
            (one.delivery.webhook_id, one.delivery.line, one.at)
            for one in attempts
            if one.next_at is None
        )
        await self._transaction.write(self._sql.NEXT_OF_LINES, list(lines))

    async def add_mails(self, mails: Sequence[Mail]) -> None:
        rows = [
            (one.event_id, one.order_id, one.kind, one.happened_at, one.next_at) for one in mails
        ]
        await self._transaction.write(self._sql.INSERT_MAILS, rows)

    async def record_mails(self, mails: Sequence[Mail]) -> None:
        rows = [
            (one.mail_id, one.state, one.attempts, one.next_at, one.attempted_at, one.problem)
            for one in mails
        ]
        await self._transaction.write(self._sql.RECORD_MAILS, rows)

    async def retry_mail(self, event_id: str, now: datetime) -> None:
        await self._transaction.execute(self._sql.RETRY_MAIL, event_id, now)


def _attempt_row(attempt: Attempt) -> tuple[object, ...]:
    if attempt.next_at is not None:
        state, ended_at = DeliveryState.WAITING, None
    else:
        state = DeliveryState.DELIVERED if attempt.answer.is_success else DeliveryState.FAILED
        ended_at = attempt.at
    answer = attempt.answer
    return (
        attempt.delivery.delivery_id,
        state,
        attempt.delivery.attempts + 1,
        attempt.next_at or attempt.at,
        attempt.at,
        answer.status,
        answer.problem,
        answer.excerpt,
        ended_at,
    )


def _followed(rows: Sequence[Row]) -> Followed | None:
    return next(
        (Followed(row["cursor"], instant(row["since"]), bool(row["anew"])) for row in rows), None
    )


def _catch_up(row: Row, webhook_id: str, feed: FeedName) -> CatchUp:
    return CatchUp(webhook_id, feed, row["cursor"], instant_or_none(row["since"]))


def _webhook(row: Row) -> Webhook:
    old = row["old_secret"]
    return Webhook(
        webhook_id=row["webhook_id"],
        url=row["url"],
        description=row["description"],
        types=tuple(row["types"].split()),
        in_order=bool(row["in_order"]),
        secrets=Secrets(
            bytes(row["secret"]),
            None if old is None else bytes(old),
            instant_or_none(row["old_until"]),
        ),
        created_at=instant(row["created_at"]),
        whole_since=instant(row["whole_since"]),
        request_id=row["request_id"],
        request_hash=row["request_hash"],
        state=WebhookState(row["state"]),
        failing_since=instant_or_none(row["failing_since"]),
        catching_up=bool(row["catching_up"]),
        version=row["version"],
    )


def _delivery(row: Row) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        event_id=row["event_id"],
        type=row["type"],
        subject=row["subject"],
        feed=row["feed"],
        cursor=row["cursor"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_at=instant(row["next_at"]),
        answer=Answer(row["status"], row["problem"], row["excerpt"]),
        attempted_at=instant_or_none(row["attempted_at"]),
    )


def _mail(row: Row) -> Mail:
    return Mail(
        mail_id=row["mail_id"],
        event_id=row["event_id"],
        order_id=row["order_id"],
        kind=row["kind"],
        happened_at=instant(row["happened_at"]),
        state=MailState(row["state"]),
        attempts=row["attempts"],
        next_at=instant(row["next_at"]),
        attempted_at=instant_or_none(row["attempted_at"]),
        problem=row["problem"],
    )
