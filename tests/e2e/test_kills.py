"""Whatever is killed, whenever: nothing acknowledged is lost, nothing is oversold."""

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.cli.sample import write_sample
from holdfast.client import Holdfast
from proof.callers import Callers
from testbed.servers import PostgresServer, RabbitmqServer
from testbed.services import SERVICES
from tests.e2e.callers import (
    HABITS,
    callers_at,
    look,
    made_again,
    require_agreement,
    require_variety,
)
from tests.e2e.conftest import Clustered, Embedded, System
from tests.e2e.recomputation import contradictions, expected_of
from tests.modes import mostly

CUSTOMERS = 12
ALIVE_S_MAX = 0.5  # between two kills
ANSWERS_IN_BETWEEN = 5  # so that every life is a life
# Where exactly each kill hits, crash points say; here they hit anywhere, and what is left of one is
# there for the next. Many kills find what is rare: `make proof`.
SOME, MANY = 3, pytest.param(20, marks=[pytest.mark.proof, pytest.mark.timeout(480)])
AS_SAMPLE = ("--format", "online-retail", "--cover", "0.8")
REPLAY_INVOICES, REPLAY_KILLS, REPLAY_ORDERS_IN_BETWEEN = 800, 4, 50


@asynccontextmanager
async def callers(system: System, *, seed: int) -> AsyncIterator[Callers]:
    """Callers at work while the block runs; in the end all is as they were told."""
    at_work = callers_at(system.addresses, replace(HABITS, callers=CUSTOMERS), seed=seed)
    await at_work.open_shop()
    async with at_work.working():
        yield at_work
    world = await require_agreement(system, at_work)
    assert len(world.orders) > 0
    require_variety(at_work)
    await asyncio.to_thread(system.require_soundness)


async def restart(system: System, *parts: str) -> None:
    """Kill some parts at once, and start them again."""

    def kill_and_start() -> None:
        for part in parts:
            system.kill(part)
        for part in parts:
            system.start(part)

    await asyncio.to_thread(kill_and_start)


async def kill_again_and_again(system: System, times: int, *, seed: int) -> None:
    chance = random.Random(seed)
    victims: list[tuple[str, ...]] = [(part,) for part in system.parts]
    if len(victims) > 1:
        victims.append(system.parts)
    async with callers(system, seed=seed) as at_work:
        for _ in range(times):
            await at_work.answers(ANSWERS_IN_BETWEEN)
            await asyncio.sleep(chance.uniform(0, ALIVE_S_MAX))
            await restart(system, *chance.choice(victims))
        await at_work.answers(ANSWERS_IN_BETWEEN)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("times", [SOME, MANY])
async def test_killing_services_again_and_again_loses_nothing_acknowledged(
    clustered: Clustered, times: int
) -> None:
    clustered.ask_nobody_again()
    clustered.start_all()

    await kill_again_and_again(clustered, times, seed=21)


@pytest.mark.proof  # crash points kill it on every change
@pytest.mark.timeout(180)
@pytest.mark.parametrize("times", [SOME, MANY])
@mostly("up", "embedded", "on_postgres")
async def test_killing_holdfast_up_again_and_again_loses_nothing_acknowledged(
    up: Embedded, times: int
) -> None:
    up.start_all()

    await kill_again_and_again(up, times, seed=10)


@pytest.mark.proof  # what is asked for again is done once: tests with less around them see that
@pytest.mark.timeout(180)
async def test_a_replay_goes_on_however_often_services_are_killed_in_its_middle(
    system: System, tmp_path: Path
) -> None:
    path = tmp_path / "invoices.csv"
    write_sample(path, invoices=REPLAY_INVOICES, seed=70)
    chance = random.Random(70)
    replay = ("replay", str(path), *AS_SAMPLE, "--concurrency", "8", "--output", "json")
    async with system.client() as client, asyncio.TaskGroup() as group:
        replaying = group.create_task(asyncio.to_thread(system.command, *replay))
        for kills in range(1, REPLAY_KILLS + 1):
            await orders_in(client, at_least=kills * REPLAY_ORDERS_IN_BETWEEN)
            assert not replaying.done(), "the kills come in the middle"
            await restart(system, chance.choice(system.parts))
    done = replaying.result()
    async with system.client() as client:
        world = await look(client)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    told = len(report["refusals"]) + len(report["returns"]["unmatched_lines"])
    assert len(done.stderr.splitlines()) == told, "nothing else to tell"
    assert report["placed"] + report["refused"] == report["orders"] == REPLAY_INVOICES
    decided = report["confirmed"] + report["shipped"] + report["rejected"]
    assert decided == report["placed"] == len(world.orders)
    assert report["returns"]["units_returned"] > 0
    assert contradictions(expected_of(path), world) == []
    await asyncio.to_thread(system.require_soundness)


async def orders_in(client: Holdfast, *, at_least: int) -> None:
    """Return when the services hold so many orders."""
    while len([one async for one in client.orders.list(limit=at_least)]) < at_least:
        await asyncio.sleep(0.01)


@pytest.mark.proof  # a minute of chaos kills nodes of it on every change
@pytest.mark.timeout(180)
async def test_a_killed_rabbitmq_loses_nothing_and_is_found_again(
    clustered: Clustered, rabbitmq_server: RabbitmqServer
) -> None:
    clustered.ask_nobody_again()
    clustered.start_all()

    def outage() -> None:
        rabbitmq_server.kill()
        rabbitmq_server.start()

    async with callers(clustered, seed=30) as at_work:
        await at_work.answers(200)
        await asyncio.to_thread(outage)
        await at_work.answers(200)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGQUIT, id="immediate", marks=pytest.mark.proof),
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
async def test_a_postgresql_that_dies_loses_nothing_and_is_found_again(
    clustered: Clustered, postgres_server: PostgresServer, number: signal.Signals
) -> None:
    clustered.ask_nobody_again()
    clustered.start_all()

    await survive_outage(clustered, postgres_server, number)


@pytest.mark.timeout(180)
async def test_holdfast_up_finds_a_postgresql_again_that_died(
    on_postgres: Embedded, postgres_server: PostgresServer
) -> None:
    on_postgres.start_all()

    await survive_outage(on_postgres, postgres_server, signal.SIGKILL)

    assert on_postgres.program("up").is_running(), "nobody else was there to take its place"


async def survive_outage(system: System, server: PostgresServer, number: signal.Signals) -> None:
    def outage() -> None:
        server.program.signal(number)  # SIGQUIT is what `pg_ctl -m immediate` sends
        server.start()

    async with callers(system, seed=40) as at_work:
        await at_work.answers(200)
        await asyncio.to_thread(outage)
        await at_work.answers(200)


@pytest.mark.proof
@pytest.mark.timeout(180)
async def test_callers_who_retry_see_nothing_of_services_that_stop_in_good_order(
    clustered: Clustered,
) -> None:
    clustered.ask_nobody_again()
    clustered.start_all()

    async with callers(clustered, seed=50) as at_work:
        for part in SERVICES * 2:
            await at_work.answers(100)
            await asyncio.to_thread(stop_and_start, clustered, part, signal.SIGTERM)
        await at_work.answers(100)

    assert made_again(at_work) == []


@pytest.mark.timeout(180)
@mostly("up", "embedded", "on_postgres")
async def test_ctrl_c_finishes_what_is_under_way_and_leaves_the_outboxes_empty(
    up: Embedded,
) -> None:
    up.start_all()

    async with callers(up, seed=60) as at_work:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            await at_work.answers(100)
            await asyncio.to_thread(
                stop_and_start, up, "up", number, lambda: require_empty_outboxes(up)
            )
        await at_work.answers(100)

    assert made_again(at_work) == []
    assert "events are left" not in up.log("up")


def stop_and_start(
    system: System, part: str, number: signal.Signals, while_down: Callable[[], None] = lambda: None
) -> None:
    assert system.end(part, number) == 0, system.log(part)[-2_000:]
    while_down()
    system.start(part)


def require_empty_outboxes(system: System) -> None:
    for service in SERVICES:
        assert asyncio.run(waiting_events(system.databases[service])) == 0, service


async def waiting_events(url: str) -> int:
    async with connect(url, wait=False) as database, database.read() as reading:
        (row,) = await reading.fetch("SELECT count(*) AS waiting FROM outbox")
        return int(row["waiting"])
