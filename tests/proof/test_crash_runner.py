"""A case can fail: planted bugs are found, and a point that was not reached proves nothing."""

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from proof.crash import run
from proof.crash.campaign import Site
from proof.crash.launch import Arming
from proof.crash.points import POINTS, Action, Case, Mode
from proof.crash.run import run_case
from proof.crash.testbed import Testbed
from proof.history import read
from testbed.processes import ProgramFailed
from testbed.processes import run as run_program
from testbed.services import python_environment

CONVERGE_S_MAX = 2.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


def case_of(point_id: str, action: Action) -> Case:
    (point,) = [point for point in POINTS if point.point_id == point_id]
    return Case(point, action, Mode.EMBEDDED)


async def violations(case: Case, site: Site, folder: Path, **constants: str) -> list[str]:
    """What is found in services whose SQL has these texts instead of its own."""
    async with site.testbed(case, folder / "case") as testbed:
        testbed.converge_s_max = CONVERGE_S_MAX
        for name, text in constants.items():
            testbed._constants[f"holdfast.chassis.messaging.sql:SQL.sqlite.{name}"] = text
        return (await run_case(case, testbed)).violations


async def test_a_point_that_is_never_reached_fails_its_case(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "REACHED_S_MAX", 1.0)
    case = case_of("o1", Action.DELAY)
    case = replace(case, point=replace(case.point, name="nowhere"))

    assert await violations(case, site, tmp_path) == ["the point was not reached within 1 s"]


@pytest.mark.proof
async def test_a_relay_that_deletes_what_it_never_read_is_found(site: Site, tmp_path: Path) -> None:
    everything = "DELETE FROM outbox WHERE ?1 IS NOT NULL"

    # Events commit while the confirm of earlier ones is on its way.
    case = case_of("r4-orders", Action.DELAY)
    found = await violations(case, site, tmp_path, STAMP_EVENTS=everything)

    assert found


async def test_an_inbox_that_remembers_nothing_is_found(site: Site, tmp_path: Path) -> None:
    nothing = "SELECT value AS event_id FROM json_each(?1) WHERE ?2 IS NOT NULL"

    case = case_of("i5", Action.KILL)
    found = await violations(case, site, tmp_path, REMEMBER_EVENTS=nothing)

    assert any(one.startswith("invariant 8") for one in found)


async def test_a_kill_is_a_kill_and_hits_what_the_first_one_left_too(
    site: Site, tmp_path: Path
) -> None:
    case = case_of("r4-orders", Action.KILL)
    async with site.testbed(case, tmp_path / "case") as testbed:
        verdict = await run_case(case, testbed)

        codes = [path.read_text() for path in ended(testbed)]
        sprung = testbed.sprung("up").read_text().splitlines()

    assert verdict.violations == []
    assert codes == ["-9", "-9", "0"]
    assert [json.loads(line)["name"] for line in sprung] == ["events confirmed"] * 2


async def test_the_history_is_on_disk_and_tells_of_unknown_outcomes(
    site: Site, tmp_path: Path
) -> None:
    case = case_of("o4", Action.KILL)
    async with site.testbed(case, tmp_path / "case") as testbed:
        verdict = await run_case(case, testbed)

    with (tmp_path / "case" / "history.jsonl").open("rb") as lines:
        calls = read(lines)
    assert len(calls) == verdict.calls
    assert {"ok", "info"} <= {call.outcome for call in calls}


async def test_a_service_that_cannot_start_says_why(site: Site, tmp_path: Path) -> None:
    async with site.testbed(case_of("o1", Action.DELAY), tmp_path / "case") as testbed:
        await testbed.prepare()
        await testbed.start("up")
        first = testbed.services["up"]

        with pytest.raises(ProgramFailed, match="another process uses"):
            await testbed.start("up")

        first.signal(signal.SIGTERM)
        assert first.wait() == 0


def test_a_service_can_be_armed_by_hand(tmp_path: Path) -> None:
    arming = tmp_path / "arming.json"
    arming.write_text(Arming((), str(tmp_path / "sprung")).to_json())

    command = [sys.executable, "-m", "proof.crash.launch", str(arming), "--", "--version"]
    environment = python_environment()

    assert run_program("launch", command, env=environment) == version("holdfast")


def ended(testbed: Testbed) -> list[Path]:
    return sorted(testbed.folder.glob("*.ended"))
