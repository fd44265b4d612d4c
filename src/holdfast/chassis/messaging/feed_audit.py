"""The feed held against itself, the outbox, and what the service knows of each thing it told of."""

from datetime import timedelta

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import Row, instant

# What was cut off for its age is told by time, and times of events that stand side by side in the
# feed differ by as long as a transaction may take.
SKEW = timedelta(minutes=10)
WHOLE = instant("0001-01-01T00:00:00+00:00")  # nothing was cut off yet

QUESTIONS = {
    "the head of the feed is at {last}, its newest event at {newest}": """
SELECT last, coalesce(newest, 0) AS newest
  FROM feed_head
 CROSS JOIN (SELECT max(position) AS newest FROM feed) AS events
 WHERE last <> coalesce(newest, 0)
""",
    "the feed has {heads} heads": """
SELECT count(*) AS heads
  FROM feed_head
HAVING count(*) <> 1
""",
    "the feed has {events} events at the positions from {oldest} to {newest}": """
SELECT count(*) AS events, min(position) AS oldest, max(position) AS newest
  FROM feed
HAVING count(*) <> max(position) - min(position) + 1
""",
    "event {event_id} is {times} times in the feed": """
SELECT event_id, count(*) AS times
  FROM feed
 GROUP BY event_id
HAVING count(*) > 1
""",
    "event {event_id} is in the feed and in the outbox": """
SELECT outbox.event_id
  FROM outbox
  JOIN feed ON feed.event_id = outbox.event_id
 WHERE NOT is_repeat
""",
}

# What waits in the outbox comes after all that has left it, in its order. A repeat there is for no
# feed: it was told before, here or by another service, whose sequence counts something else.
ORDER = """
SELECT waits, position, subject, sequence, before
  FROM (SELECT waits, position, subject, sequence,
               lag(sequence) OVER (PARTITION BY subject ORDER BY waits, position) AS before
          FROM (SELECT 0 AS waits, position, subject, sequence FROM feed WHERE type <> $1
                 UNION ALL
                SELECT 1 AS waits, position, subject, sequence FROM outbox
                 WHERE type <> $1 AND NOT is_repeat) AS all_told) AS told
 WHERE sequence <> coalesce(before, $2) + 1
 ORDER BY waits, position
"""

# Of what changed since the oldest event that is kept, the newest version must be told.
_NEWEST = """
SELECT known.subject, known.version, told.newest
  FROM ({versions}) AS known
  LEFT JOIN (SELECT subject, max(sequence) AS newest
               FROM (SELECT subject, sequence FROM feed WHERE type <> $1
                      UNION ALL
                     SELECT subject, sequence FROM outbox
                      WHERE type <> $1 AND NOT is_repeat) AS all_told
              GROUP BY subject) AS told
    ON told.subject = known.subject
 WHERE coalesce(told.newest, 0) <> known.version
   AND (told.newest IS NOT NULL OR known.updated_at > $2)
"""

OLDEST = """
  SELECT position, happened_at
    FROM feed
ORDER BY position
   LIMIT 1
"""


async def audit(auditor: Auditor, versions: str, *, beside: str = "") -> None:
    """Check that positions are dense, that no event is there twice or in the outbox too, and that
    each subject's events, with those in the outbox, follow each other without a gap up to its
    newest version.

    :param versions: SQL that gives `subject`, `version` and `updated_at` of all that is told of.
    :param beside: a type of event whose sequence counts something else.
    """
    await auditor.count({"events in the feed of " + auditor.service: "feed"})
    await auditor.refute(QUESTIONS)
    service, contradict = auditor.service, auditor.findings.contradict
    oldest = await auditor.rows(OLDEST)
    is_whole = not oldest or oldest[0]["position"] == 1
    since = WHOLE if is_whole else instant(oldest[0]["happened_at"]) + SKEW
    contradict(
        [
            f"{service}: {_place(row)} {row['subject']} comes to {row['sequence']}"
            f" after {row['before'] or 'nothing'}"
            for row in await auditor.rows(ORDER, beside, 0 if is_whole else None)
        ]
    )
    contradict(
        [
            f"{service}: {row['subject']} is at version {row['version']}, and the newest told is"
            f" {row['newest'] or 'none'}"
            for row in await auditor.rows(_NEWEST.format(versions=versions), beside, since)
        ]
    )


def _place(row: Row) -> str:
    return "in the outbox" if row["waits"] else f"at position {row['position']} of the feed"
