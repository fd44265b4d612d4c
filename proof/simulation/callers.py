"""Callers in a simulation: they make the seeded calls, and write down what they were told."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from proof.history import NOT_DONE, Facts, History
from proof.simulation.fault_rates import FaultRates
from proof.simulation.network import Network, Reply
from proof.workload import Caller, Wanted

TRIES_MAX = 4
ANSWER_S_MAX = 6.0
_CENT_NANOS = 10_000_000
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Method:
    """How a call looks on the wire."""

    service: str
    path: str
    write: Callable[[Facts], Any]
    read: Callable[[bytes], dict[str, Any]]


def _order_request(facts: Facts) -> orders_pb2.CreateOrderRequest:
    return orders_pb2.CreateOrderRequest(
        customer_id=facts["customer_id"],
        request_id=facts["request_id"],
        lines=[
            orders_pb2.OrderLine(product_id=product_id, quantity=quantity)
            for product_id, quantity in facts["lines"]
        ],
        hold=Duration(seconds=facts["hold_s"]) if "hold_s" in facts else None,
        charges=_charges(facts),
    )


def _charges(facts: Facts) -> list[orders_pb2.Charge]:
    return [
        orders_pb2.Charge(
            kind=orders_pb2.ChargeKind.Value(f"CHARGE_KIND_{kind}"),
            line_no=line_no,
            amount=_money(minor),
        )
        for kind, line_no, minor in facts.get("charges", ())
    ]


def _money(minor: int) -> Money:
    return Money(units=minor // 100, nanos=minor % 100 * _CENT_NANOS)


def _edit_request(facts: Facts) -> orders_pb2.UpdateOrderRequest:
    return orders_pb2.UpdateOrderRequest(
        order_id=facts["order_id"],
        version=facts["version"],
        update_mask=FieldMask(paths=[name for name in ("lines", "charges") if name in facts]),
        lines=[
            orders_pb2.OrderLine(
                line_no=line_no,
                product_id=product_id,
                quantity=quantity,
                unit_price=None if minor is None else _money(minor),
            )
            for line_no, product_id, quantity, minor in facts["lines"]
        ],
        charges=_charges(facts),
    )


def _cancel_request(facts: Facts) -> orders_pb2.CancelOrderRequest:
    return orders_pb2.CancelOrderRequest(
        order_id=facts["order_id"],
        version=facts["version"],
        lines=[
            orders_pb2.CancelledUnits(line_no=line_no, quantity=quantity)
            for line_no, quantity in facts["units"]
        ],
    )


def _confirm_request(facts: Facts) -> orders_pb2.ConfirmOrderRequest:
    request = orders_pb2.ConfirmOrderRequest(
        order_id=facts["order_id"], payment_reference=facts["payment_reference"]
    )
    if "kind" in facts:
        paid = _payment_request({**facts, "reference": facts["payment_reference"]})
        request.payment_kind = paid.kind
        request.amount.CopyFrom(paid.amount)
    return request


def _payment_request(facts: Facts) -> orders_pb2.RecordPaymentRequest:
    kind = orders_pb2.PaymentKind.Value(f"PAYMENT_KIND_{facts['kind']}")
    request = orders_pb2.RecordPaymentRequest(
        order_id=facts["order_id"], kind=kind, reference=facts["reference"]
    )
    request.amount.CopyFrom(_money(facts["amount_minor"]))
    return request


def _status(number: int) -> str:
    name: str = orders_pb2.OrderStatus.Name(number)  # type: ignore[arg-type]
    return name.removeprefix("ORDER_STATUS_")


def _placed(body: bytes) -> dict[str, Any]:
    return _state(orders_pb2.CreateOrderResponse.FromString(body))


def _state(answer: orders_pb2.CreateOrderResponse) -> dict[str, Any]:
    return {"order_id": answer.order_id, "status": _status(answer.status)}


def _order(body: bytes) -> dict[str, Any]:
    order = orders_pb2.Order.FromString(body)
    return {
        "order_id": order.order_id,
        "status": _status(order.status),
        "version": order.version,
        "lines": [[line.product_id, line.quantity] for line in order.lines],
        "numbers": [line.line_no for line in order.lines],
        "total_minor": order.total.units * 100 + order.total.nanos // _CENT_NANOS,
    }


def _level(level: Any) -> dict[str, Any]:
    return {
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
    }


def _product(facts: Facts) -> inventory_pb2.CreateProductRequest:
    product = inventory_pb2.Product(product_id=facts["product_id"], name="A thing", active=True)
    product.unit_price.currency_code, product.unit_price.units = "GBP", 19
    product.unit_price.nanos = 99 * _CENT_NANOS
    return inventory_pb2.CreateProductRequest(product=product)


_ORDERS, _INVENTORY = (
    "/holdfast.orders.v1.OrderService/",
    "/holdfast.inventory.v1.InventoryService/",
)
METHODS = {
    "CreateOrder": Method("orders", _ORDERS + "CreateOrder", _order_request, _placed),
    "GetOrderDetails": Method(
        "orders",
        _ORDERS + "GetOrderDetails",
        lambda facts: orders_pb2.GetOrderDetailsRequest(order_id=facts["order_id"]),
        _order,
    ),
    "CancelOrder": Method(
        "orders",
        _ORDERS + "CancelOrder",
        lambda facts: orders_pb2.CancelOrderRequest(order_id=facts["order_id"]),
        _order,
    ),
    "ConfirmOrder": Method(
        "orders",
        _ORDERS + "ConfirmOrder",
        _confirm_request,
        _order,
    ),
    "ExtendHold": Method(
        "orders",
        _ORDERS + "ExtendHold",
        lambda facts: orders_pb2.ExtendHoldRequest(
            order_id=facts["order_id"], hold=Duration(seconds=facts["hold_s"])
        ),
        _order,
    ),
    "EditOrder": Method("orders", _ORDERS + "UpdateOrder", _edit_request, _order),
    "CancelUnits": Method("orders", _ORDERS + "CancelOrder", _cancel_request, _order),
    "RecordPayment": Method("orders", _ORDERS + "RecordPayment", _payment_request, _order),
    "GetStockInfo": Method(
        "inventory",
        _INVENTORY + "GetStockInfo",
        lambda facts: inventory_pb2.GetStockInfoRequest(product_id=facts["product_id"]),
        lambda body: _level(inventory_pb2.StockInfo.FromString(body)),
    ),
    "UpdateStock": Method(
        "inventory",
        _INVENTORY + "AdjustStock",
        lambda facts: inventory_pb2.AdjustStockRequest(**facts, reason="counted"),
        lambda body: _level(inventory_pb2.AdjustStockResponse.FromString(body).level),
    ),
    "CreateProduct": Method("inventory", _INVENTORY + "CreateProduct", _product, lambda _: {}),
}


class SimulatedCaller:
    """One caller, who makes one call after the other.

    :param wait_s: CreateOrder is asked to wait for the outcome for so long.
    """

    def __init__(
        self,
        caller: Caller,
        network: Network,
        history: History,
        fault_rates: FaultRates,
        chance: Random,
        tell: Callable[[str, str], None],
        *,
        wait_s: float = 0.0,
    ) -> None:
        self._caller, self._network, self._history = caller, network, history
        self._fault_rates, self._chance, self._tell, self._wait_s = (
            fault_rates,
            chance,
            tell,
            wait_s,
        )
        self._is_punctual = chance.random() < 0.5
        self._forgotten: list[asyncio.Future[Reply]] = []

    async def run(self, calls: int, pause_s: float, *, burst: int, batch: int) -> None:
        """Make so many calls, one every `pause_s` on average: `burst` at a time, when all do.

        :param batch: so many orders at most are placed in one call.
        """
        wishes: deque[Wanted] = deque()
        for number in range(calls):
            if not number % burst:
                await asyncio.sleep(self._until_next(pause_s * burst))
            wishes = wishes or deque(self._caller.next() for _ in range(batch))
            together = [one for one in wishes if one.method == "CreateOrder"]
            if len(together) > 1:
                wishes = deque(one for one in wishes if one.method != "CreateOrder")
                await self._place_all(together)
            else:
                await self.insist(wishes.popleft(), TRIES_MAX)

    def _until_next(self, period_s: float) -> float:
        """How long it is to the next moment at which all callers begin, or to any moment."""
        now = asyncio.get_running_loop().time()
        return (
            period_s - now % period_s if self._is_punctual else self._chance.random() * 2 * period_s
        )

    async def _place_all(self, wanted: Sequence[Wanted]) -> None:
        """Place orders in one call; insist on those whose outcome is unknown."""
        numbers = [self._begin(one) for one in wanted]
        requests = [_order_request(one.request) for one in wanted]
        reply = await self._network.call(
            "orders",
            _ORDERS + "BatchCreateOrders",
            orders_pb2.BatchCreateOrdersRequest(requests=requests).SerializeToString(),
            timeout_s=ANSWER_S_MAX,
        )
        results = orders_pb2.BatchCreateOrdersResponse.FromString(reply.body).results
        for index, (one, number) in enumerate(zip(wanted, numbers, strict=True)):
            if reply.code is not grpc.StatusCode.OK:
                code = self._refused(number, reply.code, reply.details)
            elif results[index].HasField("error"):
                error = results[index].error
                code = self._refused(number, _CODES[error.code], error.message)
            else:
                code = self._answered(number, _state(results[index].order))
            if code != "OK" and code not in NOT_DONE:
                await self.insist(one, TRIES_MAX)

    async def insist(self, wanted: Wanted, tries_max: int) -> bool:
        """Make one call, again while its outcome is unknown; return whether it is ok."""
        for tries in range(tries_max):
            code = await self.call(wanted)
            if code == "OK" or code in NOT_DONE:
                return code == "OK"
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * 0.1 * 2**tries)
        return False

    async def call(self, wanted: Wanted) -> str:
        """Make one call, write down how it ended, and return its code."""
        method = METHODS[wanted.method]
        request = method.write(wanted.request)
        if wanted.method == "CreateOrder" and self._wait_s:
            request.wait.FromMilliseconds(round(self._wait_s * 1_000))
        body, deadline_s = request.SerializeToString(), wanted.deadline_s or ANSWER_S_MAX
        if self._fault_rates.strikes("call doubled"):
            self._begin(wanted)
            lost = self._network.call(method.service, method.path, body, timeout_s=deadline_s)
            self._forgotten.append(asyncio.ensure_future(lost))
        number = self._begin(wanted)
        reply = await self._network.call(method.service, method.path, body, timeout_s=deadline_s)
        if reply.code is not grpc.StatusCode.OK:
            return self._refused(number, reply.code, reply.details)
        return self._answered(number, method.read(reply.body))

    def _refused(self, number: int, code: grpc.StatusCode, details: str) -> str:
        self._history.refused(number, code.name)
        self._tell(self._caller.name, f"#{number} {code.name} {details}")
        return code.name

    def _answered(self, number: int, value: Facts) -> str:
        self._history.ok(number, value)
        self._tell(self._caller.name, f"#{number} OK {value}")
        if "order_id" in value:
            self._caller.told_of(value)
        return "OK"

    def _begin(self, wanted: Wanted) -> int:
        number = self._history.invoke(self._caller.name, wanted.method, wanted.request)
        self._tell(self._caller.name, f"#{number} {wanted.method} {wanted.request}")
        return number
