"""What is told of orders, held against their histories: every version as what it was.

That the feed has each version once, and in order, `feed_audit` says.
"""

from collections.abc import Mapping

from google.protobuf.message import Message

from holdfast.chassis.database.audit import Auditor
from holdfast.contracts.orders.v1 import events_pb2 as events
from holdfast.orders.domain.ordering.status import Action, OrderStatus

AS_STATUS: Mapping[OrderStatus, tuple[type[Message], ...]] = {
    OrderStatus.PENDING: (events.OrderPlaced,),
    OrderStatus.RESERVED: (events.OrderReserved,),
    OrderStatus.CONFIRMED: (events.OrderConfirmed,),
    OrderStatus.REJECTED: (events.OrderRejected,),
    OrderStatus.CANCELLED: (events.OrderCancelled,),
    OrderStatus.EXPIRED: (events.OrderExpired,),
    OrderStatus.PARTIALLY_SHIPPED: (events.OrderShipped,),
    OrderStatus.SHIPPED: (events.OrderShipped, events.OrderRestCancelled),
}
AS_ACTION: Mapping[Action, type[Message]] = {
    Action.CUSTOMER_UPDATED: events.OrderUpdated,
    Action.DETAILS_UPDATED: events.OrderUpdated,
    Action.HOLD_EXTENDED: events.HoldExtended,
    Action.PAYMENT_RECORDED: events.PaymentRecorded,
    Action.EDIT_ASKED: events.OrderEditRequested,
    Action.EDITED: events.OrderEdited,
    Action.EDIT_REFUSED: events.OrderEditRefused,
    Action.SHIPPED: events.OrderShipped,
    Action.SHIPMENT_UPDATED: events.ShipmentUpdated,
    Action.RETURN_OPENED: events.ReturnOpened,
    Action.RETURN_RECEIVED: events.ReturnReceived,
    Action.RETURN_CLOSED: events.ReturnClosed,
}

assert AS_STATUS.keys() == set(OrderStatus), "every status is told"
assert AS_ACTION.keys() == set(Action) - {Action.STATUS}, "every change beside it is told"

TOLD = """
SELECT now.status, now.action, told.type, count(*) AS times,
       min(CAST(now.order_id AS text)) AS example
  FROM (SELECT subject, sequence, type FROM feed
         UNION ALL
        SELECT subject, sequence, type FROM outbox WHERE NOT is_repeat) AS told
  JOIN order_history AS now ON CAST(now.order_id AS text) = told.subject
   AND now.version = told.sequence
 GROUP BY now.status, now.action, told.type
"""


async def audit(auditor: Auditor) -> None:
    """Check that what became of each order is told as that, in the feed or on its way there."""
    for row in await auditor.rows(TOLD):
        with auditor.reading(f"what became of {row['example']}"):
            status, action = OrderStatus(row["status"]), Action(row["action"])
            types = AS_STATUS[status] if action is Action.STATUS else (AS_ACTION[action],)
            if row["type"] not in [one.DESCRIPTOR.full_name for one in types]:
                changes = f"{row['times']} changes to {status} {action}".rstrip()
                text = f"{changes} are told as {row['type']}, such as of {row['example']}"
                auditor.findings.contradict([f"{auditor.service}: {text}"])
