"""An action happens at its failpoint, in its loop, as often as it should, and says so first."""

import asyncio
import json
from pathlib import Path

import pytest

from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable
from proof.crash.failpoint_actions import (
    ERRORS,
    LOOP,
    MESSAGES,
    VERBS,
    FailpointAction,
    FailpointActions,
)
from proof.crash.launch import Arming
from proof.crash.points import POINTS, Action

POINT, PLACING = "before commit", "orders placing"
RAISING = FailpointAction(POINT, PLACING, Action.RAISE, errors=("DatabaseUnavailable", "Conflict"))


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "sprung"


async def reach(
    actions: FailpointActions,
    name: str = POINT,
    *,
    loop: str = PLACING,
    messages: int = 1,
    verbs: tuple[str, ...] = (),
) -> None:
    async def pass_by() -> None:
        LOOP.set(loop)
        VERBS.set(frozenset(verbs))
        MESSAGES.set(messages)
        await actions.reached(name)

    await asyncio.create_task(pass_by())  # with a context of its own


async def test_each_error_is_raised_once_and_in_turn(told: Path) -> None:
    actions = FailpointActions([RAISING], told)

    with pytest.raises(DatabaseUnavailable):
        await reach(actions)
    with pytest.raises(Conflict):
        await reach(actions)
    await reach(actions)

    assert [json.loads(line)["error"] for line in told.read_text().splitlines()] == [
        "DatabaseUnavailable",
        "Conflict",
    ]


async def test_another_point_or_loop_leaves_it_alone(told: Path) -> None:
    actions = FailpointActions([RAISING], told)

    await reach(actions, "committed")
    await reach(actions, loop="orders consumer")

    assert told.read_text() == ""


async def test_it_can_wait_for_another_point_of_its_loop(told: Path) -> None:
    armed = FailpointAction(
        POINT, PLACING, Action.RAISE, errors=("Conflict",), after="stock checked"
    )
    actions = FailpointActions([armed], told)

    await reach(actions)
    await reach(actions, "stock checked", loop="elsewhere")
    await reach(actions)
    await reach(actions, "stock checked")
    with pytest.raises(Conflict):
        await reach(actions)


async def test_it_can_wait_for_a_batch_of_several_messages(told: Path) -> None:
    armed = FailpointAction(POINT, PLACING, Action.RAISE, errors=("Conflict",), messages_min=2)
    actions = FailpointActions([armed], told)

    await reach(actions)
    with pytest.raises(Conflict):
        await reach(actions, messages=2)


async def test_it_can_belong_to_one_verb_of_those_that_pass(told: Path) -> None:
    armed = FailpointAction(POINT, "", Action.RAISE, errors=("Conflict",), verb="ShipOrder")
    actions = FailpointActions([armed], told)

    await reach(actions, loop="")
    await reach(actions, loop="", verbs=("OpenReturn", "CloseReturn"))
    with pytest.raises(Conflict):
        await reach(actions, loop="", verbs=("OpenReturn", "ShipOrder"))


async def test_a_delay_takes_its_time_once(told: Path) -> None:
    actions = FailpointActions([FailpointAction(POINT, PLACING, Action.DELAY, seconds=0.05)], told)
    clock = asyncio.get_running_loop().time

    started = clock()
    await reach(actions)
    delayed = clock()
    await reach(actions)

    assert delayed - started >= 0.05 > clock() - delayed


def test_every_error_that_a_point_may_raise_can_be_raised() -> None:
    assert {name for point in POINTS for name in point.errors} == set(ERRORS)


def test_an_arming_is_the_same_after_its_way_as_json() -> None:
    arming = Arming((RAISING,), "told", {"module:NAME": 2}, at_once=True)

    assert Arming.from_json(arming.to_json()) == arming
