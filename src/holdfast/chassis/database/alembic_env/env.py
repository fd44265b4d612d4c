"""Alembic's entry: it runs the revisions on the database whose URL `migrations.py` gives."""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

import asyncio

import asyncpg
from alembic import context
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from holdfast.chassis.database.engines import engine_of, sqlite_path
from holdfast.chassis.database.postgres import LEADERSHIP_NAMESPACE
from holdfast.chassis.database.postgres_sessions import WRITABLE

LOCK = "SELECT pg_advisory_lock($1, $2)"
MIGRATING = 0  # no right of a service has this number


def run(connection: Connection) -> None:
    applied: list[str] = context.config.attributes["applied"]
    context.configure(
        connection=connection,
        transaction_per_migration=True,
        transactional_ddl=True,
        on_version_apply=lambda step, **_: applied.append(step.up_revision_id),
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_sqlite(url: str) -> None:
    # Not as a text: there a ? in the name of a folder ends it, and %20 is another folder's.
    engine = create_engine(URL.create("sqlite", database=str(sqlite_path(url))))

    # The driver's own transactions leave DDL outside: open them ourselves, so that a kill leaves no
    # half schema.
    @event.listens_for(engine, "connect")
    def _(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            run(connection)
    finally:
        engine.dispose()


async def run_on_postgres(url: str) -> None:
    # The driver reads the URL, as everywhere: SQLAlchemy can't read one of several hosts.
    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        connection = await asyncpg.connect(url, target_session_attrs=WRITABLE)
        # Held until the connection ends: of two at once, the later one finds nothing left to do.
        await connection.execute(LOCK, LEADERSHIP_NAMESPACE, MIGRATING)
        return connection

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


def print_sql(url: str) -> None:
    context.configure(dialect_name=engine_of(url), transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


target = context.config.attributes["url"]
if context.is_offline_mode():
    print_sql(target)
elif engine_of(target) == "sqlite":
    run_on_sqlite(target)
else:
    asyncio.run(run_on_postgres(target))
