"""The rule about growth: what a service takes is the same at the end as in the middle."""

from collections.abc import Iterator, Sequence
from statistics import median

from proof.run_record import RunRecord, Violation

GROWTH_MAX = 0.10  # of what it was
STEP_MAX = 8.0  # a few more connections or tasks are the moment's, not growth
SAMPLES_MIN = 8


def no_growth(record: RunRecord) -> Iterator[Violation]:
    """14. No resource grows over the campaign: every sampled series is flat."""
    for name, series in sorted(record.resources.items()):
        if not is_flat(series):
            second, last = _quarters(series)
            yield Violation(14, name, f"it grew from {second} to {last} ({len(series)} samples)")


def is_flat(
    series: Sequence[float], *, growth_max: float = GROWTH_MAX, step_max: float = STEP_MAX
) -> bool:
    """Whether the last quarter of a series is about what the second was; the first is warming up.

    Medians: a single peak is none of our business. A growth below both limits is not seen, so the
    longer the campaign, the smaller the leak that shows.

    :param growth_max: of the second quarter, what the last may have more.
    :param step_max: what it may have more in any case, in the unit of the series.
    """
    second, last = _quarters(series)
    return last - second <= max(growth_max * second, step_max)


def _quarters(series: Sequence[float]) -> tuple[float, float]:
    assert len(series) >= SAMPLES_MIN, "too few samples to speak of growth"
    quarter = len(series) // 4
    return median(series[quarter : 2 * quarter]), median(series[-quarter:])
