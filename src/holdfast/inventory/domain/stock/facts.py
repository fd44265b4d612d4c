"""What Orders tells as facts: what has left, and what has come back. They can't be refused."""

from enum import StrEnum
from typing import NamedTuple


class ShippedUnits(NamedTuple):
    """Units of one product that left from one location in a shipment of an order."""

    shipment_id: str
    product_id: str
    location_id: str
    quantity: int


class Disposition(StrEnum):
    """What becomes of units that came back."""

    RESTOCK = "RESTOCK"
    QUARANTINE = "QUARANTINE"
    WRITE_OFF = "WRITE_OFF"


class ReceivedUnits(NamedTuple):
    """Units of one product that came back to one location in a receipt of an order."""

    receipt_id: str
    product_id: str
    location_id: str
    quantity: int
    disposition: Disposition
