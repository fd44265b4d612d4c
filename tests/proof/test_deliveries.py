"""However often and however late an event comes, it has one effect; the count shows others.

`make deliveries` runs the first test with so many events that a million are delivered.
"""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from holdfast.chassis.database.engines import connect
from proof.snapshot import Movement
from testbed.machine import commit
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.proof.deliveries.effects import changes, effects_of
from tests.proof.deliveries.post import COPIES
from tests.proof.deliveries.run import Run
from tests.proof.small_world import World

engine, new_database, urls = contract.engine, contract.new_database, two_services.urls

EVENTS = int(os.environ.get("HOLDFAST_PROOF_EVENTS", "2000"))
SEED = int(os.environ.get("HOLDFAST_PROOF_SEED", "4"))
EVENTS_S_MIN = 40  # of a busy machine


@pytest.mark.timeout(60 + EVENTS / EVENTS_S_MIN)
async def test_events_delivered_three_times_and_again_after_a_month_have_one_effect_each(
    urls: list[str],
) -> None:
    async with connect(urls[0]) as orders, connect(urls[1]) as inventory:
        report = await Run(orders, inventory, seed=SEED)(EVENTS)
    print(report, f"commit {commit()}", sep="\n")

    assert report.is_proof, report
    assert report.events >= EVENTS
    assert report.forgotten >= report.events
    assert report.deliveries[0] == COPIES * report.events
    assert report.deliveries[1] == COPIES * (report.events + report.answered_again)
    assert report.answered_again > 0


def twice_reserved(world: World) -> None:
    world.ledger.append(Movement(6, "LAMP", "main", "RESERVATION", 0, 2, 9, 4, "o-1"))


def released_for_nothing(world: World) -> None:
    world.ledger.append(Movement(6, "LAMP", "main", "RELEASE", 0, -2, 9, 0, "o-1"))


def never_released(world: World) -> None:
    del world.ledger[3]


def not_decided(world: World) -> None:
    del world.reservations["o-4"]


def confirmed_twice(world: World) -> None:
    history = world.orders["o-3"].history
    world.change_order("o-3", history=history + history[:2])


def told_twice(world: World) -> None:
    world.feeds["orders"].append(world.feeds["orders"][1])


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (twice_reserved, "reservations"),
        (released_for_nothing, "releases"),
        (never_released, "releases"),
        (not_decided, "decisions"),
        (confirmed_twice, "status steps"),
        (told_twice, "steps told"),
    ],
)
def test_an_effect_that_is_missing_or_there_twice_is_counted(
    damage: Callable[[World], None], kind: str
) -> None:
    world = World()
    world.keep_feeds()
    assert all(one.are_single for one in effects_of(world.record().snapshot))

    damage(world)

    many = [one.name for one in effects_of(world.record().snapshot) if not one.are_single]
    assert kind in many


def test_whatever_a_second_month_changes_is_named() -> None:
    world = World()
    world.keep_feeds()
    before = world.record().snapshot
    assert changes(before, replace(before, inboxes={})) == []

    twice_reserved(world)
    told_twice(world)

    assert changes(before, world.record().snapshot) == ["ledger", "feeds"]
