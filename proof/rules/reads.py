"""The rule about answers: what callers read has happened, and never goes back."""

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from proof.history import Call
from proof.rules.orders import EDITING, asked_of, lines_of
from proof.run_record import RunRecord, Violation, precedes
from proof.snapshot import Order

States = Mapping[tuple[int, int], Sequence[int]]  # on hand and reserved: at which versions

_NEVER_STOCKED: States = {(0, 0): [0]}

BEYOND_CANCELLING = ("REJECTED", "EXPIRED")
_READ = ("CreateOrder", "GetOrderDetails", "CancelOrder")
ON_ORDERS = (*_READ, "ConfirmOrder", "ExtendHold", "RecordPayment", *EDITING)


class Telling(NamedTuple):
    """An answer, and the moments in the life of its subject at which it was true.

    :param moments: versions, lowest first.
    :param may_be_old: it repeats what was answered before, however long ago.
    """

    call: Call
    moments: Sequence[int]
    may_be_old: bool = False


def reads(record: RunRecord) -> Iterator[Violation]:
    """11. What was told of exists in every later call; what a read tells has happened; of two calls
    of which one ended before the other began, the later tells nothing older. Only an order that
    stays as it ended can't be cancelled. Stock is never negative, and available is what is on hand
    and not reserved.
    """
    yield from _orders_told(record)
    for call in record.calls_of("CancelOrder"):
        order = record.snapshot.orders.get(call.request["order_id"])
        if call.code == "FAILED_PRECONDITION" and order and order.status not in BEYOND_CANCELLING:
            text = f"call {call.number} was told that it had ended, it is {order.status}"
            yield Violation(11, order.order_id, text)
    yield from _stock_told(record)


def _orders_told(record: RunRecord) -> Iterator[Violation]:
    tellings = defaultdict[str, list[Telling]](list)
    missed = defaultdict[str, list[Call]](list)
    for method in ON_ORDERS:
        for call in record.calls_of(method):
            if call.outcome == "ok" and call.value is not None:
                order = record.snapshot.orders.get(call.value["order_id"])
                if order is None:
                    if method != "CreateOrder":  # else it is lost, which is another rule's
                        yield Violation(11, call.value["order_id"], "it was read, it is not there")
                    continue
                tellings[order.order_id].append(Telling(call, _moments(order, call)))
                yield from _contents(order, call)
            elif call.code == "NOT_FOUND" and method != "CreateOrder":
                missed[call.request["order_id"]].append(call)
    for order_id, calls in missed.items():
        yield from _not_found(order_id, calls, tellings.get(order_id, []))
    for order_id, told in tellings.items():
        yield from _going_back(order_id, told)


def _moments(order: Order, call: Call) -> Sequence[int]:
    """The versions at which an answer was true."""
    assert call.value is not None, "an `ok` has its answer"
    status, version = call.value["status"], call.value.get("version")
    return [
        change.version
        for change in order.history
        if change.status == status and version in (None, change.version)
    ]


def _contents(order: Order, call: Call) -> Iterator[Violation]:
    value = call.value or {}
    then = order.edition_at(value.get("version", order.version))
    if "lines" in value and asked_of(value) != lines_of(then):
        text = f"call {call.number} read the lines {value['lines']}, they were {lines_of(then)}"
        yield Violation(11, order.order_id, text)
    if value.get("total_minor", then.total_minor) != then.total_minor:
        text = f"call {call.number} read {value['total_minor']}, it totalled {then.total_minor}"
        yield Violation(11, order.order_id, text)


def _not_found(
    subject: str, missed: Iterable[Call], tellings: Sequence[Telling]
) -> Iterator[Violation]:
    for call in missed:
        if any(precedes(told.call, call) for told in tellings):
            text = f"call {call.number} did not find it, an earlier one had told of it"
            yield Violation(11, subject, text)


def _going_back(subject: str, tellings: Sequence[Telling]) -> Iterator[Violation]:
    """Sweep over the calls in the order in which they began; `running` are those that had not ended
    yet, and `bound` is the oldest moment that may still be told.
    """
    bound = 0
    running: list[tuple[float, int, str, int]] = []  # ended at, number, client, moment
    for call, moments, may_be_old in sorted(tellings, key=_begun):
        while running and running[0][0] < call.invoked_at:
            bound = max(bound, heapq.heappop(running)[3])
        # At the same time to the digit: of its own calls a caller knows which came first.
        mine = [
            moment
            for ended_at, number, client, moment in running
            if client == call.client and number < call.number and ended_at <= call.invoked_at
        ]
        lowest = 0 if may_be_old else max([bound, *mine])
        place = bisect_left(moments, lowest)
        if not moments:
            yield Violation(11, subject, f"call {call.number} told {call.value}: never so")
        elif place == len(moments):
            text = f"call {call.number} told {call.value}, of {moments[-1]}, after {lowest}"
            yield Violation(11, subject, text)
        elif call.ended_at is not None:
            ended = call.ended_at, call.number, call.client, moments[place]
            heapq.heappush(running, ended)


def _begun(telling: Telling) -> tuple[float, int]:
    return telling.call.invoked_at, telling.call.number


def _stock_told(record: RunRecord) -> Iterator[Violation]:
    missed = defaultdict[str, list[Call]](list)
    tellings = defaultdict[str, list[Telling]](list)
    lives = _lives(record)
    for call in record.calls_of("GetStockInfo"):
        product_id = call.request["product_id"]
        if call.code == "NOT_FOUND":
            missed[product_id].append(call)
        elif call.outcome == "ok" and call.value is not None:
            on_hand, reserved = call.value["on_hand"], call.value["reserved"]
            available = call.value["available"]
            if not (0 <= reserved <= on_hand and available == on_hand - reserved):
                yield Violation(11, product_id, f"call {call.number} told {call.value}")
            elif (states := lives.get(product_id, _NEVER_STOCKED)) is not None:
                moments = states.get((on_hand, reserved), [])
                tellings[product_id].append(Telling(call, moments))
    for call in record.calls_of("UpdateStock"):
        recorded = record.snapshot.stock_requests.get(call.request["request_id"])
        if call.outcome == "ok" and recorded is not None:
            told = Telling(call, [recorded.version], may_be_old=True)
            tellings[recorded.product_id].append(told)
    for product_id, calls in missed.items():
        yield from _not_found(product_id, calls, tellings.get(product_id, []))
    for product_id, of_product in tellings.items():
        yield from _going_back(product_id, of_product)


def _lives(record: RunRecord) -> Mapping[str, States | None]:
    """For each product, when it had so much on hand and reserved. None: it is at several locations,
    and nobody can tell in which order their movements became visible.
    """
    found = dict[str, States | None]()
    for (product_id, _), ledger in record.ledgers.items():
        if product_id in found:
            found[product_id] = None
            continue
        states = defaultdict[tuple[int, int], list[int]](list, {(0, 0): [0]})
        for version, movement in enumerate(ledger, 1):
            states[movement.on_hand_after, movement.reserved_after].append(version)
        found[product_id] = states
    return found
