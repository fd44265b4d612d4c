"""Every verb of both services, in any order, does what a model in plain Python says."""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from testbed.servers import PostgresServer
from testbed.templates import Templates
from tests.contract.conftest import START, SteadyClock
from tests.integration.two_services import TwoServices
from tests.proof.model_goods import GoodsMachine
from tests.proof.model_system import System

SERVICES = ("orders", "inventory")
RUNS = {"sqlite": 15, "postgresql": 5}
STEPS_A_RUN = 100
PROOF_STEPS = int(os.environ.get("HOLDFAST_PROOF_STEPS", "10000"))
SHRINKS = bool(os.environ.get("HOLDFAST_PROOF_SHRINK"))  # takes minutes, and is for people
SHRINKING_S_MAX = 1_200

_numbers = count(1)


class Machine(GoodsMachine):
    """Both services, with all their verbs, on one of the engines."""

    engine = ""


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, templates: Templates
) -> Iterator[type[Machine]]:
    """A machine of which each run has databases of its own."""
    on_postgres = request.param == "postgresql"
    server: PostgresServer | None = None
    if on_postgres:
        server = request.getfixturevalue("postgres_server")

    def made() -> dict[str, str]:
        """Databases, by their names."""
        names = {service: f"model_{service}_{next(_numbers)}" for service in SERVICES}
        return {
            name: templates.copy_database(service, server, name)
            if server
            else templates.copy_file(service, tmp_path / name)
            for service, name in names.items()
        }

    def gone(name: str) -> None:
        server.drop_database(name) if server else (tmp_path / name).unlink()

    @contextmanager
    def opened(runner: asyncio.Runner, chance: random.Random) -> Iterator[System]:
        databases = made()
        urls = list(databases.values())
        open_ones = AsyncExitStack()

        async def start() -> System:
            orders, inventory = [await open_ones.enter_async_context(connect(u)) for u in urls]
            clock = SteadyClock()
            clock.advance((SystemClock().now() - START).total_seconds())  # `verify` reads that one
            return System(TwoServices(orders, inventory, clock, urls), chance)

        try:
            yield runner.run(start())
        finally:
            runner.run(open_ones.aclose())
            for name in databases:
                gone(name)

    class OnThese(Machine):
        steps = 0
        engine = request.param

    OnThese.opened = staticmethod(opened)
    yield OnThese
    print(f"{OnThese.steps} steps on {request.param}")


def explore(machine: type[Machine], *, seeded: bool) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS[machine.engine],
            stateful_step_count=STEPS_A_RUN,
            derandomize=seeded,
            database=None,
            deadline=None,
            phases=[Phase.generate, *([Phase.shrink] if SHRINKS else [])],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(SHRINKING_S_MAX)
def test_whatever_is_asked_both_services_do_what_the_model_says(machine: type[Machine]) -> None:
    explore(machine, seeded=True)


@pytest.mark.proof
@pytest.mark.timeout(0)
def test_whatever_is_asked_for_thousands_of_steps(machine: type[Machine]) -> None:
    while machine.steps < PROOF_STEPS:
        explore(machine, seeded=False)
