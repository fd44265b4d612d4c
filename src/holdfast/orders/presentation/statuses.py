"""Orders' refusals as google.rpc.Status: which code, which details."""

from collections.abc import Collection, Iterable
from itertools import chain

import grpc
from google.rpc.error_details_pb2 import PreconditionFailure
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc import statuses
from holdfast.orders.domain.errors import (
    Draining,
    EditUnderWay,
    HoldExpired,
    IllegalTransition,
    InactiveProducts,
    InventoryUnavailable,
    KeptCharges,
    LocationInactive,
    LocationSpelledOtherwise,
    MixedCurrencies,
    NothingLeft,
    OrderNotFound,
    OrdersError,
    OutboxTooLong,
    RequestIdReused,
    ShortOfStock,
    StaleVersion,
    StillPending,
    TooManyChanges,
    TotalTooLarge,
    UnknownLocations,
    UnknownProducts,
    WrongCharges,
    WrongContents,
    WrongLines,
    WrongPrices,
)
from holdfast.orders.domain.payments.errors import (
    PaymentExceeds,
    PaymentReused,
    PaymentsTooLarge,
    TooManyPayments,
    WrongPaymentCurrency,
)
from holdfast.orders.domain.returns.errors import (
    OverReceipt,
    OverReturn,
    ReturnClosed,
    ReturnNotFound,
    ReturnRequestReused,
    TooManyReturns,
)
from holdfast.orders.domain.shipping.errors import (
    BelowShipped,
    NotHeldThere,
    NothingToShip,
    NotPaid,
    OverShipment,
    ShipmentNotFound,
    ShipmentReused,
    StillQueued,
    TooManyShipments,
    TooMuchGoods,
    WrongDelivery,
)
from holdfast.orders.presentation.customers.statuses import translate as about_customers


def translate(error: Exception) -> Status | None:
    """Return the status of a refusal; None for any other error."""
    match error:
        case OrderNotFound():
            return statuses.not_found("order", [error.order_id])
        case UnknownProducts():
            return statuses.not_found("product", error.product_ids)
        case WrongPrices() | WrongCharges() | WrongLines():
            return statuses.bad_request(_at_places(error))
        case WrongContents():
            return statuses.bad_request(chain.from_iterable(map(_at_places, error.errors)))
        case EditUnderWay():
            return statuses.refusal(grpc.StatusCode.ABORTED, error.reason, str(error))
        case NothingLeft():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error))
        case MixedCurrencies() | TotalTooLarge() | KeptCharges():
            return statuses.bad_request([("lines", str(error))])
        case ShortOfStock():
            return _short(error)
        case InactiveProducts():
            return _inactive(error)
        case IllegalTransition():
            return statuses.refusal(
                grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error), metadata=error.facts
            )
        case TooManyChanges() | TooManyPayments():
            return statuses.refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                error.reason,
                str(error),
                metadata={"allowed": str(error.allowed)},
            )
        case StaleVersion():
            return statuses.stale("order", error.order_id, error.current)
        case RequestIdReused():
            facts = {"order_id": error.order_id}
            return statuses.refusal(
                grpc.StatusCode.ALREADY_EXISTS, error.reason, str(error), metadata=facts
            )
        case OutboxTooLong():
            return statuses.retry_later(
                grpc.StatusCode.RESOURCE_EXHAUSTED, error.reason, str(error)
            )
        case InventoryUnavailable() | Draining():
            return statuses.retry_later(grpc.StatusCode.UNAVAILABLE, error.reason, str(error))
    return _about_payments(error) or _about_places(error) or about_customers(error)


def _at_places(error: WrongPrices | WrongCharges | WrongLines) -> Iterable[tuple[str, str]]:
    """What is wrong, by fields of the request."""
    no_line: Collection[int] = ()
    match error:
        case WrongPrices():
            items, field = "lines", ".unit_price"
        case WrongCharges():
            items, field, no_line = "charges", ".amount", error.of_no_line
        case WrongLines():
            items, field = error.named, ""
    return [
        (f"{items}[{place}]{'.line_no' if place in no_line else field}", text)
        for place, text in error.problems.items()
    ]


def _about_places(error: Exception) -> Status | None:
    """Refusals of shipments, and of locations that stock is to come from."""
    match error:
        case ShipmentNotFound():
            return statuses.not_found("shipment", [error.shipment_id])
        case ReturnNotFound():
            return statuses.not_found("return", [error.return_id])
        case ShipmentReused():
            return statuses.refusal(grpc.StatusCode.ALREADY_EXISTS, error.reason, str(error))
        case ReturnRequestReused():
            return statuses.refusal(
                grpc.StatusCode.ALREADY_EXISTS, error.reason, str(error), metadata=error.facts
            )
        case (
            OverShipment()
            | NotHeldThere()
            | StillQueued()
            | NotPaid()
            | BelowShipped()
            | OverReturn()
            | OverReceipt()
        ):
            return statuses.refusal(
                grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error), metadata=error.facts
            )
        case (
            NothingToShip()
            | ReturnClosed()
            | TooManyShipments()
            | TooManyReturns()
            | TooMuchGoods()
        ):
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error))
        case WrongDelivery():
            return statuses.bad_request([("shipment.deliver_time", str(error))])
        case UnknownLocations():
            return statuses.not_found("location", error.location_ids)
        case LocationSpelledOtherwise():
            return _of_location(error, error.known)
        case LocationInactive():
            return _of_location(error, error.location_id)
    return None


def _about_payments(error: Exception) -> Status | None:
    match error:
        case WrongPaymentCurrency():
            return statuses.bad_request([("amount.currency_code", str(error))])
        case PaymentsTooLarge():
            return statuses.bad_request([("amount", str(error))])
        case HoldExpired():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error))
        case StillPending():
            return statuses.retry_later(grpc.StatusCode.UNAVAILABLE, error.reason, str(error))
        case PaymentReused():
            facts = {"amount_minor": str(error.recorded_minor)}
            return statuses.refusal(
                grpc.StatusCode.ALREADY_EXISTS, error.reason, str(error), metadata=facts
            )
        case PaymentExceeds():
            facts = {"allowed_minor": str(error.allowed_minor)}
            return statuses.refusal(
                grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error), metadata=facts
            )
    return None


def _short(error: ShortOfStock) -> Status:
    unmet = [
        PreconditionFailure.Violation(
            type=error.reason,
            subject=s.product_id,
            description=f"wanted {s.wanted}, available {s.available}",
        )
        for s in error.shortages
    ]
    # The metadata tells each product twice more.
    violations = statuses.as_many_as_fit(unmet, statuses.DETAILS_BYTES_MAX // 2)
    told = error.shortages[: len(violations)]
    facts = {f"wanted:{s.product_id}": str(s.wanted) for s in told}
    facts |= {f"available:{s.product_id}": str(s.available) for s in told}
    return statuses.refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        error.reason,
        str(error),
        metadata=facts,
        details=[PreconditionFailure(violations=violations)],
    )


def _of_location(error: OrdersError, location_id: str) -> Status:
    return statuses.refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        error.reason,
        str(error),
        metadata={"location_id": location_id},
    )


def _inactive(error: InactiveProducts) -> Status:
    unmet = [
        PreconditionFailure.Violation(
            type=error.reason, subject=product_id, description="is not sold at present"
        )
        for product_id in error.product_ids
    ]
    violations = statuses.as_many_as_fit(unmet)
    return statuses.refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        error.reason,
        str(error),
        details=[PreconditionFailure(violations=violations)],
    )
