"""Figures of orders: sums over those that were placed on a day. Days are UTC's.

Nothing keeps them up to date: they are counted anew from what the orders are by now, so that an
order that is cancelled later leaves the revenue of the day on which it was placed.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from holdfast.orders.domain.money import MINOR_MAX, Money

DAYS_MAX = 92  # a quarter
SHORTAGES_MAX = 20  # products that are told of


class Sales(NamedTuple):
    """Orders of one currency.

    :param revenue: what those cost together that came to something, or still may.
    """

    orders: int
    revenue: Money


class Outcomes(NamedTuple):
    """What Inventory's first answer was, in orders, and how long it took.

    :param at_once: their stock was promised, all of it; `waited`: some of it had to be waited for.
    :param ended: cancelled or expired before there was an answer.
    :param p50_ms: half of those with stock were promised it so soon; None: there are none.
    """

    at_once: int
    waited: int
    rejected: int
    ended: int
    p50_ms: int | None
    p95_ms: int | None

    @property
    def all(self) -> int:
        return self.at_once + self.waited + self.rejected + self.ended


class ShortProduct(NamedTuple):
    """A product that orders did not get.

    :param rejected: orders that were rejected for want of it, which lacked `missing` units.
    :param waiting: orders that wait for it now, for `waited_for` units.
    """

    product_id: str
    rejected: int
    missing: int
    waiting: int
    waited_for: int


class DayFigures(NamedTuple):
    """All of one day.

    :param sales: by currency; none: no order was placed.
    :param counted_at: when that was.
    """

    day: date
    sales: tuple[Sales, ...]
    outcomes: Outcomes
    shortages: tuple[ShortProduct, ...]
    counted_at: datetime

    @property
    def orders(self) -> int:
        return sum(one.orders for one in self.sales)

    @property
    def undecided(self) -> int:
        """Orders that still have no answer; an answer that came between two counts is none."""
        return max(0, self.orders - self.outcomes.all)


def revenue_of(currency: str, minor: int) -> Money:
    """A sum; one that is larger than any amount of money can be is that largest one."""
    return Money(currency, min(minor, MINOR_MAX))


def most_wanted(days: Iterable[DayFigures]) -> list[ShortProduct]:
    """The products that most orders of some days did not get, the worst first."""
    found: dict[str, ShortProduct] = {}
    for day in days:
        for one in day.shortages:
            name, *more = one
            _, *so_far = found.get(name, ShortProduct(name, 0, 0, 0, 0))
            found[name] = ShortProduct(name, *map(sum, zip(so_far, more, strict=True)))
    worst = sorted(found.values(), key=lambda one: (-one.rejected - one.waiting, one.product_id))
    return worst[:SHORTAGES_MAX]
