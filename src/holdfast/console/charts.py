"""Charts as shapes: what a template draws without a script, from the very rows of its table.

A chart is as wide as there are places on it, and 100 high; browsers stretch it. Its words stand
beside it, so that they are as large as all others.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from holdfast.console.words import Words

HEIGHT = 100.0
_ROUND = (2, 4, 6, 8, 10)  # what the highest value is rounded up to, with tens behind it


class Bar(NamedTuple):
    """A rectangle of one series at one place."""

    place: int
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of value over all places.

    :param name: says which, to the texts and the style sheet.
    :param values: 0 or more by place; None: there is none.
    """

    name: str
    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to a round number at or above the highest value, which is told, and its half."""

    most: int

    @classmethod
    def for_values(cls, values: Sequence[int | None]) -> "Scale":
        highest, tens = max((value or 0 for value in values), default=0), 1
        while highest > _ROUND[-1] * tens:
            tens *= 10
        return cls(next(step * tens for step in _ROUND if step * tens >= highest))

    @property
    def half(self) -> int:
        return self.most // 2

    def top(self, value: int) -> float:
        """How far from the top a value is."""
        return round(HEIGHT - HEIGHT * value / self.most, 2)


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture.

    :param name: of its texts.
    :param told: what is said of each place, for who points at it.
    :param ends: what stands below the first place, and the last.
    :param marks: the scale's highest value and its half, as they are told.
    :param of: a part of its title, such as a currency.
    """

    name: str
    series: Sequence[Series]
    scale: Scale
    told: Sequence[str]
    ends: tuple[str, str]
    marks: tuple[str, str]
    of: str = ""

    @property
    def places(self) -> int:
        return len(self.told)

    def bars(self) -> Iterator[tuple[Series, list[Bar]]]:
        """Bars that stand on each other, place by place, in the order of the series."""
        below = [0] * self.places
        for one in self.series:
            found = []
            for place, value in enumerate(one.values):
                if value:
                    top = self.scale.top(below[place] + value)
                    found.append(Bar(place, top, round(self.scale.top(below[place]) - top, 2)))
                    below[place] += value
            yield one, found

    def lines(self) -> Iterator[tuple[Series, list[str]]]:
        """Lines through what there is; where there is nothing they stop. A single value is a dot:
        a line from it to itself.
        """
        for one in self.series:
            runs: list[list[str]] = [[]]
            for place, value in enumerate(one.values):
                if value is None:
                    runs.append([])
                else:
                    runs[-1].append(f"{place + 0.5},{self.scale.top(value)}")
            yield one, [" ".join(run if len(run) > 1 else run * 2) for run in runs if run]


def stacked(series: Sequence[Series]) -> Scale:
    """A scale for bars that stand on each other."""
    columns = zip(*(one.values for one in series), strict=True)
    return Scale.for_values([sum(value or 0 for value in column) for column in columns])


def beside(series: Sequence[Series]) -> Scale:
    """A scale for lines."""
    return Scale.for_values([value for one in series for value in one.values])


def charted(
    words: Words,
    name: str,
    places: Sequence[str],
    series: Sequence[Series],
    scale: Scale,
    tell: Callable[[int], str],
    of: str = "",
) -> Chart:
    """A chart, told in somebody's language.

    :param places: what stands along its foot.
    :param tell: says a value.
    """
    told = []
    for number, place in enumerate(places):
        values = [(one.name, one.values[number]) for one in series]
        said = [f"{words.say(f'series.{of}')} {tell(v)}" for of, v in values if v is not None]
        told.append(f"{place}: {', '.join(said)}" if said else place)
    ends = (places[0], places[-1]) if places else ("", "")
    return Chart(name, series, scale, told, ends, (tell(scale.most), tell(scale.half)), of)
