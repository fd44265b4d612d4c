"""Dead letters for operators: list what was parked and why; send it back once that is mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import instant
from holdfast.chassis.messaging.broker import Event, Subscription
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.chassis.messaging.sql import SQL


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A dead letter for an operator; where it is no event, `event_type` and `subject` are None."""

    letter_id: str
    queue: str
    event_type: str | None
    subject: str | None
    reason: str
    parked_at: datetime


async def list_dead_letters(url: str) -> list[DeadLetterRow]:
    """Return all dead letters of one service's database, oldest first."""
    async with connect(url, wait=False) as database, database.read() as reading:
        rows = await reading.fetch(SQL[database.engine].LIST_LETTERS)
    return [
        DeadLetterRow(
            letter_id=row["letter_id"],
            queue=row["queue"],
            event_type=row["type"],
            subject=row["subject"],
            reason=row["reason"],
            parked_at=instant(row["parked_at"]),
        )
        for row in rows
    ]


async def replay_dead_letters(
    url: str, subscriptions: Sequence[Subscription], letter_ids: Sequence[str] | None = None
) -> int:
    """Send dead letters back the way they came; return how many. None: all.

    Letters that are no event stay, and so do those whose type none of the `subscriptions` has:
    nobody would hear them, and their type may name an exchange that is none of ours.

    They move to this service's outbox in one transaction; its relay publishes them to their own
    exchange, so that every queue bound to the type receives them, and inboxes that had them already
    ignore them.
    """
    heard = [event_type for one in subscriptions for event_type in one.types]
    async with connect(url, wait=False) as database:
        sql, outbox = SQL[database.engine], Outbox(database)
        async with database.begin() as work:
            rows = await work.fetch(
                sql.TAKE_LETTERS, None if letter_ids is None else list(letter_ids), heard
            )
            events = [
                Event(
                    event_id=row["letter_id"],
                    type=row["type"],
                    subject=row["subject"],
                    sequence=row["sequence"],
                    time=instant(row["happened_at"]),
                    data=row["body"],
                    traceparent=row["traceparent"],
                    is_repeat=True,  # in a feed it stood long ago, and perhaps in another service's
                )
                for row in rows
            ]
            outbox.append(work, sorted(events, key=lambda event: (event.time, event.sequence)))
    return len(events)
