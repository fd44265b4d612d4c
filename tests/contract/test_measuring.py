"""What every process tells of its database."""

import asyncio

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging import measuring
from holdfast.chassis.messaging.measuring import looking
from holdfast.chassis.metrics import DATABASE_UP, REGISTRY


def told() -> float | None:
    return REGISTRY.get_sample_value("holdfast_database_up", {"service": "orders"})


async def test_a_database_that_stands_still_is_told_to_be_away_until_it_answers(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "ANSWER_S_MAX", 0.05)
    is_up = DATABASE_UP.labels("orders")
    is_up.set(1)

    async with looking(database, is_up):
        async with asyncio.timeout(10):
            while told() != 0:
                await asyncio.sleep(0.01)

    assert told() == 1
