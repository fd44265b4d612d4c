"""What a scenario found: figures with their ratio, floor and aim, as a table and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

PIPE_COLUMNS = 150  # rich would cut a table at 80 where there is no terminal to measure
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, as a rule the median of several looks.

    :param ratio: what is judged, if the value itself is not; `ratio_of` says to what.
    :param floor: what it must reach, or must not exceed if less is better.
    """

    name: str
    value: float
    unit: str
    low: float = 0.0
    high: float = 0.0
    ratio: float | None = None
    ratio_of: str = ""
    floor: float | None = None
    aim: float | None = None
    less_is_better: bool = False

    @property
    def label(self) -> str:
        """Its name and unit: the same calls may be counted and timed."""
        return f"{self.name}, {self.unit}"

    @property
    def judged(self) -> float:
        return self.value if self.ratio is None else self.ratio

    @property
    def ok(self) -> bool | None:
        """Whether the floor is met; None without one."""
        return None if self.floor is None else self._meets(self.floor)

    @property
    def verdict(self) -> str:
        if self.floor is None:
            return ""
        if not self._meets(self.floor):
            return "NOT MET"
        return "aim" if self.aim is not None and self._meets(self.aim) else "ok"

    def _meets(self, bound: float) -> bool:
        return self.judged <= bound if self.less_is_better else self.judged >= bound


def figure(
    name: str, looks: Sequence[float], unit: str, *, to: float | None = None, **facts: object
) -> Figure:
    """The median of some looks; `to` is what its ratio is taken to."""
    median = statistics.median(looks)
    ratio = median / to if to else None
    return Figure(name, median, unit, min(looks), max(looks), ratio, **facts)  # type: ignore[arg-type] # named fields


@dataclass(slots=True)
class Result:
    """One scenario.

    :param notes: sentences that stand below the table.
    :param details: anything else worth recording.
    """

    scenario: int
    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    failure: str = ""

    @property
    def ok(self) -> bool:
        return not self.failure and all(figure.ok is not False for figure in self.figures)


def record(result: Result) -> dict[str, object]:
    """A result as JSON."""
    return {
        "title": result.title,
        "ok": result.ok,
        "failure": result.failure,
        "figures": {
            one.label: {
                "value": _rounded(one.value),
                "unit": one.unit,
                "min": _rounded(one.low),
                "max": _rounded(one.high),
                **({"ratio": _rounded(one.ratio), "to": one.ratio_of} if one.ratio else {}),
                **({"floor": _rounded(one.floor), "met": one.ok} if one.floor else {}),
                **({"aim": _rounded(one.aim)} if one.aim else {}),
            }
            for one in result.figures
        },
        "notes": result.notes,
        "details": result.details,
    }


def read_records(name: str) -> dict[str, dict[str, object]]:
    """The recorded results under a name, by scenario; nothing if there are none."""
    file = RESULTS / f"{name}.json"
    found: dict[str, dict[str, object]] = json.loads(file.read_text()) if file.exists() else {}
    return found


def write_records(name: str, records: dict[str, dict[str, object]]) -> Path:
    """Write results under a name; scenarios that are there and not in `records` stay."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    merged = dict(sorted((read_records(name) | records).items()))
    file.write_text(json.dumps(merged, indent=2) + "\n")
    return file


def show(
    results: Sequence[Result],
    recorded: dict[str, dict[str, object]],
    console: Console | None = None,
) -> None:
    """Print all figures; beside each, how it compares with the recorded one."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("#", "figure"):
        table.add_column(heading)
    for heading in ("median", "min", "max", "ratio"):
        table.add_column(heading, justify="right")
    for heading in ("to", "floor", "aim", "verdict", "now/recorded"):
        table.add_column(heading)
    for result in results:
        old = recorded.get(str(result.scenario), {})
        for one in result.figures:
            table.add_row(str(result.scenario), *_cells(one), _compared(one, old))
        table.add_section()
    console.print(table)
    for result in results:
        for note in result.notes:
            console.print(f"{result.scenario}: {note}", markup=False)
        if result.failure:
            console.print(f"{result.scenario}: FAILED: {result.failure}", markup=False)


def _cells(one: Figure) -> tuple[str, ...]:
    sign = "<=" if one.less_is_better else ">="
    return (
        one.label,
        _short(one.value),
        _short(one.low),
        _short(one.high),
        "" if one.ratio is None else f"{one.ratio:.2f}",
        one.ratio_of,
        "" if one.floor is None else f"{sign} {_short(one.floor)}",
        "" if one.aim is None else _short(one.aim),
        one.verdict,
    )


def _compared(one: Figure, old: dict[str, object]) -> str:
    figures = old.get("figures")
    before = figures.get(one.label) if isinstance(figures, dict) else None
    if not before or not before["value"]:
        return ""
    text = f"{one.value / before['value']:.2f}"
    if one.ratio is not None and before.get("ratio"):
        text += f" (ratio {one.ratio / before['ratio']:.2f})"
    return text


def _short(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
