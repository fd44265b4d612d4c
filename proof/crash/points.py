"""The points of a batch's life by their ids in the design, and the cases that are made of them.

In the code a point is a plain name. Which service's batch reached it is told by the background loop
that it was reached in: see `actions.py`.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

ORDERS, INVENTORY = "orders", "inventory"


class Action(StrEnum):
    """What happens at a point."""

    KILL = "kill"  # SIGKILL to its own process, and again when that has been started anew
    STOP = "stop"  # SIGSTOP for longer than every timeout, then SIGCONT
    RAISE = "raise"  # each of the point's errors, one a time
    DELAY = "delay"  # the point takes long


class Mode(StrEnum):
    """What the services run on."""

    EMBEDDED = "embedded"  # SQLite and the local broker, one process
    CLUSTER = "cluster"  # PostgreSQL and RabbitMQ, a process for each service
    ON_POSTGRES = "on-postgres"  # PostgreSQL and the local broker, one process


@dataclass(frozen=True, slots=True)
class Lull:
    """A point that takes long once, so that something gathers before another point is reached."""

    service: str
    loop: str
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Point:
    """One point.

    :param point_id: as in the design; the relay's have their service behind it.
    :param name: what the code calls it.
    :param loop: the background loop that reaches it; "": an RPC.
    :param errors: what may be raised there.
    :param after: it counts only once this one was passed in the same loop.
    :param messages_min: it counts only while so many messages are being published together.
    :param turns: of the event loop before anything is done there: bytes on their way leave first.
    :param lull: what makes the point be reached at all.
    :param expires: orders expire soon; else they do so never, and nobody asks twice.
    :param verb: it counts only while this is done: an RPC, or a command of the batch.
    :param often: what callers ask for more often than else, so that it is.
    :param actions: what happens there.
    """

    point_id: str
    name: str
    service: str
    loop: str
    errors: tuple[str, ...]
    after: str = ""
    messages_min: int = 1
    turns: int = 0
    lull: Lull | None = None
    expires: bool = False
    verb: str = ""
    often: str = ""
    actions: tuple[Action, ...] = tuple(Action)


PLACING, SETTLING, RESERVING = "orders placing", "orders consumer", "inventory consumer"
SWEEPING = "orders chasing"
CHANGING_STOCK, SERVING = "inventory stock changes", "inventory serving back-orders"

# Each error is true where it is raised: Conflict and Overloaded promise that nothing was done.
_STATEMENT = ("RuntimeError", "DatabaseUnavailable")
_TRANSACTION = (*_STATEMENT, "Conflict")
_BROKER = ("RuntimeError", "BrokerUnavailable")


def _order() -> list[Point]:
    asking = ("RuntimeError", "InventoryUnavailable")
    return [
        # Validated; nothing done.
        Point("o1", "order validated", ORDERS, "", ("RuntimeError", "Overloaded")),
        # Inventory has answered the stock check.
        Point("o2", "stock checked", ORDERS, PLACING, asking),
        # All is deferred, and written and committed in one go: this is before both.
        Point("o3", "before commit", ORDERS, PLACING, _TRANSACTION),
        # The answer is not looked at; made by `windows.py`.
        Point("o4", "commit sent", ORDERS, PLACING, _STATEMENT),
        # Committed; the caller is not told.
        Point("o5", "order placed", ORDERS, "", _STATEMENT),
    ]


def _relay(service: str) -> list[Point]:
    loop = f"{service} relay"
    return [
        # Rows read; nothing published.
        Point(f"r1-{service}", "events read", service, loop, _STATEMENT),
        # Published; the confirm is not looked at, which `windows.py` makes on RabbitMQ.
        Point(f"r2-{service}", "events published", service, loop, _BROKER),
        # The first messages of a batch are confirmed; a message holds two events in these cases.
        Point(
            f"r3-{service}",
            "message confirmed",
            service,
            loop,
            _BROKER,
            messages_min=2,
            lull=Lull(service, loop, "events read", 0.3),
        ),
        # Confirmed; neither in the feed nor out of the outbox.
        Point(f"r4-{service}", "events confirmed", service, loop, (*_BROKER, *_STATEMENT[1:])),
        # One statement moves events to the feed and commits. The nearest to one that is not
        # committed is one whose answer is not looked at; made by `windows.py`.
        Point(f"r5-{service}", "stamping sent", service, loop, _STATEMENT),
    ]


def _inventory() -> list[Point]:
    return [
        # Delivered; nothing done.
        Point("i1", "events delivered", INVENTORY, RESERVING, _STATEMENT),
        # Inbox rows written.
        Point("i2", "events remembered", INVENTORY, RESERVING, _TRANSACTION),
        # One statement changes all levels; ledger, reservations and answers are not written yet.
        Point("i3", "levels changed", INVENTORY, RESERVING, _TRANSACTION),
        Point("i4", "before commit", INVENTORY, RESERVING, _TRANSACTION),
        # Committed; not acknowledged.
        Point("i5", "events handled", INVENTORY, RESERVING, _BROKER),
        # A batch is acknowledged whole, by one frame; what was delivered behind it is not.
        Point("i6", "events acknowledged", INVENTORY, RESERVING, _BROKER, turns=5),
    ]


def _aftermath() -> list[Point]:
    # Events wait at Inventory while orders expire.
    lull = Lull(INVENTORY, RESERVING, "events delivered", 1.5)
    return [
        # Delivered; nothing done.
        Point("c1", "events delivered", ORDERS, SETTLING, _STATEMENT),
        # Status written; history and event are not.
        Point("c2", "orders changed", ORDERS, SETTLING, _TRANSACTION),
        # Committed; not acknowledged.
        Point("c3", "events handled", ORDERS, SETTLING, _BROKER),
        # Expired; not committed.
        Point("s1", "orders changed", ORDERS, SWEEPING, _TRANSACTION, lull=lull, expires=True),
        # Expired and committed; nobody was told.
        Point(
            "s2",
            "committed",
            ORDERS,
            SWEEPING,
            _STATEMENT,
            after="orders changed",
            lull=lull,
            expires=True,
        ),
    ]


def _unknown_commits() -> list[Point]:
    """What the design does not ask for: whether anything else was committed is unknown, too."""
    name, errors = "commit sent", _STATEMENT
    return [
        Point("x1", name, INVENTORY, RESERVING, errors),
        Point("x2", name, ORDERS, SETTLING, errors),
        Point("x3", name, INVENTORY, CHANGING_STOCK, errors),
    ]


# The verbs that change something in a transaction of their own, by the loop that does it, with what
# callers call them where that is another name.
_VERBS: dict[tuple[str, str], dict[str, str]] = {
    (ORDERS, ""): dict.fromkeys(
        ("CancelOrder", "UpdateOrder", "ExtendHold", "UpdateCustomer", "EraseCustomer"), ""
    ),
    (ORDERS, "orders changing"): dict.fromkeys(("ConfirmOrder", "RecordPayment"), ""),
    (ORDERS, "orders editing"): {"EditOrder": "", "CancelUnits": "", "CancelRest": "CancelOrder"},
    (ORDERS, "orders moving goods"): dict.fromkeys(
        ("ShipOrder", "UpdateShipment", "OpenReturn", "ReceiveReturn", "CloseReturn"), ""
    ),
    (INVENTORY, ""): dict.fromkeys(
        ("CreateProduct", "UpdateProduct", "CreateLocation", "UpdateLocation")
        + ("CreateTransfer", "ReceiveTransfer", "CloseTransfer"),
        "",
    ),
    (INVENTORY, CHANGING_STOCK): {
        "AdjustOnHand": "UpdateStock",
        "SetOnHand": "SetStock",
        "Quarantine": "QuarantineStock",
        "EndQuarantine": "ReleaseQuarantine",
    },
}


def _verbs() -> list[Point]:
    """Whether what a verb did was committed is unknown. A freeze or a delay there are the same
    whatever the verb is: the points above have them.
    """
    return [
        Point(
            f"v-{verb.lower()}",
            "commit sent",
            service,
            loop,
            _STATEMENT,
            verb=verb,
            often=method or verb,
            actions=(Action.KILL, Action.RAISE),
        )
        for (service, loop), verbs in _VERBS.items()
        for verb, method in verbs.items()
    ]


def _queues() -> list[Point]:
    """Who waits for stock is served, page by page; promises give way to what is not there."""
    changed, gives_way = "levels changed", "promises give way"
    return [
        # One statement changes all levels of a page; reservations and queue are not written yet.
        Point("q1", changed, INVENTORY, SERVING, _TRANSACTION),
        # A page is committed; the next one, or the end of it, is still to come.
        Point("q2", "committed", INVENTORY, SERVING, _STATEMENT, after=changed),
        # Who has to give way is locked; nothing is written.
        Point("d1", gives_way, INVENTORY, CHANGING_STOCK, _TRANSACTION),
        # Units are gone and promises released; those who gave way do not wait yet.
        Point("d2", changed, INVENTORY, CHANGING_STOCK, _TRANSACTION, after=gives_way),
    ]


DESIGNED = (*_order(), *_relay(ORDERS), *_relay(INVENTORY), *_inventory(), *_aftermath())
POINTS = (*DESIGNED, *_unknown_commits(), *_queues(), *_verbs())

# As the design counts them, without two of a notifier in Orders and one between a new order and its
# lines, which one statement writes.
assert len(DESIGNED) == 26
assert len({point.point_id for point in POINTS}) == len(POINTS), "no id stands twice"


@dataclass(frozen=True, slots=True)
class Case:
    """One point, one action, one mode."""

    point: Point
    action: Action
    mode: Mode

    @property
    def name(self) -> str:
        return f"{self.mode}-{self.point.point_id}-{self.action}"


def cases(*modes: Mode) -> list[Case]:
    """Every case of these modes, in a lasting order."""
    return [
        Case(point, action, mode)
        for mode, point in product(modes, POINTS)
        for action in point.actions
    ]
