"""Faults come by the seed: the same ones at the same times, each kind once before any again."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from proof.chaos.fault import Fault, Ineffective
from proof.chaos.schedule import Strike, schedule
from proof.chaos.striking import Striking
from proof.chaos.testbed import Testbed
from testbed.processes import ProgramFailed

KINDS = dict.fromkeys(("freeze", "kill", "cut", "fill"), 1.0)
NO_TESTBED = cast(Testbed, None)


def drawn(seed: int, seconds: float = 120.0) -> list[Strike]:
    return schedule(seed, seconds=seconds, gap_s=4.0, weights=KINDS)


def test_a_seed_draws_the_same_strikes_and_another_seed_others() -> None:
    assert drawn(7) == drawn(7) != drawn(8)


def test_each_kind_comes_once_before_any_comes_again() -> None:
    for seed in range(20):
        first = [strike.kind for strike in drawn(seed)][: len(KINDS)]
        assert sorted(first) == sorted(KINDS)


def test_strikes_come_in_order_within_the_time_at_about_the_given_pace() -> None:
    strikes = drawn(9, seconds=4_000.0)

    times = [strike.at_s for strike in strikes]
    assert times == sorted(times)
    assert 0 < times[0] <= times[-1] < 4_000.0
    assert 700 < len(times) < 1_200
    assert len(set(times)) < len(times), "some come at once"


def test_what_weighs_more_comes_more_often() -> None:
    strikes = schedule(10, seconds=4_000.0, gap_s=4.0, weights={"often": 9.0, "seldom": 1.0})

    often = sum(strike.kind == "often" for strike in strikes)
    assert 0.8 < often / len(strikes) < 0.97


def test_no_two_strikes_share_their_dice() -> None:
    strikes = drawn(11, seconds=1_000.0)

    assert len({strike.dice for strike in strikes}) == len(strikes)


@dataclass
class Bruises:
    """Faults that hurt nobody, and what was done with them."""

    notes: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def striking(
        self,
        *,
        group: str = "",
        strike_fails: Exception | None = None,
        heal_fails: Exception | None = None,
    ) -> Striking:
        """Strikes faults named by one letter; all of one group, or each of its own."""
        kinds = {
            letter: self.kind(letter, group or letter, strike_fails, heal_fails)
            for letter in "abcdef"
        }
        return Striking(NO_TESTBED, kinds, self.said.append)

    def kind(
        self,
        letter: str,
        of_group: str,
        strike_fails: Exception | None,
        heal_fails: Exception | None,
    ) -> type[Fault]:
        notes = self.notes

        class Bruise(Fault):
            name, group, durations_s = letter, of_group, (0.05,)

            def choose(self) -> None:
                self.target = "somebody"

            def _strike(self) -> None:
                if strike_fails:
                    raise strike_fails
                notes.append(f"strike {letter}")
                self.kills = 1

            def _heal(self) -> None:
                notes.append(f"heal {letter}")
                if heal_fails:
                    raise heal_fails

        return Bruise


@pytest.fixture
def bruises() -> Bruises:
    return Bruises()


def strikes(names: str) -> list[Strike]:
    """One after the other, at once."""
    return [Strike(0.0, name, name) for name in names]


async def test_every_strike_lasts_and_is_healed(bruises: Bruises) -> None:
    striking = bruises.striking(group="of one group")

    await striking.strike_all(strikes("ab"), until_s=10.0)

    assert bruises.notes == ["strike a", "heal a", "strike b", "heal b"]
    assert striking.damage.strikes == {"a": 1, "b": 1}
    assert striking.damage.kills == {"a": 1, "b": 1}


@pytest.mark.parametrize(("group", "at_once"), [("", 2), ("of one group", 1)])
async def test_at_most_two_faults_are_there_at_once_and_never_two_of_one_group(
    bruises: Bruises, group: str, at_once: int
) -> None:
    await bruises.striking(group=group).strike_all(strikes("abcdef"), until_s=10.0)

    there = most = 0
    for note in bruises.notes:
        there += 1 if note.startswith("strike") else -1
        most = max(most, there)
    assert most == at_once
    assert len(bruises.notes) == 12


async def test_nothing_is_struck_after_the_time(bruises: Bruises) -> None:
    too_late = Strike(2.1, "c", "c")  # and the others have seconds, on a busy machine too
    await bruises.striking().strike_all([*strikes("ab"), too_late], until_s=2.0)

    assert [note for note in bruises.notes if note.startswith("strike")] == ["strike a", "strike b"]


async def test_nothing_is_struck_when_it_is_enough(bruises: Bruises) -> None:
    striking = bruises.striking(group="of one group")

    await striking.strike_all(
        strikes("abcdef"), until_s=10.0, enough=lambda: striking.damage.kills.total() >= 2
    )

    assert bruises.notes == ["strike a", "heal a", "strike b", "heal b"]


async def test_a_fault_that_hit_nothing_is_counted_as_missed_and_healed(bruises: Bruises) -> None:
    striking = bruises.striking(strike_fails=Ineffective("nobody was there"))

    await striking.strike_all(strikes("a"), until_s=10.0)

    assert (striking.damage.strikes, striking.damage.missed) == ({}, {"a": 1})
    assert bruises.notes == ["heal a"]
    assert any("nobody was there" in line for line in bruises.said)


async def test_what_cannot_be_healed_yet_is_told_and_the_rest_goes_on(bruises: Bruises) -> None:
    striking = bruises.striking(group="of one group", heal_fails=ProgramFailed("it does not serve"))

    await striking.strike_all(strikes("ab"), until_s=10.0)

    assert striking.damage.unhealed == ["a, somebody", "b, somebody"]
    assert striking.damage.strikes.total() == 2


async def test_an_error_of_the_campaign_itself_ends_it(bruises: Bruises) -> None:
    striking = bruises.striking(strike_fails=KeyError("a mistake of ours"))

    with pytest.raises(ExceptionGroup):
        async with asyncio.timeout(5.0):
            await striking.strike_all(strikes("a"), until_s=10.0)
