"""The client library is asked for what a caller wants of transfers; see `asking.py`."""

from holdfast.client import Holdfast, Transfer, TransferState
from proof.history import Facts
from proof.workload import Wanted


async def ask_for_transfers(client: Holdfast, wanted: Wanted) -> Facts:
    """Send units to another location, receive them, give up those that do not come, or look.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked, inventory = wanted.request, client.inventory
    match wanted.method:
        case "CreateTransfer":
            return _facts(
                await inventory.create_transfer(
                    dict(asked["units"]),
                    origin=asked["origin"],
                    target=asked["target"],
                    request_id=asked["request_id"],
                )
            )
        case "ReceiveTransfer":
            return _facts(
                await inventory.receive_transfer(
                    asked["transfer_id"],
                    dict(asked["units"]) or None,
                    request_id=asked["request_id"],
                )
            )
        case "CloseTransfer":
            return _facts(await inventory.close_transfer(asked["transfer_id"]))
    return _facts(await inventory.transfer(asked["transfer_id"]))


def _facts(one: Transfer) -> Facts:
    return {
        "transfer_id": one.transfer_id,
        "closed": one.state is TransferState.CLOSED,
        "units": [[line.product_id, line.sent, line.received, line.missing] for line in one.lines],
    }
