"""Whole simulated runs: bit for bit the same, without a violation, and bugs don't escape them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from holdfast.chassis.messaging.broker import Event, Receiver
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.local_broker import Delivery, LocalBroker, answer
from holdfast.orders.application.ordering.hear_inventory import HearInventory
from proof.simulation.campaign import templates, verdict_of, verdicts_of
from proof.simulation.shrink import shrink
from proof.simulation.swarm import Swarm, drawn

pytestmark = pytest.mark.forks

# A seed takes two cores a quarter of a second. `make mutants` gives a planted bug up to 400, of
# which hardly any needs more than these; `make proof` runs 20,000.
SEEDS = 24
PLANTED_SEEDS_MAX = 40  # within so many each planted bug must show
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with templates() as made:
        yield made


def simulation(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "proof.simulation", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_seed_is_one_run_bit_for_bit_in_every_interpreter() -> None:
    seeds = [str(seed) for seed in range(1, 5)]

    first, again = (simulation("--fingerprints", *seeds) for _ in range(2))

    assert sorted(first.stdout.splitlines()) == sorted(again.stdout.splitlines())
    assert first.returncode == 0


def test_another_seed_is_another_run(folder: Path) -> None:
    fingerprints = {verdict_of(seed, folder).fingerprint for seed in range(1, 6)}

    assert len(fingerprints) == 5


@pytest.mark.timeout(900)
def test_no_promise_is_broken_in_dozens_of_runs() -> None:
    done = simulation("--seeds", str(SEEDS), "--jobs", "2")

    assert done.returncode == 0, done.stdout
    assert f"{SEEDS} seeds" in done.stdout


@pytest.mark.timeout(240)
def test_no_run_that_once_failed_fails_again() -> None:
    done = simulation("--regressions", "--jobs", "2")

    assert done.returncode == 0, done.stdout


def acknowledge_before_commit() -> None:
    receive = LocalBroker._receive

    async def at_once(
        self: LocalBroker, queue: str, delivery: Delivery, receiver: Receiver
    ) -> None:
        answer(delivery, accepted=True)
        await receive(self, queue, delivery, receiver)

    LocalBroker._receive = at_once  # type: ignore[method-assign]


def forget_what_was_seen() -> None:
    async def all_are_new(self: Inbox, work: object, event_ids: Sequence[str]) -> set[str]:
        return set(event_ids)

    Inbox.first_seen = all_are_new  # type: ignore[method-assign]


def delete_whatever_the_broker_says() -> None:
    publish = LocalBroker.publish

    async def all_are_taken(self: LocalBroker, events: Sequence[Event]) -> frozenset[str]:
        await publish(self, events)
        return frozenset(event.event_id for event in events)

    LocalBroker.publish = all_are_taken  # type: ignore[method-assign]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "plant", [acknowledge_before_commit, forget_what_was_seen, delete_whatever_the_broker_says]
)
def test_a_planted_bug_is_found(folder: Path, plant: Callable[[], None]) -> None:
    def planted(seed: int) -> Swarm:
        plant()
        return drawn(seed)

    runs = verdicts_of(range(1, PLANTED_SEEDS_MAX + 1), folder, jobs=2, plan=planted)

    assert any(verdict.violations for verdict in runs)


@pytest.mark.proof
@pytest.mark.timeout(240)
def test_a_failure_shrinks_to_what_it_needs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def planted(seed: int) -> Swarm:
        lose_every_answer()
        return drawn(seed)

    assert shrink(1, folder, planted) == 1

    told = capsys.readouterr().out
    (smallest,) = (line for line in told.splitlines() if line.startswith("seed 1, smallest"))
    assert smallest.endswith("faults: none")
    assert "the whole run: python -m proof.simulation --seed 1 --verbose" in told


def lose_every_answer() -> None:
    async def nothing(self: HearInventory, heard: object) -> None:
        return

    HearInventory.__call__ = nothing  # type: ignore[method-assign]
