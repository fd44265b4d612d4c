"""Refusals of shipments."""

from collections.abc import Mapping

from holdfast.orders.domain.errors import OrdersError


class ShipmentNotFound(OrdersError):
    """The order has no such shipment."""

    reason = "SHIPMENT_NOT_FOUND"

    def __init__(self, order_id: str, shipment_id: str) -> None:
        super().__init__(f"order {order_id} has no shipment {shipment_id}")
        self.shipment_id = shipment_id


class ShipmentReused(OrdersError):
    """The order has another shipment of this id."""

    reason = "SHIPMENT_REUSED"

    def __init__(self, order_id: str, shipment_id: str) -> None:
        super().__init__(
            f"order {order_id} has another shipment {shipment_id}: look at it; under a new id this "
            "would be one more"
        )


class WrongDelivery(OrdersError):
    """A shipment can't have arrived then."""

    reason = "WRONG_DELIVERY"


class OverShipment(OrdersError):
    """More units of a line than have not left yet."""

    reason = "OVER_SHIPMENT"

    def __init__(self, order_id: str, line_no: int, *, wanted: int, left: int) -> None:
        super().__init__(
            f"order {order_id}, line {line_no}: {wanted:,} units can't leave: units that have not "
            f"left yet: {left:,}"
        )
        self.facts = {"line_no": str(line_no), "wanted": str(wanted), "left": str(left)}


class NotHeldThere(OrdersError):
    """More units than the order holds at a location, or anywhere."""

    reason = "NOT_HELD_THERE"

    def __init__(
        self, product_id: str, location_id: str, *, wanted: int, held: Mapping[str, int]
    ) -> None:
        at = f"at {location_id}" if location_id else "anywhere"
        super().__init__(
            f"{wanted:,} units of {product_id} are not held {at} for this order: it holds "
            f"{_places(held)}"
        )
        self.facts = {"product_id": product_id, "wanted": str(wanted)}
        self.facts |= {f"held:{place}": str(units) for place, units in held.items()}


class StillQueued(OrdersError):
    """More units than the order holds, while units of the product still wait for stock."""

    reason = "STILL_QUEUED"

    def __init__(
        self,
        product_id: str,
        location_id: str,
        *,
        wanted: int,
        held: Mapping[str, int],
        queued: int,
    ) -> None:
        at = f" from {location_id}" if location_id else ""
        super().__init__(
            f"{wanted:,} units of {product_id} can't leave{at}: {queued:,} wait for stock, and the "
            f"order holds {_places(held)}"
        )
        self.facts = {"product_id": product_id, "wanted": str(wanted), "queued": str(queued)}
        self.facts |= {f"held:{place}": str(units) for place, units in held.items()}


class NothingToShip(OrdersError):
    """The order holds nothing there, or nothing any more."""

    reason = "NOTHING_TO_SHIP"

    def __init__(self, order_id: str, location_id: str) -> None:
        at = f" at {location_id}" if location_id else ""
        super().__init__(f"nothing is held{at} for order {order_id} that has not left")


class NotPaid(OrdersError):
    """The shop lets units of this channel leave once more was paid."""

    reason = "NOT_PAID"

    def __init__(self, order_id: str, required: str) -> None:
        how = "taken" if required == "PAID" else "promised or taken"
        super().__init__(
            f"order {order_id} leaves once all that it costs is {how}: record the payment "
            "(`holdfast order pay`), then ship it"
        )
        self.facts = {"required": required}


class BelowShipped(OrdersError):
    """A line would have fewer units than have left."""

    reason = "BELOW_SHIPPED"

    def __init__(self, line_no: int, *, shipped: int) -> None:
        super().__init__(f"line {line_no} can't have fewer than {shipped:,} units: they have left")
        self.facts = {"line_no": str(line_no), "shipped": str(shipped)}


class ShippedInPart(OrdersError):
    """A part of the order has left, so that only the rest of it can be cancelled."""

    reason = "SHIPPED_IN_PART"

    def __init__(self, order_id: str, version: int) -> None:
        super().__init__(f"a part of order {order_id} has left: cancel the rest")
        self.version = version


class TooManyShipments(OrdersError):
    """The order has as many shipments as it may."""

    reason = "TOO_MANY_CHANGES"

    def __init__(self, order_id: str, allowed: int) -> None:
        super().__init__(f"order {order_id} has {allowed:,} shipments, and more are not allowed")


class TooMuchGoods(OrdersError):
    """What has left and come back of the order has no room in one message any more."""

    reason = "TOO_MANY_CHANGES"

    def __init__(self, order_id: str, allowed: int) -> None:
        super().__init__(
            f"order {order_id} has so many shipments and returns that they can't be told any more "
            f"with this one: about {allowed:,} bytes of them are allowed"
        )


def _places(held: Mapping[str, int]) -> str:
    places = (f"{units:,} at {place}" for place, units in sorted(held.items()))
    return ", ".join(places) or "none"
