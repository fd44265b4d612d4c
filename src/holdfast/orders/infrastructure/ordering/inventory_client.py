"""The stock check over gRPC: one BatchGetStockInfo per thousand products of a batch."""

from collections.abc import Collection

import grpc
from google.rpc.code_pb2 import NOT_FOUND
from grpc import aio

from holdfast.chassis import money, tracing
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.grpc.channels import RenewingChannel
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.contracts.inventory.v1 import inventory_pb2_grpc
from holdfast.orders.application.ports import ProductStock, StockAdvice
from holdfast.orders.domain.errors import InventoryUnavailable
from holdfast.orders.domain.money import Money

ASKED_PER_CALL = 1_000  # products, and locations too
DEADLINE_S = 5.0


class GrpcStockCheck:
    """Inventory's gRPC service as a stock check.

    :param key: by which Inventory knows who asks; "": it does not want to know.
    """

    def __init__(self, channel: aio.Channel | RenewingChannel, key: str = "") -> None:
        self._identity = [("authorization", f"Bearer {key}")] if key else []
        self._stub = inventory_pb2_grpc.InventoryServiceStub(channel)  # type: ignore[arg-type] # of a channel it needs one method

    async def ask(
        self, product_ids: Collection[str], location_ids: Collection[str] = ()
    ) -> StockAdvice:
        products, locations = sorted(product_ids), sorted(location_ids)
        found: dict[str, ProductStock] = {}
        known: dict[str, bool] = {}
        for start in range(0, max(len(products), len(locations)), ASKED_PER_CALL):
            some = slice(start, start + ASKED_PER_CALL)
            response = await self._ask_some(products[some], locations[some])
            found |= _products(products[some], response)
            known |= {one.location_id: one.active for one in response.locations}
        await failpoint("stock checked")
        return StockAdvice(found, known)

    async def _ask_some(
        self, product_ids: list[str], location_ids: list[str]
    ) -> pb.BatchGetStockInfoResponse:
        # Never with the texts and the levels: long descriptions would not fit into one answer.
        request = pb.BatchGetStockInfoRequest(
            product_ids=product_ids, view=pb.STOCK_INFO_VIEW_BASIC, location_ids=location_ids
        )
        try:
            response: pb.BatchGetStockInfoResponse = await self._stub.BatchGetStockInfo(
                request, timeout=DEADLINE_S, metadata=self._identity + _in_trace()
            )
        except aio.AioRpcError as error:
            raise InventoryUnavailable(f"{error.code().name}: {error.details()}") from error
        return response


def _in_trace() -> list[tuple[str, str]]:
    """A batch asks once for many orders, in the trace of the first that has one."""
    traceparent = tracing.current_one()
    return [("traceparent", traceparent)] if traceparent else []


def _products(
    product_ids: list[str], response: pb.BatchGetStockInfoResponse
) -> dict[str, ProductStock]:
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
    price = Money(currency, minor)
    return ProductStock(price, decimals, info.product.active, info.available, info.backorder_room)


assert grpc.StatusCode.NOT_FOUND.value[0] == NOT_FOUND, "the two spellings of one code"
