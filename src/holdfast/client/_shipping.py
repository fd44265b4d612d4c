"""The verbs of Orders that are about what leaves the house, and about what comes back."""

from collections.abc import Sequence
from datetime import datetime

from holdfast.client import _shipping_requests
from holdfast.client._calls import Calls
from holdfast.client._shipping_types import ReceiptLine, Return, ReturnLine, ShipmentItem
from holdfast.client._shipping_wire import return_from_wire
from holdfast.client._types import Order, new_request_id
from holdfast.client._wire import order_from_wire
from holdfast.contracts.orders.v1 import orders_pb2_grpc


class Shipping:
    """A part of `Orders`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = orders_pb2_grpc.OrderServiceStub(calls.channel)

    async def ship(
        self,
        order_id: str,
        items: Sequence[ShipmentItem] | None = None,
        *,
        shipment_id: str | None = None,
        location: str = "",
        carrier: str = "",
        tracking_number: str = "",
        tracking_url: str = "",
    ) -> Order:
        """Record that units of a confirmed order have left the house; the order as it is then.

        They leave the location that they are held at; Inventory books it shortly after. The order
        is SHIPPED when all of its units have left, else PARTIALLY_SHIPPED. One whose stock is not
        decided, or that is under edit, is waited for. Repeating with the same shipment id and
        contents changes nothing. Without one the client makes one, which covers its own repeats;
        give your own to be able to repeat yourself.

        :param items: units of lines, at most 2,000 items; None: all that is held.
        :param shipment_id: names the shipment among all of the order, for ever; at most 128
            characters.
        :param location: only from this location; empty: from wherever they are held. An item that
            names a location leaves from there.
        :param carrier: at most 200 characters.
        :param tracking_number: the carrier's name for it, at most 200 characters.
        :param tracking_url: where it can be followed, at most 2,000 characters.
        :raises IllegalTransition: the order is not CONFIRMED or PARTIALLY_SHIPPED.
        :raises Refused: a line has fewer units that have not left (OVER_SHIPMENT), fewer are held
            there (NOT_HELD_THERE) as others wait for stock (STILL_QUEUED), none are held
            (NOTHING_TO_SHIP), or the shop wants it paid first (NOT_PAID).
        :raises AlreadyExists: the order has another shipment of this id (SHIPMENT_REUSED).
        :raises EditUnderWay: the last edit has no answer yet.
        :raises NotFound: no such order.
        :raises Unavailable: also where it stays PENDING (STILL_PENDING): nothing was done.
        """
        request = _shipping_requests.ship_order(
            order_id,
            items,
            shipment_id=new_request_id() if shipment_id is None else shipment_id,
            location_id=location,
            carrier=carrier,
            tracking_number=tracking_number,
            tracking_url=tracking_url,
        )
        answer = await self._calls.ask(self._stub.ShipOrder, request, repeatable=True)
        return order_from_wire(answer)

    async def update_shipment(
        self,
        order_id: str,
        shipment_id: str,
        *,
        carrier: str | None = None,
        tracking_number: str | None = None,
        tracking_url: str | None = None,
        delivered: datetime | None = None,
        not_delivered: bool = False,
    ) -> Order:
        """Change what is known of how a shipment travels; None leaves it.

        Stock is not touched. Repeating with the same values changes nothing.

        :param carrier: at most 200 characters; so has the tracking number, the URL 2,000.
        :param delivered: when it arrived, after it left and not in the future.
        :param not_delivered: take back that it arrived; not beside `delivered`.
        :raises NotFound: no such order, or no such shipment of it.
        """
        request = _shipping_requests.update_shipment(
            order_id,
            shipment_id,
            carrier=carrier,
            tracking_number=tracking_number,
            tracking_url=tracking_url,
            delivered=delivered,
            not_delivered=not_delivered,
        )
        answer = await self._calls.ask(self._stub.UpdateShipment, request, repeatable=True)
        return order_from_wire(answer)

    async def open_return(
        self, order_id: str, lines: Sequence[ReturnLine], *, request_id: str | None = None
    ) -> Return:
        """Let units that have left come back. Nothing is restocked before they do.

        Repeating with the same request id and contents returns the return as it is then. Without
        one the client makes one, which covers its own repeats.

        :param lines: 1 to 2,000, each line once.
        :raises Refused: fewer units of a line have left and are in no other return (OVER_RETURN).
        :raises RequestIdReused: the request id was used for another return of the order.
        :raises NotFound: no such order.
        """
        request = _shipping_requests.open_return(
            order_id, lines, new_request_id() if request_id is None else request_id
        )
        answer = await self._calls.ask(self._stub.OpenReturn, request, repeatable=True)
        return return_from_wire(answer)

    async def receive_return(
        self, return_id: str, lines: Sequence[ReceiptLine], *, request_id: str | None = None
    ) -> Return:
        """Record that units of an open return have come, in any number of parcels.

        Stock follows shortly after, by the disposition of each line. Repeating with the same
        request id and contents changes nothing. Without one the client makes one, which covers its
        own repeats.

        :param lines: 1 to 2,000.
        :raises Refused: fewer units of a line are still to come (OVER_RECEIPT), the return is
            closed (RETURN_CLOSED), or a location is not active (LOCATION_INACTIVE).
        :raises EditUnderWay: the order's last edit has no answer yet.
        :raises RequestIdReused: the request id was used for other contents.
        :raises NotFound: no such return, or no such location.
        """
        request = _shipping_requests.receive_return(
            return_id, lines, new_request_id() if request_id is None else request_id
        )
        answer = await self._calls.ask(self._stub.ReceiveReturn, request, repeatable=True)
        return return_from_wire(answer)

    async def close_return(self, return_id: str) -> Return:
        """End a return: what did not come may come by another one. A repeat changes nothing.

        :raises NotFound: no such return.
        """
        request = _shipping_requests.close_return(return_id)
        answer = await self._calls.ask(self._stub.CloseReturn, request, repeatable=True)
        return return_from_wire(answer)
