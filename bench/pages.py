"""Scenario 13: any page of lists and searches on a grown database.

One caller asks for pages of 50, for every filter by itself and for combinations that an index tells
little of, at places that are drawn: the first page, a moment of the past, and pages that follow.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import uvloop
from grpc import aio

from bench.figures import Result, figure
from bench.generator import Call, quantiles_ms
from bench.growth import ORDERS_FULL, ORDERS_SMALL, grow
from bench.processes import Meter
from bench.progress import say
from bench.scenarios import OTHERS_MAX, Bench
from bench.sought import ADDRESSES, GUEST, OLD_SHARE, add_what_is_sought
from bench.testbed import CALL_S_MAX, Testbed
from bench.workload import CUSTOMERS, PRODUCTS, product_id
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from testbed.keys import keyed

CALLS = 300  # of each kind
PAGES_IN_TURN = 5
PAGE = 50
P99_MS_MAX, P99_MS_AIM = 20.0, 5.0
STEP = timedelta(milliseconds=100)  # from one order of the past to the next

Request = pb.ListOrdersRequest | pb.SearchOrdersRequest
SERVICE = "/holdfast.orders.v1.OrderService/"


class Past:
    """Draws what may be asked about orders number 0 to `orders` - 1."""

    def __init__(self, dice: Random, orders: int, first_ms: int) -> None:
        self._dice, self.orders, self._first_ms = dice, orders, first_ms

    def number(self) -> int:
        return self._dice.randrange(self.orders)

    def customer(self) -> str:
        return f"customer-{self._dice.randrange(CUSTOMERS):04d}"

    def product(self) -> str:
        return product_id(self._dice.randint(1, PRODUCTS))

    def address(self) -> str:
        return f"mail-{self._dice.randrange(ADDRESSES)}@example.org"

    def prefix(self, characters: int) -> str:
        number = f"{self._first_ms + 100 * self.number():012x}"
        return f"{number[:8]}-{number[8:]}"[:characters]

    def time(self, number: int) -> datetime:
        return datetime.fromtimestamp(self._first_ms / 1000, UTC) + number * STEP


listed = partial(pb.ListOrdersRequest, page_size=PAGE)
sought = partial(pb.SearchOrdersRequest, page_size=PAGE)


def oldest(past: Past) -> dict[str, Any]:
    """Within the oldest hundredth of all orders."""
    end = past.time(past.number() // OLD_SHARE + 1)
    return {"created_from": past.time(0), "created_before": end}


def an_hour(past: Past) -> dict[str, Any]:
    start = past.time(past.number())
    return {"created_from": start, "created_before": start + timedelta(hours=1)}


CONFIRMED, CANCELLED = pb.ORDER_STATUS_CONFIRMED, pb.ORDER_STATUS_CANCELLED
EXPIRED, PENDING = pb.ORDER_STATUS_EXPIRED, pb.ORDER_STATUS_PENDING
RESERVED = pb.ORDER_STATUS_RESERVED
PAID, AUTHORIZED = pb.PAYMENT_STATUS_PAID, pb.PAYMENT_STATUS_AUTHORIZED
REFUNDED, OVERPAID = pb.PAYMENT_STATUS_REFUNDED, pb.PAYMENT_STATUS_OVERPAID
UNPAID = pb.PAYMENT_STATUS_NONE

KINDS: dict[str, Callable[[Past], Request]] = {
    "all": lambda _: listed(),
    "customer": lambda past: listed(customer_id=past.customer()),
    "CONFIRMED": lambda _: listed(status=CONFIRMED),
    "RESERVED": lambda _: listed(status=RESERVED),
    "REJECTED": lambda _: listed(status=pb.ORDER_STATUS_REJECTED),
    "CANCELLED": lambda _: listed(status=CANCELLED),
    "PENDING (none is)": lambda _: listed(status=PENDING),
    "product": lambda past: listed(product_id=past.product()),
    "request ids": lambda past: listed(
        request_ids=[f"past-{past.number()}" for _ in range(2 * PAGE)]
    ),
    "an hour": lambda past: listed(**an_hour(past)),
    "oldest, customer": lambda past: listed(**oldest(past), customer_id=past.customer()),
    "oldest, RESERVED (none is)": lambda past: listed(**oldest(past), status=RESERVED),
    "customer, EXPIRED": lambda past: listed(customer_id=past.customer(), status=EXPIRED),
    "customer, PENDING (none is)": lambda past: listed(customer_id=past.customer(), status=PENDING),
    "customer, product": lambda past: listed(
        customer_id=past.customer(), product_id=past.product()
    ),
    "product, CANCELLED": lambda past: listed(product_id=past.product(), status=CANCELLED),
    "product, PENDING (none is)": lambda past: listed(product_id=past.product(), status=PENDING),
    "reference": lambda past: sought(reference=f"R-{past.number()}"),
    "e-mail": lambda past: sought(email=past.address()),
    "e-mail of many": lambda _: sought(email=GUEST),
    "channel": lambda _: sought(channel="app"),
    "channel of the oldest": lambda _: sought(channel="old-shop"),
    "PAID": lambda _: sought(payment_status=PAID),
    "REFUNDED (the oldest)": lambda _: sought(payment_status=REFUNDED),
    "OVERPAID (none is)": lambda _: sought(payment_status=OVERPAID),
    "unpaid": lambda _: sought(payment_status=UNPAID),
    "8 of an id": lambda past: sought(order_id_prefix=past.prefix(8)),
    "4 of an id, rare channel": lambda past: sought(order_id_prefix=past.prefix(4), channel="fair"),
    "channel, PENDING (none is)": lambda _: sought(channel="web", status=PENDING),
    "channel, CANCELLED": lambda _: sought(channel="app", status=CANCELLED),
    "channel, EXPIRED (none of many)": lambda _: sought(channel="app", status=EXPIRED),
    "channel, REFUNDED (the oldest)": lambda _: sought(channel="web", payment_status=REFUNDED),
    "rare channel, PAID": lambda _: sought(channel="fair", payment_status=PAID),
    "rare channel, product": lambda past: sought(channel="fair", product_id=past.product()),
    "channel, product": lambda past: sought(channel="web", product_id=past.product()),
    "customer, AUTHORIZED": lambda past: sought(
        customer_id=past.customer(), payment_status=AUTHORIZED
    ),
    "customer, channel of the oldest": lambda past: sought(
        customer_id=past.customer(), channel="old-shop"
    ),
    "customer, e-mail of many": lambda past: sought(customer_id=past.customer(), email=GUEST),
    "e-mail of many, rare channel": lambda _: sought(email=GUEST, channel="fair"),
    "channel, AUTHORIZED, CANCELLED": lambda _: sought(
        channel="app", payment_status=AUTHORIZED, status=CANCELLED
    ),
}


def scenario_13(bench: Bench) -> Result:
    """Pages of lists and searches on a grown database, one caller."""
    orders = ORDERS_FULL if bench.options.full else ORDERS_SMALL
    with bench.servers.cluster() as testbed:
        first_ms = asyncio.run(grow(testbed, orders))
        asyncio.run(add_what_is_sought(testbed, orders, first_ms))
        bench.servers.settle_down()
        say("asking for pages")
        meter = Meter()
        took_s = uvloop.run(ask(testbed, Past(Random(1), orders, first_ms)))
        meter.stop()
    looks = {kind: quantiles_ms(some) for kind, some in took_s.items()}
    result = Result(13, f"pages of {PAGE} of {orders:,} orders, one caller, {CALLS} calls a filter")
    worst = max(looks, key=lambda kind: looks[kind]["p99"])
    all_calls = quantiles_ms([one for some in took_s.values() for one in some])
    bounds = {"floor": P99_MS_MAX, "aim": P99_MS_AIM, "less_is_better": True}
    result.figures = [figure("slowest filter p99", [looks[worst]["p99"]], "ms", **bounds)]
    result.figures += [
        figure(f"all calls {share}", [all_calls[share]], "ms") for share in ("p50", "p99", "max")
    ]
    result.figures += [
        figure(f"{kind} p99", [look["p99"]], "ms", **bounds) for kind, look in looks.items()
    ]
    result.notes.append(f"the slowest filter is: {worst}")
    if meter.others > OTHERS_MAX:
        result.notes.append(f"others kept {meter.others:.1f} cores busy: p99 has their part in it")
    result.details["latencies_ms"] = {
        kind: {share: round(ms, 2) for share, ms in look.items()} for kind, look in looks.items()
    }
    return result


async def ask(testbed: Testbed, past: Past) -> dict[str, list[float]]:
    """Ask for all kinds in turns; return how long each call took, by kind."""
    dice, took_s = Random(2), defaultdict[str, list[float]](list)
    async with keyed(aio.insecure_channel(testbed.orders)) as channel:
        while left := [kind for kind in KINDS if len(took_s[kind]) < CALLS]:
            for kind in left:
                request = KINDS[kind](past)
                if not request.HasField("created_before") and dice.random() < 0.5:
                    request.created_before.FromDatetime(past.time(past.number()))
                took_s[kind] += await follow(channel, request)
    return took_s


async def follow(channel: aio.Channel, request: Request) -> list[float]:
    """Ask for a page and some that follow it; return how long each took."""
    method = type(request).__name__.removesuffix("Request")
    call: Call = channel.unary_unary(SERVICE + method)
    took_s: list[float] = []
    while len(took_s) < PAGES_IN_TURN:
        asked = request.SerializeToString()
        begun = time.monotonic()
        answer = await call(asked, timeout=CALL_S_MAX)
        took_s.append(time.monotonic() - begun)
        if not (token := pb.SearchOrdersResponse.FromString(answer).next_page_token):
            break  # both kinds of answers have the same fields
        request.page_token = token
    return took_s
