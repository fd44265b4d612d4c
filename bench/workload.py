"""The orders that are placed: three lines each, uniform over the products or with a hot one.

Requests are put together as bytes: the load generator shares the machine with what it measures, and
encoding a message of protobuf objects would cost it more than sending it.
"""

from collections.abc import Iterator
from random import Random

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2

# An order takes one product of each third, so that the three differ and stand in order.
THIRD = 333
PRODUCTS = 3 * THIRD
HOT = THIRD + THIRD // 2  # of the middle third: neither the first nor the last to be locked
CUSTOMERS = 1_000
ON_HAND = 900_000_000
ORDERS_PREPARED = 4_096  # different orders; they come again under new request ids
FEWEST_SHIPMENTS = orders_pb2.CreateOrderRequest(
    sourcing=inventory_pb2.Sourcing(strategy=inventory_pb2.SOURCING_STRATEGY_FEWEST_SHIPMENTS)
).SerializeToString()
_REQUEST_ID_BYTES = 24  # with its tag and length


def product_id(number: int) -> str:
    """The id of a product, from 1 to PRODUCTS."""
    return f"P{number:05d}"


def products_of_order(dice: Random, *, hot: bool) -> tuple[int, int, int]:
    """Draw three products in rising order; the middle one is always the same if there is a hot
    one."""
    first, second, third = (dice.randrange(at, at + THIRD) for at in (1, 1 + THIRD, 1 + 2 * THIRD))
    return first, HOT if hot else second, third


class OrderRequests:
    """Requests of one run as bytes, each under a request id that was never used before.

    :param run: names the run; at most 10 characters, and no other run on the same database has it.
    :param quantity: of every line.
    :param hold_s: of every order; 0: none is held.
    :param fewest: the stock of every order comes from the fewest locations.
    """

    def __init__(
        self,
        run: str,
        seed: int,
        *,
        quantity: int = 1,
        hot: bool = False,
        wait_s: int = 0,
        hold_s: int = 0,
        fewest: bool = False,
    ) -> None:
        dice = Random(seed)
        self._bodies = [
            _body(dice, quantity, hot=hot).SerializeToString() for _ in range(ORDERS_PREPARED)
        ]
        self._wait = _seconds("wait", wait_s) if wait_s else b""
        self._hold = _seconds("hold", hold_s) if hold_s else b""
        self._sourcing = FEWEST_SHIPMENTS if fewest else b""
        self._run = run
        self._number = 0
        assert len(self._request_id(0)) == _REQUEST_ID_BYTES, "the run's name is too long"

    def one(self, *, wait: bool = False) -> bytes:
        """The next CreateOrderRequest."""
        self._number += 1
        # Fields may come in any order: the request id goes behind what is the same again.
        body = self._bodies[self._number % ORDERS_PREPARED] + self._request_id(self._number)
        body += self._hold + self._sourcing
        return body + self._wait if wait else body

    def batch(self, size: int) -> bytes:
        """The next BatchCreateOrdersRequest of so many orders."""
        return b"".join(map(_repeated, (self.one() for _ in range(size))))

    def _request_id(self, number: int) -> bytes:
        text = f"{self._run:_<10}-{number:011d}"
        return b"\x0a" + bytes([len(text)]) + text.encode()


def _body(dice: Random, quantity: int, *, hot: bool) -> orders_pb2.CreateOrderRequest:
    return orders_pb2.CreateOrderRequest(
        customer_id=f"customer-{dice.randrange(CUSTOMERS):04d}",
        lines=[
            orders_pb2.OrderLine(product_id=product_id(number), quantity=quantity)
            for number in products_of_order(dice, hot=hot)
        ],
    )


def _seconds(field: str, seconds: int) -> bytes:
    request = orders_pb2.CreateOrderRequest()
    getattr(request, field).FromSeconds(seconds)
    return request.SerializeToString()


def _repeated(message: bytes) -> bytes:
    """A message as an element of field 1."""
    size = len(message)
    assert size < 1 << 14, "a length of one or two bytes"
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return b"\x0a" + length + message


def refused_of_batch(answer: bytes) -> int:
    """How many orders of a batch were refused."""
    results = orders_pb2.BatchCreateOrdersResponse.FromString(answer).results
    return sum(result.HasField("error") for result in results)


def confirmation_of(answer: bytes) -> bytes:
    """The ConfirmOrderRequest, with the payment's fact, that follows a CreateOrderResponse.

    The answer has no total; what is authorised costs the same whatever it is.
    """
    order_id = orders_pb2.CreateOrderResponse.FromString(answer).order_id
    confirmation = orders_pb2.ConfirmOrderRequest(
        order_id=order_id,
        payment_reference=f"pay-{order_id}",
        payment_kind=orders_pb2.PAYMENT_KIND_AUTHORIZED,
    )
    confirmation.amount.currency_code, confirmation.amount.units = "GBP", 1
    return confirmation.SerializeToString()


def products() -> Iterator[inventory_pb2.CreateProductRequest]:
    """What makes every product."""
    for number in range(1, PRODUCTS + 1):
        product = inventory_pb2.Product(
            product_id=product_id(number), name=f"Product {number}", active=True
        )
        product.unit_price.currency_code, product.unit_price.units = "GBP", 1 + number % 100
        yield inventory_pb2.CreateProductRequest(product=product)


def stock() -> inventory_pb2.BatchUpdateStockRequest:
    """What fills every shelf."""
    return inventory_pb2.BatchUpdateStockRequest(
        requests=[
            inventory_pb2.UpdateStockRequest(
                product_id=product_id(number), quantity=ON_HAND, request_id=f"opening-{number}"
            )
            for number in range(1, PRODUCTS + 1)
        ]
    )
