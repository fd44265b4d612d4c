"""What one seed draws: who runs, what breaks and how often, how large batches are, who calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from types import ModuleType
from typing import Any, Literal

from holdfast.chassis.messaging import cloudevents, feed, inbox, local_broker, outbox, rabbitmq
from holdfast.inventory import service as inventory_service
from holdfast.inventory.application.reservations import serve_backorders
from holdfast.notifier import service as notifier_service
from holdfast.notifier.domain import delivery
from holdfast.notifier.infrastructure import feeds as notifier_feeds
from holdfast.orders import batches as orders_batches
from holdfast.orders import service as orders_service
from holdfast.orders.application.ordering import chase_orders
from holdfast.orders.infrastructure.ordering import inventory_client
from holdfast.orders.settings import Limits
from proof.simulation.fault_rates import CHANCES, PARTNERS_FAIL
from proof.simulation.loop import POLICIES, Policy
from proof.simulation.rabbitmq_faults import RATES, Faults

Topology = Literal["embedded", "cluster"]

# Faults that somebody has to commit, as their number in one run.
DEEDS = (
    "kill",
    "stop",  # SIGTERM
    "freeze",  # SIGSTOP, and SIGCONT after a while
    "crash loop",  # one process, killed again as soon as it is up
    "outage",  # of a database
    "session broken",
    "leadership lost",
    "clock jump",
    "clock wrong",  # from then on
    "poison",  # bytes that are no event, events that can't be
    "events again",  # some that were sent before
    "queue deleted",  # an empty one
)
KINDS = (*DEEDS, *CHANCES)

# Constants that decide how much is done at once and how long is waited: rare paths become frequent.
CONSTANTS: dict[tuple[ModuleType, str], Sequence[float | int]] = {
    (outbox, "RELAY_EVENTS_MAX"): (1, 2, 5, 2_000),
    (outbox, "POLL_S"): (2.0, 0.5),
    (feed, "STEP_EVENTS"): (1, 3, 100),
    (feed, "CUT_EVENTS"): (1, 2_000),
    (feed, "CUT_EVERY_S"): (2.0, 60.0),
    (feed, "LOOK_S"): (0.2, 0.025),
    (inbox, "FORGET_EVENTS_MAX"): (1, 5_000),
    (chase_orders, "CHASED_MAX"): (1, 3, 500),
    (orders_batches, "BATCH_ITEMS_MAX"): (1, 3, 1_000),
    (orders_batches, "READ_ITEMS_MAX"): (1, 200),
    (orders_batches, "CROWD_ITEMS"): (1, 2, 200),
    (orders_service, "CHASE_EVERY_S"): (1.0, 5.0),
    (orders_service, "FORGET_EVERY_S"): (2.0, 600.0),
    (inventory_service, "BATCH_ITEMS_MAX"): (1, 3, 1_000),
    (inventory_service, "FORGET_EVERY_S"): (2.0, 600.0),
    (inventory_client, "DEADLINE_S"): (0.05, 1.0, 5.0),
    (rabbitmq, "EVENTS_PER_BATCH_MAX"): (1, 5, 1_000),
}
# Imported by name in three modules, which must agree.
EVENTS_PER_MESSAGE: tuple[ModuleType, ...] = (cloudevents, local_broker, rabbitmq)

# Likewise, where there is a Notifier.
NOTIFIER_CONSTANTS: dict[tuple[ModuleType, str], Sequence[int]] = {
    (notifier_feeds, "PAGE_EVENTS"): (1, 3, 500),
    (notifier_service, "ATTEMPTS_AT_ONCE"): (1, 3, 500),
}
# Pauses between attempts that a run can wait for; a partner is never away for so long.
PAUSES_S = (0, 0.5, 1, 2, 4, 8, 16, 32, 32, 32)

assert all(hasattr(module, name) for module, name in CONSTANTS | NOTIFIER_CONSTANTS), (
    "a constant has gone"
)


@dataclass(frozen=True, slots=True)
class Swarm:
    """The plan of one run; the same seed draws the same.

    :param deeds: how often somebody does what.
    :param rates: how often what happens by itself, as a share of the occasions.
    :param burst: so many calls of each caller come at once, at the same moment for all of them.
    :param batch: so many orders may be asked for in one call.
    :param served_rows: of a queue at most, in one transaction.
    :param notifiers: how many Notifiers there are; often none.
    :param partners: for each, whether it wants everything in one order.
    """

    seed: int
    topology: Topology
    orders: int
    inventories: int
    policy: Policy
    step_s: float
    disk_s: float
    network_s: float
    faults_s: float
    deeds: Mapping[str, int]
    rates: Mapping[str, float]
    rabbitmq: Faults
    constants: Sequence[float | int]
    events_per_message: int
    prefetch_messages: int
    limits: Limits
    clients: int
    calls: int
    burst: int
    batch: int
    products: int
    units: int
    served_rows: int
    notifiers: int
    notifier_constants: Sequence[int]
    partners: Sequence[bool]

    def without(self, kind: str) -> "Swarm":
        """The same plan without one kind of fault."""
        rabbitmq = replace(self.rabbitmq, **{kind: 0.0}) if kind in RATES else self.rabbitmq
        return replace(
            self,
            rabbitmq=rabbitmq,
            deeds={name: times for name, times in self.deeds.items() if name != kind},
            rates={name: rate for name, rate in self.rates.items() if name != kind},
        )

    @property
    def rabbitmq_kinds(self) -> list[str]:
        """What may go wrong with the broker."""
        return [kind for kind in RATES if getattr(self.rabbitmq, kind)]

    def apply(self) -> None:
        """Set the constants, for the rest of this interpreter's life."""
        for (module, name), value in zip(CONSTANTS, self.constants, strict=True):
            setattr(module, name, value)
        for module in EVENTS_PER_MESSAGE:
            module.EVENTS_PER_MESSAGE_MAX = self.events_per_message  # type: ignore[attr-defined]
        serve_backorders.ROWS_MAX = self.served_rows
        for (module, name), number in zip(NOTIFIER_CONSTANTS, self.notifier_constants, strict=True):
            setattr(module, name, number)
        delivery.SCHEDULE = tuple(timedelta(seconds=one) for one in PAUSES_S)  # type: ignore[assignment]

    def told(self) -> str:
        """The plan in a line or two."""
        times = [f"{kind} x{times}" for kind, times in self.deeds.items()]
        faults = ", ".join([*times, *self.rates, *self.rabbitmq_kinds])
        who = f"{self.topology}, {self.orders} orders, {self.inventories} inventory"
        who += f", {self.notifiers} notifier" if self.notifiers else ""
        return f"{who}; {self.clients} clients, {self.calls} calls; faults: {faults or 'none'}"


def drawn(seed: int) -> Swarm:
    """Draw the plan of a seed."""
    chance = Random(f"swarm {seed}")
    topology: Topology = "embedded" if chance.random() < 0.35 else "cluster"
    kinds = [kind for kind in KINDS if chance.random() < chance.choice((0.15, 0.5))]
    faults_s = chance.choice((5.0, 15.0, 30.0, 60.0))
    late_s = chance.choice((1.0, 5.0, 30.0))
    rates = {kind: _rate(chance, kind) for kind in kinds if kind not in DEEDS}
    telling = Random(f"telling {seed}")
    notifiers = telling.choice((0, 0, 0, 0, 1, 2))
    if notifiers and telling.random() < 0.7:
        rates[PARTNERS_FAIL] = telling.choice((0.01, 0.05, 0.2))
    return Swarm(
        seed=seed,
        topology=topology,
        orders=1 if topology == "embedded" else chance.randint(1, 3),
        inventories=1 if topology == "embedded" else chance.randint(1, 3),
        policy=chance.choice(POLICIES),
        step_s=chance.choice((0.0, 0.000_01, 0.000_2)),
        disk_s=chance.choice((0.000_1, 0.001, 0.01)),
        network_s=chance.choice((0.000_2, 0.002, 0.02)),
        faults_s=faults_s,
        deeds={kind: _times(chance, kind) for kind in kinds if kind in DEEDS},
        rates=rates,
        rabbitmq=_rabbitmq(chance, faults_s) if topology == "cluster" else Faults(),
        constants=[_often_last(chance, values) for values in CONSTANTS.values()],
        events_per_message=_often_last(chance, (1, 2, 500)),
        prefetch_messages=_often_last(chance, (1, 3, 100)),
        limits=Limits(
            late_s=late_s,
            expire_s=max(2 * late_s, chance.choice((3.0, 20.0, 3_600.0, 3_600.0))),
            outbox_events_max=_often_last(chance, (3, 100_000)),
            outbox_age_s_max=_often_last(chance, (2.0, 60.0)),
        ),
        clients=chance.randint(2, 8),
        calls=chance.randint(30, 80) * (3 if chance.random() < 0.05 else 1),
        burst=chance.choice((1, 1, 4, 12)),
        batch=chance.choice((1, 1, 1, 4)),
        products=chance.choice((2, 4, 12)),
        units=chance.choice((8, 40, 1_000)),
        served_rows=_often_last(chance, (1, 2, 1_000)),
        notifiers=min(notifiers, 1) if topology == "embedded" else notifiers,
        notifier_constants=[_often_last(telling, one) for one in NOTIFIER_CONSTANTS.values()],
        partners=[telling.random() < 0.4 for _ in range(telling.randint(1, 3))],
    )


def _rabbitmq(chance: Random, faults_s: float) -> Faults:
    """Draw the broker's faults; blows so many in a run, however long it is."""
    faults = Faults.drawn(chance)
    per_min = {kind: getattr(faults, kind) * 60 / faults_s for kind in RATES if "_per_" in kind}
    # A queue that is deleted takes along what it holds, which nobody promises to bring back.
    return replace(faults, **per_min | {"lost_queues_per_min": 0.0})


def _times(chance: Random, kind: str) -> int:
    return 1 if kind in ("crash loop", "clock wrong") else chance.randint(1, 4)


def _rate(chance: Random, kind: str) -> float:
    rate = chance.choice((0.005, 0.02, 0.1))
    return rate / 5 if kind.startswith("failpoint") else rate


def _often_last(chance: Random, values: Sequence[Any]) -> Any:
    """One of the values, in half of the cases the last, which is the usual one."""
    return values[-1] if chance.random() < 0.5 else chance.choice(values)
