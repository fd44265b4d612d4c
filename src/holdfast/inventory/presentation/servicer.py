"""InventoryService over gRPC: each method reads a request, asks a use case or reader, answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import grpc

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.grpc import pages, statuses
from holdfast.chassis.grpc.feeds import FeedMethods
from holdfast.chassis.grpc.rpc_boundary import Context, RpcBoundary, tell_replay
from holdfast.chassis.grpc.sizes import FRAME_BYTES, Room
from holdfast.chassis.messaging.feed import Feed
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import (
    Clock,
    QueueRow,
    RecordedMovement,
    StockInfo,
    StockReader,
)
from holdfast.inventory.application.stock.change_stock import LevelAsItWas, SetOnHand, StockChange
from holdfast.inventory.application.stock.explain_stock import ExplainedLevel, ExplainStock
from holdfast.inventory.domain.catalog.product import Detail, Product
from holdfast.inventory.domain.errors import ProductNotFound
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.stock.finding import Found
from holdfast.inventory.domain.stock.levels import Short, StockLevel
from holdfast.inventory.domain.stock.sourcing import Sourcing
from holdfast.inventory.presentation import (
    availability_wire,
    backorders_wire,
    explain_wire,
    locations_wire,
    wire,
)
from holdfast.inventory.presentation.caller import caller_of
from holdfast.inventory.presentation.feed_events import TYPES
from holdfast.inventory.presentation.transfers_servicer import TransferCases, TransferMethods

Info = TypeVar("Info")

# In place of a result that the answer has no room for.
NO_ROOM = pb.BatchGetStockInfoResult(
    error=statuses.refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "ANSWER_FULL",
        "the answer has no room left for this product: ask for it in another call",
    )
)


class InventoryServicer(FeedMethods, TransferMethods):
    """The methods of `holdfast.inventory.v1.InventoryService`; the proto documents them."""

    def __init__(
        self,
        *,
        change_stock: Batcher[StockChange, StockLevel],
        create_product: Callable[[Product], Awaitable[Product]],
        update_product: Callable[[str, int, Mapping[str, Detail]], Awaitable[Product]],
        create_location: Callable[[Location], Awaitable[Location]],
        update_location: Callable[[str, int, Mapping[str, object]], Awaitable[Location]],
        check_availability: Callable[
            [Mapping[str, int], Sourcing], Awaitable[tuple[Found | Short, Mapping[str, Product]]]
        ],
        explain_stock: ExplainStock,
        get_stock_info: Batcher[str, StockInfo | None],
        transfers: TransferCases,
        reader: StockReader,
        feed: Feed,
        clock: Clock,
        boundary: RpcBoundary,
    ) -> None:
        FeedMethods.__init__(self, feed, TYPES)
        self._change_stock = change_stock
        self._create_product = create_product
        self._update_product = update_product
        self._create_location = create_location
        self._update_location = update_location
        self._check_availability = check_availability
        self._explain_stock = explain_stock
        self._get_stock_info = get_stock_info
        self._transfers = transfers
        self._reader = reader
        self._clock = clock
        self._boundary = boundary

    async def UpdateStock(
        self, request: pb.UpdateStockRequest, context: Context
    ) -> pb.UpdateStockResponse:
        violations = Violations()
        change = wire.read_set_on_hand(request, caller_of(context), violations)
        violations.raise_any()
        level = await self._changed(change, context)
        return pb.UpdateStockResponse(product_id=change.product_id, level=wire.level_message(level))

    async def _changed(self, change: StockChange, context: Context) -> StockLevel:
        level = await self._change_stock.submit(change)
        if isinstance(level, LevelAsItWas):
            tell_replay(context)
        return level

    async def BatchUpdateStock(
        self, request: pb.BatchUpdateStockRequest, context: Context
    ) -> pb.BatchUpdateStockResponse:
        violations = Violations()
        read = wire.read_batch_set_on_hand(request, caller_of(context), violations)
        violations.raise_any()
        changes = [one for one in read if isinstance(one, SetOnHand)]
        outcomes = iter(await self._change_stock.submit_all(changes) if changes else ())
        results = [
            self._update_result(next(outcomes) if isinstance(one, SetOnHand) else one.refusal())
            for one in read
        ]
        return pb.BatchUpdateStockResponse(results=results)

    def _update_result(self, outcome: StockLevel | Exception) -> pb.BatchUpdateStockResult:
        if isinstance(outcome, Exception):
            return pb.BatchUpdateStockResult(error=self._boundary.status_of(outcome))
        updated = pb.UpdateStockResponse(
            product_id=outcome.product_id, level=wire.level_message(outcome)
        )
        return pb.BatchUpdateStockResult(updated=updated)

    async def AdjustStock(
        self, request: pb.AdjustStockRequest, context: Context
    ) -> pb.AdjustStockResponse:
        violations = Violations()
        change = wire.read_adjust_on_hand(request, caller_of(context), violations)
        violations.raise_any()
        level = await self._changed(change, context)
        return pb.AdjustStockResponse(product_id=change.product_id, level=wire.level_message(level))

    async def QuarantineStock(
        self, request: pb.QuarantineStockRequest, context: Context
    ) -> pb.QuarantineStockResponse:
        violations = Violations()
        change = wire.read_quarantine(request, caller_of(context), violations)
        violations.raise_any()
        level = wire.level_message(await self._changed(change, context))
        return pb.QuarantineStockResponse(product_id=change.product_id, level=level)

    async def ReleaseQuarantine(
        self, request: pb.ReleaseQuarantineRequest, context: Context
    ) -> pb.ReleaseQuarantineResponse:
        violations = Violations()
        change = wire.read_end_of_quarantine(request, caller_of(context), violations)
        violations.raise_any()
        level = wire.level_message(await self._changed(change, context))
        return pb.ReleaseQuarantineResponse(product_id=change.product_id, level=level)

    async def GetStockInfo(self, request: pb.GetStockInfoRequest, context: Context) -> pb.StockInfo:
        violations = Violations()
        product_id = violations.id("product_id", request.product_id)
        violations.raise_any()
        found = await self._get_stock_info.submit(product_id)
        if found is None:
            raise ProductNotFound(product_id)
        return wire.info_message(found)

    async def BatchGetStockInfo(
        self, request: pb.BatchGetStockInfoRequest, context: Context
    ) -> pb.BatchGetStockInfoResponse:
        violations = Violations()
        product_ids = wire.read_product_ids(request, violations)
        summarised = wire.read_is_basic(request, violations)
        violations.raise_any()
        response = pb.BatchGetStockInfoResponse()
        if request.location_ids:
            known = await self._reader.locations_named(request.location_ids)
            for location in known.values():
                locations_wire.write_location(response.locations.add(), location)
        if summarised:
            found = await self._reader.stock_summaries(set(product_ids))
            self._write_infos(response, product_ids, found, wire.write_summary)
        else:
            infos = await self._reader.stock_info(set(product_ids))
            self._write_infos(response, product_ids, infos, wire.write_info)
        return response

    def _write_infos(
        self,
        response: pb.BatchGetStockInfoResponse,
        product_ids: Sequence[str],
        found: Mapping[str, Info],
        write: Callable[[pb.StockInfo, Info], None],
    ) -> None:
        room = Room(len(product_ids), short_bytes=NO_ROOM.ByteSize() + FRAME_BYTES)
        for product_id in product_ids:
            result = response.results.add()
            if product_id in found:
                write(result.info, found[product_id])
            else:
                result.error.CopyFrom(self._boundary.status_of(ProductNotFound(product_id)))
            if not room.takes(result):
                result.CopyFrom(NO_ROOM)

    async def CreateProduct(self, request: pb.CreateProductRequest, context: Context) -> pb.Product:
        violations = Violations()
        product = wire.read_product(request.product, violations)
        violations.raise_any()
        made = await self._create_product(product)
        if made is not product:
            tell_replay(context)
        return wire.product_message(made)

    async def UpdateProduct(self, request: pb.UpdateProductRequest, context: Context) -> pb.Product:
        violations = Violations()
        revision = wire.read_revision(request, violations)
        violations.raise_any()
        product = await self._update_product(
            revision.product_id, revision.expected_version, revision.details
        )
        return wire.product_message(product)

    async def ListProducts(
        self, request: pb.ListProductsRequest, context: Context
    ) -> pb.ListProductsResponse:
        violations = Violations()
        wanted = wire.read_product_filter(request, violations)
        filter_text = f"products {wanted!r}"
        after = pages.read_token(violations, request.page_token, filter_text)
        size = pages.page_size(violations, request.page_size)
        violations.raise_any()

        async def read(after: str, limit: int) -> list[Product]:
            return await self._reader.products(wanted, after=after, limit=limit)

        page = await pages.fill(
            size, read, wire.product_message, lambda product: product.product_id, start=after
        )
        return pb.ListProductsResponse(
            products=page.messages, next_page_token=pages.make_token(page.cursor, filter_text)
        )

    async def ListMovements(
        self, request: pb.ListMovementsRequest, context: Context
    ) -> pb.ListMovementsResponse:
        violations = Violations()
        asked = wire.read_movement_page(request, violations)
        violations.raise_any()
        await self._refuse_unknown(asked.wanted.location_id)

        async def read(before: str, limit: int) -> list[RecordedMovement]:
            return await self._reader.movements(asked.wanted, before=int(before), limit=limit)

        page = await pages.fill(
            asked.size,
            read,
            wire.movement_message,
            lambda recorded: str(recorded.movement_id),
            start=str(asked.before),
        )
        return pb.ListMovementsResponse(
            movements=page.messages,
            next_page_token=pages.make_token(page.cursor, asked.filter_text),
        )

    async def _refuse_unknown(self, location_id: str) -> None:
        """An empty list would look as if nothing had ever moved there."""
        if location_id:
            named(location_id, await self._reader.locations_named([location_id]))

    async def CreateLocation(
        self, request: pb.CreateLocationRequest, context: Context
    ) -> pb.Location:
        violations = Violations()
        location = locations_wire.read_location(request.location, violations)
        violations.raise_any()
        made = await self._create_location(location)
        if made is not location:
            tell_replay(context)
        return locations_wire.location_message(made)

    async def UpdateLocation(
        self, request: pb.UpdateLocationRequest, context: Context
    ) -> pb.Location:
        violations = Violations()
        asked = locations_wire.read_revision(request, violations)
        violations.raise_any()
        location = await self._update_location(
            asked.location_id, asked.expected_version, asked.details
        )
        return locations_wire.location_message(location)

    async def ListLocations(
        self, request: pb.ListLocationsRequest, context: Context
    ) -> pb.ListLocationsResponse:
        violations = Violations()
        cursor, size = locations_wire.read_page(request, violations)
        violations.raise_any()

        async def read(after: str, limit: int) -> list[Location]:
            return await self._reader.locations(after=locations_wire.place_of(after), limit=limit)

        page = await pages.fill(
            size, read, locations_wire.location_message, locations_wire.cursor_of, start=cursor
        )
        return pb.ListLocationsResponse(
            locations=page.messages, next_page_token=pages.make_token(page.cursor, "locations")
        )

    async def CheckAvailability(
        self, request: pb.CheckAvailabilityRequest, context: Context
    ) -> pb.CheckAvailabilityResponse:
        violations = Violations()
        wanted, sourcing = availability_wire.read_basket(request, violations)
        violations.raise_any()
        return availability_wire.availability_message(
            *await self._check_availability(wanted, sourcing)
        )

    async def ListBackorders(
        self, request: pb.ListBackordersRequest, context: Context
    ) -> pb.ListBackordersResponse:
        violations = Violations()
        asked = backorders_wire.read_queue_page(request, violations)
        violations.raise_any()
        found = await self._reader.stock_info([asked.product_id])
        if asked.product_id not in found:
            raise ProductNotFound(asked.product_id)
        start = backorders_wire.place_of(asked.cursor)
        before = await self._reader.queue_until(asked.product_id, start) if start else (0, 0)

        async def read(after: str, limit: int) -> list[QueueRow]:
            place = backorders_wire.place_of(after)
            return await self._reader.backorders(asked.product_id, after=place, limit=limit)

        page = await pages.fill(
            asked.size,
            read,
            backorders_wire.QueueMessages(*before),
            backorders_wire.cursor_of,
            start=asked.cursor,
        )
        response = pb.ListBackordersResponse(
            backorders=page.messages,
            next_page_token=pages.make_token(page.cursor, asked.filter_text),
        )
        backorders_wire.write_expected(response, found[asked.product_id].product)
        return response

    async def ExplainStock(
        self, request: pb.ExplainStockRequest, context: Context
    ) -> pb.ExplainStockResponse:
        violations = Violations()
        asked = explain_wire.read_question(request, violations, self._clock.now())
        violations.raise_any()

        async def read(after: str, limit: int) -> list[ExplainedLevel]:
            return await self._explain_stock(asked.question, after=after, limit=limit)

        page = await pages.fill(
            asked.size, read, explain_wire.level_message, explain_wire.cursor_of, start=asked.after
        )
        response = pb.ExplainStockResponse(
            product_id=asked.question.product_id,
            levels=page.messages,
            next_page_token=pages.make_token(page.cursor, asked.filter_text),
        )
        if asked.question.at is None:
            promises = await self._explain_stock.promises(asked.question.product_id)
            explain_wire.write_promises(response, promises)
        return response
