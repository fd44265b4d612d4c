"""Refusals about customers as google.rpc.Status."""

import grpc
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc import statuses
from holdfast.orders.domain.customers.errors import (
    CustomerErased,
    CustomerNotFound,
    OpenOrders,
    StaleProfile,
)


def translate(error: Exception) -> Status | None:
    """Return the status of a refusal; None for any other error."""
    match error:
        case CustomerNotFound():
            return statuses.not_found("customer", [error.customer_id])
        case StaleProfile():
            return statuses.stale("customer", error.customer_id, error.current)
        case CustomerErased():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error))
        case OpenOrders():
            facts = {"order_ids": ",".join(error.order_ids)}
            return statuses.refusal(
                grpc.StatusCode.FAILED_PRECONDITION, error.reason, str(error), metadata=facts
            )
    return None
