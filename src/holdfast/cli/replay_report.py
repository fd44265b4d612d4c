"""The account of a replay: what became of every line and every invoice, for people and programs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast.cli.invoices import BROKEN, BrokenLine, InvoiceFile


@dataclass(slots=True)
class ReplayReport:
    """What became of every line and every invoice of a file."""

    file: str
    lines: int
    invoices: int  # to place, after `limit`
    skipped_lines: dict[str, int]
    skipped_invoices: dict[str, int]
    broken_lines: list[BrokenLine]  # the first few
    products_created: int = 0
    products_present: int = 0
    stock_set: int = 0
    stock_present: int = 0  # set before, and left as it is
    placed: int = 0  # recorded durably: each of them is one of the next seven
    confirmed: int = 0
    rejected: int = 0
    cancelled: int = 0
    expired: int = 0
    pending: int = 0  # not settled within the time limit
    unread: int = 0  # the outcome could not be read
    lost: int = 0  # acknowledged, and not there any more
    already_there: int = 0  # placed by an earlier run
    refused: int = 0  # short at the stock check, not recorded
    failed: int = 0
    unanswered: int = 0  # whether they are recorded is unknown
    not_tried: int = 0  # after nothing answered any more
    units_ordered: int = 0
    units_confirmed: int = 0
    seconds_preparing: float = 0.0
    seconds_placing: float = 0.0
    seconds_settling: float = 0.0
    orders_per_second: float = 0.0  # placed or refused, from the first call to the last outcome
    latency_ms_p50: float = 0.0
    latency_ms_p99: float = 0.0
    problems: list[str] = field(default_factory=list)  # the first few

    @property
    def ok(self) -> bool:
        """Whether every invoice was answered as the contract says, and has its outcome."""
        wrong = self.failed + self.unanswered + self.not_tried
        return not (wrong + self.pending + self.unread + self.lost)

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
        "skipped lines": _counts(report.skipped_lines),
        "skipped invoices": _counts(report.skipped_invoices),
        "products": f"{report.products_created:,} created{_there(report.products_present)}",
        "opening stock": f"{report.stock_set:,} set{_there(report.stock_present)}",
        "invoices": f"{report.invoices:,} to place as orders",
        "placed": f"{report.placed:,}{_there(report.already_there)}",
        "  confirmed": f"{report.confirmed:,}",
        "  rejected": f"{report.rejected:,}, short at the reservation",
        "  cancelled": _if_any(report.cancelled, "since"),
        "  expired": _if_any(report.expired, "without a decision in time"),
        "  PENDING": _if_any(report.pending, "not settled in time"),
        "  UNREAD": _if_any(report.unread, "so their outcome is unknown"),
        "  LOST": _if_any(report.lost, "acknowledged, and not found again"),
        "refused": f"{report.refused:,}, short at the stock check and not recorded",
        "FAILED": _if_any(report.failed, "with an unexpected answer"),
        "UNANSWERED": _if_any(report.unanswered, "so whether they are recorded is unknown"),
        "NOT TRIED": _if_any(report.not_tried, "since nothing answered any more"),
        "units": f"{report.units_confirmed:,} confirmed of {report.units_ordered:,} asked for",
        "speed": f"{report.orders_per_second:,.0f} orders/s "
        f"({placing:.1f} s, and {settling:.1f} s for the last outcomes)",
        "latency": f"p50 {report.latency_ms_p50:,.1f} ms, p99 {report.latency_ms_p99:,.1f} ms",
    }


def broken_lines(file: InvoiceFile) -> list[str]:
    """The first broken lines with file and line number, and how many more there are."""
    told = [f"{file.path}:{one.line}: {one.problem}" for one in file.broken]
    untold = file.skipped_lines[BROKEN] - len(told)
    return [*told, f"... and {untold:,} more broken lines"] if untold > 0 else told


def _counts(counts: dict[str, int]) -> str:
    listed = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
    return f"{sum(counts.values()):,}: {listed}" if counts else "none"


def _there(count: int) -> str:
    return f" ({count:,} were already there)" if count else ""


def _if_any(count: int, what: str) -> str:
    return f"{count:,}, {what}" if count else ""


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many per cent of the values do not exceed; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
