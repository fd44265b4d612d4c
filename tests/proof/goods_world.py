"""The small world in which goods left and came back as well, to be damaged."""

from typing import Any

from proof.goods import Item, Receipt, Return, Shipment, Sourcing
from proof.questions import CAME, LEFT, fact_name
from proof.snapshot import (
    QUARANTINED,
    RECEIPT,
    REVISION,
    Change,
    Movement,
    ObservedEvent,
    Part,
    StockRequest,
)
from tests.proof.small_world import START, World, lamps

LAMP = Item(1, "LAMP", "main", 1)
PARCEL = Receipt("p-1", 6, 3, (LAMP._replace(disposition="QUARANTINE"),))
SHIPMENT = Shipment("s-1", 4, 2, (LAMP,))
RETURN = Return("r-id", "r-1", 5, ((1, "LAMP", 1),), True, (PARCEL,))
STEPS = (
    ("PENDING", ""),
    ("CONFIRMED", ""),
    ("CONFIRMED", "CUSTOMER_UPDATED"),
    ("PARTIALLY_SHIPPED", ""),
    ("PARTIALLY_SHIPPED", "RETURN_OPENED"),
    ("PARTIALLY_SHIPPED", "RETURN_RECEIVED"),
    ("PARTIALLY_SHIPPED", "RETURN_CLOSED"),
    ("PARTIALLY_SHIPPED", "SHIPMENT_UPDATED"),
)
SHIP = {"order_id": "o-1", "shipment_id": "s-1", "items": [[1, 1, ""]], "location_id": ""}
TRACK = {"order_id": "o-1", "shipment_id": "s-1", "tracking_number": "T-1", "delivered": True}
OPEN = {"order_id": "o-1", "request_id": "r-1", "lines": [[1, 1]]}
RECEIVE = {
    "order_id": "o-1",
    "return_id": "r-id",
    "request_id": "p-1",
    "lines": [[1, 1, "QUARANTINE", "main"]],
}
CLOSE = {"order_id": "o-1", "return_id": "r-id"}
ASIDE = {"request_id": "aside", "product_id": "LAMP", "location_id": "main", "quantity": 2}
ENDED = {"order_id": "o-1", "return_id": "r-id", "units": [[1, 1, 1]], "receipts": ["p-1"]}
READ = {"order_id": "o-1", "version": 8, "status": "PARTIALLY_SHIPPED"}
ITEMS = [[1, "LAMP", "main", 1]]


def shipped_and_returned() -> World:
    """A world in which one lamp of o-1 left, came back, and was put aside, and two others were."""
    world = World()
    history = tuple(Change(n, status, START, done) for n, (status, done) in enumerate(STEPS, 1))
    known: dict[str, Any] = {"asked": 3, "answered": 3, "sequence": 3, "revision": 3}
    shipment = SHIPMENT._replace(tracking_number="T-1", is_delivered=True)
    world.change_order(
        "o-1",
        status="PARTIALLY_SHIPPED",
        version=len(STEPS),
        history=history,
        stock=lamps(1, location="main"),
        reasons=("PRIORITY",),
        shipments=(shipment,),
        returns=(RETURN,),
        **known,
    )
    held = lamps(1, location="main")
    world.change_reservation("o-1", version=3, revision=3, stock=held, reasons=("PRIORITY",))
    moved = "LAMP", "main"
    world.ledger += [
        Movement(0, *moved, "SHIPMENT", -1, -1, 0, 0, "o-1", reference="s-1"),
        Movement(0, *moved, "RETURN", 1, 0, 0, 0, "o-1", 1, 0, "p-1"),
        Movement(0, *moved, "QUARANTINE", 0, 0, 0, 0, "", 2),
    ]
    world.requests["aside"] = StockRequest("aside", *moved, 0, 0, 8)
    world.recount()
    world.booked = {("o-1", "s-1"), ("o-1", f"{RECEIPT}p-1")}
    _tell(world)
    for method, request, told in (
        ("ShipOrder", SHIP, {**READ, "version": 4, "shipments": [["s-1", ITEMS]]}),
        ("OpenReturn", OPEN, {**ENDED, "units": [[1, 1, 0]], "receipts": [], "closed": False}),
        ("ReceiveReturn", RECEIVE, {**ENDED, "closed": False}),
        ("CloseReturn", CLOSE, {**ENDED, "closed": True}),
        ("UpdateShipment", TRACK, READ),
        ("QuarantineStock", ASIDE, world.units(8)),
    ):
        world.call("anna", method, request, told)
    return world


def _tell(world: World) -> None:
    """What both services told of it."""
    left = Part(fact_name(LEFT, "s-1", "LAMP"), "main", 1)
    came = Part(fact_name(CAME, "p-1", "LAMP", "QUARANTINE"), "main", 1)
    asked = (Part(REVISION, "", 2), *lamps(1), left, Part("shipment s-1", "", 1))
    again = (Part(REVISION, "", 3), *lamps(1), left, came, Part("return r-id", "", 0))
    held = lamps(1, location="main")
    aside = (*lamps(9, location="main"), Part(QUARANTINED, "main", 3))
    orders, inventory = "holdfast.orders.v1.", "holdfast.inventory.v1."
    world.observed_events += [
        ObservedEvent("g-1", orders + "OrderShipped", "o-1", 4, asked),
        ObservedEvent("g-2", orders + "ReturnOpened", "o-1", 5, (Part("return r-id", "", 0),)),
        ObservedEvent("g-3", orders + "ReturnReceived", "o-1", 6, again),
        ObservedEvent("g-4", orders + "ReturnClosed", "o-1", 7, (Part("return r-id", "", 0),)),
        ObservedEvent("g-5", orders + "ShipmentUpdated", "o-1", 8, (Part("shipment s-1", "", 1),)),
        ObservedEvent("a-1", inventory + "StockReserved", "o-1", 2, (Part(REVISION, "", 2), *held)),
        ObservedEvent("a-2", inventory + "StockReserved", "o-1", 3, (Part(REVISION, "", 3), *held)),
        ObservedEvent("i-8", inventory + "StockLevelChanged", "LAMP", 8, aside),
    ]
    world.inboxes["inventory"] |= {"g-1", "g-3"}
    world.inboxes["orders"] |= {"a-1", "a-2"}


def change_shipment(world: World, **values: Any) -> None:
    (one,) = world.orders["o-1"].shipments
    world.change_order("o-1", shipments=(one._replace(**values),))


def change_return(world: World, **values: Any) -> None:
    world.change_order("o-1", returns=(RETURN._replace(**values),))


def change_receipt(world: World, **values: Any) -> None:
    change_return(world, receipts=(PARCEL._replace(**values),))


def change_last_call(world: World, method: str, **values: Any) -> None:
    (number,) = (call.number for call in world.calls if call.method == method)
    world.change_call(number, **values)


def sourced(world: World, sourcing: Sourcing) -> None:
    """As if o-1 had wanted its stock so from the beginning."""
    placed = world.orders["o-1"].first._replace(sourcing=sourcing)
    world.change_order("o-1", placed=placed)
    world.change_reservation("o-1", sourcing=sourcing)
