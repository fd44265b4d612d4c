"""The method of OrderService that counts orders by day, and its messages."""

from collections.abc import Sequence
from datetime import date, timedelta

from google.protobuf.duration_pb2 import Duration

from holdfast.chassis import money, times
from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2_grpc
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.figures import DAYS_MAX, DayFigures, most_wanted

_EARLIEST, _LATEST = date(1970, 1, 1), date(9998, 12, 31)


class FiguresMethods(orders_pb2_grpc.OrderServiceServicer):
    """A part of `OrderServicer`."""

    def __init__(self, use_cases: UseCases) -> None:
        self._use = use_cases

    async def GetOrderFigures(
        self, request: pb.GetOrderFiguresRequest, _context: Context
    ) -> pb.OrderFigures:
        violations = Violations()
        first, last = read_days(request, violations)
        violations.raise_any()
        return figures_message(await self._use.count_orders(first, last))


def read_days(request: pb.GetOrderFiguresRequest, violations: Violations) -> tuple[date, date]:
    first = _read_day("first_day", request.first_day, violations)
    last = _read_day("last_day", request.last_day, violations)
    if not violations and last < first:
        violations.add("last_day", "must not be before first_day")
    if not violations and last - first >= timedelta(days=DAYS_MAX):
        violations.add("last_day", f"must be within {DAYS_MAX} days: ask for the others later")
    return first, last


def _read_day(field: str, text: str, violations: Violations) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not (_EARLIEST <= day <= _LATEST and text == day.isoformat()):
        violations.add(field, f"must be a day as 2026-03-02, from {_EARLIEST} to {_LATEST}")
    return day


def figures_message(days: Sequence[DayFigures]) -> pb.OrderFigures:
    return pb.OrderFigures(
        days=map(_day_message, days),
        shortages=[pb.ShortProduct(**one._asdict()) for one in most_wanted(days)],
    )


def _day_message(figures: DayFigures) -> pb.OrdersOfDay:
    outcomes = figures.outcomes
    message = pb.OrdersOfDay(
        day=figures.day.isoformat(),
        orders=figures.orders,
        at_once=outcomes.at_once,
        waited=outcomes.waited,
        rejected=outcomes.rejected,
        ended=outcomes.ended,
        undecided=figures.undecided,
        promised_p50=_duration(outcomes.p50_ms),
        promised_p95=_duration(outcomes.p95_ms),
    )
    for sales in figures.sales:
        money.write(message.sales.add(orders=sales.orders).revenue, *sales.revenue)
    times.write(message.count_time, figures.counted_at)
    return message


def _duration(ms: int | None) -> Duration | None:
    if ms is None:
        return None
    seconds, rest = divmod(max(0, ms), 1_000)  # a clock that went back makes nobody faster than now
    return Duration(seconds=seconds, nanos=rest * 1_000_000)
