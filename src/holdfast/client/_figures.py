"""Orders counted by day, as callers see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from google.protobuf.duration_pb2 import Duration

from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._money import Money
from holdfast.client._money_wire import money_from_wire
from holdfast.client._times import time_from_wire
from holdfast.contracts.orders.v1 import orders_pb2, orders_pb2_grpc


@dataclass(frozen=True, slots=True)
class Sales:
    """Orders of one currency, and what those cost together that did not come to nothing."""

    orders: int
    revenue: Money


@dataclass(frozen=True, slots=True)
class OrdersOfDay:
    """The orders that were placed on one day of UTC, as they are by now.

    :param sales: by currency.
    :param at_once: orders whose stock was promised at once; `waited`: that had to wait for some.
    :param ended: cancelled or expired before their stock was decided; `undecided`: it is not yet.
    :param promised_p50_s: half of those with stock were promised it so soon, in seconds; None:
        there are none. `promised_p95_s`: likewise 95 in 100.
    :param count_time: when they were counted.
    """

    day: date
    orders: int
    sales: Mapping[str, Sales]
    at_once: int
    waited: int
    rejected: int
    ended: int
    undecided: int
    promised_p50_s: float | None
    promised_p95_s: float | None
    count_time: datetime


@dataclass(frozen=True, slots=True)
class ShortProduct:
    """A product that orders did not get.

    :param rejected: orders that were rejected for want of it, which lacked `missing` units.
    :param waiting: orders that wait for it now, for `waited_for` units.
    """

    product_id: str
    rejected: int
    missing: int
    waiting: int
    waited_for: int


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Orders by day, and the products that most of them did not get, the worst first."""

    days: tuple[OrdersOfDay, ...]
    shortages: tuple[ShortProduct, ...]


class Figures:
    """A part of `Orders`."""

    _calls: Calls
    _stub: "orders_pb2_grpc.OrderServiceAsyncStub"  # which only type checkers know

    async def figures(self, first_day: date, last_day: date) -> OrderFigures:
        """Count the orders that were placed on some days of UTC, both among them, at most 92.

        It takes a second or so for 100,000 orders; days that are over are kept for ten minutes.
        What was refused with `ShortOfStock` was never an order, and is not counted.

        :raises InvalidRequest: there are more days, or none.
        """
        checks = Checks()
        request = orders_pb2.GetOrderFiguresRequest(
            first_day=checks.day("first_day", first_day).isoformat(),
            last_day=checks.day("last_day", last_day).isoformat(),
        )
        checks.raise_any()
        answer = await self._calls.ask(self._stub.GetOrderFigures, request, repeatable=True)
        return OrderFigures(
            tuple(map(_day_from_wire, answer.days)),
            tuple(
                ShortProduct(m.product_id, m.rejected, m.missing, m.waiting, m.waited_for)
                for m in answer.shortages
            ),
        )


def _day_from_wire(message: orders_pb2.OrdersOfDay) -> OrdersOfDay:
    return OrdersOfDay(
        day=date.fromisoformat(message.day),
        orders=message.orders,
        sales={
            one.revenue.currency_code: Sales(one.orders, money_from_wire(one.revenue))
            for one in message.sales
        },
        at_once=message.at_once,
        waited=message.waited,
        rejected=message.rejected,
        ended=message.ended,
        undecided=message.undecided,
        promised_p50_s=_seconds(message.promised_p50) if message.HasField("promised_p50") else None,
        promised_p95_s=_seconds(message.promised_p95) if message.HasField("promised_p95") else None,
        count_time=time_from_wire(message.count_time),
    )


def _seconds(duration: Duration) -> float:
    return duration.ToMilliseconds() / 1_000
