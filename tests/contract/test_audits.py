"""An audit reads everything, however long that takes: no limit of a service's sessions ends it."""

import asyncio

import pytest

from holdfast.chassis.database import postgres, postgres_sessions
from holdfast.chassis.database.postgres import connect_postgres
from holdfast.chassis.database.seam import Engine

LIMIT_S = 0.3


async def test_an_audit_outlives_the_limits_of_statements_and_of_idle_transactions(
    url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine != "postgresql":
        return  # SQLite has no such limits
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_S", LIMIT_S)
    settings, limit_ms = postgres_sessions.SERVER_SETTINGS, str(int(1_000 * LIMIT_S))
    monkeypatch.setitem(settings, "idle_in_transaction_session_timeout", limit_ms)
    database = await connect_postgres(url)
    try:
        async with database.snapshot() as snapshot:
            await snapshot.fetch("SELECT pg_sleep($1)", 2 * LIMIT_S)
            await asyncio.sleep(2 * LIMIT_S)  # while the other service's database is read
            (row,) = await snapshot.fetch("SELECT 1 AS still_here")
    finally:
        await database.close()

    assert row["still_here"] == 1
