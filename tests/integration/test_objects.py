"""Somebody else's order is no order: whatever a customer asks, by every method there is.

The tables below say of each method how it names or gives what is somebody's. A method that is in
none of them fails the first test: decide where it belongs before anybody calls it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.money_pb2 import Money
from grpc import StatusCode, aio

from holdfast.chassis.identity.roles import CUSTOMER
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.presentation.rights import ORDER_SERVICE
from tests.integration.conftest import (
    CALL_S_MAX,
    Refusal,
    RunningHoldfast,
    create,
    line,
    price,
    refusal,
)
from tests.integration.let_in import Metadata, let_in_by_name, named

ALIKE = True
ADA, BOB = named("ada", customer="c-ada"), named("bob", customer="c-bob")
STAFF = named("anna")
METHODS = pb.DESCRIPTOR.services_by_name["OrderService"].methods_by_name
MASKS = ("customer.name", "reference", "note")
POUNDS = price(1)
UNNAMED = Money(units=1)  # in the order's currency

Make = Callable[[str], Sequence[Message]]  # requests about what has this id

ABOUT_AN_ORDER: dict[str, Make] = {
    "GetOrderDetails": lambda i: [pb.GetOrderDetailsRequest(order_id=i)],
    "WatchOrder": lambda i: [pb.WatchOrderRequest(order_id=i)],
    "UpdateOrder": lambda i: [
        *(
            pb.UpdateOrderRequest(order_id=i, version=v, update_mask=FieldMask(paths=[path]))
            for v in (1, 2, 3, 99)
            for path in MASKS
        ),
        *(
            pb.UpdateOrderRequest(
                order_id=i,
                version=v,
                lines=[line("LAMP", 2, line_no=1)],
                update_mask=FieldMask(paths=["lines"]),
                validate_only=only,
            )
            for v in (1, 2, 3, 99)
            for only in (False, True)
        ),
        pb.UpdateOrderRequest(
            order_id=i,
            version=2,
            charges=[pb.Charge(kind=pb.CHARGE_KIND_SHIPPING, amount=UNNAMED)],
            update_mask=FieldMask(paths=["charges"]),
        ),
    ],
    "CancelOrder": lambda i: [
        pb.CancelOrderRequest(
            order_id=i, version=2, lines=[pb.CancelledUnits(line_no=1, quantity=1)]
        ),
        pb.CancelOrderRequest(order_id=i, reason="not mine"),
    ],
    "ShipOrder": lambda i: [pb.ShipOrderRequest(order_id=i, shipment_id="s-9")],
    "UpdateShipment": lambda i: [
        pb.UpdateShipmentRequest(
            order_id=i,
            shipment_id=name,
            shipment=pb.Shipment(carrier="DHL"),
            update_mask=FieldMask(paths=["carrier"]),
        )
        for name in ("s-1", "s-9")
    ],
    "OpenReturn": lambda i: [
        pb.OpenReturnRequest(
            order_id=i,
            request_id=name,
            lines=[pb.ReturnLine(line_no=1, quantity=1, reason="dark")],
        )
        for name in ("back-1", "back-9")
    ],
    "ConfirmOrder": lambda i: [
        pb.ConfirmOrderRequest(order_id=i, payment_reference="pi-1"),
        *(
            pb.ConfirmOrderRequest(
                order_id=i,
                payment_reference="pi-1",
                payment_kind=pb.PAYMENT_KIND_CAPTURED,
                amount=amount,
            )
            for amount in (POUNDS, UNNAMED)
        ),
    ],
    "ExtendHold": lambda i: [pb.ExtendHoldRequest(order_id=i, hold=Duration(seconds=60))],
    "RecordPayment": lambda i: [
        pb.RecordPaymentRequest(
            order_id=i, kind=pb.PAYMENT_KIND_CAPTURED, reference="pi-1", amount=amount
        )
        for amount in (POUNDS, UNNAMED)
    ],
}
ABOUT_A_RETURN: dict[str, Make] = {
    "ReceiveReturn": lambda i: [
        pb.ReceiveReturnRequest(
            return_id=i,
            lines=[pb.ReceiptLine(line_no=1, quantity=1, disposition=pb.DISPOSITION_RESTOCK)],
        )
    ],
    "CloseReturn": lambda i: [pb.CloseReturnRequest(return_id=i)],
}
ABOUT_A_CUSTOMER: dict[str, Make] = {
    "GetCustomer": lambda i: [pb.GetCustomerRequest(customer_id=i)],
    "ExportCustomer": lambda i: [pb.ExportCustomerRequest(customer_id=i)],
    "UpdateCustomer": lambda i: [
        pb.UpdateCustomerRequest(
            customer_id=i,
            version=v,
            customer=pb.Customer(name="Eve"),
            update_mask=FieldMask(paths=["customer.name"]),
        )
        for v in (0, 1, 99)
    ],
    "EraseCustomer": lambda i: [pb.EraseCustomerRequest(customer_id=i, force=True)],
}
LISTS = {"ListOrders", "SearchOrders", "ListCustomers"}
MAKES = {"CreateOrder", "BatchCreateOrders"}


@pytest.fixture(autouse=True)
def _let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    let_in_by_name(monkeypatch)


async def ask(holdfast: RunningHoldfast, method: str, request: Message, by: Metadata) -> Any:
    """Call a method; of a stream, what comes first."""
    call = getattr(holdfast.orders, method)(request, metadata=by, timeout=CALL_S_MAX)
    if not METHODS[method].server_streaming:
        return await call
    async for first in call:
        call.cancel()
        return first
    raise AssertionError("the stream was empty")


async def bought(holdfast: RunningHoldfast, *, hold: bool = False, request_id: str = "") -> str:
    """An order of Bob's, whose stock is decided."""
    request = create(line("LAMP", 4), wait_s=20, customer_id="", request_id=request_id)
    request.customer.email = "bob@example.org"
    request.reference = "po-bob"
    if hold:
        request.hold.seconds = 600
    placed: pb.CreateOrderResponse = await ask(holdfast, "CreateOrder", request, BOB)
    return placed.order_id


async def shipped(holdfast: RunningHoldfast) -> tuple[str, str]:
    """An order of Bob's of which something has left, and an open return of it."""
    order_id = await bought(holdfast)
    two = [pb.ShipmentItem(line_no=1, quantity=2)]
    ship = pb.ShipOrderRequest(order_id=order_id, shipment_id="s-1", items=two)
    await ask(holdfast, "ShipOrder", ship, STAFF)
    (opening, _) = ABOUT_AN_ORDER["OpenReturn"](order_id)
    opened: pb.Return = await ask(holdfast, "OpenReturn", opening, BOB)
    return order_id, opened.return_id


def about(table: dict[str, Make], name: str) -> Iterator[tuple[str, Message]]:
    for method, make in table.items():
        for request in make(name):
            yield method, request


def like(told: Refusal, name: str) -> tuple[object, ...]:
    """What a refusal tells beside what it is about."""
    return told.code, told.message.replace(name, "IT"), str(told.details).replace(name, "IT")


async def tells_nothing_of(
    holdfast: RunningHoldfast, table: dict[str, Make], names: Sequence[str], nobody: str
) -> None:
    """What is somebody else's is refused as what is not there: in every word."""
    told = []
    for name in names:
        for (method, request), (_, absent) in zip(
            about(table, name), about(table, nobody), strict=True
        ):
            foreign = await refusal(ask(holdfast, method, request, ADA))
            nothing = await refusal(ask(holdfast, method, absent, ADA))
            if foreign.code != StatusCode.NOT_FOUND or like(foreign, name) != like(nothing, nobody):
                told.append((method, request, foreign, nothing))
    assert told == []


OF_ALL = (
    "ReadEvents",
    "StreamEvents",
    "GetOrderFigures",
)  # of all orders, and so not for customers at all


def test_what_tells_of_all_orders_is_not_for_customers() -> None:
    assert not any(CUSTOMER in ORDER_SERVICE[method] for method in OF_ALL)


def test_every_method_is_classified() -> None:
    """A new one fails here: say what it names and what it gives."""
    known = [*ABOUT_AN_ORDER, *ABOUT_A_RETURN, *ABOUT_A_CUSTOMER, *LISTS, *MAKES, *OF_ALL]

    assert sorted(known) == sorted(METHODS)


async def test_an_order_of_another_customer_is_as_one_that_is_not_there(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 99)
    held, (sent, _) = await bought(holdfast, hold=True), await shipped(holdfast)
    names = [held, await bought(holdfast), sent]
    before = [await holdfast.order(name) for name in names]

    await tells_nothing_of(holdfast, ABOUT_AN_ORDER, names, str(uuid4()))

    assert [await holdfast.order(name) for name in names] == before


async def test_a_return_of_another_customer_is_as_one_that_is_not_there(
    holdfast: RunningHoldfast,
) -> None:
    await holdfast.product("LAMP", 99)
    order_id, return_id = await shipped(holdfast)
    before = await holdfast.order(order_id)

    await tells_nothing_of(holdfast, ABOUT_A_RETURN, [return_id], str(uuid4()))

    assert await holdfast.order(order_id) == before


async def test_another_customer_is_as_one_that_is_not_there(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 99)
    order_id = await bought(holdfast)
    before = await holdfast.order(order_id)

    await tells_nothing_of(holdfast, ABOUT_A_CUSTOMER, ["c-bob"], "c-nobody")

    assert await holdfast.order(order_id) == before


async def test_one_s_own_order_is_there_by_every_method(holdfast: RunningHoldfast) -> None:
    await holdfast.product("LAMP", 99)
    missing = []
    for method, make in ABOUT_AN_ORDER.items():
        order_id, _ = await shipped(holdfast)
        for request in make(order_id):
            try:
                await ask(holdfast, method, request, BOB)
            except aio.AioRpcError as error:
                if error.code() == StatusCode.NOT_FOUND and "s-9" not in str(error.details()):
                    missing.append((method, error.details()))
    for method, make in ABOUT_A_RETURN.items():
        _, return_id = await shipped(holdfast)
        for request in make(return_id):
            await ask(holdfast, method, request, BOB)
    profile = await ask(holdfast, "GetCustomer", pb.GetCustomerRequest(customer_id="c-bob"), BOB)

    assert missing == []
    assert profile.customer_id == "c-bob"
