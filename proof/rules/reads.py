"""The rule about answers: what callers read has happened, and never goes back."""

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from proof.goods import units_by_line
from proof.history import Call, Facts
from proof.rules.orders import EDITING, asked_of, lines_of
from proof.run_record import CHANGING_STOCK, Place, RunRecord, Violation, precedes
from proof.snapshot import Order

Units = tuple[int, int, int]  # on hand, reserved, in quarantine
States = defaultdict[Units, list[int]]  # at which versions

BEYOND_CANCELLING = ("REJECTED", "EXPIRED", "SHIPPED")
_READ = ("CreateOrder", "GetOrderDetails", "CancelOrder", "ShipOrder", "UpdateShipment")
_RETURNS = ("OpenReturn", "ReceiveReturn", "CloseReturn")
_MORE = ("UpdateOrder", "WatchOrder", "ConfirmOrder", "ExtendHold", "RecordPayment")
ON_ORDERS = (*_READ, *_MORE, *EDITING)


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
    and neither reserved nor in quarantine, or the sum of what is free by location, less what orders
    wait for. A queue is told with its places in order, each with the units before it.
    """
    yield from _orders_told(record)
    yield from _returns_told(record)
    for call in record.calls_of("CancelOrder"):
        order = record.snapshot.orders.get(call.request["order_id"])
        if call.code == "FAILED_PRECONDITION" and order and order.status not in BEYOND_CANCELLING:
            text = f"call {call.number} was told that it had ended, it is {order.status}"
            yield Violation(11, order.order_id, text)
    yield from _stock_told(record)
    for call in record.calls_of("ListBackorders"):
        if call.outcome == "ok" and call.value is not None and not _is_queue(call.value["rows"]):
            text = f"call {call.number} told {call.value}"
            yield Violation(11, call.request["product_id"], text)


def _is_queue(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether the first page of a queue counts its places and the units before them."""
    ahead = 0
    for place, (_, units, told_ahead, told_place) in enumerate(rows, 1):
        if units < 1 or (told_place, told_ahead) != (place, ahead):
            return False
        ahead += units
    return True


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
    for call in (*record.calls_of("ListOrders"), *record.calls_of("SearchOrders")):
        for order_id, status, version in (call.value or {}).get("orders", ()):
            order = record.snapshot.orders.get(order_id)
            if order is None:
                yield Violation(11, order_id, f"call {call.number} listed it, it is not there")
            else:
                tellings[order_id].append(Telling(call, _at(order, status, version)))
    for order_id, calls in missed.items():
        yield from _not_found(order_id, calls, tellings.get(order_id, []))
    for order_id, told in tellings.items():
        yield from going_back(order_id, told)


def _moments(order: Order, call: Call) -> Sequence[int]:
    """The versions at which an answer was true."""
    assert call.value is not None, "an `ok` has its answer"
    return _at(order, call.value["status"], call.value.get("version"))


def _at(order: Order, status: str, version: int | None) -> Sequence[int]:
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
    left = [
        [one.shipment_id, [list(item[:4]) for item in one.items]]
        for one in order.shipments
        if one.version <= value.get("version", order.version)
    ]
    if value.get("shipments", left) != left:
        text = f"call {call.number} read the shipments {value['shipments']}, they were {left}"
        yield Violation(11, order.order_id, text)


def _returns_told(record: RunRecord) -> Iterator[Violation]:
    """A return that is told is there, with all that is told to have come, and later ones tell no
    less.
    """
    for method in _RETURNS:
        for call in record.calls_of(method):
            order = record.snapshot.orders.get(call.request["order_id"])
            if call.outcome != "ok" or call.value is None or order is None:
                continue
            for text in _of_return(order, call.value):
                yield Violation(11, order.order_id, f"call {call.number} {text}")


def _of_return(order: Order, told: Facts) -> Iterator[str]:
    found = [one for one in order.returns if one.return_id == told["return_id"]]
    if not found:
        yield f"told of return {told['return_id']}, which is not there"
        return
    names = told["receipts"]
    came = [one for one in found[0].receipts if one.request_id in names]
    if len(came) != len(names) or (told["closed"] and not found[0].is_closed):
        yield f"told {told}, there is {found[0]}"
    units = units_by_line(item for receipt in came for item in receipt.items)
    lines = [[line_no, quantity, units[line_no]] for line_no, _, quantity in found[0].lines]
    if sorted(told["units"]) != sorted(lines):
        yield f"told {told['units']}, they were {lines}"


def _not_found(
    subject: str, missed: Iterable[Call], tellings: Sequence[Telling]
) -> Iterator[Violation]:
    for call in missed:
        if any(precedes(told.call, call) for told in tellings):
            text = f"call {call.number} did not find it, an earlier one had told of it"
            yield Violation(11, subject, text)


def going_back(subject: str, tellings: Sequence[Telling]) -> Iterator[Violation]:
    """Name what was never so, and what is older than what had been told.

    Sweep over the calls in the order in which they began; `running` are those that had not ended
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
    tellings = defaultdict[Place, list[Telling]](list)
    lives = _lives(record)
    for call in record.calls_of("GetStockInfo"):
        product_id = call.request["product_id"]
        if call.code == "NOT_FOUND":
            missed[product_id].append(call)
        elif call.outcome == "ok" and call.value is not None:
            if not _adds_up(call.value, record.kept_back(product_id)):
                yield Violation(11, product_id, f"call {call.number} told {call.value}")
                continue
            for place, units, version in _levels(product_id, call.value, lives):
                at = [one for one in lives[place][units] if version in (None, one)]
                tellings[place].append(Telling(call, at))
    for call in record.calls_of("ExplainStock"):
        product_id = call.request["product_id"]
        if call.code == "NOT_FOUND":
            missed[product_id].append(call)
        elif call.outcome == "ok" and call.value is not None and "as_of_us" not in call.request:
            for level in call.value["explained"]:
                place = product_id, level["location_id"]
                tellings[place].append(Telling(call, [level["version"]]))
    for method in CHANGING_STOCK:
        for call in record.calls_of(method):
            recorded = record.snapshot.stock_requests.get(call.request["request_id"])
            if call.outcome == "ok" and recorded is not None:
                told = Telling(call, [recorded.version], may_be_old=True)
                tellings[recorded.product_id, recorded.location_id].append(told)
    for product_id, calls in missed.items():
        of_it = [one for place, told in tellings.items() if place[0] == product_id for one in told]
        yield from _not_found(product_id, calls, of_it)
    for (product_id, _), at_place in tellings.items():
        yield from going_back(product_id, at_place)


def _adds_up(told: Facts, kept_back: int) -> bool:
    """Whether numbers fit together: never negative, and the sums of those by location. Where it is
    not told by location, available is what is free, less what the product keeps back.
    """
    sums = tuple(int(told.get(name, 0)) for name in ("on_hand", "reserved", "quarantined"))
    on_hand, reserved, quarantined = sums
    rest = on_hand - reserved - quarantined
    free = max(0, rest - kept_back)
    free = sum(units for _, units in told.get("free", [["", free]]))
    levels = told.get("levels", [])
    by_place = tuple(sum(level[at] for level in levels) for at in (1, 2, 3))
    return (
        min(sums) >= 0
        and told["available"] == max(0, free - told.get("queued", 0))
        and rest >= 0
        and by_place in (sums, (0, 0, 0) if "levels" not in told else sums)
    )


def _levels(
    product_id: str, told: Facts, lives: Mapping[Place, States]
) -> Iterator[tuple[Place, Units, int | None]]:
    """What was told of each place, with the level's version. Where only sums are told, they are
    those of the one place that there is; of several nobody can tell in which order their movements
    became visible.
    """
    for location_id, on_hand, reserved, quarantined, version in told.get("levels", ()):
        yield (product_id, location_id), (on_hand, reserved, quarantined), version
    places = [place for place in lives if place[0] == product_id]
    if "levels" not in told and len(places) < 2:
        place = places[0] if places else (product_id, "")
        yield place, (told["on_hand"], told["reserved"], told.get("quarantined", 0)), None


def _lives(record: RunRecord) -> Mapping[Place, States]:
    """For each level, at which versions it had so much on hand, reserved and in quarantine."""
    found = defaultdict[Place, States](_never_stocked)
    for place, ledger in record.ledgers.items():
        for version, movement in enumerate(ledger, 1):
            units = *movement[6:8], movement.quarantined_after
            found[place][units].append(version)
    return found


def _never_stocked() -> States:
    return defaultdict(list, {(0, 0, 0): [0]})
