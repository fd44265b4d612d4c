"""The small world in which desks were waited for, gave way and were served, to be damaged.

Of the desks o-5 got two, o-6 and o-7 wait for one and two. One is lost, and o-5 has to wait for one
again; two come, which go to o-5 and o-6; o-7 waits on.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from proof.checker import RunRecord
from proof.snapshot import (
    QUEUED,
    REVISION,
    Change,
    Gate,
    Level,
    Line,
    Movement,
    ObservedEvent,
    Order,
    Part,
    Product,
    Reservation,
    StockRequest,
    Waiting,
    since_1970_us,
)
from tests.proof.small_world import PRICE, START, World

INVENTORY, ORDERS = "holdfast.inventory.v1.", "holdfast.orders.v1."
WAITS_MAX = 5


def at(seconds: int) -> datetime:
    return START + timedelta(minutes=1, seconds=seconds)


def desks(held: int, waiting: int = 0, revision: int = 1) -> tuple[Part, ...]:
    """What Inventory tells of an order for desks."""
    parts = [Part(REVISION, "", revision)]
    parts += [Part("DESK", "main", held)] if held else []
    parts += [Part("DESK", QUEUED, waiting)] if waiting else []
    return tuple(parts)


class QueueWorld(World):
    """A sound world with a queue."""

    def __init__(self) -> None:
        super().__init__()
        self.desks = Level("DESK", "main", 3, 3, 7)
        self.gate = Gate(2, WAITS_MAX)
        self.waits_max = WAITS_MAX
        self.kept_back = 0
        self.queues = {"o-7": (Waiting("DESK", 2, at(3)),)}
        for number, units, held, waiting, version in (
            (5, 2, 2, 0, 3),
            (6, 1, 1, 0, 2),
            (7, 2, 0, 2, 1),
        ):
            self.place(number, units, held, waiting, version)
        self.move("RECEIPT", 2, 0, 0, "", "counted", (2, 0))
        self.move("RESERVATION", 0, 2, 1, "o-5", "placed", (2, 2))
        self.move("RELEASE", 0, -1, 4, "o-5", "counted", (2, 1))
        self.move("ADJUSTMENT", -1, 0, 4, "", "counted", (1, 1))
        self.move("RECEIPT", 2, 0, 5, "", "counted", (3, 1))
        self.move("RESERVATION", 0, 1, 6, "o-5", "back-order", (3, 2))
        self.move("RESERVATION", 0, 1, 6, "o-6", "back-order", (3, 3))
        self.change_stock("desks", 2, 1, (2, 0))
        self.tell("s-5", "StockReserved", "o-5", 1, desks(2), 1)
        self.tell("s-6", "StockReserved", "o-6", 1, desks(0, 1), 2)
        self.tell("s-7", "StockReserved", "o-7", 1, desks(0, 2), 3)
        self.tell("g-5", "ReservationChanged", "o-5", 2, desks(1, 1), 4)
        self.change_stock("lost", -1, 4, (1, 1), displace=True)
        self.change_stock("more", 2, 5, (3, 1))
        self.tell("h-5", "ReservationChanged", "o-5", 3, desks(2), 6)
        self.tell("g-6", "ReservationChanged", "o-6", 2, desks(1), 6)
        self.call("carl", "ListBackorders", {"product_id": "DESK"}, {"rows": [["o-7", 2, 0, 1]]})
        told = {"on_hand": 3, "reserved": 3, "quarantined": 0, "available": 0, "queued": 2}
        self.call("carl", "GetStockInfo", {"product_id": "DESK"}, told)

    def place(self, number: int, units: int, held: int, waiting: int, version: int) -> None:
        """Place an order that stands so in the end."""
        order_id, request = f"o-{number}", f"r-{number}"
        history = Change(1, "PENDING", at(number - 4)), Change(2, "CONFIRMED", at(number - 3))
        stock = tuple(part for part in desks(held) if part.location_id)
        queued = (Part("DESK", "", waiting),) if waiting else ()
        rows = (Waiting("DESK", waiting, at(number - 4)),) if waiting else ()
        reasons = ("PRIORITY",) if held else ()
        lines, total = (Line("DESK", units, PRICE),), units * PRICE
        known = order_id, "emil", request, "CONFIRMED", 2, total, (), lines, history
        self.orders[order_id] = Order(
            *known, 1, 1, version, 1, stock, reasons=reasons, queued=queued
        )
        self.reservations[order_id] = Reservation(
            order_id, "HELD", version, 1, stock, (), reasons, queued=rows
        )
        asked = {"customer_id": "emil", "request_id": request, "lines": [["DESK", units]]}
        self.call("emil", "CreateOrder", asked, {"order_id": order_id, "status": "PENDING"})
        placed, confirmed = f"p-{number}", f"c-{number}"
        wanted = Part(REVISION, "", 1), Part("DESK", "", units)
        self.observed_events += [
            ObservedEvent(placed, ORDERS + "OrderPlaced", order_id, 1, wanted),
            ObservedEvent(confirmed, ORDERS + "OrderConfirmed", order_id, 2, ()),
        ]
        self.inboxes["inventory"].add(placed)

    def move(
        self,
        kind: str,
        on_hand: int,
        reserved: int,
        seconds: int,
        order_id: str,
        reason: str,
        after: tuple[int, int],
    ) -> None:
        facts = len(self.ledger) + 1, "DESK", "main", kind, on_hand, reserved, *after, order_id
        self.ledger.append(Movement(*facts, reason=reason, moved_at_us=since_1970_us(at(seconds))))

    def change_stock(
        self, request: str, delta: int, version: int, after: tuple[int, int], **more: bool
    ) -> None:
        """Somebody changes the stock of desks, and is told of it."""
        on_hand, reserved = after
        self.requests[request] = StockRequest(request, "DESK", "main", on_hand, reserved, version)
        units = {"on_hand": on_hand, "reserved": reserved, "available": on_hand - reserved}
        asked = {"request_id": request, "product_id": "DESK", "delta": delta, **more}
        self.call("shop", "UpdateStock", asked, units)
        content = (Part("DESK", "main", on_hand),)
        self.observed_events.append(
            ObservedEvent(f"i-{request}", INVENTORY + "StockLevelChanged", "DESK", version, content)
        )

    def tell(
        self, event_id: str, kind: str, order_id: str, version: int, parts: Any, seconds: int
    ) -> None:
        """Inventory tells Orders of an order."""
        self.observed_events.append(
            ObservedEvent(
                event_id, INVENTORY + kind, order_id, version, parts, since_1970_us(at(seconds))
            )
        )
        self.inboxes["orders"].add(event_id)

    def record(self) -> RunRecord:
        record = super().record()
        desk = Product("DESK", PRICE, True, 1, self.waits_max, self.kept_back)
        snapshot = replace(
            record.snapshot,
            products={**record.snapshot.products, "DESK": desk},
            levels=(*record.snapshot.levels, self.desks),
            gates={"DESK": self.gate},
            queues=self.queues,
        )
        return replace(record, snapshot=snapshot)
