"""The verbs of Inventory that are about locations, about what could be promised from them, and
about who waits for what is not there.
"""

from collections.abc import AsyncGenerator, Sequence

from holdfast.client import _location_requests
from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._pages import PAGE_SIZE, PAGE_SIZE_MAX, walk
from holdfast.client._requests import page_bounds
from holdfast.client._stock_types import (
    BackorderedUnits,
    Location,
    LocationAddress,
    LocationKind,
    Sourcing,
)
from holdfast.client._stock_wire import backordered_from_wire, location_from_wire
from holdfast.client._types import Availability, OrderLine
from holdfast.client._wire import availability_from_wire
from holdfast.contracts.inventory.v1 import inventory_pb2, inventory_pb2_grpc


class Locations:
    """A part of `Inventory`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = inventory_pb2_grpc.InventoryServiceStub(calls.channel)

    async def create_location(
        self,
        location_id: str,
        *,
        name: str = "",
        kind: LocationKind = LocationKind.WAREHOUSE,
        priority: int | None = None,
        active: bool = True,
        address: LocationAddress | None = None,
    ) -> Location:
        """Make a location; stock can be kept there from then on.

        Repeating with the same contents returns it and changes nothing.

        :param location_id: 1 to 64 characters, unique whatever the case of its letters.
        :param priority: stock is taken from the lowest first, 0 to 1,000,000; None: 100.
        :param active: whether stock may be received and promised there.
        :raises AlreadyExists: the id has other contents (LOCATION_EXISTS); use `update_location`.
        :raises Refused: it is there in other letters' case (LOCATION_SPELLED_OTHERWISE), or there
            are 1,000 locations already (TOO_MANY_LOCATIONS).
        """
        answer = await self._calls.ask(
            self._stub.CreateLocation,
            _location_requests.create_location(
                location_id,
                name=name,
                kind=kind,
                priority=priority,
                active=active,
                address=address,
            ),
            repeatable=True,
        )
        return location_from_wire(answer)

    async def update_location(
        self,
        location_id: str,
        *,
        version: int,
        name: str | None = None,
        kind: LocationKind | None = None,
        priority: int | None = None,
        active: bool | None = None,
        address: LocationAddress | None = None,
    ) -> Location:
        """Change what is known of a location; None leaves a field as it is.

        One that is not active gets no stock and makes no new promise from then on; what is promised
        there stays so. Never repeated after an unknown outcome: list the locations to see whether
        it changed.

        :param version: the location's version as last read.
        :param priority: 0 to 1,000,000.
        :param address: replaces the whole address; one without any part takes it away.
        :raises StaleVersion: the location changed since.
        :raises NotFound: the location does not exist.
        """
        answer = await self._calls.ask(
            self._stub.UpdateLocation,
            _location_requests.update_location(
                location_id,
                version,
                name=name,
                kind=kind,
                priority=priority,
                active=active,
                address=address,
            ),
            repeatable=False,
        )
        return location_from_wire(answer)

    def list_locations(
        self, *, limit: int | None = None, page_size: int = PAGE_SIZE_MAX
    ) -> AsyncGenerator[Location]:
        """Every location in the order in which stock is taken from them: by priority, then by id.

        :param limit: at most so many locations; None: all, of which there are at most 1,000.
        :param page_size: locations per call, at most 1,000; fewer come where they are large.
        """
        size, wanted = page_bounds(page_size, limit)
        request = inventory_pb2.ListLocationsRequest()

        async def page(size: int, token: str) -> tuple[Sequence[Location], str]:
            request.page_size, request.page_token = size, token
            answer = await self._calls.ask(self._stub.ListLocations, request, repeatable=True)
            return [location_from_wire(one) for one in answer.locations], answer.next_page_token

        return walk(page, page_size=size, limit=wanted)

    async def check_availability(
        self, lines: Sequence[OrderLine], *, sourcing: Sourcing | None = None
    ) -> Availability:
        """Whether stock for an order's lines could be promised now, from where, and what of it
        would have to wait for stock.

        By the very rules that promise it to an order; but nothing is promised, and the next moment
        somebody else may have it.

        :param lines: 1 to 2,000, as `Orders.create` takes them; their prices don't matter, and of a
            product that is there twice both count.
        :param sourcing: where it is to come from; None: by priority.
        :raises NotFound: a product or a location does not exist.
        :raises Refused: a location that is named is not active (LOCATION_INACTIVE), or is spelled
            otherwise (LOCATION_SPELLED_OTHERWISE).
        """
        answer = await self._calls.ask(
            self._stub.CheckAvailability,
            _location_requests.check_availability(lines, sourcing),
            repeatable=True,
        )
        return availability_from_wire(answer)

    def list_backorders(
        self, product_id: str, *, limit: int | None = None, page_size: int = PAGE_SIZE
    ) -> AsyncGenerator[BackorderedUnits]:
        """Who waits for a product, in the order in which they are served, fetched page by page.

        Whatever becomes free belongs to the first, unit by unit, until they have all. When more is
        expected is told with the product.

        :param limit: at most so many rows; None: all.
        :param page_size: rows per call, at most 1,000.
        :raises NotFound: the product does not exist.
        """
        size, wanted = page_bounds(page_size, limit)
        request = _location_requests.list_backorders(product_id)

        async def page(size: int, token: str) -> tuple[Sequence[BackorderedUnits], str]:
            return await self._backorders(request, token, size)

        return walk(page, page_size=size, limit=wanted)

    async def backorder_page(
        self, product_id: str, page_token: str = "", *, page_size: int = PAGE_SIZE
    ) -> tuple[Sequence[BackorderedUnits], str]:
        """One page of what `list_backorders` walks over, and the next one's token, "" on the last.

        :param page_token: as the page before told it, of this product; "": the first page.
        :raises InvalidRequest: the token is none of this product's.
        :raises NotFound: the product does not exist.
        """
        checks = Checks()
        token, size = checks.page(page_token, page_size)
        checks.raise_any()
        request = _location_requests.list_backorders(product_id)
        return await self._backorders(request, token, size)

    async def _backorders(
        self, request: inventory_pb2.ListBackordersRequest, token: str, size: int
    ) -> tuple[Sequence[BackorderedUnits], str]:
        request.page_size, request.page_token = size, token
        answer = await self._calls.ask(self._stub.ListBackorders, request, repeatable=True)
        return list(map(backordered_from_wire, answer.backorders)), answer.next_page_token
