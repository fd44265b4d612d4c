"""Refusals of Inventory. Each carries the facts; `reason` is part of the contract.

InventoryError
├── ProductNotFound
├── ProductExists
├── LocationSpelledOtherwise
├── BelowReserved
├── QuantityTooLarge
├── TooManyLocations
├── StaleVersion
└── RequestIdReused
"""


class InventoryError(Exception):
    """Root of everything that Inventory refuses."""

    reason = "INVENTORY_ERROR"


class ProductNotFound(InventoryError):
    """There is no product of this id."""

    reason = "PRODUCT_NOT_FOUND"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"product {product_id} does not exist")
        self.product_id = product_id


class ProductExists(InventoryError):
    """The id is taken by a product with other details."""

    reason = "PRODUCT_EXISTS"

    def __init__(self, product_id: str) -> None:
        super().__init__(
            f"product {product_id} exists already, with other details: look at it, and update it "
            "if these are right"
        )
        self.product_id = product_id


class LocationSpelledOtherwise(InventoryError):
    """A location of this name is there in other letters: units would be counted at two places."""

    reason = "LOCATION_SPELLED_OTHERWISE"

    def __init__(self, location_id: str, known: str) -> None:
        super().__init__(f"location {location_id} is written {known} here; write it so")
        self.location_id, self.known = location_id, known


class BelowReserved(InventoryError):
    """The on-hand quantity would be less than what orders were promised."""

    reason = "BELOW_RESERVED"

    def __init__(self, product_id: str, location_id: str, *, wanted: int, reserved: int) -> None:
        at = f"product {product_id} at {location_id}: on hand can't become {wanted:,}"
        if reserved:
            promised = "1 unit is" if reserved == 1 else f"{reserved:,} units are"
            why = f", as {promised} promised to orders: cancel some, or leave so many"
        else:
            why = ", which is less than nothing: look at what there is"
        super().__init__(at + why)
        self.product_id, self.location_id = product_id, location_id
        self.wanted, self.reserved = wanted, reserved


class QuantityTooLarge(InventoryError):
    """The on-hand quantity would exceed what a level may hold."""

    reason = "QUANTITY_TOO_LARGE"

    def __init__(self, product_id: str, location_id: str, *, wanted: int, allowed: int) -> None:
        super().__init__(
            f"product {product_id} at {location_id}: "
            f"on hand can't become {wanted:,}, at most {allowed:,} are allowed"
        )
        self.product_id, self.location_id = product_id, location_id
        self.wanted, self.allowed = wanted, allowed


class TooManyLocations(InventoryError):
    """The product has stock at as many locations as it may."""

    reason = "TOO_MANY_LOCATIONS"

    def __init__(self, product_id: str, allowed: int) -> None:
        super().__init__(
            f"product {product_id} is kept at {allowed:,} locations already, and more are not "
            "allowed: use one of those"
        )
        self.product_id, self.allowed = product_id, allowed


class StaleVersion(InventoryError):
    """Something changed since it was read."""

    reason = "STALE_VERSION"

    def __init__(self, kind: str, name: str, *, expected: int, current: int) -> None:
        super().__init__(
            f"{kind} {name} has changed since version {expected} and is at {current} now: "
            "look at it again, then repeat the change"
        )
        self.kind, self.name = kind, name
        self.expected, self.current = expected, current


class RequestIdReused(InventoryError):
    """The request id was used before, with other contents."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, product_id: str, location_id: str) -> None:
        super().__init__(
            f"request id {request_id} belongs to another change, of product {product_id} at "
            f"{location_id}: look at its movements first; under a new request id this would be "
            "one more change"
        )
        self.request_id, self.product_id, self.location_id = request_id, product_id, location_id
