"""Who calls, as gRPC tells it."""

from holdfast.chassis.grpc.rpc_boundary import Context, traceparent_of
from holdfast.orders.domain.caller import Caller


def caller_of(context: Context) -> Caller:
    """Tell who asks: nobody has to prove it yet, so everybody is anonymous."""
    return Caller("anonymous", traceparent_of(context))
