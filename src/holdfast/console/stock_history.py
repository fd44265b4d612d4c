"""A product's stock day by day, as its newest movements make it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from holdfast.client import Movement, StockLevel
from holdfast.console.charts import Chart, Series, beside, charted
from holdfast.console.words import Words

MOVEMENTS_MAX = 200  # which take 10 ms; the page must not keep anybody waiting
DAYS_MAX = 92
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StockOfDay:
    """A product's stock at the end of a day of UTC, over all locations.

    :param came: units that came on that day, and `went` that went; both 0 or more.
    :param free: on hand, and neither promised nor in quarantine; safety stock is free, too.
    """

    day: date
    came: int
    went: int
    on_hand: int
    free: int


def by_day(
    levels: Iterable[StockLevel], movements: Sequence[Movement], *, more: bool, today: date
) -> list[StockOfDay]:
    """Go back from now, movement by movement, and stop at each midnight.

    :param levels: read before the movements: those that moved since stand by the movements.
    :param movements: the newest first, of all locations.
    :param more: there are older ones; then the day of the oldest is not told, as it is not known
        whole.
    """
    if not movements:
        return []
    on_hand, free = _now(levels, movements)
    moved: dict[date, list[Movement]] = {}
    for one in movements:
        moved.setdefault(one.create_time.astimezone(UTC).date(), []).append(one)
    oldest = min(moved)
    first = max(oldest + more * DAY, today - (DAYS_MAX - 1) * DAY)
    found, day = [], max(today, *moved)
    while day >= first:
        deltas = [one.on_hand_delta for one in moved.get(day, ())]
        came, went = sum(d for d in deltas if d > 0), -sum(d for d in deltas if d < 0)
        found.append(StockOfDay(day, came, went, on_hand, free))
        on_hand += went - came
        free -= sum(map(_freed, moved.get(day, ())))
        day -= DAY
    return found[::-1]


def _now(levels: Iterable[StockLevel], movements: Iterable[Movement]) -> tuple[int, int]:
    """What there is after the newest movement, on hand and free."""
    stock: dict[str, tuple[int, int]] = {
        one.location_id: (one.on_hand, one.on_hand - one.reserved - one.quarantined)
        for one in levels
    }
    newest: Mapping[str, Movement] = {
        one.location_id: one for one in sorted(movements, key=lambda one: one.movement_id)
    }
    for location, one in newest.items():
        free = one.on_hand_after - one.reserved_after - one.quarantined_after
        stock[location] = one.on_hand_after, free
    return sum(one for one, _ in stock.values()), sum(one for _, one in stock.values())


def _freed(one: Movement) -> int:
    return one.on_hand_delta - one.reserved_delta - one.quarantined_delta


def chart_of(words: Words, found: Sequence[StockOfDay]) -> Chart:
    """Both numbers as lines."""
    series = [
        Series("on_hand", [one.on_hand for one in found]),
        Series("free", [one.free for one in found]),
    ]
    days = [one.day.isoformat() for one in found]
    return charted(words, "stock", days, series, beside(series), words.number)
