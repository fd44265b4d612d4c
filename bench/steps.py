"""The steps of an order after it is CONFIRMED, as calls: two shipments, and a return of one half.

Requests are put together as bytes, as those of `workload.py` are: what they say is the same for
every order, and the id in front of it is not.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from holdfast.contracts.orders.v1 import orders_pb2

LINES = 3
UNITS = 2  # of each line: the first of them leaves alone, and comes back
UNDER_WAY = 256  # lives among which the next step is drawn

_SERVICE = "/holdfast.orders.v1.OrderService/"
_NUMBERS = range(1, LINES + 1)


class Step(NamedTuple):
    """One call of a life.

    :param of_return: it names the return, and else the order.
    :param contents: the request without the id.
    """

    method: str
    of_return: bool
    contents: bytes

    def request(self, named: str) -> bytes:
        # Fields may come in any order; in all of these messages the id is the first, a string.
        return b"\x0a" + bytes([len(named)]) + named.encode() + self.contents


STEPS = (
    Step(
        f"{_SERVICE}ShipOrder",
        False,
        orders_pb2.ShipOrderRequest(
            shipment_id="first",
            items=[orders_pb2.ShipmentItem(line_no=number, quantity=1) for number in _NUMBERS],
        ).SerializeToString(),
    ),
    Step(
        f"{_SERVICE}ShipOrder",
        False,
        orders_pb2.ShipOrderRequest(shipment_id="second").SerializeToString(),  # what is left
    ),
    Step(
        f"{_SERVICE}OpenReturn",
        False,
        orders_pb2.OpenReturnRequest(
            request_id="opened",
            lines=[orders_pb2.ReturnLine(line_no=number, quantity=1) for number in _NUMBERS],
        ).SerializeToString(),
    ),
    Step(
        f"{_SERVICE}ReceiveReturn",
        True,
        orders_pb2.ReceiveReturnRequest(
            request_id="received",
            lines=[
                orders_pb2.ReceiptLine(
                    line_no=number, quantity=1, disposition=orders_pb2.DISPOSITION_RESTOCK
                )
                for number in _NUMBERS
            ],
        ).SerializeToString(),
    ),
    Step(f"{_SERVICE}CloseReturn", True, b""),
)


class Life:
    """One order on its way through the steps."""

    def __init__(self, order_id: str) -> None:
        self._order_id = order_id
        self._return_id = ""
        self._done = 0

    @property
    def over(self) -> bool:
        return self._done == len(STEPS)

    @property
    def method(self) -> str:
        return STEPS[self._done].method

    def request(self) -> bytes:
        """Of the next step."""
        step = STEPS[self._done]
        return step.request(self._return_id if step.of_return else self._order_id)

    def hear(self, answer: bytes) -> None:
        """The next step was answered; what follows OpenReturn needs the return's id."""
        self._done += 1
        if not self.over and STEPS[self._done].of_return and not self._return_id:
            self._return_id = orders_pb2.Return.FromString(answer).return_id


class Lives:
    """Whole lives, of which so many are under way at any time.

    Whose step is next is drawn, among those of which no call is under way: the steps of one order
    come in order, other orders' between them, and all kinds of steps at the same time.
    """

    def __init__(self, order_ids: Sequence[str], seed: int) -> None:
        self._new = list(order_ids)
        self._dice = Random(seed)
        self._free: list[Life] = []
        self._begin(UNDER_WAY)

    def take(self) -> Life | None:
        """The life whose step is next; None: those that are not over are all taken."""
        if not self._free:
            return None
        at = self._dice.randrange(len(self._free))
        self._free[at], self._free[-1] = self._free[-1], self._free[at]
        return self._free.pop()

    def give_back(self, life: Life, answer: bytes) -> None:
        """Its step was answered."""
        life.hear(answer)
        if life.over:
            self._begin(1)
        else:
            self._free.append(life)

    def _begin(self, lives: int) -> None:
        for _ in range(min(lives, len(self._new))):
            self._free.append(Life(self._new.pop()))
