"""The account of a replay: what became of every line and every order, for people and programs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast.importing.flaws import Flaw
from holdfast.importing.reading import OrderFile


@dataclass(slots=True)
class ReturnsReport:
    """What became of the cancellations of a file.

    Of their units every one came back, belongs to no sale, failed, or was not tried.
    """

    cancellations: int = 0  # to take back, up to `limit`, and those that are held back
    held_back: int = 0  # for lines that could not be read; not in the next two
    lines: int = 0
    units: int = 0
    returns: int = 0  # recorded: one for each cancellation and order
    already_there: int = 0  # by an earlier run
    orders: int = 0  # that something came back of
    orders_shipped: int = 0  # now, so that it could
    units_returned: int = 0  # free to promise again, where they left from
    units_failed: int = 0
    units_not_tried: int = 0  # orders were without an answer, or nothing answered any more
    unmatched: dict[str, int] = field(default_factory=dict)  # units by reason
    unmatched_lines: list[Flaw] = field(default_factory=list)  # every line that has some
    failures: list[Flaw] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every unit came back, or belongs to no sale."""
        return not (self.failures or self.units_not_tried)


@dataclass(frozen=True, slots=True)
class SourcingReport:
    """Where the units of the orders that are filled were when they were promised."""

    orders: dict[int, int]  # by the number of locations, of which each is a shipment
    units: dict[str, int]  # by location


@dataclass(slots=True)
class ReplayReport:
    """What became of every line and every order of a file."""

    file: str
    lines: int
    orders: int  # to place, after `limit`, and those that are held back
    skipped_lines: dict[str, int]
    skipped_orders: dict[str, int]
    flaws: list[Flaw]  # every line that could not be read
    columns_left_out: list[str] = field(default_factory=list)  # a discount, say, counts for nothing
    products_created: int = 0
    products_present: int = 0
    cover: float | None = None  # as it was asked for
    stock_set: int = 0
    stock_present: int = 0  # counted before, and left as it is
    placed: int = 0  # recorded durably: each of them is one of the next eight
    confirmed: int = 0
    shipped: int = 0  # confirmed, and gone since, in part or as a whole
    rejected: int = 0
    cancelled: int = 0
    expired: int = 0
    pending: int = 0  # not settled within the time limit
    unread: int = 0  # the outcome could not be read
    lost: int = 0  # acknowledged, and not there any more
    already_there: int = 0  # placed by an earlier run
    refused: int = 0  # short at the stock check, not recorded
    failed: int = 0  # not placed; the next two are among them
    held_back: int = 0  # for lines that could not be read
    differing: int = 0  # recorded before for another customer, or with other contents
    unanswered: int = 0  # whether they are recorded is unknown
    not_tried: int = 0  # after nothing answered any more
    units_ordered: int = 0
    units_confirmed: int = 0
    units_shipped: int = 0  # of those; what came back of them is in `returns`
    returns: ReturnsReport = field(default_factory=ReturnsReport)
    sourcing: SourcingReport | None = None  # only with several locations
    seconds_preparing: float = 0.0
    seconds_placing: float = 0.0
    seconds_settling: float = 0.0
    orders_per_second: float = 0.0  # placed or refused, from the first call to the last outcome
    latency_ms_p50: float = 0.0
    latency_ms_p99: float = 0.0
    refusals: list[Flaw] = field(default_factory=list)  # every order that was refused or rejected
    failures: list[Flaw] = field(default_factory=list)  # every order that failed for other reasons
    problems: list[str] = field(default_factory=list)  # of the run as a whole

    @property
    def ok(self) -> bool:
        """Whether all was read, and every order was answered as promised and has its outcome."""
        wrong = self.failed + self.unanswered + self.not_tried
        open_ones = self.pending + self.unread + self.lost
        answered = self.orders > 0 and not (wrong + open_ones)
        return answered and self.returns.ok and not self.flaws

    def time(self, preparing_s: float, placing_s: float, settling_s: float) -> None:
        """Enter how long the three parts of the run took."""
        self.seconds_preparing = preparing_s
        self.seconds_placing = placing_s
        self.seconds_settling = settling_s
        self.orders_per_second = (self.placed + self.refused) / (placing_s + settling_s)

    def measure(self, latencies_s: Sequence[float]) -> None:
        """Enter how long the answers took, repeats included."""
        self.latency_ms_p50 = 1_000 * percentile(latencies_s, 50)
        self.latency_ms_p99 = 1_000 * percentile(latencies_s, 99)


def facts(report: ReplayReport) -> dict[str, str]:
    """The report for people: name and sentence, without what did not happen."""
    placing, settling = report.seconds_placing, report.seconds_settling
    return {
        "file": f"{report.file}, {report.lines:,} lines",
        "columns left out": ", ".join(report.columns_left_out),
        "skipped lines": _counts(report.skipped_lines),
        "skipped orders": _counts(report.skipped_orders),
        "products": f"{report.products_created:,} created{_there(report.products_present)}",
        "opening stock": _stock(report),
        "orders": f"{report.orders:,} to place",
        "placed": f"{report.placed:,}{_there(report.already_there)}",
        "  confirmed": f"{report.confirmed:,}",
        "  shipped": _if_any(report.shipped, "since, in part or as a whole"),
        "  rejected": f"{report.rejected:,}, short at the reservation",
        "  cancelled": _if_any(report.cancelled, "since"),
        "  expired": _if_any(report.expired, "without a decision in time"),
        "  PENDING": _if_any(report.pending, "not settled in time"),
        "  UNREAD": _if_any(report.unread, "so their outcome is unknown"),
        "  LOST": _if_any(report.lost, "acknowledged, and not found again"),
        "refused": f"{report.refused:,}, short at the stock check and not recorded",
        "FAILED": _if_any(report.failed, "not placed"),
        "  HELD BACK": _if_any(report.held_back, "for lines that could not be read"),
        "  DIFFERING": _if_any(report.differing, "recorded before with other contents"),
        "UNANSWERED": _if_any(report.unanswered, "so whether they are recorded is unknown"),
        "NOT TRIED": _if_any(report.not_tried, "since nothing answered any more"),
        "units": f"{report.units_confirmed:,} confirmed of {report.units_ordered:,} asked for",
        "  shipped units": _if_any(report.units_shipped, "of those"),
        **_facts_of_sourcing(report.sourcing),
        **_facts_of_returns(report.returns),
        "speed": f"{report.orders_per_second:,.0f} orders/s "
        f"({placing:.1f} s, and {settling:.1f} s for the last outcomes)",
        "latency": f"p50 {report.latency_ms_p50:,.1f} ms, p99 {report.latency_ms_p99:,.1f} ms",
    }


def _facts_of_sourcing(report: SourcingReport | None) -> dict[str, str]:
    if report is None:
        return {}
    counts = sorted(report.orders.items())
    listed = [f"{_orders(orders)} from {_locations(count)}" for count, orders in counts]
    units = [f"{units:,} at {location_id}" for location_id, units in report.units.items()]
    return {"shipments": ", ".join(listed), "  units": ", ".join(units)}


def _facts_of_returns(report: ReturnsReport) -> dict[str, str]:
    if not report.cancellations:
        return {}
    shipped, failed, left = report.orders_shipped, report.units_failed, report.units_not_tried
    back = f"{report.units_returned:,} of {report.units:,}, free to promise again"
    return {
        "cancellations": f"{report.cancellations:,} to take back",
        "  NOT READ": _if_any(report.held_back, "for lines that could not be read"),
        "  returns": f"{report.returns:,} of {_orders(report.orders)}"
        f"{_there(report.already_there)}",
        "  shipped for it": f"{_orders(shipped)}, whole" if shipped else "",
        "  units back": f"{back} ({report.seconds:.1f} s)",
        "  no sale found": _counts(report.unmatched) if report.unmatched else "",
        "  NOT TAKEN BACK": f"{failed:,} units" if failed else "",
        "  LEFT UNDONE": f"{left:,} units, since answers were missing" if left else "",
    }


def told_flaws(file: OrderFile) -> list[str]:
    """Every line that could not be read, with file and number, and what that means."""
    told = [_told(str(file.path), flaw) for flaw in file.flaws]
    if file.stopped_by:
        told.append(
            f"nothing of the file is placed: line {file.stopped_by.line:,} may belong to any of "
            "its orders. Mend the lines above and run it again"
        )
    elif file.held_back or file.cancellations_held_back:
        orders, cancellations = file.held_back, file.cancellations_held_back
        counts = [_orders(orders)] if orders else []
        if cancellations:
            counts.append(f"{cancellations:,} cancellation{'s' if cancellations > 1 else ''}")
        told.append(
            f"held back for these lines: {' and '.join(counts)}. Mend them and run the file "
            "again: what is placed already is not placed twice"
        )
    return [*told, file.hint] if file.hint else told


def told_outcomes(report: ReplayReport) -> list[str]:
    """Every order that was refused or failed, and every cancellation that belongs to no sale or
    failed, with file and line; then troubles of the run."""
    of_returns = report.returns.unmatched_lines + report.returns.failures
    flaws = sorted(report.refusals + report.failures + of_returns)
    return [*(_told(report.file, flaw) for flaw in flaws), *report.problems]


def _told(file: str, flaw: Flaw) -> str:
    order = f"order {flaw.order}: " if flaw.order else ""
    return f"{file}:{flaw.line}: {order}{flaw.problem}"


def _stock(report: ReplayReport) -> str:
    if report.cover is None:
        return "not touched; --cover 1 gives products without any what the file asks for"
    left = report.stock_present
    return f"{report.stock_set:,} set" + (f" ({left:,} counted before, left alone)" if left else "")


def _counts(counts: dict[str, int]) -> str:
    listed = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    return f"{sum(counts.values()):,}: {listed}" if counts else "none"


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count:,} orders"


def _locations(count: int) -> str:
    return "1 location" if count == 1 else f"{count:,} locations"


def _there(count: int) -> str:
    return f" ({count:,} already there)" if count else ""


def _if_any(count: int, what: str) -> str:
    return f"{count:,}, {what}" if count else ""


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many per cent of the values do not exceed; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
