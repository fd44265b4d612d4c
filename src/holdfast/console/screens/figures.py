"""Orders by day, to look at: charts, each drawn from the table below it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from starlette.responses import Response

from holdfast.client import Money, OrderFigures, OrdersOfDay
from holdfast.console.charts import Chart, Series, beside, charted, stacked
from holdfast.console.visit import Visit
from holdfast.console.words import Words

DAY = timedelta(days=1)
USUALLY_DAYS = 30
DAYS_MAX = 92  # of Orders, from 1970 on
EARLIEST = date(1970, 4, 2)  # so that the days before are there, too
SPANS = (7, 30, 90)
CURRENCIES_DRAWN_MAX = 4
OUTCOMES = ("at_once", "waited", "rejected")


@dataclass(slots=True)
class Period:
    """Which days are looked at.

    :param flaws: by field, what of the URL could not be understood; it is left out.
    """

    first: date
    last: date
    flaws: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Together:
    """All days as one."""

    orders: int
    revenue: dict[str, Money]
    at_once: int
    waited: int
    rejected: int


async def figures(visit: Visit) -> Response:
    """Show the figures of a period."""
    period = _read(visit)
    found = await visit.client.orders.figures(period.first, period.last)
    together = _together(found)
    return visit.show(
        "figures.html",
        period=period,
        days=list(reversed(found.days)),
        shortages=found.shortages,
        together=together,
        charts=_charts(visit.words, found, list(together.revenue)),
        rate=_rate,
        spans=[(days, period.last - (days - 1) * DAY) for days in SPANS],
        day=DAY,
    )


def _read(visit: Visit) -> Period:
    flaws: dict[str, str] = {}
    days: dict[str, date] = {}
    for name in ("from", "to"):
        try:
            if text := visit.asked(name):
                days[name] = max(date.fromisoformat(text), EARLIEST)
        except ValueError:
            flaws[name] = visit.words.say("form.day")
    today = visit.now.date()
    last = min(days.get("to", today), today)
    first = days.get("from", last - (USUALLY_DAYS - 1) * DAY)
    if first > last:
        flaws["from"] = visit.words.say("figures.order")
        first = last - (USUALLY_DAYS - 1) * DAY
    if last - first >= DAYS_MAX * DAY:
        flaws["from"] = visit.words.say("figures.long", days=DAYS_MAX)
        first = last - (DAYS_MAX - 1) * DAY
    return Period(first, last, flaws)


def _together(found: OrderFigures) -> Together:
    """Sums of all days; currencies with the most orders come first."""
    orders, revenue = Counter[str](), Counter[str]()
    for day in found.days:
        for currency, sales in day.sales.items():
            orders[currency] += sales.orders
            revenue[currency] += sales.revenue.minor
    return Together(
        orders.total(),
        {name: Money(name, revenue[name]) for name, _ in orders.most_common()},
        *(sum(getattr(day, name) for day in found.days) for name in OUTCOMES),
    )


def _rate(of: OrdersOfDay | Together) -> float | None:
    """The fill rate: of those with an answer, how many in 100 got their stock at once."""
    decided = of.at_once + of.waited + of.rejected
    return 100 * of.at_once / decided if decided else None


def _charts(
    words: Words, found: OrderFigures, currencies: Sequence[str]
) -> list[tuple[str, Chart]]:
    """The charts, each with its form."""
    days = [day.day.isoformat() for day in found.days]
    orders = [Series("orders", [day.orders for day in found.days])]
    drawn = [("bars", charted(words, "orders", days, orders, stacked(orders), words.number))]
    for currency in currencies[:CURRENCIES_DRAWN_MAX]:
        revenue = [Series("revenue", [_minor(day, currency) for day in found.days])]
        tell = partial(_money, words, currency)
        scale = stacked(revenue)
        drawn.append(("bars", charted(words, "revenue", days, revenue, scale, tell, of=currency)))
    outcomes = [Series(name, [getattr(day, name) for day in found.days]) for name in OUTCOMES]
    scale = stacked(outcomes)
    drawn.append(("bars", charted(words, "outcomes", days, outcomes, scale, words.number)))
    promised = [
        Series("p50", [_ms(day.promised_p50_s) for day in found.days]),
        Series("p95", [_ms(day.promised_p95_s) for day in found.days]),
    ]
    tell = partial(_seconds, words)
    drawn.append(("lines", charted(words, "promised", days, promised, beside(promised), tell)))
    return drawn


def _minor(day: OrdersOfDay, currency: str) -> int:
    sales = day.sales.get(currency)
    return sales.revenue.minor if sales else 0


def _money(words: Words, currency: str, minor: int) -> str:
    return words.money(Money(currency, minor))


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(1_000 * seconds)


def _seconds(words: Words, ms: int) -> str:
    return f"{words.decimal(ms / 1_000, 2)} s"
