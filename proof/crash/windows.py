"""Points that lie inside a library: between what we send and what we learn of it.

Production code can't stand there without becoming ugly, so here the libraries are wrapped.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
from aiormq.channel import Channel

from holdfast.chassis.database.sqlite import SqliteConnection
from holdfast.chassis.failpoints import failpoint, is_armed
from holdfast.chassis.messaging import cloudevents
from holdfast.chassis.messaging import sql as messages_sql
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.chassis.messaging.rabbitmq_link import Link
from proof.crash.failpoint_actions import MESSAGES

# uvloop hands bytes to the kernel at the end of the turn in which they were written.
TURNS_UNTIL_SENT = 3

# A transaction whose writes were all deferred: one statement, without BEGIN and COMMIT.
_ALL_DEFERRED = "WITH write_0 AS "
_SENT = {
    "COMMIT;": "commit sent",  # as asyncpg ends a transaction
    **{sql.STAMP_EVENTS: "stamping sent" for sql in messages_sql.SQL.values()},
}


def open_windows(names: Collection[str]) -> None:
    """Wrap what is needed for points of these names, in this process and for good."""
    if "commit sent" in names or "stamping sent" in names:
        asyncpg.Connection.execute = _with_answer_unread(asyncpg.Connection.execute)  # type: ignore[method-assign]
    if "commit sent" in names:
        SqliteConnection.commit = _after(SqliteConnection.commit, "commit sent")  # type: ignore[method-assign]
    if "stamping sent" in names:
        SqliteConnection.execute_all = _after_stamping(SqliteConnection.execute_all)  # type: ignore[method-assign]
    if "events published" in names:
        Channel._on_confirm_frame = _with_confirm_unread(Channel._on_confirm_frame)  # type: ignore[method-assign]
    if "message confirmed" in names:
        LocalBroker.publish = _counted(LocalBroker.publish)  # type: ignore[method-assign]
        RabbitMQ.publish = _counted(RabbitMQ.publish)  # type: ignore[method-assign]


def _with_answer_unread(original: Any) -> Any:
    async def execute(connection: Any, query: str, *arguments: Any, **options: Any) -> Any:
        name = _SENT.get(query)
        if query.startswith(_ALL_DEFERRED) and not connection.is_in_transaction():
            name = "commit sent"
        if name is None or not is_armed():
            return await original(connection, query, *arguments, **options)
        if arguments:  # known to the server before, so that all that is sent now is the statement
            await connection._get_statement(query, None)
        answer = asyncio.ensure_future(original(connection, query, *arguments, **options))
        try:
            for _ in range(TURNS_UNTIL_SENT):
                await asyncio.sleep(0)
            await failpoint(name)
            return await answer
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                answer.cancel()
            else:  # whoever leaves without the answer has lost the connection
                connection.terminate()
            await asyncio.gather(answer, return_exceptions=True)
            raise

    return execute


def _after(original: Any, name: str) -> Any:
    async def call(*arguments: Any) -> Any:
        answer = await original(*arguments)
        await failpoint(name)
        return answer

    return call


def _after_stamping(original: Any) -> Any:
    async def execute(connection: Any, sql: str, *arguments: Any) -> Any:
        answer = await original(connection, sql, *arguments)
        if sql in _SENT:
            await failpoint(_SENT[sql])
        return answer

    return execute


def _with_confirm_unread(original: Any) -> Any:
    async def confirm(channel: Any, frame: Any) -> None:
        try:
            await failpoint("events published")
        except Exception:
            # Whoever leaves without the confirm has lost the connection.
            link = channel.connection._transport_factory
            assert isinstance(link, Link)
            link._hang_up()
            raise
        await original(channel, frame)

    return confirm


def _counted(original: Any) -> Any:
    async def publish(broker: Any, events: Sequence[Event]) -> Any:
        MESSAGES.set(sum(1 for _ in cloudevents.packs(events)))
        return await original(broker, events)

    return publish
