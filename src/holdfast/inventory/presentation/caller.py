"""Who asks, as far as a call tells."""

from holdfast.chassis.grpc.rpc_boundary import Context, traceparent_of
from holdfast.inventory.domain.caller import Caller


def caller_of(context: Context) -> Caller:
    """Tell who asks: nobody has to prove it yet, so everybody is anonymous."""
    return Caller("anonymous", traceparent_of(context))
