"""Bugs of the feed: what must not happen between the outbox and whoever follows."""

from collections.abc import Sequence
from typing import Any

from holdfast.chassis.messaging import feed, outbox
from holdfast.chassis.messaging.feed import Feed, Trimming
from holdfast.chassis.messaging.outbox import Relay
from holdfast.chassis.messaging.sql import SQL
from proof.mutants.planting import bug, edited

TESTS = ("tests/contract/test_feed.py",)
PLACE = "(SELECT last FROM feed_head) + row_number() OVER (ORDER BY position)"
NO_RESTORE = "nothing is restored from a backup there"


def ready_or_not(rows: Sequence[Any], left: Sequence[Any]) -> list[int]:
    return [row["position"] for row in rows if row not in left]


def believe(cursor: Any, newest: int, there: Any) -> None:
    return


def _in_sqlite(*changes: tuple[str, str]) -> tuple[Any, str, object]:
    return edited(SQL["sqlite"], "STAMP_EVENTS", *changes)


BUGS = (
    bug(
        "fed twice at a failover",
        "Events enter the feed in one transaction and leave the outbox in the next one.",
        edited(
            Relay,
            "relay_batch",
            (
                "await self._database.execute(self._sql.STAMP_EVENTS, done)",
                "for part in self._sql.STAMP_EVENTS.split(';\\n'):\n"
                "            await self._database.execute(part, *([done] if '?1' in part else []))",
            ),
        ),
    ),
    bug(
        "fed by range",
        "All up to the newest published event leaves the outbox, and only what was published "
        "enters the feed.",
        _in_sqlite(
            (
                "DELETE FROM outbox\n      WHERE position IN (SELECT value FROM json_each(?1))",
                "DELETE FROM outbox\n"
                "      WHERE position <= (SELECT max(value) FROM json_each(?1))",
            )
        ),
    ),
    bug(
        "fed newest first",
        "Events of a batch get their places the wrong way round.",
        _in_sqlite(("OVER (ORDER BY position)", "OVER (ORDER BY position DESC)")),
    ),
    bug(
        "fed before what was refused",
        "An event enters the feed while an earlier one of its subject waits for the broker.",
        (outbox, "_ready", ready_or_not),
    ),
    bug(
        "fed before what a broken queue keeps",
        "An event is published, and enters the feed, while an earlier one of its subject waits for "
        "a queue that is not as it should be.",
        edited(Relay, "_next_of_other_types", (' if row["subject"] not in held', "")),
        tests=TESTS,
        why_tests="no queue is somebody else's there",
    ),
    bug(
        "a gap for each repeat",
        "The head counts what leaves the outbox, repeats too, that have no place in the feed.",
        _in_sqlite(
            (
                "coalesce((SELECT max(position) FROM feed), last)",
                "last + (SELECT count(*) FROM json_each(?1))",
            )
        ),
    ),
    bug(
        "places from before the commit",
        "An event's place in the feed is the number that it got before it was committed.",
        _in_sqlite(
            ("(SELECT last FROM feed_head) + row_number() OVER (ORDER BY position)", "position")
        ),
    ),
    bug(
        "repeats in the feed",
        "What is told again under another id enters the feed again.",
        _in_sqlite(("\n        AND NOT is_repeat", "")),
    ),
    bug(
        "a page that was cut ends at the head",
        "Whoever reads a page that has no room for everything goes on behind everything.",
        edited(Feed, "read", ("if is_cut:", "if False:")),
    ),
    bug(
        "a cursor of a lost future is taken",
        "Nobody looks whether the event that a cursor names is the one that stands there.",
        (feed, "_require_there", believe),
        tests=TESTS,
        why_tests=NO_RESTORE,
    ),
    bug(
        "the newest event is cut off",
        "What is too old goes, and with the newest event the cursors of all who have read it.",
        edited(
            Trimming,
            "__call__",
            ('min(first + CUT_EVENTS, head["last"])', "first + CUT_EVENTS"),
            (' or first == head["last"]', ""),
        ),
        tests=TESTS,
        why_tests="nothing gets so old there that all of it is too old, but by a jump of the clock",
    ),
    bug(
        "no fence for a second relay",
        "The head is read without a lock: two relays give the same places.",
        edited(SQL["postgresql"], "STAMP_EVENTS", ("\n            FOR UPDATE", "")),
        tests=TESTS,
        why_tests="PostgreSQL's own SQL is not simulated",
    ),
)
