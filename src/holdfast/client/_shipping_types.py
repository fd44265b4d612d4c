"""What left the house and how it travels, and what comes back of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.client._money import Money


@dataclass(frozen=True, slots=True)
class ShipmentItem:
    """Units of a line that left, or are to leave, from one location.

    :param quantity: units, 1 or more.
    :param location_id: where they were. Empty in `ship`: the location of the call, or wherever they
        are held.
    :param product_id: told only.
    """

    line_no: int
    quantity: int
    location_id: str = ""
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods that left the house, and how they travel. Times are UTC.

    :param shipment_id: names it among all of its order.
    :param tracking_number: the carrier's name for it.
    :param tracking_url: where it can be followed.
    :param ship_time: when it was recorded.
    :param deliver_time: when it arrived; None: not known.
    """

    shipment_id: str
    items: tuple[ShipmentItem, ...]
    carrier: str
    tracking_number: str
    tracking_url: str
    ship_time: datetime
    deliver_time: datetime | None = None


class Disposition(StrEnum):
    """What becomes of units that come back."""

    RESTOCK = "RESTOCK"  # free to promise again
    QUARANTINE = "QUARANTINE"  # on hand, and not free to promise
    WRITE_OFF = "WRITE_OFF"  # gone: only the record stays
    UNKNOWN = "UNKNOWN"  # one that this version of the client does not know


class ReturnState(StrEnum):
    """Where a return stands."""

    OPEN = "OPEN"  # units may come
    CLOSED = "CLOSED"  # nothing more comes
    UNKNOWN = "UNKNOWN"  # a state that this version of the client does not know


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units of a line that may come back.

    :param quantity: units, 1 or more.
    :param reason: why, in the customer's words or yours; at most 500 characters.
    :param product_id: told only.
    :param received: units that have come; told only.
    """

    line_no: int
    quantity: int
    reason: str = ""
    product_id: str = ""
    received: int = 0


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """Units of a line that came back.

    :param quantity: units, 1 or more.
    :param disposition: what becomes of them.
    :param location_id: where they are.
    :param product_id: told only.
    """

    line_no: int
    quantity: int
    disposition: Disposition
    location_id: str = "main"
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class ReturnReceipt:
    """One parcel of a return, under the request id that recorded it. Times are UTC."""

    request_id: str
    lines: tuple[ReceiptLine, ...]
    receive_time: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """Units that left and may come back. Times are UTC.

    :param lines: what may come, and what has.
    :param receipts: what came, in the order of recording.
    :param value: what the units that have come cost, with their share of charges.
    :param close_time: None: it is open.
    """

    return_id: str
    order_id: str
    state: ReturnState
    lines: tuple[ReturnLine, ...]
    receipts: tuple[ReturnReceipt, ...]
    value: Money
    open_time: datetime
    close_time: datetime | None = None
