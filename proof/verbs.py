"""Which verbs both services have, by what their callers call them, and which never succeeded."""

from collections.abc import Collection, Sequence

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from proof.run_record import SERVED, RunRecord
from proof.workload import Wanted

# Where a history calls it otherwise.
RPCS = {
    "UpdateStock": "AdjustStock",
    "SetStock": "UpdateStock",
    "EditOrder": "UpdateOrder",
    "CancelUnits": "CancelOrder",
}
# What one call asks for many of, and by which RPC.
BATCHES = {
    "CreateOrder": "BatchCreateOrders",
    "GetStockInfo": "BatchGetStockInfo",
    "SetStock": "BatchUpdateStock",
}
# What followers of a feed ask by, who are no callers: `simulation/follower.py`. Elsewhere `verify`
# and the checker look at the feeds themselves.
FOLLOWED = frozenset({"ReadEvents", "StreamEvents"})
# What has to have happened where orders wait for stock; kinds of movements as the ledger has them.
KINDS = frozenset(
    "RECEIPT ADJUSTMENT RESERVATION RELEASE SHIPMENT RETURN WRITE_OFF QUARANTINE UNQUARANTINE"
    " TRANSFER_OUT TRANSFER_IN TRANSFER_LOSS".split()
)


def every_rpc() -> frozenset[str]:
    """The names of all methods of both services, by their contracts, that callers ask by."""
    services = (
        orders_pb2.DESCRIPTOR.services_by_name["OrderService"],
        inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"],
    )
    names = frozenset(method.name for service in services for method in service.methods)
    return names - FOLLOWED


def rpc_of(wishes: Sequence[Wanted]) -> str:
    """By which RPC one thing is asked for, or several alike."""
    method = wishes[0].method
    return BATCHES[method] if len(wishes) > 1 else RPCS.get(method, method)


def never_succeeded(succeeded: Collection[str]) -> list[str]:
    """What no caller was ever answered OK.

    :param succeeded: RPCs that somebody was.
    """
    return [f"no {name} ever succeeded" for name in sorted(every_rpc() - {*succeeded})]


def never_happened(record: RunRecord) -> list[str]:
    """What callers of every verb bring about, and did not."""
    kinds = {movement.kind for movement in record.snapshot.ledger}
    happened = {
        "an order waited for stock": record.snapshot.queues,
        "who waited was served": any(one.reason == SERVED for one in record.snapshot.ledger),
        "promises gave way": record.displaced,
        **{f"a movement was a {kind}": kind in kinds for kind in KINDS},
    }
    return [f"never: {what}" for what in sorted(happened) if not happened[what]]
