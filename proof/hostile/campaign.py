"""One campaign: inputs are sent to running services, and every answer is judged."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from google.type.money_pb2 import Money
from grpc import StatusCode, aio

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.contracts.notifier.v1.notifier_pb2_grpc import NotifierServiceStub
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from proof.hostile.inputs import Inputs, Known, service_of

CALLERS = 48
CALL_S_MAX = 30.0
STREAM_S_MAX = 0.1  # what is sent to a stream is judged by its beginning
EXAMPLES_MAX = 10
PRODUCTS = 5

# What no input may ever get: these are our faults.
FAULTS = {StatusCode.UNKNOWN, StatusCode.INTERNAL, StatusCode.DATA_LOSS, StatusCode.UNIMPLEMENTED}
# What says that it passes by itself says so, and why, in the contract's words.
WITH_REASON = {StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED}


@dataclass(slots=True)
class Findings:
    """What came of a campaign.

    :param statuses: answers by status.
    :param faults: answers that may not be, with the input in hex: at most EXAMPLES_MAX.
    :param unknown: calls that may have changed something, though nobody was told.
    """

    sent: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    faults_count: int = 0
    unknown: int = 0

    def fault(self, method: str, body: bytes, told: str) -> None:
        self.faults_count += 1
        if len(self.faults) < EXAMPLES_MAX:
            self.faults.append(f"{method} {body[:2_000].hex()}: {told}")


class Created:
    """What exists because an answer said OK: nothing else may be there in the end."""

    def __init__(self) -> None:
        self.orders: set[str] = set()
        self.products: set[str] = set()
        self.locations: set[str] = {"main"}
        self.transfers: set[str] = set()
        self.webhooks: set[str] = set()

    def learn(self, method: str, answer: Message) -> None:
        """Take note of what an OK answer to the method says is there, or is gone."""
        match answer:
            case orders_pb2.CreateOrderResponse():
                self.orders.add(answer.order_id)
            case orders_pb2.BatchCreateOrdersResponse():
                self.orders |= {one.order.order_id for one in answer.results if one.order.order_id}
            case inventory_pb2.Product():
                self.products.add(answer.product_id)
            case inventory_pb2.Location():
                self.locations.add(answer.location_id)
            case inventory_pb2.Transfer():
                self.transfers.add(answer.transfer_id)
            case notifier_pb2.Webhook() if method == "DeleteWebhook":
                self.webhooks.discard(answer.webhook_id)
            case notifier_pb2.WebhookSecret() if method == "CreateWebhook":
                self.webhooks.add(answer.webhook.webhook_id)


class Campaign:
    """Sends so many inputs over a few connections, and learns from the answers what is there."""

    def __init__(self, channels: Mapping[str, aio.Channel], seed: int) -> None:
        self._channels = channels
        self.known = Known()
        self._inputs = Inputs(Random(seed), self.known)
        self.findings, self.created = Findings(), Created()

    async def furnish(self) -> None:
        """Put something on the shelves, or hardly any order could be placed."""
        stock = InventoryServiceStub(self._channels["inventory"])
        price = Money(currency_code="GBP", units=10)
        for number in range(PRODUCTS):
            product = inventory_pb2.Product(
                product_id=f"P-{number}", unit_price=price, active=True, name="A thing"
            )
            made = await stock.CreateProduct(inventory_pb2.CreateProductRequest(product=product))
            self.known.learn(made)
            self.created.learn("CreateProduct", made)
            await stock.UpdateStock(
                inventory_pb2.UpdateStockRequest(product_id=product.product_id, quantity=10**6)
            )

    async def run(self, inputs: int, tell: Callable[[Findings], None] = lambda _: None) -> None:
        """Send them all, CALLERS at a time; `tell` is called now and then."""
        started, before = time.monotonic(), self.findings.sent
        every = max(inputs // 20, 1)

        async def caller() -> None:
            while self.findings.sent - before < inputs:
                self.findings.sent += 1
                if self.findings.sent % every == 0:
                    tell(self.findings)
                method = self._inputs.method()
                await self.send(method, self._inputs.body(method))

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())
        self.findings.seconds += time.monotonic() - started

    async def send(self, method: MethodDescriptor, body: bytes) -> StatusCode:
        """Send one and judge its answer."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        channel = self._channels[service_of(method)]
        try:
            if method.server_streaming:
                await self._stream(channel, path, body)
            else:
                call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
                answer = GetMessageClass(method.output_type)()
                answer.ParseFromString(await call(body, timeout=CALL_S_MAX))
                self.known.learn(answer)
                self.created.learn(method.name, answer)
        except aio.AioRpcError as error:
            self._judge(method, body, error)
            return error.code()
        self.findings.statuses["OK"] += 1
        return StatusCode.OK

    async def _stream(self, channel: aio.Channel, path: str, body: bytes) -> None:
        call: aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
        answers = call(body, timeout=CALL_S_MAX)
        with suppress(TimeoutError):
            async with asyncio.timeout(STREAM_S_MAX):
                async for _ in answers:
                    pass
        answers.cancel()

    def _judge(self, method: MethodDescriptor, body: bytes, error: aio.AioRpcError) -> None:
        code = error.code()
        self.findings.statuses[code.name] += 1
        if code is StatusCode.DEADLINE_EXCEEDED or code in WITH_REASON:
            self.findings.unknown += 1
        if code in FAULTS or (code in WITH_REASON and not reason_of(error)):
            self.findings.fault(method.name, body, f"{code.name}: {error.details()}")

    async def there(self) -> Created:
        """What is there, as the services list it."""
        found = Created()
        orders = OrderServiceStub(self._channels["orders"])
        stock = InventoryServiceStub(self._channels["inventory"])
        notifier = NotifierServiceStub(self._channels["notifier"])
        lists: tuple[tuple[Any, Any, set[str]], ...] = (
            (orders.ListOrders, orders_pb2.ListOrdersRequest(), found.orders),
            (stock.ListProducts, inventory_pb2.ListProductsRequest(), found.products),
            (stock.ListLocations, inventory_pb2.ListLocationsRequest(), found.locations),
            (stock.ListTransfers, inventory_pb2.ListTransfersRequest(), found.transfers),
            (notifier.ListWebhooks, notifier_pb2.ListWebhooksRequest(), found.webhooks),
        )
        for method, request, ids in lists:
            request.page_size = 1_000
            while True:
                page = await method(request, timeout=CALL_S_MAX)
                ids |= _ids(page)
                request.page_token = page.next_page_token
                if not request.page_token:
                    break
        return found


def _ids(page: Message) -> set[str]:
    match page:
        case orders_pb2.ListOrdersResponse():
            return {order.order_id for order in page.orders}
        case inventory_pb2.ListProductsResponse():
            return {product.product_id for product in page.products}
        case inventory_pb2.ListLocationsResponse():
            return {location.location_id for location in page.locations}
        case inventory_pb2.ListTransfersResponse():
            return {transfer.transfer_id for transfer in page.transfers}
        case notifier_pb2.ListWebhooksResponse():
            return {webhook.webhook_id for webhook in page.webhooks}
    raise AssertionError(f"{page.DESCRIPTOR.full_name} is no page")


def differences(told: Created, there: Created, unknown: int) -> list[str]:
    """What is there and was told of by no OK answer, beyond what nobody knows; and what is gone."""
    found = []
    for kind in ("orders", "products", "locations", "transfers", "webhooks"):
        said, seen = getattr(told, kind), getattr(there, kind)
        if len(seen - said) > unknown:
            found.append(
                f"{len(seen - said)} {kind} that no answer told of: {sorted(seen - said)[:3]}"
            )
        if said - seen:
            found.append(f"{len(said - seen)} {kind} are gone: {sorted(said - seen)[:3]}")
    return found


def reason_of(error: aio.AioRpcError) -> str:
    """The reason in a refusal's details; "" if it has none."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                info = ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""
