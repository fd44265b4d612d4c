"""How far an import has come, kept beside its file until it is finished.

Lines are only added; one that was cut off by a power cut counts for nothing. Losing it all costs
time: what was taken in is found to be there.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from holdfast.exchange.kinds import LineNote
from holdfast.importing.encodings import opened
from holdfast.importing.flaws import UnreadableFile, why

NOTES_MAX = 1_000  # kept of each part, and told in all
_PIECE_BYTES = 1_048_576


@dataclass(slots=True)
class Counts:
    """What became of some lines; `through` is the last of them.

    :param created, changed, unchanged, refused: items, which are lines, but for orders.
    :param problems: what is wrong with those refused, the first of them.
    """

    through: int = 0
    lines: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    warned: int = 0
    problems: list[LineNote] = field(default_factory=list)
    warnings: list[LineNote] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        """Take in what comes behind."""
        self.through = max(self.through, other.through)
        for name in ("lines", "created", "changed", "unchanged", "refused", "warned"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems[: NOTES_MAX - len(self.problems)]
        self.warnings += other.warnings[: NOTES_MAX - len(self.warnings)]


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file's contents in short, and about how many lines it has (0: nobody knows)."""

    digest: str
    lines: int


def digest_of(path: Path) -> FileDigest:
    """Read a file once, whatever it is.

    :raises UnreadableFile: it cannot be read.
    """
    found, lines = hashlib.sha256(), 0
    with opened(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            found.update(piece)
            lines += piece.count(b"\n")
    return FileDigest(found.hexdigest(), lines)


class Journal:
    """Where an import of a file was, and goes on.

    :param subject: what it is of, and into what: the journal of another one is begun anew.
    """

    def __init__(self, path: Path, subject: dict[str, str], run: str) -> None:
        self.path, self._subject = path, subject
        self.run, self.before = run, Counts()
        self.is_resumed = False
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Take up the journal that is there, if it is of the same.

        :raises UnreadableFile: it can't be read.
        """
        with self._telling():
            found = list(_read(self.path)) if self.path.exists() else []
        if found and found[0].get("of") == self._subject:
            self.run, self.is_resumed = str(found[0]["run"]), True
            for one in found[1:]:
                self.before.add(_counts(one))
        return self

    def begin(self) -> None:
        """Have it there before anything is done. A repeat changes nothing.

        :raises UnreadableFile: it can't be written.
        """
        if self._file is not None:
            return
        with self._telling():
            self._file = self.path.open("a" if self.is_resumed else "w", encoding="utf-8")
        if self.is_resumed:
            self._file.write("\n")  # ends what may have been cut off
        else:
            self._write({"of": self._subject, "run": self.run})

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem = f"{why(error)}: give --journal PATH"
            raise UnreadableFile(self.path, problem, is_there=False) from error

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        if error is None:
            self.path.unlink(missing_ok=True)

    def reached(self, counts: Counts) -> None:
        """Everything up to `counts.through` is taken in."""
        self.begin()
        self._write(asdict(counts))

    def _write(self, value: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(value) + "\n")
        self._file.flush()


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                found = json.loads(line)
            except ValueError:
                continue  # it was cut off
            if isinstance(found, dict):
                yield found


def _counts(found: dict[str, Any]) -> Counts:
    problems, warnings = (
        [LineNote(**note) for note in found.pop(name)] for name in ("problems", "warnings")
    )
    return Counts(**found, problems=problems, warnings=warnings)
