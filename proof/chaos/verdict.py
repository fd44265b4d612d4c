"""The verdict on a run, and what was counted on the way to it: for people, and one line of JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from proof.run_record import SERVED, RunRecord, Violation
from testbed.machine import commit, load_average, machine

SHOWN_MAX = 20

# What a person asks first, by the numbers of the promises that answer it.
PLAIN_QUESTIONS: Mapping[str, frozenset[int]] = {
    "lost": frozenset({3, 7}),
    "oversold": frozenset({1, 2}),
    "duplicated": frozenset({5, 8, 12}),
    "stuck": frozenset({9, 13}),
}


@dataclass
class Verdict:
    """What a run is worth.

    :param findings: reasons against it beside the checker's; empty: all is well.
    """

    name: str
    seed: int
    violations: Sequence[Violation] = ()
    findings: list[str] = field(default_factory=list)
    counts: dict[str, object] = field(default_factory=dict)
    raw: str = ""  # where the raw log is

    @property
    def ok(self) -> bool:
        return not self.violations and not self.findings

    def plain_answers(self) -> dict[str, int]:
        """How many orders or events were lost, oversold, duplicated, stuck, or wrong otherwise."""
        numbers = Counter(violation.invariant for violation in self.violations)
        answers = {
            name: sum(numbers[number] for number in asked)
            for name, asked in PLAIN_QUESTIONS.items()
        }
        return answers | {"otherwise wrong": numbers.total() - sum(answers.values())}

    def __str__(self) -> str:
        lines = [f"{self.name}, seed {self.seed}, commit {commit()}"]
        lines += [f"  {name}: {_plain(value)}" for name, value in self.counts.items()]
        lines += [f"  {name}: {count}" for name, count in self.plain_answers().items()]
        lines += _shortened(f"FOUND: {finding}" for finding in self.findings)
        lines += _shortened(
            f"VIOLATION of {violation.invariant}: {violation.subject}: {violation.text}"
            for violation in self.violations
        )
        lines.append(f"  raw log: {self.raw or 'not kept'}")
        lines.append("all promises were kept" if self.ok else "PROMISES WERE BROKEN")
        return "\n".join(lines)

    def json(self) -> str:
        """Everything in one line."""
        return json.dumps(
            {
                "figure": self.name,
                "ok": self.ok,
                "seed": self.seed,
                "commit": commit(),
                "machine": machine(),
                "load_average": load_average(),
                **self.plain_answers(),
                "findings": self.findings,
                "violations": [list(violation) for violation in self.violations[:SHOWN_MAX]],
                "violations_in_all": len(self.violations),
                "counts": self.counts,
                "raw_log": self.raw,
            }
        )


def counts_of(record: RunRecord) -> dict[str, object]:
    """What a history and the databases have in numbers."""
    calls, orders = record.calls, record.snapshot.orders.values()
    return {
        "calls": len(calls),
        "calls by method": by_number(call.method for call in calls),
        "calls by outcome": by_number(call.outcome for call in calls),
        "refused or in doubt by code": by_number(call.code for call in calls if call.code),
        "orders": len(orders),
        "orders by status": by_number(order.status for order in orders),
        "movements": by_number(movement.kind for movement in record.snapshot.ledger),
        "promises to who had waited": sum(one.reason == SERVED for one in record.snapshot.ledger),
        "promises that gave way": len(record.displaced),
        "orders that wait": len(record.snapshot.queues),
        "events heard": len(record.observed_events or ()),
        "different events heard": len({one.event_id for one in record.observed_events or ()}),
        "samples of the levels": len(record.samples),
        "dead letters": len(record.snapshot.letters),
    }


def by_number(things: Iterable[str]) -> dict[str, int]:
    """How many there are of each, most first."""
    return dict(Counter(things).most_common())


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "none"
    return value


def _shortened(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    more = [f"  and {len(found) - SHOWN_MAX} more"] if len(found) > SHOWN_MAX else []
    return [f"  {line}" for line in found[:SHOWN_MAX]] + more
