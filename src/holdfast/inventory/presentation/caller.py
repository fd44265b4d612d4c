"""Who calls, as the door found out."""

from holdfast.chassis.grpc.rpc_boundary import Context, traceparent_of
from holdfast.chassis.identity import principal
from holdfast.inventory.domain.caller import Caller

ANONYMOUS = principal.Principal("anonymous", "", frozenset())  # where nobody has to prove it


def caller_of(context: Context) -> Caller:
    """Tell who calls."""
    who = principal.current.get(ANONYMOUS)
    return Caller(who.name, traceparent_of(context), who.credential_id)
