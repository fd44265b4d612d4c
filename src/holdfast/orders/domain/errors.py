"""Refusals of Orders. Each carries the facts; `reason` is part of the contract.

OrdersError
├── OrderNotFound
├── UnknownProducts
├── UnknownLocations
├── LocationSpelledOtherwise
├── LocationInactive
├── InactiveProducts
├── WrongPrices
├── WrongCharges
├── WrongLines
├── WrongContents
├── KeptCharges
├── NothingLeft
├── EditUnderWay
├── MixedCurrencies
├── TotalTooLarge
├── ShortOfStock
├── IllegalTransition
├── HoldExpired
├── StillPending
├── TooManyChanges
├── StaleVersion
├── RequestIdReused
├── OutboxTooLong
├── InventoryUnavailable
├── WrongPaymentCurrency, PaymentReused, PaymentExceeds, PaymentsTooLarge, TooManyPayments: see
│   payments/errors.py
└── CustomerNotFound, StaleProfile, CustomerErased, OpenOrders: see customers/errors.py
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.orders.domain.ordering.status import OrderStatus

_HOLDS_NOTHING = ("REJECTED", "CANCELLED", "EXPIRED")
LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was missing for one product, over all locations."""

    product_id: str
    wanted: int
    available: int


class OrdersError(Exception):
    """Root of everything that Orders refuses."""

    reason = "ORDERS_ERROR"


class OrderNotFound(OrdersError):
    """There is no order of this id."""

    reason = "ORDER_NOT_FOUND"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id} does not exist")
        self.order_id = order_id


class UnknownProducts(OrdersError):
    """Inventory knows no such products."""

    reason = "PRODUCT_NOT_FOUND"

    def __init__(self, product_ids: Sequence[str]) -> None:
        super().__init__(_told(product_ids, "does not exist", "do not exist"))
        self.product_ids = product_ids


class UnknownLocations(OrdersError):
    """Inventory knows no such locations."""

    reason = "LOCATION_NOT_FOUND"

    def __init__(self, location_ids: Sequence[str]) -> None:
        super().__init__(_told(location_ids, "does not exist", "do not exist"))
        self.location_ids = location_ids


class LocationSpelledOtherwise(OrdersError):
    """Inventory knows the location in other letters' case."""

    reason = "LOCATION_SPELLED_OTHERWISE"

    def __init__(self, location_id: str, known: str) -> None:
        super().__init__(f"location {location_id} is written {known} here; write it so")
        self.location_id, self.known = location_id, known


class LocationInactive(OrdersError):
    """Stock is not taken from the location at present."""

    reason = "LOCATION_INACTIVE"

    def __init__(self, location_id: str) -> None:
        super().__init__(f"location {location_id} is not active: name another one")
        self.location_id = location_id


class InactiveProducts(OrdersError):
    """These products are not sold at present."""

    reason = "PRODUCT_INACTIVE"

    def __init__(self, product_ids: Sequence[str]) -> None:
        super().__init__(_told(product_ids, "is not sold at present", "are not sold at present"))
        self.product_ids = product_ids


class WrongPrices(OrdersError):
    """Prices named in the request do not fit their products' currencies.

    :param problems: by the line's place in the request, what is wrong and what would be right.
    """

    reason = "WRONG_PRICES"

    def __init__(self, problems: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"line {place + 1}: {text}" for place, text in problems.items()))
        self.problems = problems


class WrongCharges(OrdersError):
    """Charges of the request do not fit its lines.

    :param problems: by the charge's place in the request, what is wrong.
    :param of_no_line: the places of those whose line is wrong, not their amount.
    """

    reason = "WRONG_CHARGES"

    def __init__(self, problems: Mapping[int, str], of_no_line: Collection[int] = ()) -> None:
        super().__init__(
            "; ".join(f"charge {place + 1} {text}" for place, text in problems.items())
        )
        self.problems, self.of_no_line = problems, of_no_line


class WrongLines(OrdersError):
    """Lines of a request do not fit the order.

    :param problems: by the line's place in the request, what is wrong.
    :param named: what the request calls them.
    """

    reason = "WRONG_LINES"

    def __init__(self, problems: Mapping[int, str], named: str = "lines") -> None:
        super().__init__("; ".join(problems.values()))
        self.problems, self.named = problems, named


class WrongContents(OrdersError):
    """Both lines, or their prices, and charges of the request are wrong."""

    reason = "WRONG_CONTENTS"

    def __init__(self, errors: Sequence[WrongPrices | WrongLines | WrongCharges]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


def refuse_wrong(*errors: WrongPrices | WrongLines | WrongCharges) -> None:
    """Raise those that have problems, all at once; let pass if none has."""
    wrong = [error for error in errors if error.problems]
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise WrongContents(wrong)


class KeptCharges(OrdersError):
    """A discount of the order, which the edit does not name, would be above what is left."""

    reason = "WRONG_CHARGES"

    def __init__(self, codes: Sequence[str]) -> None:
        named = ", ".join(filter(None, codes)) or "a discount"
        super().__init__(
            f"{named} would be more than what it is taken off from: edit the order (UpdateOrder) "
            "with its lines and all its charges as they are to be"
        )


class NothingLeft(OrdersError):
    """An order is never left without lines."""

    reason = "NOTHING_LEFT"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id} has no other units: cancel it as a whole")


class EditUnderWay(OrdersError):
    """Inventory has not answered the order's last edit."""

    reason = "EDIT_UNDER_WAY"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"order {order_id} is being edited already: wait for what becomes of that, read the "
            "order, then repeat the change"
        )
        self.order_id = order_id


class MixedCurrencies(OrdersError):
    """An order has one currency."""

    reason = "MIXED_CURRENCIES"

    def __init__(self, currencies: Iterable[str]) -> None:
        self.currencies = sorted(currencies)
        super().__init__(
            f"an order has one currency, these lines have {', '.join(self.currencies)}"
        )


class TotalTooLarge(OrdersError):
    """The total does not fit into 64 bits of minor units."""

    reason = "TOTAL_TOO_LARGE"

    def __init__(self) -> None:
        super().__init__(
            "the total is too large: at most 9,223,372,036,854,775,807 of the smallest coin"
        )


class ShortOfStock(OrdersError):
    """The order plainly can't be filled."""

    reason = "SHORT_OF_STOCK"

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        listed = ", ".join(
            f"{s.product_id} (wanted {s.wanted}, available {s.available})" for s in shortages[:5]
        )
        super().__init__(f"short of {listed}" + (" and more" if len(shortages) > 5 else ""))
        self.shortages = shortages


class IllegalTransition(OrdersError):
    """The order's status does not allow this.

    :param wanted: the verb in its past form, such as cancelled.
    """

    reason = "ILLEGAL_TRANSITION"

    def __init__(self, order_id: str, *, now: str, wanted: str) -> None:
        ever = " any more" if OrderStatus(now).is_final else ""
        why = ": nothing is reserved for it" if now in _HOLDS_NOTHING else ""
        super().__init__(f"order {order_id} is {now} and can't be {wanted.lower()}{ever}{why}")
        self.order_id, self.now, self.wanted = order_id, now, wanted
        self.facts = {"status": now}


class ConfirmedOtherwise(IllegalTransition):
    """The order was confirmed by another payment, or needed none."""

    def __init__(self, order_id: str, *, now: str, reference: str | None) -> None:
        super().__init__(order_id, now=now, wanted="confirmed")
        self.reference = reference or ""
        self.facts["payment_reference"] = self.reference
        by = f"by payment {reference}" if reference else "without a hold, and needs no payment"
        self.args = (f"order {order_id} is {now} {by}; the reference is kept with it",)


class HoldExpired(OrdersError):
    """The hold has ended, and the units may be somebody else's."""

    reason = "HOLD_EXPIRED"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"the hold of order {order_id} has ended and nothing is reserved for it any more: "
            "place a new order, or give the payment back"
        )
        self.order_id = order_id


class StillPending(OrdersError):
    """The order's stock is not decided yet."""

    reason = "STILL_PENDING"

    def __init__(self, order_id: str, *, wanted: str) -> None:
        super().__init__(
            f"the stock of order {order_id} is not decided yet, so that it can't be {wanted}: "
            "try again in a moment"
        )
        self.order_id = order_id


class TooManyChanges(OrdersError):
    """The order's customer information was changed as often as it may be."""

    reason = "TOO_MANY_CHANGES"

    def __init__(self, order_id: str, allowed: int) -> None:
        super().__init__(
            f"order {order_id} was changed {allowed:,} times, and more is not allowed; "
            "it can still be cancelled"
        )
        self.order_id, self.allowed = order_id, allowed


class StaleVersion(OrdersError):
    """The order changed since it was read."""

    reason = "STALE_VERSION"

    def __init__(self, order_id: str, *, expected: int, current: int) -> None:
        super().__init__(
            f"order {order_id} has changed since version {expected} and is at {current} now: "
            "look at it again, then repeat the change"
        )
        self.order_id, self.expected, self.current = order_id, expected, current


class RequestIdReused(OrdersError):
    """The customer used the request id before, for another order."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str, order_id: str) -> None:
        super().__init__(
            f"request id {request_id} belongs to order {order_id}, which has other contents: "
            "look at that order first; under a new request id this would be one more order"
        )
        self.request_id, self.order_id = request_id, order_id


class OutboxTooLong(OrdersError):
    """Too many recorded orders wait for the message broker."""

    reason = "OUTBOX_TOO_LONG"

    def __init__(self) -> None:
        super().__init__(
            "nothing was recorded, as too many orders wait for the message broker: try again later"
        )


class Draining(OrdersError):
    """The service stops; whoever waits for news should ask its successor."""

    reason = "DRAINING"

    def __init__(self) -> None:
        super().__init__("the service stops; ask again")


class InventoryUnavailable(OrdersError):
    """Inventory did not answer the stock check; nothing was recorded."""

    reason = "INVENTORY_UNAVAILABLE"

    def __init__(self, why: str) -> None:
        super().__init__(
            "nothing was recorded, as Inventory did not answer the stock check: try again in a "
            f"moment ({why})"
        )


def _told(product_ids: Sequence[str], one: str, many: str) -> str:
    if len(product_ids) == 1:
        return f"product {product_ids[0]} {one}"
    more = ", ..." if len(product_ids) > LISTED_MAX else ""
    return f"{len(product_ids)} products {many}: {', '.join(product_ids[:LISTED_MAX])}{more}"
