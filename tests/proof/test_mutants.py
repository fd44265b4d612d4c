"""Planted bugs: each breaks what it names and leaves no trace, and those who look find it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.chassis.messaging.inbox import Inbox
from proof.mutants.catalogue import BUGS
from proof.mutants.hunt import ROOT, Catch, hunt, run_tests, violations_of_the_sound
from proof.mutants.planting import Bug, bug, edited
from proof.simulation.campaign import templates

pytestmark = pytest.mark.forks

# Of `testing.md`, in its words where they fit; what it says of notifications, of the feed.
DEMANDED = (
    "ack before commit",
    "publish before commit",
    "mark before confirm",
    "no inbox",
    "inbox in another transaction",
    "cursor relay",
    "SKIP LOCKED with two relays",
    "no CHECK",
    "read-modify-write of stock",
    "expiry without release",
    "release twice",
    "ignore returns",
    "nack loop",
    "dead letters go nowhere",
    "TTL of 1 s in the inbox",
    "process-clock expiry",
    "same request_id race",
    "no tombstone",
    "batch ack past an unfinished tag",
    "ack on a new channel",
    "swallow an exception",
    "drop an unknown type",
    "float money",
    "stale version overwrite",
    "an ending is not told",
    "an ending is told twice",
)
SEEDS_MAX = 16


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with templates() as made:
        yield made


def test_every_bug_that_was_demanded_can_be_planted() -> None:
    assert len(DEMANDED) == 26
    assert set(DEMANDED) <= set(BUGS)


@pytest.mark.parametrize("planted", BUGS.values(), ids=str)
def test_a_bug_stands_in_the_place_of_something_else_and_leaves_no_trace(planted: Bug) -> None:
    before = [vars(patch.owner)[patch.name] for patch in planted.patches]
    assert planted.patches

    with planted.planted():
        during = [vars(patch.owner)[patch.name] for patch in planted.patches]

    assert during == [patch.new for patch in planted.patches]
    assert all(new != old for new, old in zip(during, before, strict=True))
    after = [vars(patch.owner)[patch.name] for patch in planted.patches]
    assert all(new is old for new, old in zip(after, before, strict=True))


def test_what_is_not_there_cannot_be_broken() -> None:
    nothing = bug("nothing", "It names what nobody has.", (Inbox, "last_seen", None))

    with pytest.raises(AssertionError, match="Inbox has no last_seen"), nothing.planted():
        pass


@pytest.mark.parametrize("words", ["forget_newest", "self"])
def test_words_that_do_not_stand_there_exactly_once_cannot_be_edited(words: str) -> None:
    with pytest.raises(AssertionError, match=r"first_seen has this [0-9]+ times, not once"):
        edited(Inbox, "first_seen", (words, "pass"))


def test_every_test_that_is_to_catch_a_bug_exists() -> None:
    for planted in BUGS.values():
        for test in planted.tests:
            file, _, name = test.partition("::")
            assert name in (ROOT / file).read_text(), test


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name",
    [
        "no inbox",
        pytest.param("no rule and no CHECK", marks=pytest.mark.proof),
        pytest.param("mark before confirm", marks=pytest.mark.proof),
    ],
)
def test_a_planted_bug_is_found_in_simulated_runs(name: str, folder: Path) -> None:
    catch = hunt(BUGS[name], folder, seeds_max=SEEDS_MAX, jobs=2)

    assert catch.by == "simulation"
    assert 1 <= catch.seeds <= SEEDS_MAX
    assert violations_of_the_sound(folder, seeds_max=catch.seeds, jobs=2) == []


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_bug_that_no_run_shows_is_found_by_the_tests_that_it_names(folder: Path) -> None:
    planted = BUGS["no CHECK"]

    catch = hunt(planted, folder, seeds_max=1, jobs=1)

    assert (catch.by, catch.seeds) == ("tests", 1)
    assert "test_the_tables_refuse_to_oversell" in catch.sign
    assert run_tests(planted.tests) == ""


@pytest.mark.timeout(300)
def test_what_is_no_bug_is_not_caught(folder: Path) -> None:
    harmless = bug("harmless", "It does nothing.", (Inbox, "__doc__", "Remembers events."))

    assert hunt(harmless, folder, seeds_max=2, jobs=2) == Catch("harmless", "", 2, "")
