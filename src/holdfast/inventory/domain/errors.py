"""Refusals of Inventory. Each carries the facts; `reason` is part of the contract.

InventoryError
├── ProductNotFound
├── ProductExists
├── ProductsInactive
├── LocationNotFound
├── LocationExists
├── LocationSpelledOtherwise
├── LocationInactive
├── BelowReserved
├── RefusedUnits
│   ├── NotFree
│   └── OverReceipt
├── NotQuarantined
├── QuantityTooLarge
├── TooManyLocations
├── TransferNotFound
├── TransferClosed
├── NothingToReceive
├── StaleVersion
├── RequestIdReused
└── TransferRequestReused
"""

from collections.abc import Mapping, Sequence


class InventoryError(Exception):
    """Root of everything that Inventory refuses."""

    reason = "INVENTORY_ERROR"


class ProductNotFound(InventoryError):
    """There is no product of this id, nor of the others."""

    reason = "PRODUCT_NOT_FOUND"

    def __init__(self, product_id: str, *others: str) -> None:
        super().__init__(f"product {product_id} does not exist")
        self.product_ids = product_id, *others


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
    """On hand would be less than what orders were promised and what is in quarantine."""

    reason = "BELOW_RESERVED"

    def __init__(
        self,
        product_id: str,
        location_id: str,
        *,
        wanted: int,
        reserved: int,
        quarantined: int = 0,
    ) -> None:
        at = f"product {product_id} at {location_id}: on hand can't become {wanted:,}"
        if wanted < 0:
            why = ", which is less than nothing: look at what there is"
        elif reserved and wanted >= quarantined:
            promised = "1 unit is" if reserved == 1 else f"{reserved:,} units are"
            aside = f", and {quarantined:,} in quarantine" if quarantined else ""
            why = (
                f", as {promised} promised to orders{aside}: cancel some, leave so many, or let "
                "the youngest promises wait for stock (displace)"
            )
        else:
            why = (
                f", as {quarantined:,} in quarantine are not gone: write them off, or release them"
            )
        super().__init__(at + why)
        self.product_id, self.location_id = product_id, location_id
        self.wanted, self.reserved = wanted, reserved


class RefusedUnits(InventoryError):
    """Units of a product can't be moved as asked.

    :ivar others: what is refused of other products, by the same request.
    """

    reason = "REFUSED_UNITS"
    others: Sequence["RefusedUnits"] = ()

    def __init__(self, message: str, product_id: str, facts: Mapping[str, str]) -> None:
        super().__init__(message)
        self.product_id, self.facts = product_id, facts


def refuse_together(refused: Sequence[RefusedUnits]) -> None:
    """Raise what is refused, if anything is: the first, with all others."""
    if refused:
        refused[0].others = refused[1:]
        raise refused[0]


class NotFree(RefusedUnits):
    """Fewer units are free there than are to be taken out of sale, or to leave.

    :param wanted_to: what was to become of them.
    """

    reason = "NOT_FREE"

    def __init__(
        self, product_id: str, location_id: str, *, wanted: int, free: int, wanted_to: str
    ) -> None:
        super().__init__(
            f"product {product_id} at {location_id}: {wanted:,} units can't {wanted_to}, as "
            f"{free:,} are free: what is promised to orders or quarantined is not",
            product_id,
            {"wanted": str(wanted), "free": str(free)},
        )


class NotQuarantined(InventoryError):
    """Fewer units are in quarantine there."""

    reason = "NOT_QUARANTINED"

    def __init__(self, product_id: str, location_id: str, *, wanted: int, quarantined: int) -> None:
        super().__init__(
            f"product {product_id} at {location_id}: {wanted:,} units can't leave quarantine, "
            f"where there are {quarantined:,}"
        )
        self.facts = {"wanted": str(wanted), "quarantined": str(quarantined)}


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


class LocationNotFound(InventoryError):
    """There is no location of this id, nor of the others."""

    reason = "LOCATION_NOT_FOUND"

    def __init__(self, location_id: str, *others: str) -> None:
        super().__init__(
            f"location {location_id} does not exist: create it first, or name one that does"
        )
        self.location_ids = location_id, *others


class LocationExists(InventoryError):
    """The id is taken by a location with other details."""

    reason = "LOCATION_EXISTS"

    def __init__(self, location_id: str) -> None:
        super().__init__(
            f"location {location_id} exists already, with other details: look at it, and update it "
            "if these are right"
        )
        self.location_id = location_id


class LocationInactive(InventoryError):
    """Nothing comes to the location, and nothing is promised there."""

    reason = "LOCATION_INACTIVE"

    def __init__(self, location_id: str, *, wanted: str) -> None:
        super().__init__(
            f"location {location_id} is not active and can't {wanted} stock: make it active, or "
            "name another one"
        )
        self.location_id = location_id


class ProductsInactive(InventoryError):
    """These products, at least one, are not sold at present."""

    reason = "PRODUCT_INACTIVE"

    def __init__(self, *product_ids: str) -> None:
        others = f"; nor are these: {', '.join(product_ids[1:6])}" if product_ids[1:] else ""
        more = ", ..." if len(product_ids) > 6 else ""
        super().__init__(f"product {product_ids[0]} is not sold at present{others}{more}")
        self.product_ids = product_ids


class TooManyLocations(InventoryError):
    """There are as many locations as there may be."""

    reason = "TOO_MANY_LOCATIONS"

    def __init__(self, allowed: int) -> None:
        super().__init__(
            f"there are {allowed:,} locations already, and more are not allowed: use one of those"
        )
        self.allowed = allowed


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


class TransferNotFound(InventoryError):
    """There is no transfer of this id."""

    reason = "TRANSFER_NOT_FOUND"

    def __init__(self, transfer_id: str) -> None:
        super().__init__(f"transfer {transfer_id} does not exist")
        self.transfer_id = transfer_id


class TransferClosed(InventoryError):
    """Nothing more comes of the transfer."""

    reason = "TRANSFER_CLOSED"

    def __init__(self, transfer_id: str) -> None:
        super().__init__(
            f"transfer {transfer_id} is closed, and what had not come is missing: what came later "
            "is a receipt of its own"
        )
        self.facts = {"transfer_id": transfer_id}


class NothingToReceive(InventoryError):
    """All units of the transfer have come."""

    reason = "NOTHING_TO_RECEIVE"

    def __init__(self, transfer_id: str) -> None:
        super().__init__(f"of transfer {transfer_id} nothing is still to come: close it")
        self.facts = {"transfer_id": transfer_id}


class OverReceipt(RefusedUnits):
    """More units would have come than were sent."""

    reason = "OVER_RECEIPT"

    def __init__(self, transfer_id: str, product_id: str, *, wanted: int, coming: int) -> None:
        super().__init__(
            f"product {product_id} of transfer {transfer_id}: {wanted:,} units can't have come, as "
            f"{coming:,} are still to come: what is beyond that is a receipt of its own",
            product_id,
            {"product_id": product_id, "wanted": str(wanted), "coming": str(coming)},
        )


class TransferRequestReused(InventoryError):
    """The request id was used before, for another transfer or another receipt of this one."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, transfer_id: str) -> None:
        super().__init__(
            f"request id {request_id} belongs to transfer {transfer_id}, with other contents: look "
            "at it first; under a new request id this would be one more"
        )
        self.facts = {"transfer_id": transfer_id}
