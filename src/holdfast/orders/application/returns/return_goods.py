"""Return goods: what may come back, what has, and that nothing more comes."""

from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.digests import digest_of, may_repeat
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.returns.errors import (
    ReturnClosed,
    ReturnNotFound,
    ReturnRequestReused,
    TooManyReturns,
)
from holdfast.orders.domain.returns.returned import (
    RETURNS_MAX,
    AskedReceiptLine,
    AskedReturnLine,
    Receipt,
    Return,
    came,
    may_come,
)
from holdfast.orders.domain.returns.transitions import close_return, open_return, receive_return
from holdfast.orders.domain.shipping.shipment import shipped_by_line


class OpenReturn(NamedTuple):
    """Let units that have left come back.

    :param return_id: of the return, unless the request was recorded before.
    """

    order_id: str
    return_id: str
    request_id: str
    lines: tuple[AskedReturnLine, ...]
    caller: Caller

    def decide(self, state: OrderState, order: Order, at: datetime) -> OrderChange | None:
        """None: it is recorded already.

        :raises OrdersError: see `may_come`, `open_return`; ReturnRequestReused, TooManyReturns.
        """
        digest = digest_of(self.lines)
        for one in order.returns:
            if one.request_id == self.request_id:
                if not may_repeat(one.request_hash, digest):
                    raise ReturnRequestReused(self.request_id, one.return_id, self.order_id)
                return None
        if len(order.returns) >= RETURNS_MAX:
            raise TooManyReturns(self.order_id, RETURNS_MAX)
        shipped = shipped_by_line(order.shipments)
        lines = may_come(self.order_id, order.lines, shipped, order.returns, self.lines)
        named = self.return_id, self.order_id, self.request_id
        return open_return(state, Return(*named, digest, lines, at), at, self.caller)


class ReceiveReturn(NamedTuple):
    """Record that units of an open return have come.

    :param order_id: found by the return, whatever is given.
    """

    order_id: str
    return_id: str
    request_id: str
    lines: tuple[AskedReceiptLine, ...]
    caller: Caller

    def is_recorded(self, order: Order) -> bool:
        """Whether the order has this receipt already.

        :raises ReturnRequestReused: its request id is that of another one.
        """
        for one in order.returns:
            for receipt in one.receipts:
                if receipt.request_id == self.request_id:
                    if receipt.request_hash != self._digest():
                        raise ReturnRequestReused(self.request_id, one.return_id, self.order_id)
                    return True
        return False

    def _digest(self) -> str:
        return digest_of((self.return_id, *self.lines))

    def decide(self, state: OrderState, order: Order, at: datetime) -> OrderChange | None:
        """None: it is recorded already.

        :raises OrdersError: see `is_recorded`, `came`, `receive_return`; ReturnNotFound,
            ReturnClosed.
        """
        if self.is_recorded(order):
            return None
        to = _find(order, self.return_id)
        if to.closed_at is not None:
            raise ReturnClosed(self.return_id)
        lines = came(to, self.lines)
        receipt = Receipt(self.request_id, state.asked + 1, lines, self._digest(), at)
        received = to._replace(receipts=(*to.receipts, receipt))
        return receive_return(state, order, received, at, self.caller)


class CloseReturn(NamedTuple):
    """Nothing more comes by a return.

    :param order_id: found by the return, whatever is given.
    """

    order_id: str
    return_id: str
    caller: Caller

    def decide(self, state: OrderState, order: Order, at: datetime) -> OrderChange | None:
        """None: it is closed already.

        :raises OrdersError: see `close_return`; ReturnNotFound.
        """
        to = _find(order, self.return_id)
        if to.closed_at is not None:
            return None
        return close_return(state, to._replace(closed_at=at), at, self.caller)


ReturnCommand = OpenReturn | ReceiveReturn | CloseReturn


def _find(order: Order, return_id: str) -> Return:
    for one in order.returns:
        if one.return_id == return_id:
            return one
    raise ReturnNotFound(return_id)
