"""The feed of Inventory: which events are in it, and its two methods."""

from collections.abc import AsyncIterator
from typing import get_args

from holdfast.chassis.grpc.feeds import FeedReading
from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.messaging.feed import Feed
from holdfast.contracts.feeds.v1 import feeds_pb2
from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceServicer
from holdfast.inventory.domain.events import InventoryEvent

EVENTS = tuple(
    events_pb2.DESCRIPTOR.message_types_by_name[kind.__name__] for kind in get_args(InventoryEvent)
)
TYPES = tuple(event.full_name for event in EVENTS)


class FeedMethods(InventoryServiceServicer):
    """The methods that read the feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = FeedReading(feed, TYPES)

    async def ReadEvents(
        self, request: feeds_pb2.ReadEventsRequest, context: Context
    ) -> feeds_pb2.ReadEventsResponse:
        return await self._feed.read(request)

    async def StreamEvents(
        self, request: feeds_pb2.StreamEventsRequest, context: Context
    ) -> AsyncIterator[feeds_pb2.StreamEventsResponse]:
        async for part in self._feed.stream(request):
            yield part
