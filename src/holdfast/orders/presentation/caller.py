"""Who calls, as the door found out."""

from holdfast.chassis.grpc.rpc_boundary import Context, traceparent_of
from holdfast.chassis.identity import principal
from holdfast.orders.domain.caller import Caller

ANONYMOUS = principal.Principal("anonymous", "", frozenset())  # where nobody has to prove it


def caller_of(context: Context) -> Caller:
    """Tell who calls."""
    who = principal.current.get(ANONYMOUS)
    return Caller(who.name, traceparent_of(context), who.credential_id, who.customer_id)


STEADY_WAIT_S = 10.0  # for Inventory to decide; half of the time that the caller has, if less


def wait_s(context: Context) -> float:
    """How long to wait for an order whose stock is not decided."""
    left = context.time_remaining()
    return STEADY_WAIT_S if left is None else max(0.0, min(STEADY_WAIT_S, left / 2))
