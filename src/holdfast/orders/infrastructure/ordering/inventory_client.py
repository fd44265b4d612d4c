"""The stock check over gRPC: one BatchGetStockInfo per thousand products of a batch."""

from collections.abc import Collection, Mapping

import grpc
from google.rpc.code_pb2 import NOT_FOUND
from grpc import aio

from holdfast.chassis import money
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.inventory.v1 import inventory_pb2_grpc
from holdfast.orders.application.ports import ProductStock
from holdfast.orders.domain.errors import InventoryUnavailable
from holdfast.orders.domain.money import Money

PRODUCTS_PER_CALL = 1_000
DEADLINE_S = 5.0


class GrpcStockCheck:
    """Inventory's gRPC service as a stock check."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = inventory_pb2_grpc.InventoryServiceStub(channel)

    async def ask(self, product_ids: Collection[str]) -> Mapping[str, ProductStock]:
        wanted = sorted(product_ids)
        found: dict[str, ProductStock] = {}
        for start in range(0, len(wanted), PRODUCTS_PER_CALL):
            found |= await self._ask_some(wanted[start : start + PRODUCTS_PER_CALL])
        await failpoint("stock checked")
        return found

    async def _ask_some(self, product_ids: list[str]) -> dict[str, ProductStock]:
        # Never with the texts and the levels: long descriptions would not fit into one answer.
        request = pb.BatchGetStockInfoRequest(
            product_ids=product_ids, view=pb.STOCK_INFO_VIEW_BASIC
        )
        try:
            response = await self._stub.BatchGetStockInfo(request, timeout=DEADLINE_S)
        except aio.AioRpcError as error:
            raise InventoryUnavailable(f"{error.code().name}: {error.details()}") from error
        found = {}
        for product_id, result in zip(product_ids, response.results, strict=True):
            if result.HasField("info"):
                found[product_id] = _stock(result.info)
            elif result.error.code != NOT_FOUND:
                raise InventoryUnavailable(f"{product_id}: {result.error.message}")
        return found


def _stock(info: pb.StockInfo) -> ProductStock:
    violations = Violations()
    currency, minor = money.to_minor(violations, "unit_price", info.product.unit_price)
    violations.raise_any()
    decimals = money.DIGITS[currency]
    return ProductStock(Money(currency, minor), decimals, info.product.active, info.available)


def open_channel(address: str) -> aio.Channel:
    """Open the one long-lived channel to Inventory; it reconnects by itself, quickly, and goes
    from a process that is frozen to another one, where the address has several.
    """
    return aio.insecure_channel(
        address,
        options=[
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 1_000),  # also how long a connection may take
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.keepalive_time_ms", 5_000),
            ("grpc.http2.ping_timeout_ms", 3_000),
        ],
    )


assert grpc.StatusCode.NOT_FOUND.value[0] == NOT_FOUND, "the two spellings of one code"
