"""Inventory's refusals as google.rpc.Status: which code, which details."""

import grpc
from google.rpc.error_details_pb2 import PreconditionFailure
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc import statuses
from holdfast.inventory.domain.errors import (
    BelowReserved,
    InventoryError,
    LocationExists,
    LocationInactive,
    LocationNotFound,
    LocationSpelledOtherwise,
    NothingToReceive,
    NotQuarantined,
    ProductExists,
    ProductNotFound,
    ProductsInactive,
    QuantityTooLarge,
    RefusedUnits,
    RequestIdReused,
    StaleVersion,
    TooManyLocations,
    TransferClosed,
    TransferNotFound,
    TransferRequestReused,
)


def translate(error: Exception) -> Status | None:
    """Return the status of a refusal; None for any other error."""
    match error:
        case ProductNotFound():
            return statuses.not_found("product", error.product_ids)
        case LocationNotFound():
            return statuses.not_found("location", error.location_ids)
        case TransferNotFound():
            return statuses.not_found("transfer", [error.transfer_id])
        case LocationExists():
            return _refusal(grpc.StatusCode.ALREADY_EXISTS, error, {})
        case LocationInactive():
            facts = {"location_id": error.location_id}
            return _refusal(grpc.StatusCode.FAILED_PRECONDITION, error, facts)
        case ProductsInactive():
            return _inactive(error)
        case LocationSpelledOtherwise():
            facts = {"location_id": error.known}
            return _refusal(grpc.StatusCode.FAILED_PRECONDITION, error, facts)
        case BelowReserved():
            facts = {"wanted": str(error.wanted), "reserved": str(error.reserved)}
            return _refusal(grpc.StatusCode.FAILED_PRECONDITION, error, facts)
        case RefusedUnits():
            return _units(error)
        case NotQuarantined() | TransferClosed() | NothingToReceive():
            return _refusal(grpc.StatusCode.FAILED_PRECONDITION, error, error.facts)
        case QuantityTooLarge():
            facts = {"wanted": str(error.wanted), "allowed": str(error.allowed)}
            return _refusal(grpc.StatusCode.FAILED_PRECONDITION, error, facts)
        case TooManyLocations():
            facts = {"allowed": str(error.allowed)}
            return _refusal(grpc.StatusCode.FAILED_PRECONDITION, error, facts)
        case StaleVersion():
            return statuses.stale(error.kind, error.name, error.current)
        case RequestIdReused():
            facts = {"product_id": error.product_id, "location_id": error.location_id}
            return _refusal(grpc.StatusCode.ALREADY_EXISTS, error, facts)
        case TransferRequestReused():
            return _refusal(grpc.StatusCode.ALREADY_EXISTS, error, error.facts)
        case ProductExists():
            return _refusal(grpc.StatusCode.ALREADY_EXISTS, error, {})
    return None


def _refusal(code: grpc.StatusCode, error: InventoryError, facts: dict[str, str]) -> Status:
    return statuses.refusal(code, error.reason, str(error), metadata=facts)


def _inactive(error: ProductsInactive) -> Status:
    """All of them; the metadata names the first."""
    unmet = [
        PreconditionFailure.Violation(
            type=error.reason, subject=one, description="is not sold at present"
        )
        for one in error.product_ids
    ]
    return statuses.refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        error.reason,
        str(error),
        metadata={"product_id": error.product_ids[0]},
        details=[PreconditionFailure(violations=statuses.as_many_as_fit(unmet))],
    )


def _units(error: RefusedUnits) -> Status:
    """All products of which units are refused; the metadata is that of the first."""
    unmet = [
        PreconditionFailure.Violation(
            type=error.reason, subject=one.product_id, description=str(one)
        )
        for one in (error, *error.others)
    ]
    names = ", ".join(one.product_id for one in error.others)
    return statuses.refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        error.reason,
        f"{error}; nor can these: {names}" if names else str(error),
        metadata=error.facts,
        details=[PreconditionFailure(violations=statuses.as_many_as_fit(unmet))],
    )
