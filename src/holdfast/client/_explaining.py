"""The verbs of Inventory that tell why stock is what it is: the ledger, read and added up."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from holdfast.client import _requests
from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._explain_types import (
    EarlierStock,
    ExplainedLevel,
    IncomingStock,
    MovementSum,
    OpenHold,
    StockExplanation,
)
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._stock_types import Movement
from holdfast.client._stock_wire import backordered_from_wire
from holdfast.client._times import time_from_wire, time_to_wire
from holdfast.client._wire import level_from_wire, movement_from_wire, movement_kind_from_wire
from holdfast.contracts.inventory.v1 import inventory_pb2, inventory_pb2_grpc


class Explaining:
    """A part of `Inventory`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = inventory_pb2_grpc.InventoryServiceStub(calls.channel)

    async def explain(
        self, product_id: str, *, location: str | None = None, as_of: datetime | None = None
    ) -> StockExplanation:
        """Why is on hand 47? The sums, holds, transfers and last movements that make a product's
        levels, what is available of it, and who waits for it.

        Each level is of one moment. Of a product with more than 20 levels as many calls are made
        as it takes; without `as_of` each of them is of a moment of its own.

        :param location: only there; None: wherever the product ever was.
        :param as_of: what was then, with all that happened up to this moment; None: what is now.
        :raises NotFound: the product or the location does not exist.
        :raises Refused: the location is spelled otherwise (LOCATION_SPELLED_OTHERWISE).
        :raises InvalidRequest: `as_of` is in the future.
        """
        checks = Checks()
        request = inventory_pb2.ExplainStockRequest(
            product_id=checks.text("product_id", product_id),
            location_id="" if location is None else checks.text("location_id", location),
            as_of=time_to_wire(checks.instant("as_of", as_of)),
        )
        checks.raise_any()
        levels: list[ExplainedLevel] = []
        while True:
            answer = await self._calls.ask(self._stub.ExplainStock, request, repeatable=True)
            levels += map(_level_from_wire, answer.levels)
            request.page_token = answer.next_page_token
            if not request.page_token:
                return StockExplanation(
                    product_id,
                    as_of,
                    tuple(levels),
                    answer.available if answer.HasField("available") else None,
                    answer.queued if answer.HasField("queued") else None,
                    tuple(map(backordered_from_wire, answer.backorders)),
                    answer.backorder_rows,
                )

    def list_movements(
        self,
        *,
        product_id: str = "",
        location_id: str = "",
        order_id: str = "",
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Movement]:
        """Every matching stock movement, newest first, fetched page by page.

        :param limit: at most so many movements; None: all.
        :param page_size: movements per call, at most 1,000; fewer come where they are large.
        """
        size, wanted = _requests.page_bounds(page_size, limit)
        request = _requests.list_movements(
            product_id=product_id,
            location_id=location_id,
            order_id=order_id,
            created_from=created_from,
            created_before=created_before,
        )

        async def page(size: int, token: str) -> tuple[Sequence[Movement], str]:
            return await self._movements(request, token, size)

        return walk(page, page_size=size, limit=wanted)

    async def movement_page(
        self,
        page_token: str = "",
        *,
        product_id: str = "",
        location_id: str = "",
        order_id: str = "",
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = PAGE_SIZE,
    ) -> tuple[Sequence[Movement], str]:
        """One page of what `list_movements` walks over, and the next one's token, "" on the last.

        :param page_token: as the page before told it, with the same filter; "": the first page.
        :raises InvalidRequest: the token is none of this filter.
        """
        checks = Checks()
        token, size = checks.page(page_token, page_size)
        checks.raise_any()
        request = _requests.list_movements(
            product_id=product_id,
            location_id=location_id,
            order_id=order_id,
            created_from=created_from,
            created_before=created_before,
        )
        return await self._movements(request, token, size)

    async def _movements(
        self, request: inventory_pb2.ListMovementsRequest, token: str, size: int
    ) -> tuple[Sequence[Movement], str]:
        request.page_size, request.page_token = size, token
        answer = await self._calls.ask(self._stub.ListMovements, request, repeatable=True)
        return [movement_from_wire(one) for one in answer.movements], answer.next_page_token


def _level_from_wire(message: inventory_pb2.ExplainedLevel) -> ExplainedLevel:
    earlier = message.earlier
    return ExplainedLevel(
        level=level_from_wire(message.level),
        sums=tuple(
            MovementSum(
                movement_kind_from_wire(one.kind),
                one.movements,
                one.on_hand,
                one.reserved,
                one.quarantined,
            )
            for one in message.sums
        ),
        summed_from=(
            time_from_wire(message.summed_from) if message.HasField("summed_from") else None
        ),
        earlier=EarlierStock(earlier.on_hand, earlier.reserved, earlier.quarantined),
        holds=tuple(
            OpenHold(hold.order_id, hold.quantity, time_from_wire(hold.change_time))
            for hold in message.holds
        ),
        hold_orders=message.hold_orders,
        hold_units=message.hold_units,
        movements=tuple(map(movement_from_wire, message.movements)),
        incoming=tuple(map(_incoming_from_wire, message.incoming)),
        incoming_transfers=message.incoming_transfers,
    )


def _incoming_from_wire(message: inventory_pb2.IncomingStock) -> IncomingStock:
    is_expected = message.HasField("expected_time")
    return IncomingStock(
        transfer_id=message.transfer_id,
        origin=message.origin,
        quantity=message.quantity,
        create_time=time_from_wire(message.create_time),
        expected_time=time_from_wire(message.expected_time) if is_expected else None,
    )
