"""Which events are in the feed of Orders."""

from typing import get_args

from holdfast.contracts.orders.v1 import events_pb2
from holdfast.orders.domain.events import OrderEvent, StockAskedAgain

# What is only ever a repeat is not in the feed.
EVENTS = tuple(
    events_pb2.DESCRIPTOR.message_types_by_name[kind.__name__]
    for kind in get_args(OrderEvent)
    if kind is not StockAskedAgain
)
TYPES = tuple(event.full_name for event in EVENTS)
