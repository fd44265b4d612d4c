"""Audits of one database: questions whose every answer row is a contradiction, and the counts
that make them credible.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.message import DecodeError

from holdfast.chassis.database.seam import Engine, Reading, Row, instant

CONTRADICTIONS_SHOWN_MAX = 20
EVENTS_WAIT_S_MAX = 10.0

# A repeat tells when it happened, not since when it waits: see `BACKLOG` in `messaging/sql.py`.
OUTBOX = """
SELECT count(*) AS waiting, min(happened_at) AS oldest
  FROM outbox
 WHERE NOT is_repeat
"""

REPEATS = """
SELECT count(*) AS waiting
  FROM outbox
 WHERE is_repeat
"""

LETTERS = """
  SELECT letter_id, queue, reason, type, parked_at
    FROM dead_letter
ORDER BY parked_at, letter_id
"""


@dataclass(slots=True)
class Findings:
    """What an audit counted, noticed and found wrong."""

    checked: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)

    def contradict(self, texts: list[str]) -> None:
        """Add contradictions of one kind, the first CONTRADICTIONS_SHOWN_MAX in full."""
        self.contradictions += texts[:CONTRADICTIONS_SHOWN_MAX]
        if len(texts) > CONTRADICTIONS_SHOWN_MAX:
            self.contradictions.append(
                f"... and {len(texts) - CONTRADICTIONS_SHOWN_MAX} more like these"
            )


class Auditor:
    """Asks one database, in SQL that both engines understand (`$n` stands for the n-th argument).

    :param service: named in every finding.
    :param at: the time of the audit.
    """

    def __init__(
        self, service: str, engine: Engine, reading: Reading, findings: Findings, at: datetime
    ) -> None:
        self.service = service
        self.at = at
        self.findings = findings
        self._reading = reading
        self._mark = "?" if engine == "sqlite" else "$"

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """Return the answer to one question."""
        return list(await self._reading.fetch(sql.replace("$", self._mark), *arguments))

    async def count(self, counts: Mapping[str, str]) -> None:
        """Count what there is: a name and a table (with conditions) each."""
        for name, table in counts.items():
            (row,) = await self.rows("SELECT count(*) AS n FROM " + table)  # noqa: S608 - constants only
            self.findings.checked[name] = row["n"]

    async def refute(self, questions: Mapping[str, str]) -> None:
        """Ask questions that a sound database answers with nothing.

        :param questions: what an answer row means, with the row's columns in braces, and the SQL.
        """
        for meaning, sql in questions.items():
            rows = await self.rows(sql)
            self.findings.contradict([f"{self.service}: {_filled(meaning, row)}" for row in rows])

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Go on behind the block where it can't read a record, and report that.

        :param what: of what it is, to be read before "cannot be read".
        """
        try:
            yield
        except (ValueError, TypeError, DecodeError) as error:
            text = f"{self.service}: {what} cannot be read: {error}"
            self.findings.contradictions.append(text)

    async def messages(self) -> None:
        """Report dead letters, and events that wait in the outbox."""
        for row in await self.rows(LETTERS):
            what = row["type"] or "bytes that are no event"
            text = f"{self.service}: dead letter {row['letter_id']} ({what}) on {row['queue']}"
            if row["reason"]:
                self.findings.notes.append(f"{text}: {row['reason']}")
            else:
                self.findings.contradict([f"{text} has no reason"])
        (row,) = await self.rows(OUTBOX)
        self.overdue(
            "{n} events wait in the outbox since {oldest}",
            row["waiting"],
            row["oldest"],
            after_s=EVENTS_WAIT_S_MAX,
        )
        (row,) = await self.rows(REPEATS)
        if row["waiting"]:
            self.findings.notes.append(
                f"{self.service}: {row['waiting']} repeats wait in the outbox"
            )

    def overdue(
        self, meaning: str, n: int, oldest: datetime | str | None, *, after_s: float
    ) -> None:
        """Report what waits: a note while it may be on its way, a contradiction after so long.

        :param meaning: with {n} and {oldest} in it.
        """
        if not n or oldest is None:
            return
        since = instant(oldest)
        text = f"{self.service}: {meaning.format(n=n, oldest=since.isoformat(timespec='seconds'))}"
        if (self.at - since).total_seconds() > after_s:
            self.findings.contradictions.append(text)
        else:
            self.findings.notes.append(text)


def _filled(meaning: str, row: Row) -> str:
    names = [part.partition("}")[0] for part in meaning.split("{")[1:]]
    return meaning.format(**{name: row[name] for name in names})
