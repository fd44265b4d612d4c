"""Orders as callers use it: place orders, read them, change them, watch them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal

from holdfast.client import _edit_requests, _requests
from holdfast.client._batches import send_in_parts
from holdfast.client._checks import SECONDS_MAX, Checks, attempt
from holdfast.client._errors import HoldfastError
from holdfast.client._figures import Figures
from holdfast.client._money import Money
from holdfast.client._order_lists import OrderLists
from holdfast.client._shipping import Shipping
from holdfast.client._status import error_from_status
from holdfast.client._stock_types import Sourcing
from holdfast.client._types import (
    Address,
    Charge,
    Customer,
    Details,
    Order,
    OrderLine,
    OrderRequest,
    PaymentKind,
    Placed,
    new_request_id,
)
from holdfast.client._wire import order_from_wire, placed_from_wire
from holdfast.contracts.orders.v1 import orders_pb2

WATCH_S = 60.0


class Orders(OrderLists, Shipping, Figures):
    """The verbs of Orders. Every method may raise any `HoldfastError`; the likely are named."""

    async def create(
        self,
        customer_id: str,
        lines: Sequence[OrderLine],
        *,
        customer: Customer | None = None,
        request_id: str | None = None,
        wait_s: float = 0.0,
        hold_s: float | None = None,
        charges: Sequence[Charge] = (),
        details: Details | None = None,
        sourcing: Sourcing | None = None,
    ) -> Placed:
        """Record an order durably; its stock is reserved shortly after.

        Repeating with the same request id and contents returns the recorded order. Without one the
        client makes one, which covers its own repeats; give your own to be able to repeat yourself.

        :param lines: 1 to 2,000; prices of one currency, or none to take the products' own.
        :param wait_s: seconds to wait for the outcome, at most 60; it may still be PENDING after.
        :param hold_s: seconds to hold its stock, at most 24 h: it becomes RESERVED and waits for
            `confirm`; when the hold ends before, EXPIRED. None: it needs no confirmation.
        :param charges: discounts, shipping, fees and taxes, at most 500.
        :param details: the caller's own reference, notes and addresses.
        :param sourcing: where its stock is to come from; None: by priority.
        :raises ShortOfStock: it plainly cannot be filled and was not recorded.
        :raises NotFound: a product, or a location of `sourcing`, does not exist.
        :raises Refused: a location of `sourcing` is not active (LOCATION_INACTIVE).
        :raises RequestIdReused: the request id was used for another order of this customer, which
            `order_id` names: look at that one first.
        """
        name = new_request_id() if request_id is None else request_id
        request = OrderRequest(
            customer_id, lines, customer, name, hold_s, charges, details, sourcing
        )
        asked = _requests.create_order(request, wait_s)
        answer = await self._calls.ask(
            self._stub.CreateOrder, asked, repeatable=True, wait_s=wait_s
        )
        return placed_from_wire(answer)

    async def create_batch(
        self, requests: Sequence[OrderRequest]
    ) -> Sequence[Placed | HoldfastError]:
        """Record many orders at the price of a few; each succeeds or fails alone.

        As many calls are made, one after the other, as the limits of one need: 1,000 orders and 4
        MiB. The results are in the order of the requests, and errors are returned in their place:
        `InvalidRequest` and `RequestTooLarge` without being sent. Should a call fail as a whole,
        its error stands in place of the results that are still due, and no further call is made;
        if it is the first call, the error is raised. Repeating with the same values changes
        nothing: they keep their ids.
        """
        checks = Checks()
        items = checks.items("requests", requests)
        checks.raise_any()
        return await send_in_parts(
            [attempt(_requests.create_order, one) for one in items],
            orders_pb2.CreateOrderRequest.ByteSize,
            self._create_some,
            name="requests",
        )

    async def _create_some(
        self, requests: Sequence[orders_pb2.CreateOrderRequest]
    ) -> Sequence[Placed | HoldfastError]:
        answer = await self._calls.ask(
            self._stub.BatchCreateOrders,
            orders_pb2.BatchCreateOrdersRequest(requests=requests),
            repeatable=True,
        )
        return [
            error_from_status(result.error)
            if result.HasField("error")
            else placed_from_wire(result.order)
            for result in answer.results
        ]

    async def get(self, order_id: str) -> Order:
        """The whole order with its history.

        :raises NotFound: no such order, or somebody else's.
        """
        request = _requests.get_order(order_id)
        answer = await self._calls.ask(self._stub.GetOrderDetails, request, repeatable=True)
        return order_from_wire(answer)

    async def update(
        self,
        order_id: str,
        *,
        version: int,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: str | None = None,
        reference: str | None = None,
        note: str | None = None,
        attributes: Mapping[str, str] | None = None,
        ship_to: Address | None = None,
        bill_to: Address | None = None,
    ) -> Order:
        """Change what is known beside the lines of an order that is not final; None leaves it.

        Never repeated after an unknown outcome: read the order to see whether the change is there.

        :param version: the order's version as last read.
        :raises StaleVersion: the order changed since.
        :raises IllegalTransition: the order is final.
        """
        contact = {"name": name, "email": email, "phone": phone, "address": address}
        details = {"reference": reference, "note": note, "attributes": attributes}
        places = {"ship_to": ship_to, "bill_to": bill_to}
        answer = await self._calls.ask(
            self._stub.UpdateOrder,
            _requests.update_order(order_id, version, contact, {**details, **places}),
            repeatable=False,
        )
        return order_from_wire(answer)

    async def edit(
        self,
        order_id: str,
        *,
        version: int,
        lines: Sequence[OrderLine] | None = None,
        charges: Sequence[Charge] | None = None,
        sourcing: Sourcing | None = None,
        wait_s: float = 0.0,
    ) -> Order:
        """Give an order that is not final other lines, charges or sourcing; None leaves them.

        Where the units of every product stay as they are it counts at once. Else Inventory is
        asked: the order keeps its lines, and its `edit` is ASKED until it is APPLIED, whole, or
        REFUSED with what was `missing`. Nothing is charged or given back. A PENDING order is waited
        for. Never repeated after an unknown outcome: read the order to see whether it is there.

        :param version: the order's version as last read.
        :param lines: all of them, 1 to 2,000. `line_no` names the line that it was; 0: a new line.
            One that is left out is removed, with its charges. No price: as it was; of a new line
            what its product costs in the order, or else the product's own.
        :param charges: all of them, at most 500; none takes all away.
        :param sourcing: where its stock is to come from; what is held moves there, or nothing does.
        :param wait_s: seconds to wait for the answer, at most 60; it may still be ASKED after.
        :raises StaleVersion: the order changed since; so does a repeat, as the first changed it.
        :raises EditUnderWay: the last edit has no answer yet.
        :raises ShortOfStock: more is wanted than there plainly is.
        :raises NotFound: no such order, product of a new line, or location of `sourcing`.
        :raises Refused: a line would have fewer units than have left (BELOW_SHIPPED), or a location
            of `sourcing` is not active (LOCATION_INACTIVE).
        :raises IllegalTransition: the order is final.
        :raises Unavailable: also where it stays PENDING (STILL_PENDING): nothing was done.
        """
        request = _edit_requests.edit_order(
            order_id, version, lines=lines, charges=charges, sourcing=sourcing, wait_s=wait_s
        )
        answer = await self._calls.ask(
            self._stub.UpdateOrder, request, repeatable=False, wait_s=wait_s
        )
        return order_from_wire(answer)

    async def preview_edit(
        self,
        order_id: str,
        *,
        version: int,
        lines: Sequence[OrderLine] | None = None,
        charges: Sequence[Charge] | None = None,
        sourcing: Sourcing | None = None,
    ) -> Order:
        """The order as `edit` would make it; nothing changes, so repeats are harmless.

        Takes and raises what `edit` does. Inventory may still decide otherwise later.
        """
        request = _edit_requests.edit_order(
            order_id, version, lines=lines, charges=charges, sourcing=sourcing, only_preview=True
        )
        answer = await self._calls.ask(self._stub.UpdateOrder, request, repeatable=True)
        return order_from_wire(answer)

    async def cancel(
        self,
        order_id: str,
        *,
        reason: str = "",
        lines: Mapping[int, int] | None = None,
        version: int | None = None,
        wait_s: float = 0.0,
    ) -> Order:
        """Cancel a pending, reserved or confirmed order, or units of its lines.

        Their stock comes back shortly after. Of a PARTIALLY_SHIPPED order the rest is cancelled: it
        is cut down to what has left, and is SHIPPED. Repeating it for the whole order changes
        nothing. For units it is an edit, and never repeated after an unknown outcome (see `edit`).

        :param lines: units to cancel by line number, at most 2,000; None: the whole order.
        :param version: with `lines` the order's version as last read, else None.
        :param wait_s: with `lines` seconds to wait, as in `edit`.
        :raises IllegalTransition: the order was rejected or has expired, or all of it has left.
        :raises NothingLeft: these are all its units: cancel it as a whole.
        :raises StaleVersion, EditUnderWay: with `lines`, as in `edit`.
        """
        request = _edit_requests.cancel_order(
            order_id, reason, lines=lines, version=version, wait_s=wait_s
        )
        answer = await self._calls.ask(
            self._stub.CancelOrder, request, repeatable=lines is None, wait_s=wait_s
        )
        return order_from_wire(answer)

    async def confirm(
        self,
        order_id: str,
        *,
        payment: str,
        kind: PaymentKind | None = None,
        amount: Money | Decimal | None = None,
    ) -> Order:
        """Confirm an order whose stock is held. Repeating with the same payment changes nothing.

        The payment's reference is kept whatever comes of it, so that it can be given back.

        :param payment: the provider's name for the payment.
        :param kind: AUTHORIZED or CAPTURED: recorded along with `amount`, as `record_payment` does.
        :raises HoldExpired: the hold has ended; nothing is reserved any more.
        :raises IllegalTransition: it is over, had no hold, or was confirmed by another payment.
        """
        request = _requests.confirm_order(order_id, payment, kind, amount)
        answer = await self._calls.ask(self._stub.ConfirmOrder, request, repeatable=True)
        return order_from_wire(answer)

    async def extend_hold(self, order_id: str, *, hold_s: float) -> Order:
        """Let a hold end so many seconds after now; it is never shortened, so repeats are harmless.

        :param hold_s: at most 24 h.
        :raises HoldExpired: it has ended.
        :raises IllegalTransition: the order has no hold, or needs none any more.
        """
        request = _requests.extend_hold(order_id, hold_s)
        answer = await self._calls.ask(self._stub.ExtendHold, request, repeatable=True)
        return order_from_wire(answer)

    async def record_payment(
        self, order_id: str, kind: PaymentKind, amount: Money | Decimal, *, reference: str
    ) -> Order:
        """Record what the payment provider did, in whatever status the order is.

        Nothing is charged, and no stock is moved. Repeating with the same values changes nothing.

        :param amount: more than 0; a Decimal is in the order's currency.
        :param reference: the provider's name for it; (kind, reference) is recorded once.
        :raises AlreadyExists: it was recorded with another amount.
        :raises Refused: more than was authorised would be captured, or than was captured refunded.
        """
        request = _requests.record_payment(order_id, kind, amount, reference)
        answer = await self._calls.ask(self._stub.RecordPayment, request, repeatable=True)
        return order_from_wire(answer)

    def watch(self, order_id: str, *, watch_s: float = WATCH_S) -> AsyncGenerator[Order]:
        """The order as it is now, then after every change, until it is final or the time is over.

        A lost connection is made again and goes on with the order as it is then; its `history`
        names the changes in between. No version comes twice.

        :param watch_s: seconds to watch, at most a year; the end of them is no error.
        :raises DeadlineExceeded: not even the first answer came in that time.
        """
        listen_s = _requests.seconds("watch_s", watch_s, highest=SECONDS_MAX, zero=False)
        return self._watch(_requests.watch_order(order_id), listen_s)

    async def _watch(
        self, request: orders_pb2.WatchOrderRequest, listen_s: float
    ) -> AsyncGenerator[Order]:
        seen = 0
        heard = self._calls.listen(self._stub.WatchOrder, request, listen_s=listen_s)
        async with aclosing(heard):  # who leaves the watch ends the call now, not some day
            async for message in heard:
                if message.version > seen:
                    seen = message.version
                    yield order_from_wire(message)
