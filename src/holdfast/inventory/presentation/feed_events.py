"""Which events are in the feed of Inventory."""

from typing import get_args

from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.inventory.domain.events import InventoryEvent

EVENTS = tuple(
    events_pb2.DESCRIPTOR.message_types_by_name[kind.__name__] for kind in get_args(InventoryEvent)
)
TYPES = tuple(event.full_name for event in EVENTS)
