"""A shop of two dictionaries behind the real wire: it forgets, refuses and breaks off when told."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2

Answer = orders_pb2.CreateOrderResponse
Context = grpc.aio.ServicerContext[Message, Message]
Q = TypeVar("Q", bound=Message)


class Shop:
    """Both services in one dictionary each, deciding at once; the faults are switches."""

    def __init__(self) -> None:
        self.products: dict[str, inventory_pb2.Product] = {}
        self.stock: dict[str, int] = {}
        self.in_paris: dict[str, int] = {}
        self.stock_requests: dict[str, int] = {}
        self.orders: dict[str, orders_pb2.Order] = {}  # by request id, oldest first
        self.has_hundred_orders = asyncio.Event()
        self.calls: Counter[str] = Counter()
        self.breaks_off = 0  # so many answers get lost after the order was recorded
        self.is_dead = False
        self.dies_after = 0  # so many orders
        self.leaves_pending = False
        self.counts_on_creation = 0  # somebody counts so many units of a new product at once
        self.forgets: set[str] = set()  # request ids acknowledged and not kept
        self.short_at_the_check: set[str] = set()  # request ids
        self.fails: set[str] = set()  # request ids

    def place(self, request: orders_pb2.CreateOrderRequest) -> Answer | status_pb2.Status:
        name = request.request_id
        if name in self.short_at_the_check:
            facts = {"wanted:LAMP": "10", "available:LAMP": "3"}
            return status(code_pb2.FAILED_PRECONDITION, "short of stock", "SHORT_OF_STOCK", facts)
        if name in self.fails:
            return status(code_pb2.INVALID_ARGUMENT, "no such currency")
        order = self.orders.get(name) or self.record(request)
        return Answer(order_id=order.order_id, status=orders_pb2.ORDER_STATUS_PENDING)

    def record(self, request: orders_pb2.CreateOrderRequest) -> orders_pb2.Order:
        wanted: Counter[str] = Counter()
        for number, line in enumerate(request.lines, 1):
            line.line_no = number
            wanted[line.product_id] += line.quantity
        fits = all(self.stock.get(product_id, 0) >= units for product_id, units in wanted.items())
        if fits:
            for product_id, units in wanted.items():
                self.stock[product_id] -= units
        order = orders_pb2.Order(
            order_id=f"{len(self.orders):08d}",
            request_id=request.request_id,
            customer_id=request.customer_id,
            status=self.status_now(fits=fits),
            lines=request.lines,
        )
        if order.status == orders_pb2.ORDER_STATUS_REJECTED:
            order.shortages.add(product_id=request.lines[0].product_id, wanted=10, available=3)
        for moment in (order.create_time, order.update_time):
            moment.FromSeconds(1)
        if request.request_id not in self.forgets:
            self.orders[request.request_id] = order
        if len(self.orders) == 100:
            self.has_hundred_orders.set()
        return order

    def status_now(self, *, fits: bool) -> orders_pb2.OrderStatus.ValueType:
        if self.leaves_pending:
            return orders_pb2.ORDER_STATUS_PENDING
        return orders_pb2.ORDER_STATUS_CONFIRMED if fits else orders_pb2.ORDER_STATUS_REJECTED

    async def create(self, request: orders_pb2.CreateOrderRequest, context: Context) -> Answer:
        self.calls["CreateOrder"] += 1
        if self.is_dead:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        outcome = self.place(request)
        if self.breaks_off:
            self.breaks_off -= 1
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "killed after commit")
        if isinstance(outcome, status_pb2.Status):
            details = ("grpc-status-details-bin", outcome.SerializeToString())
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "", (details,))
        return outcome

    async def create_batch(
        self, request: orders_pb2.BatchCreateOrdersRequest, _: Context
    ) -> orders_pb2.BatchCreateOrdersResponse:
        self.calls["BatchCreateOrders"] += 1
        answer = orders_pb2.BatchCreateOrdersResponse()
        for one in request.requests:
            outcome = self.place(one)
            if self.breaks_off and isinstance(outcome, Answer):
                self.breaks_off -= 1
                outcome = status(code_pb2.UNAVAILABLE, "inventory is away")
            if isinstance(outcome, Answer):
                answer.results.add(order=outcome)
            else:
                answer.results.add(error=outcome)
        return answer

    async def list_orders(
        self, request: orders_pb2.ListOrdersRequest, context: Context
    ) -> orders_pb2.ListOrdersResponse:
        self.calls["ListOrders"] += 1
        if self.dies_after and len(self.orders) >= self.dies_after:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        fitting = [
            order
            for order in self.orders.values()
            if request.status in (0, order.status)
            and (not request.request_ids or order.request_id in request.request_ids)
        ]
        fitting.reverse()
        begin = int(request.page_token or 0)
        end = begin + min(request.page_size, 7)  # a service may send fewer than asked for
        return orders_pb2.ListOrdersResponse(
            orders=fitting[begin:end],
            next_page_token=str(end) if end < len(fitting) else "",
        )

    async def details(
        self, _: orders_pb2.GetOrderDetailsRequest, context: Context
    ) -> orders_pb2.Order:
        self.calls["GetOrderDetails"] += 1
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        raise AssertionError("aborting raises")

    async def stock_info(
        self, request: inventory_pb2.BatchGetStockInfoRequest, _: Context
    ) -> inventory_pb2.BatchGetStockInfoResponse:
        return inventory_pb2.BatchGetStockInfoResponse(
            results=[self.info(product_id) for product_id in request.product_ids]
        )

    async def create_product(
        self, request: inventory_pb2.CreateProductRequest, _: Context
    ) -> inventory_pb2.Product:
        self.calls["CreateProduct"] += 1
        self.products[request.product.product_id] = request.product
        if self.counts_on_creation:
            self.stock[request.product.product_id] = self.counts_on_creation
        return request.product

    async def update_stock(
        self, request: inventory_pb2.BatchUpdateStockRequest, _: Context
    ) -> inventory_pb2.BatchUpdateStockResponse:
        return inventory_pb2.BatchUpdateStockResponse(
            results=[self.set_stock(one) for one in request.requests]
        )

    def info(self, product_id: str) -> inventory_pb2.BatchGetStockInfoResult:
        if product_id not in self.products:
            missing = status(code_pb2.NOT_FOUND, "no such product")
            return inventory_pb2.BatchGetStockInfoResult(error=missing)
        info = inventory_pb2.StockInfo(product=self.products[product_id])
        if product_id in self.stock:
            info.levels.add(location_id="main", version=1, on_hand=self.stock[product_id])
        if units := self.in_paris.get(product_id):
            info.levels.add(location_id="PARIS", version=1, on_hand=units)
        return inventory_pb2.BatchGetStockInfoResult(info=info)

    def set_stock(
        self, request: inventory_pb2.UpdateStockRequest
    ) -> inventory_pb2.BatchUpdateStockResult:
        if request.product_id in self.stock and request.HasField("expected_version"):
            stale = status(code_pb2.ABORTED, "it changed since", "STALE_VERSION")
            return inventory_pb2.BatchUpdateStockResult(error=stale)
        before = self.stock_requests.setdefault(request.request_id, request.quantity)
        if before != request.quantity:
            reused = status(code_pb2.ALREADY_EXISTS, "used before", "REQUEST_ID_REUSED")
            return inventory_pb2.BatchUpdateStockResult(error=reused)
        self.stock.setdefault(request.product_id, request.quantity)
        level = inventory_pb2.StockLevel(location_id="main", version=1, on_hand=request.quantity)
        return inventory_pb2.BatchUpdateStockResult(
            updated=inventory_pb2.UpdateStockResponse(product_id=request.product_id, level=level)
        )


def status(
    code: int, message: str, reason: str = "", facts: Mapping[str, str] = MappingProxyType({})
) -> status_pb2.Status:
    detail = AnyMessage()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="holdfast", metadata=facts))
    return status_pb2.Status(code=code, message=message, details=[detail])


def handlers(shop: Shop) -> list[grpc.GenericRpcHandler]:
    o, i = orders_pb2, inventory_pb2
    return [
        grpc.method_handlers_generic_handler(
            "holdfast.orders.v1.OrderService",
            {
                "CreateOrder": unary(shop.create, o.CreateOrderRequest),
                "BatchCreateOrders": unary(shop.create_batch, o.BatchCreateOrdersRequest),
                "ListOrders": unary(shop.list_orders, o.ListOrdersRequest),
                "GetOrderDetails": unary(shop.details, o.GetOrderDetailsRequest),
            },
        ),
        grpc.method_handlers_generic_handler(
            "holdfast.inventory.v1.InventoryService",
            {
                "BatchGetStockInfo": unary(shop.stock_info, i.BatchGetStockInfoRequest),
                "CreateProduct": unary(shop.create_product, i.CreateProductRequest),
                "BatchUpdateStock": unary(shop.update_stock, i.BatchUpdateStockRequest),
            },
        ),
    ]


def unary(
    method: Callable[[Q, Context], Awaitable[Message]], request: type[Q]
) -> "grpc.RpcMethodHandler[Q, Message]":
    return grpc.unary_unary_rpc_method_handler(
        method,
        request_deserializer=request.FromString,
        response_serializer=lambda answer: answer.SerializeToString(),
    )
