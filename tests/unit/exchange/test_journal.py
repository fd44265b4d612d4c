"""The journal of an import: it goes on where it was, whatever was cut off, and is of one import."""

from pathlib import Path

import pytest

from holdfast.exchange.journal import NOTES_MAX, Counts, Journal
from holdfast.exchange.kinds import LineNote
from holdfast.importing.flaws import UnreadableFile

SUBJECT = {"kind": "stock", "file": "digest", "into": "here"}
FIRST = Counts(4, 3, created=2, refused=1, problems=[LineNote(3, "on_hand", "is missing")])
SECOND = Counts(7, 3, unchanged=3)


class Ended(Exception):
    """The import was ended."""


def end(path: Path, *parts: Counts, subject: dict[str, str] = SUBJECT, run: str = "r") -> Journal:
    """A journal of an import that ended after these parts."""
    journal = Journal(path, subject, run)
    with pytest.raises(Ended):
        write(journal, *parts)
    return journal


def write(journal: Journal, *parts: Counts) -> None:
    with journal as kept:
        kept.begin()
        for part in parts:
            kept.reached(part)
        raise Ended


def test_what_was_reached_is_known_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    end(path, FIRST, SECOND, run="first")

    again = end(path, run="another")

    assert (again.is_resumed, again.run) == (True, "first")
    assert again.before == Counts(7, 6, created=2, unchanged=3, refused=1, problems=FIRST.problems)


@pytest.mark.parametrize("cut", range(2, 120, 7))
def test_a_line_that_was_cut_off_counts_for_nothing_and_harms_none(
    tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "journal"
    end(path, FIRST, SECOND)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])

    assert end(path, SECOND).before.through == 4
    assert end(path).before.through == 7


def test_the_journal_of_another_file_or_place_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    for other in ("kind", "file", "into"):
        end(path, FIRST)
        anew = end(path, subject={**SUBJECT, other: "other"}, run="new")
        assert (anew.is_resumed, anew.run, anew.before) == (False, "new", Counts())


def test_it_is_gone_when_all_is_done(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    end(path, FIRST)

    with Journal(path, SUBJECT, "r") as journal:
        journal.reached(SECOND)

    assert not path.exists()


def test_notes_are_kept_up_to_a_bound_and_all_are_counted() -> None:
    note = LineNote(2, "on_hand", "is missing")
    total = Counts()
    for _ in range(3):
        total.add(Counts(2, 600, refused=600, problems=[note] * 600))

    assert (len(total.problems), total.refused) == (NOTES_MAX, 1_800)


def test_a_journal_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with (
        pytest.raises(UnreadableFile, match="give --journal PATH"),
        Journal(tmp_path / "file" / "journal", SUBJECT, "r") as journal,
    ):
        journal.begin()
