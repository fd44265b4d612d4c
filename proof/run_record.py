"""All that a run left behind to judge it by, and the verdicts."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, TypeVar

from proof.goods import units_by_product
from proof.history import Call
from proof.snapshot import Movement, ObservedEvent, Order, Sample, Snapshot

RequestKey = tuple[str, str]  # customer id, request id
Place = tuple[str, str]  # product id, location id

SERVED = "back-order"  # why units are promised to who waits for them
CHANGING_STOCK = ("UpdateStock", "SetStock", "QuarantineStock", "ReleaseQuarantine")
BY_SETTING = ("RECEIPT", "ADJUSTMENT")
OF_TRANSFERS = ("TRANSFER_OUT", "TRANSFER_IN", "TRANSFER_LOSS")

Key = TypeVar("Key")
Thing = TypeVar("Thing")


class Violation(NamedTuple):
    """A broken promise.

    :param invariant: its number in `proof/checker.py`.
    :param subject: the id of what it is about.
    """

    invariant: int
    subject: str
    text: str


@dataclass(frozen=True)
class RunRecord:
    """What a run left behind, gathered after healing and convergence; what has a default may be
    missing, and then is not judged.

    :param calls: the history of all callers from the empty system on, the first supply included.
    :param observed_events: every event on an audit queue bound to everything, in the queue's order;
        None: there was none.
    :param followed: ids of the events that a follower of each service's feed got, in their order.
    :param samples: looks at the levels while the system was busy.
    :param poison: what was sent to do harm: letter ids that may be parked, and ids of events and
        orders that no caller knows.
    :param parked: letter ids that must be parked: the broker confirmed that it has them.
    :param lost: ids of events that the broker took and lost afterwards, of such as are asked for
        again; they need not be in any inbox.
    :param queues: messages left in the broker, by queue; without the audit queue.
    :param refusals_possible: the broker may have refused events or lost its publisher in the midst
        of a window. What it took then overtakes what has to be published again, so that events of
        one order may come in another order; nobody relies on it. Gaps stay a violation.
    :param forgetful: an inbox may have forgotten: more than 30 days went by, if only virtual ones.
    :param resources: sampled series that must not grow, by name: RSS, tasks, descriptors.
    """

    calls: Sequence[Call]
    snapshot: Snapshot
    observed_events: Sequence[ObservedEvent] | None = None
    followed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    poison: Collection[str] = frozenset()
    parked: Collection[str] = frozenset()
    lost: Collection[str] = frozenset()
    queues: Mapping[str, int] = field(default_factory=dict)
    refusals_possible: bool = False
    forgetful: bool = False
    resources: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def told(self) -> Sequence[ObservedEvent]:
        """Events as they were seen on the audit queue; else as they stand in the feeds."""
        if self.observed_events is not None:
            return self.observed_events
        return [event for feed in self.snapshot.feeds.values() for _, event in feed.entries]

    def calls_of(self, method: str) -> list[Call]:
        """All calls of one method, in the order in which they began."""
        return self._by_method.get(method, [])

    @cached_property
    def _by_method(self) -> Mapping[str, list[Call]]:
        return _grouped((call.method, call) for call in self.calls)

    @cached_property
    def placings(self) -> Mapping[RequestKey, list[Call]]:
        """The calls of CreateOrder by customer and request id."""
        calls = self.calls_of("CreateOrder")
        return _grouped(
            ((call.request["customer_id"], call.request["request_id"]), call) for call in calls
        )

    @cached_property
    def stock_changes(self) -> Mapping[str, list[Call]]:
        """The calls that change stock by request id, in the order in which they began."""
        calls = [call for method in CHANGING_STOCK for call in self.calls_of(method)]
        calls.sort(key=lambda call: call.number)
        return _grouped((call.request["request_id"], call) for call in calls)

    @cached_property
    def set_by(self) -> Mapping[str, int]:
        """By how many units each request changed the level that it set. 0: it was so already, and
        what the request names is the version that somebody else had made.
        """
        requests, found = self.snapshot.stock_requests, dict[str, int]()
        sets = {call.request["request_id"] for call in self.calls_of("SetStock")} & requests.keys()
        made = {
            (one.product_id, one.location_id, one.version)
            for request_id, one in requests.items()
            if request_id not in sets
        }
        for request_id in sorted(sets):
            request = requests[request_id]
            key = request.product_id, request.location_id, request.version
            ledger = self.ledgers.get(key[:2], [])
            found[request_id] = 0
            if 0 < request.version <= len(ledger) and key not in made:
                movement = ledger[request.version - 1]
                is_its = movement.kind in BY_SETTING and not movement.order_id
                found[request_id] = movement.on_hand_delta if is_its else 0
            made.add(key)
        return found

    @cached_property
    def cancellings(self) -> Mapping[str, list[Call]]:
        """The calls of CancelOrder by order id."""
        return _grouped((call.request["order_id"], call) for call in self.calls_of("CancelOrder"))

    def is_compared(self, order: Order, call: Call) -> bool:
        """Whether what a call asked for was compared with what the order was recorded for: not once
        it is erased.
        """
        erasings = self.calls_of("EraseCustomer")
        return not order.is_erased or all(precedes(call, erasing) for erasing in erasings)

    @cached_property
    def orders_by_key(self) -> Mapping[RequestKey, list[Order]]:
        """The orders by customer and request id; one each, if all is well."""
        orders = self.snapshot.orders.values()
        return _grouped(((order.customer_id, order.request_id), order) for order in orders)

    @cached_property
    def demands(self) -> Mapping[str, Counter[str]]:
        """Units per product that each order asks for: lines of one product are summed."""
        return {order_id: _demand_of(order) for order_id, order in self.snapshot.orders.items()}

    @cached_property
    def to_hold(self) -> Mapping[str, Counter[str]]:
        """Units per product that each order asks for and that have not left."""
        return {
            order_id: _less(self.demands[order_id], units_by_product(order.shipped))
            for order_id, order in self.snapshot.orders.items()
        }

    @cached_property
    def ledgers(self) -> Mapping[Place, list[Movement]]:
        """The movements of each level, in the order in which they happened."""
        return _grouped(((m.product_id, m.location_id), m) for m in self.snapshot.ledger)

    @cached_property
    def moved(self) -> Mapping[str, list[Movement]]:
        """The movements that each order caused."""
        return _grouped((m.order_id, m) for m in self.snapshot.ledger if m.order_id)

    @cached_property
    def by_product(self) -> Mapping[str, list[Movement]]:
        """The movements of each product, in the order in which they happened."""
        return _grouped((m.product_id, m) for m in self.snapshot.ledger)

    @cached_property
    def displaced(self) -> frozenset[int]:
        """The movements by which promises gave way: releases just before somebody's change of the
        same level, for the same reason.
        """
        found = set[int]()
        for ledger in self.ledgers.values():
            gave: list[Movement] = []
            for movement in ledger:
                if gave and (movement.reason, movement.moved_at_us) != (
                    gave[-1].reason,
                    gave[-1].moved_at_us,
                ):
                    gave = []
                if movement.kind == "RELEASE" and movement.reason:
                    gave.append(movement)
                elif not movement.order_id:
                    found.update(one.movement_id for one in gave)
                    gave = []
        return frozenset(found)

    @cached_property
    def by_inventory(self) -> Mapping[str, list[Movement]]:
        """What Inventory moved by itself for each order: it gave way, or was served."""
        return _grouped(
            (m.order_id, m)
            for m in self.snapshot.ledger
            if m.movement_id in self.displaced or (m.kind == "RESERVATION" and m.reason == SERVED)
        )

    def gave_way(self, order_id: str) -> bool:
        """Whether an order ever lost units that it was promised."""
        its = self.by_inventory.get(order_id, [])
        return any(one.kind == "RELEASE" for one in its)

    def waits(self, order_id: str) -> Counter[str]:
        """Units per product that an order waits for."""
        reservation = self.snapshot.reservations.get(order_id)
        return reservation.waits if reservation else Counter()

    def kept_back(self, product_id: str) -> int:
        """Units that must not be promised, at each location; 0 where that is not known. No caller
        changes it.
        """
        product = self.snapshot.products.get(product_id)
        return product.safety_stock if product else 0

    @cached_property
    def transferred(self) -> Sequence[Movement]:
        """The movements of transfers, in the order in which they happened."""
        return [m for m in self.snapshot.ledger if m.kind in OF_TRANSFERS]

    @cached_property
    def transferrings(self) -> Mapping[tuple[str, str], list[Call]]:
        """The calls that can have moved units of a transfer, by its id and the kind of movement."""
        ids = {one.request_id: one.transfer_id for one in self.snapshot.transfers.values()}
        sent = [
            ((ids.get(call.request["request_id"], ""), "TRANSFER_OUT"), call)
            for call in self.calls_of("CreateTransfer")
        ]
        later = [
            ((call.request["transfer_id"], kind), call)
            for method in ("ReceiveTransfer", "CloseTransfer")
            for call in self.calls_of(method)
            for kind in ("TRANSFER_IN", "TRANSFER_LOSS")
        ]
        return _grouped([*sent, *later])

    @cached_property
    def given_up(self) -> Collection[int]:
        """Movements by which units come that are lost right after: they have not come."""
        return {
            came.movement_id
            for ledger in self.ledgers.values()
            for came, lost in pairwise(ledger)
            if (came.kind, lost.kind) == ("TRANSFER_IN", "TRANSFER_LOSS")
        }


def _grouped(pairs: Iterable[tuple[Key, Thing]]) -> Mapping[Key, list[Thing]]:
    found = defaultdict[Key, list[Thing]](list)
    for key, thing in pairs:
        found[key].append(thing)
    return dict(found)


def _demand_of(order: Order) -> Counter[str]:
    demand = Counter[str]()
    for line in order.lines:
        demand[line.product_id] += line.quantity
    return demand


def _less(units: Counter[str], gone: Counter[str]) -> Counter[str]:
    left = Counter(units)
    left.subtract(gone)
    return +left


def precedes(before: Call, after: Call) -> bool:
    """Whether one call had certainly ended when the other began."""
    if before.ended_at is None:
        return False
    if before.client == after.client and before.number < after.number:
        return before.ended_at <= after.invoked_at
    return before.ended_at < after.invoked_at
